"""Reads a pickle that holds nothing but dictionaries of numpy arrays, and refuses every other one.

A pickle may run any code of whoever wrote it. The JAX checkpoints of I3D are pickles, so this unpickler knows three
names only, those of which numpy builds an array, and it knows them as stand-ins of its own: numpy's would believe
what the file says, and an ``ndarray`` of objects over given bytes is as good as running code. The stand-ins take a
plain type, a shape and bytes, and check that they fit.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError, first_line

_PLAIN = re.compile(r"[fiu][1248]")
_MOST_NODES = 100_000
"""Arrays and dictionaries; a small file can name one dictionary any number of times, also inside itself."""
_MOST_LEVELS = 100


class _Type:
    """Stands for ``numpy.dtype``."""

    def __init__(self, code: str, *_: object) -> None:
        if not _PLAIN.fullmatch(code):
            raise pickle.UnpicklingError(f"an array of type {code!r:.40}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] == ">":
            self.dtype = self.dtype.newbyteorder(">")


class _Array:
    """Stands for ``numpy.ndarray``, and for the function that makes an empty one."""

    value: npt.NDArray[Any]

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, is_fortran, raw = state
        if not isinstance(kind, _Type) or not isinstance(raw, bytes):
            raise pickle.UnpicklingError("an array of no numbers")
        if any(type(side) is not int or side < 0 for side in shape):
            raise pickle.UnpicklingError("an array of no shape")
        if prod(shape) * kind.dtype.itemsize != len(raw):
            raise pickle.UnpicklingError("an array whose shape and bytes do not fit")
        flat = np.frombuffer(raw, kind.dtype).astype(kind.dtype.newbyteorder("="))
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    # numpy's own name for it moved from numpy.core to numpy._core.
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
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
        reason = first_line(error)[:200]
        raise WeightsError(f"'{path}' cannot be read as weights ({reason})", _REMEDY) from error
    return _leaves(content, path)


_REMEDY = "give a .safetensors file, a torch state dict, or a pickle of numpy arrays only"


def _leaves(content: object, path: Path) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    waiting: list[tuple[object, tuple[str, ...]]] = [(content, ())]
    nodes = 0
    while waiting:
        node, at = waiting.pop()
        nodes += 1
        if nodes > _MOST_NODES or len(at) > _MOST_LEVELS:
            raise WeightsError(f"'{path}' is nested without end", _REMEDY)
        if isinstance(node, Mapping):
            # Backwards onto the stack, so that they come off in their order.
            waiting += [(node[key], (*at, str(key))) for key in reversed(node)]
        elif isinstance(node, _Array) and hasattr(node, "value"):
            found["/".join(at)] = node.value
        else:
            raise WeightsError(f"'{path}' holds {type(node).__name__} at {'/'.join(at)!r:.100}", _REMEDY)
    return found
