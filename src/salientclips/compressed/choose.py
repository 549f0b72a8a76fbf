"""Which frames of a clip are read: P-frames, evenly spread, and never a B-frame while there is a choice.

The paper averages over all P-frames of a clip (section 3.2); here ``frames_per_clip`` of them stand for the
clip, each at the centre of an equal part of the clip's list. A P-frame is compared with the reference
before it; a B-frame is predicted from both sides, so what it lacks says little, and encoders spend few bits
on it.

Some clips have no P-frame. Then, in this order: other frames than B that have a frame before them
(intra-only codecs, unknown types, single I-frames), which are compared with that frame; and, in streams
without any P-frame (some hardware encoders make every inter-coded frame a B-frame), any frame with one
before it. A clip with none of these is read as having no frames, which is a normal answer.

This module only chooses rows of the packet table; it decodes nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..media.demux import clip_bounds
from ..media.references import References, entry_points, find_references
from ..timeline import ClipGrid
from ..types import PacketTable

Rows = npt.NDArray[np.int64]
"""Rows of a packet table (n,), in display order."""

_OLDEST_S = 2
"""Seconds by which a frame may be older than a clip that it stands for. Encoders that put key frames at fixed
distances show several scenes between two of them: with 10 s VP9's scores told less than packet sizes do."""


def frames_to_read(table: PacketTable, grid: ClipGrid, frames_per_clip: int) -> list[Rows]:
    """Choose the frames whose motion and residual stand for each clip.

    Args:
        table: The packet table of the video.
        grid: Its clips.
        frames_per_clip: How many to choose per clip; 0 means all.

    Returns:
        For each clip the rows of its frames, at most ``frames_per_clip`` of them, perhaps none.

    Raises:
        InputError: ``frames_per_clip`` is negative.
    """
    references = find_references(table)
    is_p = table.frame_type == ord("P")
    has_before = table.is_shown & (references.before >= 0)
    ladder = [is_p & (references.anchor >= 0), has_before & (table.frame_type != ord("B"))]
    if not is_p.any():
        ladder.append(has_before)
    bounds = clip_bounds(table, grid)
    by_clip = [_rows_by_clip(table, bounds, candidates) for candidates in ladder]
    empty = np.zeros(0, dtype=np.int64)
    return [
        evenly_spread(next((rows for rows in choices if len(rows)), empty), frames_per_clip)
        for choices in zip(*by_clip, strict=True)
    ]


def pairs_to_read(table: PacketTable, grid: ClipGrid) -> list[Rows]:
    """Choose for each clip the one frame that is cheapest to reach, for the budget ``fast``.

    At best that is a frame that follows a key frame on the display and is compared with it: next to nothing is
    decoded for such a pair. A clip has the middle one of its own pairs. Else it shares the frame read last before it,
    which is most often of the same scene; where that is more than 2 s before the clip, the clip's middle frame is
    read, however much must be decoded for it.

    Args:
        table: The packet table of the video.
        grid: Its clips.

    Returns:
        For each clip the row of its frame, or none; clips may share one.
    """
    references = find_references(table)
    bounds = clip_bounds(table, grid)
    has_before = table.is_shown & (references.before >= 0)
    pairs = _rows_by_clip(table, bounds, _follows_key(table, references))
    others = _rows_by_clip(table, bounds, has_before)
    chosen: list[Rows] = []
    latest = np.zeros(0, dtype=np.int64)
    for first_pts, own, other in zip(bounds[0], pairs, others, strict=True):
        oldest = first_pts - _OLDEST_S / table.timeline.time_base
        if len(own):
            latest = evenly_spread(own, 1)
        elif not len(latest) or table.pts[latest[0]] < oldest:
            latest = evenly_spread(other, 1)
        chosen.append(latest)
    return chosen


def _follows_key(table: PacketTable, references: References) -> npt.NDArray[np.bool_]:
    """Frames shown right after a key frame and decoded behind it, or key frames themselves (num_packets,)."""
    is_key = entry_points(table)
    key = np.maximum.accumulate(np.where(is_key, np.arange(len(table)), -1))
    before = references.before
    follows: npt.NDArray[np.bool_] = (
        table.is_shown & (before >= 0) & is_key[before] & (is_key | (key == before))
    )
    return follows


def stills_to_read(table: PacketTable, grid: ClipGrid, frames_per_clip: int) -> list[Rows]:
    """Choose the I-frames that stand for each clip: its own, or else the last one shown before it.

    Only key frames count, where there are any: an I-frame elsewhere can be had only with all that was decoded since
    the key frame before it, and they are few (x264 writes them at cuts soon after a key frame).

    Args:
        table: The packet table of the video.
        grid: Its clips.
        frames_per_clip: How many of a clip's own to choose at most; 0 means all.

    Returns:
        For each clip the rows of its I-frames; none where no I-frame was shown by then.

    Raises:
        InputError: ``frames_per_clip`` is negative.
    """
    is_i = ((table.frame_type == ord("I")) | ((table.frame_type == ord("?")) & table.is_key)) & table.is_shown
    if (is_i & table.is_key).any():
        is_i &= table.is_key
    bounds = clip_bounds(table, grid)
    own = _rows_by_clip(table, bounds, is_i)
    chosen: list[Rows] = []
    last = _rows_before(table, bounds[0], is_i)
    for rows, before in zip(own, last, strict=True):
        chosen.append(evenly_spread(rows, frames_per_clip) if len(rows) else before)
    return chosen


def evenly_spread(rows: Rows, count: int) -> Rows:
    """The elements at the centres of ``count`` equal parts of a list.

    Args:
        rows: Any rows (n,).
        count: How many to take; 0 or more than n takes all.

    Returns:
        ``min(n, count)`` rows in their order, without repetition.

    Raises:
        InputError: ``count`` is negative.
    """
    if count < 0:
        raise InputError(f"{count} frames per clip are impossible", "give 1 or more, or 0 for all")
    if count == 0 or count >= len(rows):
        return rows
    # Centre of part i: floor((2 i + 1) n / (2 count)), in whole numbers.
    return rows[(2 * np.arange(count) + 1) * len(rows) // (2 * count)]


def _rows_by_clip(
    table: PacketTable, bounds: tuple[Rows, Rows], candidates: npt.NDArray[np.bool_]
) -> list[Rows]:
    rows = _in_display_order(table, candidates & table.is_shown)
    stamps = table.pts[rows]
    first, last = np.searchsorted(stamps, bounds[0]), np.searchsorted(stamps, bounds[1])
    return [rows[a:b] for a, b in zip(first, last, strict=True)]


def _rows_before(table: PacketTable, first_pts: Rows, candidates: npt.NDArray[np.bool_]) -> list[Rows]:
    rows = _in_display_order(table, candidates)
    first = np.searchsorted(table.pts[rows], first_pts)
    return [rows[max(at - 1, 0) : at] for at in first]


def _in_display_order(table: PacketTable, candidates: npt.NDArray[np.bool_]) -> Rows:
    rows = np.flatnonzero(candidates).astype(np.int64)
    _, first = np.unique(table.pts[rows], return_index=True)
    return rows[first]
