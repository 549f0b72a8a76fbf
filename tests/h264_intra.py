"""Intra prediction and the inverse transforms of H.264, written for the tests from clauses 8.3 and 8.5.

What a decoder shows of an intra macroblock is prediction plus residual. Which prediction it was is not asked of
the bitstream: it is found. Take one away from the samples, and only the right one leaves what the inverse transform
makes of whole levels at the quantiser of the stream, to the last sample. The levels found so are the decoder's.

Only interior macroblocks (something to the left, above, and in the corner), 8 bits, 4:2:0, flat scaling. It knows
nothing of the native reader.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

NORM_4 = ((10, 16, 13), (11, 18, 14), (13, 20, 16), (14, 23, 18), (16, 25, 20), (18, 29, 23))
NORM_8 = (
    (20, 18, 32, 19, 25, 24),
    (22, 19, 35, 21, 28, 26),
    (26, 23, 42, 24, 33, 31),
    (28, 25, 45, 26, 35, 33),
    (32, 28, 51, 30, 40, 38),
    (36, 32, 58, 34, 46, 43),
)
CHROMA_QP = {**{q: q for q in range(30)}, 30: 29, 31: 30, 32: 31, 33: 32, 34: 32, 35: 33, 36: 34, 37: 34}
ORDER_4 = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3)]
ORDER_4 += [(r + 2, c) for r, c in ORDER_4]
"""Row and column of the 4x4 blocks in the order of decoding (Figure 6-10)."""


def _scale_4(qp: int) -> Array:
    """LevelScale4x4 of flat lists, less the 16 of the lists."""
    odd = np.arange(4) % 2
    return np.array(NORM_4[qp % 6])[np.where(odd[:, None] == odd, odd[:, None], 2)]


def _scale_8(qp: int) -> Array:
    k = np.array([0, 1, 2, 1, 0, 1, 2, 1])  # 0: multiple of 4, 1: odd, 2: even otherwise
    which = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])[k[:, None], k]
    return np.array(NORM_8[qp % 6])[which]


def _pass_4(d: npt.NDArray[np.generic], half: Callable) -> npt.NDArray[np.generic]:
    """Equations 8-338 to 8-345, along the last axis."""
    a, b, c, e = (d[..., i] for i in range(4))
    e0, e1, e2, e3 = a + c, a - c, half(b, 1) - e, b + half(e, 1)
    return np.stack([e0 + e3, e1 + e2, e1 - e2, e0 - e3], -1)


def _pass_8(d: npt.NDArray[np.generic], half: Callable) -> npt.NDArray[np.generic]:
    """Equations 8-357 to 8-380, along the last axis."""
    i = [d[..., k] for k in range(8)]
    a0, a2, a4, a6 = i[0] + i[4], i[0] - i[4], half(i[2], 1) - i[6], i[2] + half(i[6], 1)
    a1 = -i[3] + i[5] - i[7] - half(i[7], 1)
    a3 = i[1] + i[7] - i[3] - half(i[3], 1)
    a5 = -i[1] + i[7] + i[5] + half(i[5], 1)
    a7 = i[3] + i[5] + i[1] + half(i[1], 1)
    b0, b2, b4, b6 = a0 + a6, a2 + a4, a2 - a4, a0 - a6
    b1, b3 = a1 + half(a7, 2), a3 + half(a5, 2)
    b5, b7 = half(a3, 2) - a5, a7 - half(a1, 2)
    return np.stack([b0 + b7, b2 + b5, b4 + b3, b6 + b1, b6 - b1, b4 - b3, b2 - b5, b0 - b7], -1)


def _real_half(v: Reals, by: int) -> Reals:
    return v / (1 << by)


class Transform:
    """One size of inverse transform: as decoders compute it, as real numbers, and backwards."""

    def __init__(self, size: int) -> None:
        self.one = _pass_4 if size == 4 else _pass_8
        basis = self.one(np.eye(size), _real_half)
        self.basis, self.back = basis, np.linalg.inv(basis)

    def whole(self, d: Array) -> Array:
        """The residual samples of coefficients (..., size, size)."""
        rows = self.one(d, np.right_shift)
        both = self.one(rows.swapaxes(-1, -2), np.right_shift).swapaxes(-1, -2)
        return (both + 32) >> 6

    def real(self, d: Array) -> Reals:
        """The same, not rounded."""
        return self.basis.T @ d @ self.basis / 64

    def coefficients(self, residual: Array) -> Reals:
        """The coefficients that make a residual, but for rounding."""
        return self.back.T @ (64.0 * residual) @ self.back


FOUR, EIGHT = Transform(4), Transform(8)


def explain_4(residual: Array, qp: int) -> tuple[Array, Array]:
    """The coefficients on the quantiser's grid nearest to residuals (..., 4, 4), and the residuals they make."""
    step = _scale_4(qp) << qp // 6
    d = np.rint(FOUR.coefficients(residual) / step).astype(np.int64) * step
    return d, FOUR.whole(d)


def explain_8(residual: Array, qp: int) -> tuple[Array, Array]:
    """The same for 8x8 blocks."""
    step = (16 * _scale_8(qp) << qp // 6) / 64
    levels = np.rint(EIGHT.coefficients(residual) / step).astype(np.int64)
    scaled = levels * 16 * _scale_8(qp)
    d = scaled << qp // 6 - 6 if qp >= 36 else (scaled + (1 << 5 - qp // 6)) >> 6 - qp // 6
    return d, EIGHT.whole(d)


HADAMARD = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, -1, 1], [1, -1, 1, -1]])


def explain_16(residual: Array, qp: int) -> tuple[Array, Array]:
    """The same for a luma macroblock whose DC terms have a transform of their own (8.5.10)."""
    blocks = residual.reshape(4, 4, 4, 4).swapaxes(1, 2)
    d, _ = explain_4(blocks, qp)
    scale = 16 * int(_scale_4(qp)[0, 0]) << qp // 6
    levels = np.rint(HADAMARD @ FOUR.coefficients(blocks)[..., 0, 0] @ HADAMARD * 4 / scale).astype(np.int64)
    mixed = HADAMARD @ levels @ HADAMARD * 16 * int(_scale_4(qp)[0, 0])
    d[..., 0, 0] = mixed << qp // 6 - 6 if qp >= 36 else (mixed + (1 << 5 - qp // 6)) >> 6 - qp // 6
    return d, FOUR.whole(d).swapaxes(1, 2).reshape(16, 16)


def explain_chroma(residual: Array, qp: int) -> tuple[Array, Array]:
    """The same for a chroma block of 4:2:0 (8.5.11)."""
    blocks = residual.reshape(2, 4, 2, 4).swapaxes(1, 2)
    d, _ = explain_4(blocks, qp)
    two = np.array([[1, 1], [1, -1]])
    scale = int(_scale_4(qp)[0, 0])
    dc = FOUR.coefficients(blocks)[..., 0, 0]
    levels = np.rint(two @ dc @ two / 4 / (scale << qp // 6) * 2).astype(np.int64)
    d[..., 0, 0] = (two @ levels @ two * 16 * scale << qp // 6) >> 5
    return d, FOUR.whole(d).swapaxes(1, 2).reshape(8, 8)


def directional(top: Array, left: Array, corner: int) -> Array:
    """The nine predictions of a 4x4 or 8x8 block (9, n, n): 8.3.1.2 and 8.3.2.2.

    Args:
        top: The 2n samples above and above right.
        left: The n samples to the left.
        corner: The sample above left.
    """
    n = len(left)
    edge = np.concatenate(
        [left[::-1], [corner], top]
    )  # from the bottom of the left edge to the end of the top

    def t(k: int) -> int:
        return int(edge[n + 1 + k])

    def side(k: int) -> int:
        return int(edge[n - 1 - k])

    def two(a: int, b: int) -> int:
        return (a + b + 1) >> 1

    def three(a: int, b: int, c: int) -> int:
        return (a + 2 * b + c + 2) >> 2

    def down_left(y: int, x: int) -> int:
        k = x + y
        return three(t(k), t(k + 1), t(min(k + 2, 2 * n - 1)))

    def right_of(y: int, x: int, a: Callable, b: Callable) -> int:
        """Vertical-right; horizontal-down where the edges and the axes change places."""
        z, k = 2 * x - y, x - (y >> 1)
        if z < -1:
            return three(b(y - 2 * x - 1), b(y - 2 * x - 2), b(y - 2 * x - 3))
        if z == -1:
            return three(side(0), corner, t(0))
        return three(a(k - 2), a(k - 1), a(k)) if z % 2 else two(a(k - 1), a(k))

    def vertical_left(y: int, x: int) -> int:
        k = x + (y >> 1)
        return three(t(k), t(k + 1), t(k + 2)) if y % 2 else two(t(k), t(k + 1))

    def horizontal_up(y: int, x: int) -> int:
        k = y + (x >> 1)
        if x + 2 * y > 2 * n - 3:
            return side(n - 1)
        if x + 2 * y == 2 * n - 3:
            return three(side(n - 2), side(n - 1), side(n - 1))
        return three(side(k), side(k + 1), side(k + 2)) if x % 2 else two(side(k), side(k + 1))

    mean = (int(top[:n].sum()) + int(left.sum()) + n) >> (3 if n == 4 else 4)
    rules: list[Callable[[int, int], int]] = [
        lambda y, x: t(x),
        lambda y, x: side(y),
        lambda y, x: mean,
        down_left,
        lambda y, x: three(*(int(v) for v in edge[n + x - y - 1 : n + x - y + 2])),
        lambda y, x: right_of(y, x, t, side),
        lambda y, x: right_of(x, y, side, t),
        vertical_left,
        horizontal_up,
    ]
    return np.array([[[rule(y, x) for x in range(n)] for y in range(n)] for rule in rules])


def smoothed(top: Array, left: Array, corner: int) -> tuple[Array, Array, int]:
    """The edges of an 8x8 block after their filter (8.3.2.2.1)."""
    whole = np.concatenate([left[::-1], [corner], top])
    ends = np.concatenate([whole[:1], whole, whole[-1:]])
    soft = (ends[:-2] + 2 * ends[1:-1] + ends[2:] + 2) >> 2
    return soft[9:], soft[:8][::-1], int(soft[8])


def plane_16(above: Array, left: Array) -> Array:
    """Vertical, horizontal, DC and plane of a luma macroblock (4, 16, 16); both edges begin with the corner."""
    k = np.arange(1, 9)
    a, b = (5 * int((k * (edge[8 + k] - edge[8 - k])).sum()) + 32 >> 6 for edge in (above, left))
    at = np.arange(16)
    plane = (16 * (above[16] + left[16]) + a * (at - 7) + b * (at[:, None] - 7) + 16) >> 5
    mean = (above[1:].sum() + left[1:].sum() + 16) >> 5
    flat = np.full((16, 16), mean)
    return np.stack([np.tile(above[1:], (16, 1)), np.tile(left[1:, None], 16), flat, np.clip(plane, 0, 255)])


def chroma_8(above: Array, left: Array) -> Array:
    """DC, horizontal, vertical and plane of a chroma block (4, 8, 8) (8.3.4); edges begin with the corner."""
    k = np.arange(1, 5)
    a, b = (34 * int((k * (edge[4 + k] - edge[4 - k])).sum()) + 32 >> 6 for edge in (above, left))
    at = np.arange(8)
    plane = (16 * (above[8] + left[8]) + a * (at - 3) + b * (at[:, None] - 3) + 16) >> 5
    up, side = above[1:].reshape(2, 4).sum(-1), left[1:].reshape(2, 4).sum(-1)
    both = [(up[i] + side[i] + 4) >> 3 for i in range(2)]
    dc = np.kron([[both[0], (up[1] + 2) >> 2], [(side[1] + 2) >> 2, both[1]]], np.ones((4, 4), np.int64))
    lines = np.tile(left[1:, None], 8), np.tile(above[1:], (8, 1))
    return np.stack([dc, *lines, np.clip(plane, 0, 255)])
