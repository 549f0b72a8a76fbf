"""Motion compensation of H.264, written for the tests from clause 8.4.2.2: what the decoder adds the
residual to.

Plain numpy, whole planes at a time. It knows nothing of the native reader.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PAD = 96
"""Samples by which planes are continued beyond their edges."""

Plane = npt.NDArray[np.int64]


def _six_tap(p: Plane, axis: int) -> Plane:
    """Unrounded half-sample values right of (axis 1) or below (axis 0) each sample, (8-241), (8-242)."""
    r = [np.roll(p, shift, axis) for shift in (2, 1, 0, -1, -2, -3)]
    return r[0] - 5 * r[1] + 20 * r[2] + 20 * r[3] - 5 * r[4] + r[5]


def luma_planes(plane: npt.NDArray[np.uint16], top: int) -> list[list[Plane]]:
    """The luma plane at 16 quarter-sample offsets, ``planes[y][x]``, each continued by PAD (Figure 8-4)."""
    g = np.pad(plane.astype(np.int64), PAD, mode="edge")

    def clip(v: Plane, shift: int) -> Plane:
        return np.clip((v + (1 << (shift - 1))) >> shift, 0, top)

    def mean(u: Plane, v: Plane) -> Plane:
        return (u + v + 1) >> 1

    b, h = clip(_six_tap(g, 1), 5), clip(_six_tap(g, 0), 5)
    j = clip(_six_tap(_six_tap(g, 1), 0), 10)
    right, below = np.roll(g, -1, 1), np.roll(g, -1, 0)
    m, s = np.roll(h, -1, 1), np.roll(b, -1, 0)
    return [
        [g, mean(g, b), b, mean(b, right)],
        [mean(g, h), mean(b, h), mean(b, j), mean(b, m)],
        [h, mean(h, j), j, mean(j, m)],
        [mean(h, below), mean(h, s), mean(j, s), mean(s, m)],
    ]


def predict_luma(planes: list[list[Plane]], x: int, y: int, w: int, h: int, mv: tuple[int, int]) -> Plane:
    """A block of prediction; position in samples, vector in quarter samples."""
    plane = planes[mv[1] & 3][mv[0] & 3]
    top, left = PAD + y + (mv[1] >> 2), PAD + x + (mv[0] >> 2)
    return plane[top : top + h, left : left + w]


def predict_chroma(
    plane: npt.NDArray[np.uint16], x: int, y: int, w: int, h: int, mv: tuple[int, int], rows_per_luma: float
) -> Plane:
    """A block of chroma prediction (8.4.2.2.2); position and size in chroma samples.

    Args:
        plane: One chroma plane, half as wide as luma.
        x, y, w, h: The block.
        mv: The luma vector, quarter luma samples.
        rows_per_luma: 0.5 for 4:2:0, 1 for 4:2:2.
    """
    p = np.pad(plane.astype(np.int64), PAD, mode="edge")
    vertical = mv[1] if rows_per_luma == 0.5 else mv[1] * 2
    fx, fy = mv[0] & 7, vertical & 7
    top, left = PAD + y + (vertical >> 3), PAD + x + (mv[0] >> 3)
    a = p[top : top + h + 1, left : left + w + 1]
    mixed = (
        (8 - fx) * (8 - fy) * a[:-1, :-1]
        + fx * (8 - fy) * a[:-1, 1:]
        + (8 - fx) * fy * a[1:, :-1]
        + fx * fy * a[1:, 1:]
    )
    return (mixed + 32) >> 6
