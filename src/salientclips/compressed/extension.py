"""The door to the native extension for work that numpy can also do: the same numbers, some ten times faster.

The numpy forms are the definitions. They are used where the extension is absent, and the tests hold the native ones
against them. Readers of bitstreams have no such second form; they ask :func:`bitstream.why_missing`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt


class Extension(Protocol):
    """What of the extension has a second form in numpy."""

    def remove_camera_motion(
        self, md: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float32]:
        """As :func:`salientclips.compressed.camera.remove_in_numpy`.

        Args:
            md: Displacements (n, 2, h, w), C-contiguous.
            valid: Where a cell has a vector (n, h, w), C-contiguous.

        Returns:
            Displacements without the camera's (n, 2, h, w).
        """

    def rasterise(
        self,
        records: npt.NDArray[np.uint8],
        width_px: int,
        height_px: int,
        distances: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """As :func:`salientclips.compressed.features.rasterise_in_numpy`.

        Args:
            records: Those of ``VECTOR_DTYPE`` as bytes (40 n,).
            width_px: Coded width, source pixels.
            height_px: Coded height, source pixels.
            distances: Frames from each reference to this frame (n,), above 0.

        Returns:
            ``md`` (2, h, w) and ``valid`` (h, w).
        """

    def match_cells(
        self,
        frame: npt.NDArray[np.uint8],
        reference: npt.NDArray[np.uint8],
        bias: npt.NDArray[np.float32],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Search as :func:`salientclips.compressed.block_matching.search_in_numpy` does, to the same bits.

        Args:
            frame: Luma of the frame uint8 (H', W'), C-contiguous as all three.
            reference: Luma of the earlier picture, its edges continued, uint8 (H' + 12, W' + 12).
            bias: What is added to each displacement's cost, float32 (13, 13).

        Returns:
            Costs float32 (13, 13, h, w), and the lowest of each cell int64 (h, w).
        """


@cache
def extension() -> Extension | None:
    """The extension module, looked for once.

    Returns:
        The module, or None where it is not installed or does not load.
    """
    try:
        return cast(Extension, import_module(f"{__package__}._native._core"))
    except ImportError:
        return None
