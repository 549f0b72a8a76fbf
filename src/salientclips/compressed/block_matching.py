"""Motion displacements by block matching, for codecs whose vectors FFmpeg does not export.

HEVC, VP9, AV1, MJPEG and ProRes give pictures only. The displacement of each 16 x 16 cell is found again on
pictures a quarter of the size, where a cell is 4 x 4: a full search over whole small pixels, costs summed
over 3 x 3 cells (one cell is too little to tell), a bias towards rest for flat areas, then a sub-pixel
step. It is what an encoder's motion search does, coarser: displacements beyond 24 source pixels per step
are not found, and small things that move against a large background are taken along with it.

The search runs in the native extension where that is there; the form in numpy defines it.

The same rule by which an encoder chooses intra coding marks cells as not valid: no displacement predicts the
cell better than its own mean does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .extension import extension

SHRINK = 4
"""How many source pixels lie along one pixel of the small pictures."""

SMALL_CELL_PX = 4
"""Side of a cell on the small pictures, pixels."""

_REACH = 6
"""The search goes this many small pixels each way: 24 source pixels."""

_REST_BIAS = 0.5
"""Levels per pixel by which a displacement must beat rest: above the noise of flat areas."""

_STIR_BIAS = 0.25
"""Levels per pixel that a sub-pixel step away from rest must promise to win."""

_DISTANCE_BIAS = 0.02
"""Levels per pixel for each small pixel of displacement: of equal matches the nearest wins."""

_INTRA_BIAS = 2.0
"""Levels per pixel by which a cell's own mean must beat the best match to make the cell intra."""

_PIXELS = 9 * SMALL_CELL_PX**2
"""Small pixels that the cost of one cell is summed over."""


def _bias_of_ways() -> npt.NDArray[np.float32]:
    """What each displacement must beat rest and nearer ones by (13, 13), levels summed over a cell's pixels."""
    steps = np.arange(-_REACH, _REACH + 1)
    length = np.hypot(*np.meshgrid(steps, steps, indexing="ij"))
    bias: npt.NDArray[np.float64] = _PIXELS * (_REST_BIAS * (length > 0) + _DISTANCE_BIAS * length)
    return bias.astype(np.float32)


_BIAS = _bias_of_ways()


def match_blocks(
    frame: npt.NDArray[np.uint8], reference: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Find where each cell's content came from in an earlier picture.

    Args:
        frame: Luma of the frame (H', W'), 8-bit levels, a quarter of the source size.
        reference: Luma of the earlier picture (H', W').

    Returns:
        ``displacement`` float32 (2, ceil(H' / 4), ceil(W' / 4)): content's way from the reference to the
        frame in small pixels, x right, y down, whole way (not per frame); and ``valid`` bool (h, w): False
        where the cell's own mean predicts it better than any displacement. Displacement is 0 there.
    """
    current = _pad_to_cells(frame)
    around = np.pad(_pad_to_cells(reference), _REACH, mode="edge")
    own = _own_mean_cost(current)
    native = extension()
    if native is None:
        costs, best = search_in_numpy(current, around, _BIAS)
    else:
        costs, best = native.match_cells(np.ascontiguousarray(current), around, _BIAS)
    pixels, side = float(_PIXELS), 2 * _REACH + 1
    down, right = best // side, best % side
    step_x, gain_x = _sub_pixel(costs, down, right, axis=1)
    step_y, gain_y = _sub_pixel(costs, down, right, axis=0)
    displacement = np.stack([right - _REACH + step_x, down - _REACH + step_y])
    resting = (best == (side * side) // 2) & (gain_x + gain_y < pixels * _STIR_BIAS)
    displacement = np.where(resting, 0.0, displacement)
    lowest = np.take_along_axis(costs.reshape(side * side, *best.shape), best[None], axis=0)[0]
    valid = lowest <= own + pixels * _INTRA_BIAS
    return np.where(valid, displacement, 0.0).astype(np.float32), valid


def _pad_to_cells(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    bottom, right = (-picture.shape[0]) % SMALL_CELL_PX, (-picture.shape[1]) % SMALL_CELL_PX
    return np.pad(picture, ((0, bottom), (0, right)), mode="edge") if bottom or right else picture


def search_in_numpy(
    frame: npt.NDArray[np.uint8], reference: npt.NDArray[np.uint8], bias: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The full search without the extension, and its definition; both give the same bits.

    Args:
        frame: Luma of the frame uint8 (H', W'), a whole number of cells each way.
        reference: Luma of the earlier picture uint8 (H' + 12, W' + 12): its edges continued by the search's reach of
            6 pixels on all sides.
        bias: What is added to the cost of each displacement where they are compared, float32 (13, 13).

    Returns:
        Sums of absolute differences over 3 x 3 cells for every whole displacement (y, x, h, w), and which of them is
        lowest with its bias, counted row by row (h, w), the first of equals.
    """
    height, width = frame.shape
    side = 2 * _REACH + 1
    differences = np.empty((side, side, height // SMALL_CELL_PX, width // SMALL_CELL_PX), np.float32)
    for down in range(side):
        for right in range(side):
            # Content that moved by (right, down) - reach lay that far back in the reference.
            top, left = 2 * _REACH - down, 2 * _REACH - right
            before = reference[top : top + height, left : left + width]
            difference = np.maximum(frame, before) - np.minimum(frame, before)
            differences[down, right] = _sum_cells(difference)
    costs = _sum_neighbours(differences)
    biased = costs + bias[:, :, None, None]
    return costs, biased.reshape(side * side, *costs.shape[2:]).argmin(axis=0)


def _sum_cells(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    rows = values.reshape(-1, SMALL_CELL_PX, values.shape[1]).sum(axis=1, dtype=np.uint16)
    # 16 pixels of at most 255 fit in 16 bits.
    parts = [rows[:, i::SMALL_CELL_PX] for i in range(SMALL_CELL_PX)]
    total: npt.NDArray[np.uint16] = (parts[0] + parts[1]) + (parts[2] + parts[3])
    return total


def _sum_neighbours(costs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Sum over the 3 x 3 cells around each cell; at the border the edge cells count again."""
    widths = [(0, 0)] * (costs.ndim - 2) + [(1, 1), (1, 1)]
    padded = np.pad(costs, widths, mode="edge")
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    total: npt.NDArray[np.float32] = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    return total


def _own_mean_cost(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What each cell costs, summed over 3 x 3 cells, if every cell is predicted by its own mean."""
    shape = (frame.shape[0] // SMALL_CELL_PX, SMALL_CELL_PX, frame.shape[1] // SMALL_CELL_PX, SMALL_CELL_PX)
    cells = frame.reshape(shape).astype(np.float32)
    spread = np.abs(cells - cells.mean(axis=(1, 3), keepdims=True)).sum(axis=(1, 3))
    return _sum_neighbours(spread)


def _sub_pixel(
    costs: npt.NDArray[np.float32],
    down: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    axis: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where between the neighbours the lowest cost lies, -0.5 to 0.5, and how much lower it should be there.

    Sums of absolute differences are V-shaped around the match: two lines of equal slope through the three
    costs, not a parabola, which would pull towards whole pixels. The lowest cost cannot be below 0, so an
    exact match stays where it is. At the border of the search there is no step.
    """
    rows, columns = np.indices(down.shape)
    at = down if axis == 0 else right
    inner = np.clip(at, 1, 2 * _REACH - 1)

    def cost(place: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        at_place = (place, right) if axis == 0 else (down, place)
        picked: npt.NDArray[np.float32] = costs[(*at_place, rows, columns)]
        return picked

    before, here, after = cost(inner - 1), cost(inner), cost(inner + 1)
    slope = np.maximum(np.maximum(before, after) - here, 1e-6)
    most = np.minimum(0.5, here / slope)
    offset = np.clip(0.5 * (before - after) / slope, -most, most)
    # The bias may hold the lowest cost a little uphill; a cost above both neighbours has no slope to follow.
    offset[(at != inner) | (here >= np.maximum(before, after))] = 0.0
    return offset.astype(np.float32), (np.abs(offset) * slope).astype(np.float32)
