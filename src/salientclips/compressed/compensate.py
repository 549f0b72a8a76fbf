"""Predicts a frame from its reference with known displacements: what is left over is the residual.

Back end "decoded" needs this because FFmpeg gives no residuals: it takes the frame minus this prediction.
Between pixels the prediction is bilinear, where codecs use longer filters (six taps in H.264), so moving
texture leaves a little more residual here than was coded. Weighted prediction is not undone: a fade shows
up in the residual.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Plane = npt.NDArray[np.unsignedinteger[Any]]
"""Samples of one plane (H, W), uint8 or uint16."""

_CHUNK_PIXELS = 32_768
"""Pixels predicted at a time: the temporaries stay in the processor's cache."""


def predict(
    reference: Plane, displacement: npt.NDArray[np.float32], block_height: int, block_width: int
) -> Plane:
    """Move the blocks of a reference plane to where they are in the frame.

    Args:
        reference: One plane of the reference (H, W).
        displacement: Way of the content of each block from the reference to the frame (2, h, w), in samples
            of this plane, x right, y down; ``h = ceil(H / block_height)``, ``w = ceil(W / block_width)``.
        block_height: Rows of a block.
        block_width: Columns of a block.

    Returns:
        The prediction (H, W), of the reference's type; bilinear between samples, rounded; beyond the picture
        its edge goes on.
    """
    height, width = reference.shape
    moving_rows, moving_columns = np.nonzero(displacement.any(axis=0))
    if len(moving_rows) == 0:
        return reference
    rows, columns = displacement.shape[1:]
    prediction = np.empty((rows * block_height, columns * block_width), reference.dtype)
    prediction[:height, :width] = reference
    blocks = sliding_window_view(prediction, (block_height, block_width), writeable=True)

    # Content that moved by +d is found d back. Blocks wholly outside look alike: one block out is enough.
    source_x = moving_columns * block_width - displacement[0, moving_rows, moving_columns]
    source_y = moving_rows * block_height - displacement[1, moving_rows, moving_columns]
    source_x = np.clip(source_x, -block_width - 1.0, columns * block_width + 0.0)
    source_y = np.clip(source_y, -block_height - 1.0, rows * block_height + 0.0)
    whole_x, whole_y = np.floor(source_x).astype(np.intp), np.floor(source_y).astype(np.intp)
    part_x = (source_x - whole_x).astype(np.float32)
    part_y = (source_y - whole_y).astype(np.float32)
    margin_y, margin_x = block_height + 1, block_width + 1
    padded = _pad(reference, margin_y, margin_x, (rows + 2) * block_height, (columns + 2) * block_width)
    windows = sliding_window_view(padded, (block_height + 1, block_width + 1))

    step = max(1, _CHUNK_PIXELS // (block_height * block_width))
    for first in range(0, len(moving_rows), step):
        some = slice(first, first + step)
        taken = windows[whole_y[some] + margin_y, whole_x[some] + margin_x]
        moved = _between(taken, part_y[some], part_x[some])
        blocks[moving_rows[some] * block_height, moving_columns[some] * block_width] = moved
    return prediction[:height, :width]


def _pad(plane: Plane, margin_y: int, margin_x: int, height: int, width: int) -> Plane:
    """Continue the edges of a plane: the margins before it, and up to the given size after it."""
    below, right = height - plane.shape[0] + 2, width - plane.shape[1] + 2
    return np.pad(plane, ((margin_y, below), (margin_x, right)), mode="edge")


def _between(
    windows: Plane,
    part_y: npt.NDArray[np.float32],
    part_x: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Bilinear values (n, bh, bw) of samples (n, bh + 1, bw + 1) at one offset a block; a half is added."""
    values = windows.astype(np.float32)
    across = values[:, :, 1:] - values[:, :, :-1]
    across *= part_x[:, None, None]
    across += values[:, :, :-1]
    down = across[:, 1:] - across[:, :-1]
    down *= part_y[:, None, None]
    down += across[:, :-1]
    down += np.float32(0.5)
    return down
