"""Back end "decoded": reads the features of every clip of any video that FFmpeg decodes.

One pass, in order, with a few frames in memory. Motion comes from the vectors that the decoder exports
(H.264, MPEG-1, -2 and -4), and from block matching on pictures of a quarter of the size for other codecs
and for I-frames that stand for a clip. The residual is the frame minus its motion-compensated reference, at
full size with exported vectors and on the small pictures without; there its energy lacks the finest detail.

The definitions are in features.py, the choice of frames in choose.py, the decoding in media/motion.py. How much of
a file is decoded at all is the budget's to say (budget.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..media.motion import MotionFrame, StillPicture, read_motion
from ..timeline import ClipGrid
from ..types import ClipFeatures, FeatureParameters, PacketTable
from .block_matching import SMALL_CELL_PX, match_blocks
from .budget import motion_to_read, thrift_of
from .choose import Rows, stills_to_read
from .collect import Collector, FrameFeatures
from .compensate import overwrite, predict
from .features import (
    CELL_PX,
    flatten_intra,
    rasterise_vectors,
    residual_cells,
    turn_grid,
    turn_vectors,
    ycbcr_to_rgb,
)
from .past import BLOCK_PX, displacement_of, guess_references, label_blocks

_STILL_SIDE_PX = 224
"""Shorter side of the I-frames handed out (paper, section 4: input of the IF network)."""


def read_features(
    path: Path,
    table: PacketTable,
    grid: ClipGrid,
    parameters: FeatureParameters,
    *,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Iterator[ClipFeatures]:
    """Read MD, RGB-R and I-frames of every clip, as far as ``parameters.features`` asks for them.

    Args:
        path: A local file.
        table: Its packet table.
        grid: Its clips.
        parameters: What to read, and how many frames of each clip.
        threads: Decoder threads; the result does not depend on them.
        progress: Called after each clip with the share of clips that are done, 0 to 1.

    Yields:
        One :class:`ClipFeatures` per clip, in order. Frames that could not be decoded are missing in it and
        counted in ``failures``; a clip without frames has arrays of length 0, with the cell grid of the frame
        read last (0 by 0 before the first).

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        InputError: ``parameters.frames_per_clip`` is negative.
    """
    wants_motion = "md" in parameters.features or "rgbr" in parameters.features
    nothing: list[Rows] = [np.zeros(0, dtype=np.int64)] * len(grid)
    motion = motion_to_read(table, grid, parameters) if wants_motion else nothing
    stills = (
        stills_to_read(table, grid, parameters.frames_per_clip) if "if" in parameters.features else nothing
    )
    collector = Collector(table, parameters, motion, stills)
    for item in read_motion(
        path,
        table,
        {int(row) for rows in motion for row in rows},
        stills={int(row) for rows in stills for row in rows},
        shorter_side_px=_STILL_SIDE_PX,
        threads=threads,
        thrift=thrift_of(parameters.budget),
    ):
        for clip in collector.finished_before(item.row):
            yield clip
            _report(progress, clip.index, len(grid))
        if isinstance(item, StillPicture):
            upright = np.ascontiguousarray(turn_grid(item.rgb, item.rotation_deg))
            collector.add_still(item.row, upright)
        else:
            with_residual = "rgbr" in parameters.features
            collector.add_frame(item.row, frame_features(item, with_residual=with_residual))
    for clip in collector.rest():
        yield clip
        _report(progress, clip.index, len(grid))


def _report(progress: Callable[[float], None] | None, index: int, num_clips: int) -> None:
    if progress is not None:
        progress((index + 1) / num_clips)


def frame_features(frame: MotionFrame, *, with_residual: bool) -> FrameFeatures:
    """Reduce one frame and its reference to cells.

    Args:
        frame: What the decoder gave.
        with_residual: Whether RGB-R and energy are wanted.

    Returns:
        The features of the frame, turned to display orientation.
    """
    moved = _by_matching(frame) if frame.vectors is None else _by_vectors(frame, frame.vectors)
    rgbr = energy = None
    if with_residual:
        colour = frame.colour
        to_rgb = ycbcr_to_rgb(colour.matrix, colour.full_range, colour.bit_depth)
        rgbr, energy = residual_cells(
            _differences(frame, moved), to_rgb, colour.bit_depth, cell_px=moved.cell_px
        )
        rgbr, energy = flatten_intra(
            rgbr, energy, moved.valid, frame.planes[0], colour.bit_depth, cell_px=moved.cell_px
        )
        rgbr, energy = turn_grid(rgbr, frame.rotation_deg), turn_grid(energy, frame.rotation_deg)
    md, valid = turn_vectors(moved.md, frame.rotation_deg), turn_grid(moved.valid, frame.rotation_deg)
    return FrameFeatures(md, valid, rgbr, energy)


@dataclass(frozen=True)
class _Moved:
    """How a frame came out of its references."""

    md: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]
    way: npt.NDArray[np.float32]
    """Whole way of each block (2, h', w'), in luma samples of the planes."""
    source: npt.NDArray[np.int64]
    """Which reference each block came from (h', w')."""
    luma_difference: npt.NDArray[np.float32]
    block_px: int
    """Side of a block, luma samples of the planes."""
    cell_px: int
    """Side of a cell, luma samples of the planes."""


def _by_matching(frame: MotionFrame) -> _Moved:
    reference = frame.references[0]
    luma, before = frame.planes[0].astype(np.uint8), reference.planes[0].astype(np.uint8)
    way, valid = match_blocks(luma, before)
    shrink = np.array([frame.shrink_x, frame.shrink_y], dtype=np.float32)[:, None, None]
    md = way * shrink / np.float32(reference.temporal_distance)
    prediction = predict(before, way, SMALL_CELL_PX, SMALL_CELL_PX)
    source = np.zeros(valid.shape, dtype=np.int64)
    difference = np.subtract(luma, prediction, dtype=np.float32)
    return _Moved(md, valid, way, source, difference, SMALL_CELL_PX, SMALL_CELL_PX)


def _by_vectors(frame: MotionFrame, vectors: npt.NDArray[np.void]) -> _Moved:
    labels = label_blocks(vectors, frame.width_px, frame.height_px)
    way = displacement_of(vectors, labels)
    luma, past = frame.planes[0], [reference.planes[0] for reference in frame.references]
    prediction = predict(past[0], way, BLOCK_PX, BLOCK_PX)
    difference = np.subtract(luma, prediction, dtype=np.float32)
    chosen = guess_references(luma, past, difference, way, labels, len(vectors), frame.colour.bit_depth)
    source = np.append(chosen, 0)[labels]
    for index in range(1, len(past)):
        if (source == index).any():
            prediction = overwrite(prediction, past[index], way, source == index, BLOCK_PX, BLOCK_PX)
    if chosen.any():
        difference = np.subtract(luma, prediction, dtype=np.float32)
    distances = np.array([reference.temporal_distance for reference in frame.references])
    md, valid = rasterise_vectors(vectors, frame.width_px, frame.height_px, distances[chosen])
    return _Moved(md, valid, way, source, difference, BLOCK_PX, CELL_PX)


def _differences(frame: MotionFrame, moved: _Moved) -> tuple[npt.NDArray[np.float32], ...]:
    """Frame minus prediction, plane by plane."""
    luma = frame.planes[0]
    differences = [moved.luma_difference]
    for number, here in enumerate(frame.planes[1:], start=1):
        # Rounding undoes the ceil of odd sizes: 321 columns of luma have 161 of chroma.
        down = max(1, round(luma.shape[0] / here.shape[0]))
        across = max(1, round(luma.shape[1] / here.shape[1]))
        way = moved.way / np.array([across, down], dtype=np.float32)[:, None, None]
        block = (moved.block_px // down, moved.block_px // across)
        prediction = predict(frame.references[0].planes[number], way, *block)
        for index in range(1, len(frame.references)):
            where = moved.source == index
            if where.any():
                there = frame.references[index].planes[number]
                prediction = overwrite(prediction, there, way, where, *block)
        differences.append(np.subtract(here, prediction, dtype=np.float32))
    return tuple(differences)
