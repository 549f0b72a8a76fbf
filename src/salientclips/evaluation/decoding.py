"""What decoding a choice of clips costs, without decoding it: frames counted from the packet table.

A clip can only be decoded from the key frame before it, so K clips cost more than K / N of the video, and how much
more depends on where they lie. The frames that :class:`~salientclips.media.decode.FrameReader` would decode are
counted exactly (from the key frame before a clip, or on from where the decoder stands if that lies behind it), and
priced with the video's own seconds a frame, measured when all clips were looked at. What it leaves out: opening the
file, and the seeks that land late in broken files. ``docs/reproduce.md`` says how near it comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..classifiers import ClipInput
from ..classifiers.look import clip_frame_times
from ..media.demux import lazy_times
from ..timeline import ClipGrid
from ..types import PacketTable


@dataclass(frozen=True, eq=False)
class DecodePlan:
    """Which packets each clip needs, as places in decoding order."""

    first: npt.NDArray[np.int64]
    """Place of the key frame that a clip is decoded from (num_clips,)."""
    stop: npt.NDArray[np.int64]
    """One past the place of the last packet that it needs (num_clips,)."""

    def frames(self, clips: Iterable[int]) -> int:
        """How many frames are decoded to see some clips.

        Args:
            clips: Indices of different clips, in any order; they are decoded in order of time.

        Returns:
            The number of packets that pass through the decoder.
        """
        ordered = np.array(sorted(clips), dtype=np.int64)
        stop = self.stop[ordered]
        place = np.concatenate([[0], np.maximum.accumulate(stop)[:-1]])
        return int(np.maximum(0, stop - np.maximum(self.first[ordered], place)).sum())

    @cached_property
    def all_frames(self) -> int:
        """How many frames are decoded to see every clip."""
        return self.frames(range(len(self.first)))


@dataclass(frozen=True)
class _Clip:
    start: Fraction
    end: Fraction


def plan_decoding(table: PacketTable, grid: ClipGrid, wanted: ClipInput) -> DecodePlan:
    """Work out what each clip needs.

    Args:
        table: The video's packets.
        grid: Its clips.
        wanted: What the classifier is shown of a clip.

    Returns:
        The plan.
    """
    times = lazy_times(table)
    timeline = table.timeline
    # A decoder gives the frame of pts t once all packets up to t's own have been fed; others fed before come along.
    place_of = np.argsort(table.pts, kind="stable")
    in_order = table.pts[place_of]
    furthest = np.maximum.accumulate(place_of)
    keys = np.flatnonzero(table.is_key)
    keys = keys[np.argsort(table.pts[keys], kind="stable")]
    first, stop = np.zeros(len(grid), dtype=np.int64), np.zeros(len(grid), dtype=np.int64)
    for i, (start, end) in enumerate(zip(grid.starts, grid.ends, strict=True)):
        seen = clip_frame_times(_Clip(start, end), times, wanted)
        begin, last = timeline.pts(seen[0]), timeline.pts(seen[-1])
        before = int(np.searchsorted(table.pts[keys], begin, side="right")) - 1
        first[i] = keys[before] if before >= 0 else 0
        stop[i] = furthest[max(0, int(np.searchsorted(in_order, last, side="right")) - 1)] + 1
    return DecodePlan(first, np.maximum(stop, first + 1))
