"""Puts the features of single frames together into clips, in order, keeping no clip longer than needed.

Both back ends hand their frames to a :class:`Collector`; what a clip looks like is decided here, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..media.references import find_references
from ..types import ClipFeatures, FeatureParameters, PacketTable
from .choose import Rows

Scalar = TypeVar("Scalar", bound=np.generic)


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


@dataclass
class _Gathered:
    """What has come for one clip so far."""

    rows: list[int] = field(default_factory=list)
    frames: list[FrameFeatures] = field(default_factory=list)
    stills: list[npt.NDArray[np.uint8]] = field(default_factory=list)


class Collector:
    """Sorts frames into clips and lets each clip go as soon as nothing more can come for it.

    Args:
        table: The packet table of the video.
        parameters: What is read.
        motion: Rows of the wanted frames of each clip.
        stills: Rows of the wanted pictures of each clip.
    """

    def __init__(
        self, table: PacketTable, parameters: FeatureParameters, motion: list[Rows], stills: list[Rows]
    ) -> None:
        self._table, self._parameters = table, parameters
        self._motion, self._stills = motion, stills
        self._position = find_references(table).position
        self._clips_of, self._clips_of_still = _clips_by_row(motion), _clips_by_row(stills)
        self._last = [
            max((int(self._position[row]) for row in (*a, *b)), default=-1)
            for a, b in zip(motion, stills, strict=True)
        ]
        self._open: dict[int, _Gathered] = {}
        self._next = 0
        self._grid_shape = (0, 0)

    def finished_before(self, row: int) -> Iterator[ClipFeatures]:
        """The clips that want nothing from a frame or from any after it.

        Args:
            row: Row of the packet table of the frame that comes next.

        Yields:
            Their features, in order of time.
        """
        position = int(self._position[row])
        while self._next < len(self._last) and self._last[self._next] < position:
            yield self._close()

    def rest(self) -> Iterator[ClipFeatures]:
        """All other clips, when nothing more comes.

        Yields:
            Their features, in order of time.
        """
        while self._next < len(self._last):
            yield self._close()

    def add_frame(self, row: int, features: FrameFeatures) -> None:
        """Take the features of a wanted frame.

        Args:
            row: Its row of the packet table, one of ``motion``.
            features: Its features, in display orientation.
        """
        for clip in self._clips_of[row]:
            if clip < self._next:
                continue  # a damaged stream gave it too late; it stays counted as a failure
            gathered = self._gathered(clip)
            if gathered.frames and gathered.frames[0].valid.shape != features.valid.shape:
                continue  # the picture size changed within the clip; what does not fit is a failure
            self._grid_shape = (features.valid.shape[0], features.valid.shape[1])
            gathered.rows.append(row)
            gathered.frames.append(features)

    def add_still(self, row: int, rgb: npt.NDArray[np.uint8]) -> None:
        """Take a wanted picture.

        Args:
            row: Its row of the packet table, one of ``stills``.
            rgb: RGB (3, H', W'), upright.
        """
        for clip in self._clips_of_still[row]:
            if clip >= self._next:
                self._gathered(clip).stills.append(rgb)

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


def _clips_by_row(chosen: list[Rows]) -> dict[int, list[int]]:
    """Which clips want a row; several where they share it."""
    clips: dict[int, list[int]] = {}
    for clip, rows in enumerate(chosen):
        for row in rows:
            clips.setdefault(int(row), []).append(clip)
    return clips


def _stack(
    arrays: Sequence[npt.NDArray[Scalar] | None], shape: tuple[int, ...], kind: type[Scalar]
) -> npt.NDArray[Scalar]:
    present = [array for array in arrays if array is not None]
    if len(present) == 1:
        return present[0][np.newaxis]
    return np.stack(present) if present else np.zeros((0, *shape), dtype=kind)
