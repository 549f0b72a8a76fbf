"""Key frames, and shots as the encoder saw them: from the packet table alone, with nothing decoded.

A guess, and shown as one. An encoder that looks for cuts (x264 and its like) starts a new group of pictures where the
picture changes, before the longest distance between key frames is used up. So:

1. a key frame or I-frame that comes early, in less than 9/10 of the longest distance, begins a shot (all do where
   the longest distance occurs once, for then the limit was never reached);
2. where all key frames come at one distance (a fixed GOP), a P-frame does that costs more than half of what an
   I-frame does and more than five times the median of the 48 P-frames around it.

Fades are missed by both; a flash, or a key frame forced by a streaming service, can be taken for a cut. Who
needs true shots runs a detector on pictures and gives its scenes as the clip grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ...types import PacketTable

_EARLY = 0.9
_COSTLY_OF_I = 0.5
_COSTLY_OF_P = 5.0
_AROUND = 24
"""P-frames on each side that make the usual cost of one."""


@dataclass(frozen=True)
class Shots:
    """Where shots seem to begin."""

    starts_s: npt.NDArray[np.float64]
    """Seconds on the timeline (n,), increasing; the start of the video does not count."""
    by: Literal["key frames", "packet cost", "nothing"]
    """What gave them away; ``"nothing"`` where neither rule could be used."""


def key_frame_times(table: PacketTable) -> npt.NDArray[np.float64]:
    """When the shown key frames are.

    Args:
        table: A packet table.

    Returns:
        Seconds on the timeline (n,), increasing.
    """
    return _seconds(table, np.unique(table.pts[table.is_key & table.is_shown]))


def find_shots(table: PacketTable) -> Shots:
    """Guess where shots begin.

    Args:
        table: A packet table.

    Returns:
        The beginnings, and what they were taken from.
    """
    # One row a shown frame, in order of display.
    order = np.flatnonzero(table.is_shown)
    order = order[np.argsort(table.pts[order], kind="stable")]
    kinds, pts = table.frame_type[order], table.pts[order]
    intra = (kinds == ord("I")) | table.is_key[order]
    if not intra.any() or intra.all():
        return Shots(np.empty(0), "nothing")
    gaps = np.diff(np.flatnonzero(intra))
    is_early = _early(gaps)
    if is_early.any():
        return Shots(_seconds(table, pts[np.flatnonzero(intra)[1:][is_early]]), "key frames")
    costly = _costly(table.size_bytes[order], kinds, intra)
    return Shots(_seconds(table, pts[costly]), "packet cost")


def _early(gaps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which I-frames come before their time, by the frames since the one before (n - 1,)."""
    if len(gaps) == 0:
        return np.empty(0, dtype=np.bool_)
    if len(gaps) > 2 and (gaps == gaps.max()).sum() == 1:
        # The longest distance that the encoder allows would come up again and again: it was never used up.
        return np.ones(len(gaps), dtype=np.bool_)
    return np.asarray(gaps < _EARLY * gaps.max())


def _costly(
    sizes: npt.NDArray[np.int32], kinds: npt.NDArray[np.uint8], intra: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """P-frames that cost nearly what an I-frame does, and far more than those around them."""
    predicted = np.flatnonzero((kinds == ord("P")) & ~intra)
    if len(predicted) < 3:
        return np.empty(0, dtype=np.int64)
    cost = sizes[predicted].astype(np.float64)
    padded = np.pad(cost, _AROUND, mode="reflect" if len(cost) > _AROUND else "edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1), axis=1)
    is_cut = (cost > _COSTLY_OF_I * np.median(sizes[intra])) & (cost > _COSTLY_OF_P * usual)
    return predicted[is_cut]


def _seconds(table: PacketTable, pts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.array([float(table.timeline.time(int(p))) for p in pts], dtype=np.float64)
