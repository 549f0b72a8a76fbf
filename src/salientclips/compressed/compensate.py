"""Predicts a frame from its reference with known displacements: what is left over is the residual.

Back end "decoded" needs this because FFmpeg gives no residuals: it takes the frame minus this prediction.
Between pixels the prediction is bilinear, where codecs use longer filters (six taps in H.264), so moving
texture leaves a little more residual here than was coded. Weighted prediction is not undone: a fade shows up
in the residual.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ..media.planes import Plane

_CHUNK_PIXELS = 32_768
"""Pixels predicted at a time: the temporaries stay in the processor's cache."""


def predict(reference: Plane, way: npt.NDArray[np.float32], block_height: int, block_width: int) -> Plane:
    """Move all blocks of a reference plane to where they are in the frame.

    Args:
        reference: One plane of the reference (H, W).
        way: How far the content of each block came since the reference (2, h, w), in samples of this plane, x
            right, y down; ``h = ceil(H / block_height)``, ``w = ceil(W / block_width)``.
        block_height: Rows of a block.
        block_width: Columns of a block.

    Returns:
        The prediction (H, W), of the reference's type; bilinear between samples, rounded; beyond the picture
        its edge goes on. It is the reference itself, not a copy, where nothing moves.
    """
    moves: npt.NDArray[np.bool_] = np.any(way != 0, axis=0)
    if not moves.any():
        return reference
    return overwrite(reference, reference, way, moves, block_height, block_width)


def overwrite(
    prediction: Plane,
    reference: Plane,
    way: npt.NDArray[np.float32],
    where: npt.NDArray[np.bool_],
    block_height: int,
    block_width: int,
) -> Plane:
    """Predict some blocks of a plane and leave the others.

    Args:
        prediction: What is there already (H, W); not written to.
        reference: The plane to predict from (H, W).
        way: As for :func:`predict` (2, h, w).
        where: Which blocks to predict (h, w).
        block_height: Rows of a block.
        block_width: Columns of a block.

    Returns:
        A new plane (H, W).
    """
    height, width = prediction.shape
    result = np.empty((where.shape[0] * block_height, where.shape[1] * block_width), prediction.dtype)
    result[:height, :width] = prediction
    windows = sliding_window_view(result, (block_height, block_width), writeable=True)
    rows, columns = np.nonzero(where)
    step = max(1, _CHUNK_PIXELS // (block_height * block_width))
    padded = _pad(reference, block_height, block_width)
    for first in range(0, len(rows), step):
        row, column = rows[first : first + step], columns[first : first + step]
        taken = _take(padded, row, column, way[:, row, column], block_height, block_width)
        taken += np.float32(0.5)  # assignment cuts off: this rounds
        windows[row * block_height, column * block_width] = taken
    return result[:height, :width]


def take_blocks(
    reference: Plane,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    way: npt.NDArray[np.float32],
    block_height: int,
    block_width: int,
) -> npt.NDArray[np.float32]:
    """Predict some blocks as a list.

    Args:
        reference: The plane to predict from (H, W).
        rows: Block row of each (n,).
        columns: Block column of each (n,).
        way: How far the content of each came since the reference (2, n), samples.
        block_height: Rows of a block.
        block_width: Columns of a block.

    Returns:
        float32 (n, block_height, block_width), not rounded.
    """
    padded = _pad(reference, block_height, block_width)
    return _take(padded, rows, columns, way, block_height, block_width)


def _pad(plane: Plane, block_height: int, block_width: int) -> Plane:
    """Continue the edges of a plane by two blocks and a sample each way: all that a clipped block can see."""
    margin_y, margin_x = 2 * block_height + 2, 2 * block_width + 2
    height, width = plane.shape
    padded = np.empty((height + 2 * margin_y, width + 2 * margin_x), plane.dtype)
    middle = padded[margin_y:-margin_y]
    middle[:, margin_x:-margin_x] = plane
    middle[:, :margin_x], middle[:, -margin_x:] = plane[:, :1], plane[:, -1:]
    padded[:margin_y], padded[-margin_y:] = middle[0], middle[-1]
    return padded


def _take(
    padded: Plane,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    way: npt.NDArray[np.float32],
    block_height: int,
    block_width: int,
) -> npt.NDArray[np.float32]:
    margin_y, margin_x = 2 * block_height + 2, 2 * block_width + 2
    height, width = padded.shape[0] - 2 * margin_y, padded.shape[1] - 2 * margin_x
    # Content that moved by +d is found d back. Blocks wholly outside look alike: one block out is enough.
    top = np.clip(rows * block_height - way[1], -block_height - 1.0, height + block_height)
    left = np.clip(columns * block_width - way[0], -block_width - 1.0, width + block_width)
    whole_y, whole_x = np.floor(top).astype(np.intp), np.floor(left).astype(np.intp)
    windows = sliding_window_view(padded, (block_height + 1, block_width + 1))
    values = windows[whole_y + margin_y, whole_x + margin_x].astype(np.float32)
    across = values[:, :, 1:] - values[:, :, :-1]
    across *= (left - whole_x).astype(np.float32)[:, None, None]
    across += values[:, :, :-1]
    down: npt.NDArray[np.float32] = across[:, 1:] - across[:, :-1]
    down *= (top - whole_y).astype(np.float32)[:, None, None]
    down += across[:, :-1]
    return down
