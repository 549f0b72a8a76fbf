"""What the packet table alone says about decoding: who is compared with whom, and what need not be decoded.

Nothing is opened and nothing decoded here; the pass that acts on it is motion.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..types import PacketTable

_P = ord("P")


@dataclass(frozen=True)
class References:
    """Which frame each frame is compared with, and how far away it is, by row of the packet table."""

    anchor: npt.NDArray[np.int64]
    """The I- or P-frame decoded last before a P-frame (num_packets,); -1 for other frames or without one."""
    next_anchor: npt.NDArray[np.int64]
    """The I- or P-frame decoded next after an I- or P-frame (num_packets,); -1 for others and the last."""
    before: npt.NDArray[np.int64]
    """The frame shown just before (num_packets,); -1 for the first and for frames that are not shown."""
    position: npt.NDArray[np.int64]
    """Place in display order (num_packets,); meaningless for frames that are not shown."""

    def past(self, row: int, depth: int) -> tuple[int, ...]:
        """The I- and P-frames before a P-frame, nearest first.

        Args:
            row: A row with an anchor.
            depth: How many to give at most.

        Returns:
            1 to ``depth`` rows; it ends at an I-frame, past which vectors hardly ever point.
        """
        rows = [int(self.anchor[row])]
        while len(rows) < depth and self.anchor[rows[-1]] >= 0:
            rows.append(int(self.anchor[rows[-1]]))
        return tuple(rows)


def find_references(table: PacketTable) -> References:
    """Work out from types and times which frame each frame is compared with.

    Args:
        table: A packet table.

    Returns:
        Rows and display positions; only shown frames can be references, as others cannot be had.
    """
    anchor = np.full(len(table), -1, dtype=np.int64)
    anchors = np.flatnonzero(np.isin(table.frame_type, (ord("I"), _P)))
    earlier, later = anchors[:-1], anchors[1:]
    usable = (
        (table.frame_type[later] == _P)
        & (table.pts[earlier] < table.pts[later])
        & table.is_shown[earlier]
        & table.is_shown[later]
    )
    anchor[later[usable]] = earlier[usable]
    next_anchor = np.full(len(table), -1, dtype=np.int64)
    next_anchor[earlier] = later

    shown = np.flatnonzero(table.is_shown)
    times, first, place = np.unique(table.pts[shown], return_index=True, return_inverse=True)
    position = np.zeros(len(table), dtype=np.int64)
    position[shown] = place
    before = np.full(len(table), -1, dtype=np.int64)
    in_order = shown[first]
    if len(times) > 1:
        before[in_order[1:]] = in_order[:-1]
    return References(anchor, next_anchor, before, position)


def rows_to_feed(table: PacketTable, needed: frozenset[int]) -> npt.NDArray[np.bool_]:
    """Which packets must be decoded to get some frames: no more than leads up to them.

    Args:
        table: A packet table.
        needed: Rows of the frames.

    Returns:
        Whether each row goes into the decoder (num_packets,). A stretch begins at a clean entry point and its
        decoded rows are its first ones, so that the decoder can be flushed in between.
    """
    is_start = _clean_entry_points(table)
    stretch = np.cumsum(is_start)
    last = np.full(int(stretch[-1]) + 1 if len(table) else 0, -1, dtype=np.int64)
    rows = np.array(sorted(needed), dtype=np.int64)
    last[stretch[rows]] = rows  # in order, so the last one of each stretch stays
    feed: npt.NDArray[np.bool_] = np.arange(len(table)) <= last[stretch]
    return feed


def rows_from_keys(table: PacketTable, needed: frozenset[int]) -> npt.NDArray[np.bool_]:
    """Which packets must be decoded to get frames that lie close behind key frames.

    Unlike :func:`rows_to_feed` it begins at open groups of pictures, too: frames that are decoded after a key frame
    and shown before it (RASL pictures of HEVC) need what was before and are left out; no other frame needs them.

    Args:
        table: A packet table.
        needed: Rows of the frames.

    Returns:
        Whether each row goes into the decoder (num_packets,). Frames without a key frame to begin at, and those shown
        before it, are reached as :func:`rows_to_feed` does.
    """
    key = np.maximum.accumulate(np.where(entry_points(table), np.arange(len(table)), -1))
    follows = (key >= 0) & (table.pts >= table.pts[key])
    last = np.full(len(table), -1, dtype=np.int64)
    rows = np.array(sorted(needed), dtype=np.int64)
    direct = rows[follows[rows]]
    last[key[direct]] = direct  # in order, so the last one behind each key frame stays
    feed: npt.NDArray[np.bool_] = follows & (np.arange(len(table)) <= last[key])
    return feed | rows_to_feed(table, frozenset(rows[~follows[rows]].tolist()))


def entry_points(table: PacketTable) -> npt.NDArray[np.bool_]:
    """Where a decoder can begin: key frames that are I-frames (num_packets,); an intra refresh is none.

    Args:
        table: A packet table.

    Returns:
        Whether each row is one, bool (num_packets,).
    """
    is_entry: npt.NDArray[np.bool_] = table.is_key & np.isin(table.frame_type, (ord("I"), ord("?")))
    return is_entry


def _clean_entry_points(table: PacketTable) -> npt.NDArray[np.bool_]:
    """Key I-frames after which, in decoding order, nothing is shown that comes before them.

    An intra-refresh entry is a P-frame; an open group of pictures has leading pictures: both need what was
    before.
    """
    if len(table) == 0:
        return np.zeros(0, dtype=np.bool_)
    earliest_later = np.minimum.accumulate(table.pts[::-1])[::-1]
    clean: npt.NDArray[np.bool_] = entry_points(table) & (earliest_later >= table.pts)
    return clean
