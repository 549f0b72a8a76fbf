"""Packet cost: how dear the encoder found each clip, from the sizes of its packets alone.

No pixel is made and no entropy coding undone: one demultiplexing pass has it all. Not the paper's; what is costly to
code is new.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..media.demux import clip_bounds
from ..timeline import ClipGrid
from ..types import PacketTable


def tells_of_change(table: PacketTable) -> bool:
    """Whether packet sizes tell of change in a video: not where there are key frames only, as in MJPEG and ProRes.

    There they tell of texture, and what moves is blurred and so the cheapest (docs/budget.md).

    Args:
        table: The packets of the video.

    Returns:
        Whether a frame is predicted from another.
    """
    return bool(_inter_frames(table).any())


def _inter_frames(table: PacketTable) -> npt.NDArray[np.bool_]:
    inter: npt.NDArray[np.bool_] = table.is_shown & (table.frame_type != ord("I")) & ~table.is_key
    return inter


def packet_cost(table: PacketTable, grid: ClipGrid) -> npt.NDArray[np.float64]:
    """Mean over a clip's frames of size / (mean size of that frame type in the video).

    Dividing by the type's mean takes the GOP structure out: an I-frame is dear wherever it stands. Where a video has
    frames of other types, its I-frames are left out: their size tells of texture, not of change.

    Args:
        table: The packets of the video.
        grid: Its clips.

    Returns:
        float64 (num_clips,), no unit, 1 is average; NaN where a clip holds no frame that counts.
    """
    inter = _inter_frames(table)
    counted = inter if inter.any() else table.is_shown
    types, sizes = table.frame_type[counted], table.size_bytes[counted].astype(np.float64)
    for kind in np.unique(types):
        sizes[types == kind] /= max(sizes[types == kind].mean(), 1.0)
    pts = table.pts[counted]
    first, stop = clip_bounds(table, grid)
    clip = np.searchsorted(first, pts, side="right") - 1
    clip[pts >= stop[np.maximum(clip, 0)]] = -1
    inside = clip >= 0
    total = np.bincount(clip[inside], weights=sizes[inside], minlength=len(grid))
    count = np.bincount(clip[inside], minlength=len(grid))
    costs = np.full(len(grid), np.nan)
    np.divide(total, count, out=costs, where=count > 0)
    return costs
