"""Reads a pickle that holds nothing but dictionaries of numpy arrays, and refuses every other one.

A pickle may run any code of whoever wrote it. The JAX checkpoints of I3D are pickles, so this unpickler
resolves three names only, those of which numpy builds an array, and turns the nesting into paths.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError, first_line

# numpy's own name for it moved from numpy.core to numpy._core; an array always knows.
_RECONSTRUCT = np.zeros(0).__reduce__()[0]

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _NumpyUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it wants to run {module}.{name}")
        return _ALLOWED[module, name]


def read_numpy_pickle(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read nested dictionaries of numeric numpy arrays.

    Args:
        path: A pickle.

    Returns:
        Arrays by their path in the nesting, joined with ``/``; numeric ones of any shape and any dtype.

    Raises:
        WeightsError: It is no pickle, is damaged, holds anything else, or would run code.
    """
    try:
        content = _NumpyUnpickler(io.BytesIO(path.read_bytes())).load()
    except Exception as error:  # a damaged pickle raises nearly anything
        raise WeightsError(f"'{path}' cannot be read as weights ({first_line(error)})", _REMEDY) from error
    return dict(_leaves(content, "", path))


_REMEDY = "give a .safetensors file, a torch state dict, or a pickle of numpy arrays only"


def _leaves(node: object, prefix: str, path: Path) -> list[tuple[str, npt.NDArray[Any]]]:
    if isinstance(node, Mapping):
        found: list[tuple[str, npt.NDArray[Any]]] = []
        for key, value in node.items():
            found += _leaves(value, f"{prefix}/{key}" if prefix else str(key), path)
        return found
    if isinstance(node, np.ndarray) and node.dtype.kind in "fiu":
        return [(prefix, node)]
    raise WeightsError(f"'{path}' holds {type(node).__name__} at {prefix!r}", _REMEDY)
