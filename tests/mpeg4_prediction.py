"""Motion compensation of MPEG-4 part 2, from the standard, to check residuals against pixels.

ISO/IEC 14496-2, 7.6.1 (padding: the nearest sample of the picture), 7.6.2 (half and quarter samples and their
rounding) and 7.6.5 (the chroma vector of four luma vectors). Slow and plain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SIXTEENTHS = (0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2)
"""Half samples for each sixteenth of a sample that the sum of four vectors leaves."""


def block_vectors(records: npt.NDArray[np.void], rows: int, columns: int) -> npt.NDArray[np.int64]:
    """Vectors of all 8x8 blocks (2 * rows, 2 * columns, 2), x and y in half samples; 0 where intra."""
    field = np.zeros((2 * rows, 2 * columns, 2), np.int64)
    for r in records:
        x, y = (int(r["dst_x"]) - int(r["w"]) // 2) // 8, (int(r["dst_y"]) - int(r["h"]) // 2) // 8
        field[y : y + int(r["h"]) // 8, x : x + int(r["w"]) // 8] = r["motion_x"], r["motion_y"]
    return field


def predict(
    reference: Sequence[npt.NDArray[np.uint8]], field: npt.NDArray[np.int64], rounding: bool
) -> list[npt.NDArray[np.int64]]:
    """The prediction of Y, Cb and Cr from the reference picture; sizes are multiples of 16."""
    planes = [np.zeros(p.shape, np.int64) for p in reference]
    rows, columns = field.shape[:2]
    for y in range(rows):
        for x in range(columns):
            planes[0][8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = _block(
                reference[0], x, y, *field[y, x], rounding
            )
    _predict_chroma(planes, reference, field, rounding)
    return planes


def predict_quarter(
    reference: Sequence[npt.NDArray[np.uint8]],
    records: npt.NDArray[np.void],
    field: npt.NDArray[np.int64],
    rounding: bool,
) -> list[npt.NDArray[np.int64]]:
    """The same for vectors in quarter samples; the filter ends at a block's edge, so ``records`` tell the sizes."""
    planes = [np.zeros(p.shape, np.int64) for p in reference]
    for r in records:
        size = int(r["w"])
        x, y = int(r["dst_x"]) - size // 2, int(r["dst_y"]) - size // 2
        dx, dy = int(r["motion_x"]), int(r["motion_y"])
        rows = np.clip(np.arange(size + 1) + y + (dy >> 2), 0, planes[0].shape[0] - 1)
        columns = np.clip(np.arange(size + 1) + x + (dx >> 2), 0, planes[0].shape[1] - 1)
        block = reference[0][np.ix_(rows, columns)].astype(np.int64)
        block = _quarter(_quarter(block, dx & 3, rounding).T, dy & 3, rounding).T
        planes[0][y : y + size, x : x + size] = block
    # Chroma vectors come from half samples, halves cut towards zero.
    _predict_chroma(planes, reference, np.sign(field) * (abs(field) // 2), rounding)
    return planes


MIRRORED = (-1, 3, -6, 20, 20, -6, 3, -1)


def _quarter(block: npt.NDArray[np.int64], fraction: int, rounding: bool) -> npt.NDArray[np.int64]:
    """Samples ``fraction`` quarters right of each but the last of every row (7.6.2.2).

    The filter has eight taps; beyond the block's edge it finds the block's own samples, mirrored.
    """
    whole = block[:, :-1]
    if fraction == 0:
        return whole
    wide = np.concatenate([block[:, 2::-1], block, block[:, :-4:-1]], axis=1)
    size = whole.shape[1]
    taps = sum(tap * wide[:, k : k + size] for k, tap in enumerate(MIRRORED))
    half = np.clip((taps + 16 - rounding) >> 5, 0, 255)
    if fraction == 2:
        return half
    return (half + (whole if fraction == 1 else block[:, 1:]) + 1 - rounding) >> 1


def _predict_chroma(
    planes: list[npt.NDArray[np.int64]],
    reference: Sequence[npt.NDArray[np.uint8]],
    field: npt.NDArray[np.int64],
    rounding: bool,
) -> None:
    for y in range(field.shape[0] // 2):
        for x in range(field.shape[1] // 2):
            total = field[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].sum(axis=(0, 1))
            vector = [2 * (int(v) // 16) + SIXTEENTHS[int(v) % 16] for v in total]
            for plane in (1, 2):
                block = _block(reference[plane], x, y, vector[0], vector[1], rounding)
                planes[plane][8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = block


def _block(
    plane: npt.NDArray[np.uint8], x: int, y: int, dx: int, dy: int, rounding: bool
) -> npt.NDArray[np.int64]:
    rows = np.clip(np.arange(9) + 8 * y + int(dy) // 2, 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(9) + 8 * x + int(dx) // 2, 0, plane.shape[1] - 1)
    p = plane[np.ix_(rows, columns)].astype(np.int64)
    a, b, c, d = p[:8, :8], p[:8, 1:], p[1:, :8], p[1:, 1:]
    if dx % 2 and dy % 2:
        return (a + b + c + d + 2 - rounding) // 4
    if dx % 2:
        return (a + b + 1 - rounding) // 2
    if dy % 2:
        return (a + c + 1 - rounding) // 2
    return a


def cell_means(plane: npt.NDArray[np.int64], cell: int) -> npt.NDArray[np.float64]:
    """Means over square cells of ``cell`` samples."""
    rows, columns = plane.shape[0] // cell, plane.shape[1] // cell
    return plane.reshape(rows, cell, columns, cell).astype(np.float64).mean(axis=(1, 3))
