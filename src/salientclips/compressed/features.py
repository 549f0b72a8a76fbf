"""What MD and RGB-R are, exactly: the only place that says so, for every back end.

The paper feeds its samplers motion displacements (MD, H/16 x W/16 x 2) and RGB residuals (RGB-R,
H/16 x W/16 x 3) that the encoder left in the bitstream (paper, section 3.2; the poster's input sizes). It
does not say how blocks of other shapes are reduced to the 16 x 16 cell, nor which sign a vector has. Here
it is said:

- **Grid**: cells of 16 x 16 source pixels from the top left corner of the coded picture, ``ceil(H / 16)``
  rows by ``ceil(W / 16)`` columns; cells at the right and bottom edge count their existing pixels only.
- **MD**: where the content of a cell moved since its reference frame, in source pixels per frame of temporal
  distance, x to the right and y down. Content at ``src`` in the reference is found at ``dst`` in the frame,
  so MD is ``dst - src``, the negative of the codec's motion vector. Only references in the past count. A
  cell is the mean over its area; it is *valid* where vectors cover at least half of it, and (0, 0)
  elsewhere.
- **RGB-R**: mean over the cell of frame minus prediction, each plane by itself, then turned into RGB by the
  linear part of the stream's colour matrix (no offset: it is a difference), in 8-bit levels whatever the
  depth. The mean is linear, so a reader of the bitstream has it from the DC coefficients alone.
- **Energy**: mean squared luma residual over the cell, squared 8-bit levels of the stored luma (no range
  expansion). By Parseval a reader of the bitstream has it from the coefficients.
- **Intra cells** (not valid) have no past to differ from. Their prediction is taken to be flat, the cell's
  own mean: RGB-R is 0 and the energy is the luma variance of the cell, that is the energy of its AC
  coefficients. This keeps "how much new detail came in" and leaves out the level, which codecs code in ways
  that differ.

No file is touched here, and no network's input size is decided here.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..media.colour import ColourMatrix
from ..media.vectors import VECTOR_DTYPE
from .camera import remove_camera_motion
from .extension import extension

CELL_PX = 16
"""Side of a grid cell in source pixels: the macroblock of MPEG-1 to H.264."""

_Scalar = TypeVar("_Scalar", bound=np.generic)

_LUMA_WEIGHTS: dict[ColourMatrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}

__all__ = [
    "CELL_PX",
    "VECTOR_DTYPE",
    "ColourMatrix",
    "cell_mean",
    "flatten_intra",
    "grid_shape",
    "rasterise_in_numpy",
    "rasterise_vectors",
    "remove_camera_motion",
    "residual_cells",
    "turn_grid",
    "turn_vectors",
    "ycbcr_to_rgb",
]


def grid_shape(width_px: int, height_px: int) -> tuple[int, int]:
    """Rows and columns of the cell grid of a picture.

    Args:
        width_px: Coded width, source pixels.
        height_px: Coded height, source pixels.

    Returns:
        ``(ceil(H / 16), ceil(W / 16))``.
    """
    return -(-height_px // CELL_PX), -(-width_px // CELL_PX)


def rasterise_vectors(
    vectors: npt.NDArray[np.void],
    width_px: int,
    height_px: int,
    temporal_distance: float | npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Spread the motion vectors of one frame over the cell grid, weighted by area.

    Args:
        vectors: One row a block (num_vectors,), of :data:`VECTOR_DTYPE`; blocks of any size and place. Parts
            outside the picture are cut off.
        width_px: Coded width, source pixels.
        height_px: Coded height, source pixels.
        temporal_distance: Frames from the reference to this frame, above 0: of all, or of each
            (num_vectors,).

    Returns:
        ``md`` float32 (2, h, w), source pixels per frame, x right, y down, and ``valid`` bool (h, w): whether
        vectors into the past cover at least half of the cell's pixels. ``md`` is the mean over the covered
        part of a valid cell and 0 in the others.

    Raises:
        InputError: The temporal distance is not positive.
    """
    if not np.all(np.asarray(temporal_distance) > 0):
        raise InputError(
            f"the temporal distance is {temporal_distance}", "give frames since the reference, above 0"
        )
    native = extension()
    if native is None:
        return rasterise_in_numpy(vectors, width_px, height_px, temporal_distance)
    distances = np.broadcast_to(np.asarray(temporal_distance, dtype=np.float64), len(vectors))
    records = np.ascontiguousarray(vectors).view(np.uint8)
    return native.rasterise(records, width_px, height_px, np.ascontiguousarray(distances))


def rasterise_in_numpy(
    vectors: npt.NDArray[np.void],
    width_px: int,
    height_px: int,
    temporal_distance: float | npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """:func:`rasterise_vectors` without the extension, and its definition.

    Args:
        vectors: Records of :data:`VECTOR_DTYPE` (num_vectors,).
        width_px: Coded width, source pixels.
        height_px: Coded height, source pixels.
        temporal_distance: Frames from the reference to this frame, above 0: of all, or of each (num_vectors,).

    Returns:
        What :func:`rasterise_vectors` returns: the same bits where blocks lie within a cell, as those of all
        codecs read here do; else up to the order of a cell's sums.
    """
    rows, columns = grid_shape(width_px, height_px)
    is_past = vectors["source"] < 0
    past, distance = vectors, np.broadcast_to(temporal_distance, len(vectors))
    if not is_past.all():  # a mask copies 40 bytes a row, and P-frames have no vector into the future
        past, distance = past[is_past], distance[is_past]
    x0, x1 = _span(past["dst_x"], past["w"], width_px)
    y0, y1 = _span(past["dst_y"], past["h"], height_px)
    inside = (x1 > x0) & (y1 > y0)
    if not inside.all():
        past, distance = past[inside], distance[inside]
        x0, x1, y0, y1 = x0[inside], x1[inside], y0[inside], y1[inside]
    scale = np.maximum(past["motion_scale"], 1) * distance
    shift_x = -past["motion_x"] / scale
    shift_y = -past["motion_y"] / scale

    covered = np.zeros(rows * columns)
    sums = np.zeros((2, rows * columns))
    first_column, first_row = x0 // CELL_PX, y0 // CELL_PX
    last_right = int(((x1 - 1) // CELL_PX - first_column).max(initial=-1))
    last_down = int(((y1 - 1) // CELL_PX - first_row).max(initial=-1))
    # A block touches one cell where it lies on the grid, few where it does not: loop over places, not blocks.
    for down in range(last_down + 1):
        for right in range(last_right + 1):
            row, column = first_row + down, first_column + right
            cell = row * columns + column
            if last_down == last_right == 0:
                area, x, y = (x1 - x0) * (y1 - y0), shift_x, shift_y
            else:
                area = _overlap(x0, x1, column * CELL_PX, CELL_PX) * _overlap(y0, y1, row * CELL_PX, CELL_PX)
                some = area > 0
                cell, area, x, y = cell[some], area[some], shift_x[some], shift_y[some]
            covered += np.bincount(cell, area, rows * columns)
            sums[0] += np.bincount(cell, area * x, rows * columns)
            sums[1] += np.bincount(cell, area * y, rows * columns)

    valid = covered >= 0.5 * _cell_area(height_px, width_px, CELL_PX, CELL_PX).ravel()
    md = np.where(valid, sums / np.maximum(covered, 1e-9), 0.0).astype(np.float32)
    return md.reshape(2, rows, columns), valid.reshape(rows, columns)


def _span(
    centre: npt.NDArray[np.int16], size: npt.NDArray[np.uint8], limit: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    start = centre.astype(np.int64)
    start -= size >> 1
    end = start + size
    return np.minimum(np.maximum(start, 0), limit), np.minimum(np.maximum(end, 0), limit)


def _overlap(
    start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], cell: npt.NDArray[np.int64], cell_px: int
) -> npt.NDArray[np.int64]:
    common: npt.NDArray[np.int64] = np.minimum(end, cell + cell_px) - np.maximum(start, cell)
    return np.maximum(common, 0)


def _cell_area(height: int, width: int, cell_height: int, cell_width: int) -> npt.NDArray[np.float32]:
    rows = np.minimum(cell_height, height - np.arange(0, height, cell_height))
    columns = np.minimum(cell_width, width - np.arange(0, width, cell_width))
    area: npt.NDArray[np.float32] = np.outer(rows, columns).astype(np.float32)
    return area


def cell_mean(plane: npt.NDArray[np.float32], cell_height: int, cell_width: int) -> npt.NDArray[np.float32]:
    """Mean of a plane over each cell; cells at the edge average over the pixels that exist.

    Args:
        plane: Samples float32 (H, W).
        cell_height: Rows of a cell.
        cell_width: Columns of a cell.

    Returns:
        float32 (ceil(H / cell_height), ceil(W / cell_width)), in the plane's unit.
    """
    height, width = plane.shape
    below, right = -height % cell_height, -width % cell_width
    if below or right:
        plane = np.pad(plane, ((0, below), (0, right)))
    rows, columns = (height + below) // cell_height, (width + right) // cell_width
    sums = plane.reshape(rows, cell_height, width + right).sum(axis=1, dtype=np.float32)
    sums = sums.reshape(rows, columns, cell_width).sum(axis=2)
    mean: npt.NDArray[np.float32] = sums / _cell_area(height, width, cell_height, cell_width)
    return mean


def ycbcr_to_rgb(matrix: ColourMatrix, full_range: bool, bit_depth: int) -> npt.NDArray[np.float32]:
    """The linear map from a difference of stored samples to a difference of RGB in 8-bit levels.

    ITU-T H.273, clause 8.3, without the offsets: they cancel in a difference.

    Args:
        matrix: The stream's colour matrix.
        full_range: Whether black to white is 0 to 2^n - 1 instead of 16 to 235 (times 2^(n - 8)).
        bit_depth: Bits per sample, n.

    Returns:
        float32 (3, 3); ``rgb = m @ (y, cb, cr)``.
    """
    red, blue = _LUMA_WEIGHTS[matrix]
    green = 1.0 - red - blue
    from_unit = np.array(
        [
            [1.0, 0.0, 2 * (1 - red)],
            [1.0, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1.0, 2 * (1 - blue), 0.0],
        ]
    )
    if full_range:
        span = np.array([1.0, 1.0, 1.0]) * (2**bit_depth - 1)
    else:
        span = np.array([219.0, 224.0, 224.0]) * 2 ** (bit_depth - 8)
    to_rgb: npt.NDArray[np.float32] = (255.0 * from_unit / span).astype(np.float32)
    return to_rgb


def residual_cells(
    differences: tuple[npt.NDArray[np.float32], ...],
    to_rgb: npt.NDArray[np.float32],
    bit_depth: int,
    *,
    cell_px: int = CELL_PX,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Reduce the difference of a frame and its prediction to RGB-R and energy.

    Args:
        differences: Frame minus prediction, levels of the stream's depth: luma (H, W), then Cb and Cr of
            the same size or subsampled by 2 or 4 in either direction; luma alone for a grey stream.
        to_rgb: What :func:`ycbcr_to_rgb` gives for the stream (3, 3).
        bit_depth: Bits per sample of the stream.
        cell_px: Side of a cell in luma samples: 16, or less where the planes were made smaller.

    Returns:
        ``rgbr`` float32 (3, h, w), 8-bit levels, and ``energy`` float32 (h, w), squared 8-bit levels.
    """
    luma = differences[0]
    means = [cell_mean(plane, *_cell_of(plane, luma, cell_px)) for plane in differences]
    energy = cell_mean(np.square(luma), cell_px, cell_px) / np.float32(4.0 ** (bit_depth - 8))
    rgbr = np.tensordot(to_rgb[:, : len(means)], np.stack(means), axes=1)
    return rgbr.astype(np.float32), energy.astype(np.float32)


def _cell_of(plane: npt.NDArray[np.float32], luma: npt.NDArray[np.float32], cell_px: int) -> tuple[int, int]:
    # Rounding undoes the ceil of odd sizes: 321 columns of luma have 161 of chroma.
    return (
        max(1, cell_px // round(luma.shape[0] / plane.shape[0])),
        max(1, cell_px // round(luma.shape[1] / plane.shape[1])),
    )


def flatten_intra(
    rgbr: npt.NDArray[np.float32],
    energy: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
    luma: npt.NDArray[np.unsignedinteger[Any]],
    bit_depth: int,
    *,
    cell_px: int = CELL_PX,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Give intra cells the flat prediction of the module's definition.

    Args:
        rgbr: RGB residuals (3, h, w), 8-bit levels.
        energy: Residual energy (h, w), squared 8-bit levels.
        valid: False in intra cells (h, w).
        luma: The frame itself (H, W), levels of the stream's depth.
        bit_depth: Bits per sample of the stream.
        cell_px: Side of a cell in luma samples.

    Returns:
        ``rgbr`` (3, h, w) with 0 and ``energy`` (h, w) with the luma variance in cells that are not valid; others
        unchanged.
    """
    if valid.all():
        return rgbr, energy
    inside = np.arange(cell_px)
    cells = np.argwhere(~valid)
    rows, columns = (cells[:, :1] * cell_px + inside, cells[:, 1:] * cell_px + inside)
    exists = (rows < luma.shape[0])[:, :, None] & (columns < luma.shape[1])[:, None, :]
    rows, columns = np.minimum(rows, luma.shape[0] - 1), np.minimum(columns, luma.shape[1] - 1)
    samples = luma[rows[:, :, None], columns[:, None, :]].astype(np.float32)
    count = exists.sum(axis=(1, 2))
    mean = (samples * exists).sum(axis=(1, 2)) / count
    spread = np.square(samples - mean[:, None, None]) * exists
    flat_rgbr, flat_energy = np.where(valid, rgbr, np.float32(0)), energy.copy()
    flat_energy[~valid] = spread.sum(axis=(1, 2)) / count / 4.0 ** (bit_depth - 8)
    return flat_rgbr, flat_energy


def turn_grid(grid: npt.NDArray[_Scalar], rotation_deg: int) -> npt.NDArray[_Scalar]:
    """Turn a grid of cells to display orientation; values are only moved.

    Args:
        grid: An array (..., h, w) of any dtype.
        rotation_deg: Clockwise turn that displays the picture upright: 0, 90, 180 or 270.

    Returns:
        The grid (..., h, w), or (..., w, h) for 90 and 270, of the same dtype.

    Raises:
        InputError: The angle is not a multiple of 90.
    """
    if rotation_deg % 90:
        raise InputError(f"a grid cannot be turned by {rotation_deg} degrees", "give a multiple of 90")
    return np.rot90(grid, -(rotation_deg // 90), axes=(-2, -1))


def turn_vectors(md: npt.NDArray[np.float32], rotation_deg: int) -> npt.NDArray[np.float32]:
    """Turn a motion field to display orientation: its cells and the directions of its vectors.

    Args:
        md: Displacements (..., 2, h, w), x right, y down.
        rotation_deg: Clockwise turn that displays the picture upright: 0, 90, 180 or 270.

    Returns:
        Displacements (..., 2, h, w), or (..., 2, w, h) for 90 and 270, x right and y down on the display.

    Raises:
        InputError: The angle is not a multiple of 90.
    """
    moved = turn_grid(md, rotation_deg)
    x, y = moved[..., 0, :, :], moved[..., 1, :, :]
    # With y down, a clockwise quarter turn takes right to down and down to left.
    turned = {0: (x, y), 90: (-y, x), 180: (-x, -y), 270: (y, -x)}[rotation_deg % 360]
    return np.stack(turned, axis=-3)
