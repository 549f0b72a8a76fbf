"""Back end "decoded": reads the features of every clip of any video that FFmpeg decodes.

One pass, in order, with a few frames in memory. Motion comes from the vectors that the decoder exports
(H.264, MPEG-1, -2 and -4), and from block matching on pictures of a quarter of the size for other codecs
and for I-frames that stand for a clip. The residual is the frame minus its motion-compensated reference, at
full size with exported vectors and on the small pictures without; there its energy lacks the finest detail.

The definitions are in features.py, the choice of frames in choose.py, the decoding in media/motion.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..media.motion import MotionFrame, StillPicture, read_motion
from ..media.references import find_references
from ..timeline import ClipGrid
from ..types import ClipFeatures, FeatureParameters, PacketTable
from .block_matching import SMALL_CELL_PX, match_blocks
from .choose import Rows, frames_to_read, stills_to_read
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

Scalar = TypeVar("Scalar", bound=np.generic)

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
    count = parameters.frames_per_clip
    motion = frames_to_read(table, grid, count) if wants_motion else nothing
    stills = stills_to_read(table, grid, count) if "if" in parameters.features else nothing
    collector = _Collector(table, parameters, motion, stills)
    for item in read_motion(
        path,
        table,
        {int(row) for rows in motion for row in rows},
        stills={int(row) for rows in stills for row in rows},
        shorter_side_px=_STILL_SIDE_PX,
        threads=threads,
    ):
        for clip in collector.finished_before(item.row):
            yield clip
            _report(progress, clip.index, len(grid))
        collector.add(item)
    for clip in collector.rest():
        yield clip
        _report(progress, clip.index, len(grid))


def _report(progress: Callable[[float], None] | None, index: int, num_clips: int) -> None:
    if progress is not None:
        progress((index + 1) / num_clips)


@dataclass(frozen=True)
class FrameFeatures:
    """What one frame gives, in display orientation; see :class:`ClipFeatures` for units."""

    md: npt.NDArray[np.float32]
    """(2, h, w)."""
    valid: npt.NDArray[np.bool_]
    """(h, w)."""
    rgbr: npt.NDArray[np.float32] | None
    """(3, h, w); None where it was not asked for."""
    energy: npt.NDArray[np.float32] | None
    """(h, w); None where RGB-R was not asked for."""


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


@dataclass
class _Gathered:
    """What has come for one clip so far."""

    rows: list[int] = field(default_factory=list)
    frames: list[FrameFeatures] = field(default_factory=list)
    stills: list[npt.NDArray[np.uint8]] = field(default_factory=list)


class _Collector:
    """Sorts frames into clips and lets each clip go as soon as nothing more can come for it."""

    def __init__(
        self, table: PacketTable, parameters: FeatureParameters, motion: list[Rows], stills: list[Rows]
    ) -> None:
        self._table, self._parameters = table, parameters
        self._motion, self._stills = motion, stills
        self._position = find_references(table).position
        self._clip_of = {int(row): clip for clip, rows in enumerate(motion) for row in rows}
        self._clips_of_still: dict[int, list[int]] = {}
        for clip, rows in enumerate(stills):
            for row in rows:
                self._clips_of_still.setdefault(int(row), []).append(clip)
        self._last = [
            max((int(self._position[row]) for row in (*a, *b)), default=-1)
            for a, b in zip(motion, stills, strict=True)
        ]
        self._open: dict[int, _Gathered] = {}
        self._next = 0
        self._grid_shape = (0, 0)

    def finished_before(self, row: int) -> Iterator[ClipFeatures]:
        """The clips that want nothing from a frame or from any after it."""
        position = int(self._position[row])
        while self._next < len(self._last) and self._last[self._next] < position:
            yield self._close()

    def rest(self) -> Iterator[ClipFeatures]:
        while self._next < len(self._last):
            yield self._close()

    def add(self, item: MotionFrame | StillPicture) -> None:
        if isinstance(item, StillPicture):
            turned = np.ascontiguousarray(turn_grid(item.rgb, item.rotation_deg))
            for clip in self._clips_of_still[item.row]:
                if clip >= self._next:
                    self._gathered(clip).stills.append(turned)
            return
        clip = self._clip_of[item.row]
        if clip < self._next:
            return  # a damaged stream gave it too late; it stays counted as a failure
        features = frame_features(item, with_residual="rgbr" in self._parameters.features)
        gathered = self._gathered(clip)
        if gathered.frames and gathered.frames[0].md.shape != features.md.shape:
            return  # the picture size changed within the clip; what does not fit is a failure
        self._grid_shape = (features.valid.shape[0], features.valid.shape[1])
        gathered.rows.append(item.row)
        gathered.frames.append(features)

    def _gathered(self, clip: int) -> _Gathered:
        return self._open.setdefault(clip, _Gathered())

    def _close(self) -> ClipFeatures:
        index = self._next
        self._next += 1
        have = self._open.pop(index, _Gathered())
        asked = len(self._motion[index]) + len(self._stills[index])
        features = self._parameters.features
        frames, (h, w) = have.frames, self._grid_shape
        has_md, has_rgbr = "md" in features, "rgbr" in features
        return ClipFeatures(
            index,
            tuple(self._table.timeline.time(int(self._table.pts[row])) for row in have.rows),
            _stack([f.md for f in frames], (2, h, w), np.float32) if has_md else None,
            _stack([f.valid for f in frames], (h, w), np.bool_) if has_md or has_rgbr else None,
            _stack([f.rgbr for f in frames], (3, h, w), np.float32) if has_rgbr else None,
            _stack([f.energy for f in frames], (h, w), np.float32) if has_rgbr else None,
            _stack(have.stills, (3, 0, 0), np.uint8) if "if" in features else None,
            failures=asked - len(frames) - len(have.stills),
        )


def _stack(
    arrays: Sequence[npt.NDArray[Scalar] | None], shape: tuple[int, ...], kind: type[Scalar]
) -> npt.NDArray[Scalar]:
    present = [array for array in arrays if array is not None]
    return np.stack(present) if present else np.zeros((0, *shape), dtype=kind)
