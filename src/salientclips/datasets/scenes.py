"""Scenes from PySceneDetect's CSV (or from our own export) as the clips of a video.

Which frames a scene has is taken from its seconds, moved to the nearest frame: with a variable frame rate
PySceneDetect's frame numbers are an estimate, and its seconds are right. They count from the first frame of the
video. Where the file has no seconds, frame numbers are used (from 1, the end included). A first line with the list of
cuts is skipped.

The layout is PySceneDetect's; how it is read is this project's own (docs/decisions.md, decision 38).
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from ..errors import InputError
from ..media.demux import read_packets
from ..media.frame_numbers import FrameNumbers, number_frames
from ..timeline import ClipGrid, exact_seconds
from ..types import PacketTable
from .rows import dict_reader

_SECONDS = ("Start Time (seconds)", "End Time (seconds)")
_FRAMES = ("Start Frame", "End Frame")
_TOLERANCE_S = 1
"""How far a scene may reach beyond the video before the file counts as another video's."""


def load_scenes(path: str | Path, video: str | Path, *, table: PacketTable | None = None) -> ClipGrid:
    """Read scenes as a clip grid, for ``score(..., grid=...)``.

    Args:
        path: A CSV with PySceneDetect's columns.
        video: The video that the scenes are of.
        table: Its packet table where it was read already.

    Returns:
        One clip a scene, on frames, in exact times on the timeline.

    Raises:
        InputError: The file is missing or no such CSV, scenes overlap, or they reach beyond the video.
        MediaError: The video cannot be read.

    Example:
        >>> from salientclips import load_scenes, score
        >>> scenes = load_scenes("scenes.csv", "climb.mp4")
        >>> scenes.start_s, scenes.end_s
        (array([0., 3.]), array([3., 8.]))
        >>> len(score("climb.mp4", grid=scenes))
        2
    """
    path = Path(path)
    rows = _rows(path)
    frames = number_frames(read_packets(Path(video)) if table is None else table)
    spans = []
    for number, row in enumerate(rows, start=1):
        try:
            spans.append(_span(row, frames))
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(f"'{path}', scene {number}: {error}", "check the file") from error
    if not spans:
        raise InputError(f"'{path}' holds no scenes", "give the CSV of PySceneDetect's list-scenes")
    return ClipGrid.from_spans(spans)


def _rows(path: Path) -> list[Mapping[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"'{path}' cannot be read ({reason})", "give a CSV file of scenes") from error
    for skipped in range(min(2, len(lines))):
        header = next(csv.reader([lines[skipped]]), [])
        if any(set(pair) <= set(header) for pair in (_SECONDS, _FRAMES)):
            return list(dict_reader(lines[skipped:], str(path)))
    raise InputError(
        f"'{path}' has no columns '{_SECONDS[0]}' and '{_SECONDS[1]}'",
        "give the CSV of PySceneDetect's list-scenes",
    )


def _span(row: Mapping[str, str], frames: FrameNumbers) -> tuple[Fraction, Fraction]:
    """A row's times, each moved to the nearest beginning of a frame, or to the end of the video."""
    if row.get(_SECONDS[0]) and row.get(_SECONDS[1]):
        zero = frames.times[0]
        begin, end = (_nearest(exact_seconds(row[name].strip()) + zero, frames) for name in _SECONDS)
    else:
        first, stop = int(row[_FRAMES[0]]) - 1, int(row[_FRAMES[1]])
        if not 0 <= first < stop <= len(frames):
            raise ValueError(f"frames {first + 1} to {stop} are not in the video")
        begin, end = frames.bound(first), frames.bound(stop)
    if end <= begin:
        raise ValueError("it has no frames")
    return begin, end


def _nearest(time: Fraction, frames: FrameNumbers) -> Fraction:
    index = bisect_left(frames.times, time)
    if index == len(frames):
        if time > frames.end + _TOLERANCE_S:
            raise ValueError(f"{float(time):.3f} s lies behind the end of the video")
        candidates = [frames.times[-1], frames.end]
    else:
        candidates = [frames.times[index], *([frames.times[index - 1]] if index else [])]
    return min(candidates, key=lambda t: abs(t - time))
