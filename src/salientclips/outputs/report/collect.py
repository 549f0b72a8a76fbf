"""Gathers what a page shows of one video: curves, key frames, shots, strip, loops of the best and worst clips.

Works from scores that are there already and reads no feature. It decodes the strip's frames and those of the loops,
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...media.probe import probe
from ...media.tags import title_of
from ...probed import VideoInfo
from ...ranking import choose
from ...types import ClipScores, PacketTable, SelectedClip, Selection
from ..drawn_streams import drawn_streams
from .curve import curve, ticks
from .data import Kind, Lane, PageData, ShownClip
from .shots import find_shots, key_frame_times
from .thumbnails import LOOP_FRAMES, Loops, data_uri, strip

LOOPED_CLIPS = 16
"""So many clips at each end of the ranking move; further ones are one still frame, which keeps the page small."""
MEANINGS = {
    "md": "motion",
    "rgbr": "residuals",
    "stats": "statistics",
    "if": "key frames",
    "packets": "packet cost",
    "audio": "sound",
    "visual": "pictures",
}
"""What the streams are called for people."""


def collect(
    selection: Selection,
    table: PacketTable,
    kind: Kind,
    video_url: str,
    *,
    min_gap_s: float = 0.0,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> PageData:
    """Gather everything that a page shows of one video, but for what a classifier says of it.

    Args:
        selection: The clips chosen, with the scores that they were chosen by.
        table: The packet table of the video.
        kind: What page it is for. One with a server gets no loops: they are made when they are looked at.
        video_url: Where the page will find the video.
        min_gap_s: The gap that the selection was made with, seconds.
        threads: Decoder threads.
        progress: Called with the share of the pictures that are made, 0 to 1.

    Returns:
        The page's data.

    Raises:
        MediaError: The video cannot be read.
    """
    scores = selection.scores
    path = scores.path
    begin_s, end_s = span(scores)
    shots, keys = find_shots(table), key_frame_times(table)
    lowest = bottom(scores, len(selection.clips), min_gap_s, {c.index for c in selection.clips})
    if kind == "report":
        made = _with_pictures(path, table, (selection.clips, lowest), threads, progress)
    else:
        made = [tuple(map(_plain, clips)) for clips in (selection.clips, lowest)]
    info = probe(path, table=table)
    return PageData(
        kind=kind,
        name=path.name,
        title=title_of(path),
        video_url=video_url,
        aspect=_aspect(info.video),
        codec=info.video.codec,
        begin_s=begin_s,
        end_s=end_s,
        sampler=scores.sampler,
        facts=(*_about(info.video), *(_how(scores) if kind == "report" else ())),
        lanes=lanes(scores),
        starts_s=scores.grid.start_s,
        ends_s=scores.grid.end_s,
        scores=scores.scores,
        top=made[0],
        bottom=made[1],
        k=selection.k,
        note=selection.note,
        thumbnails=tuple(strip(path, table, threads=threads)),
        shots_path=ticks(shots.starts_s, begin_s, end_s),
        num_shots=len(shots.starts_s) + 1,
        shots_by=shots.by,
        key_frames_path=ticks(keys, begin_s, end_s),
        num_key_frames=len(keys),
        warnings=scores.warnings,
        min_gap_s=min_gap_s,
    )


def span(scores: ClipScores) -> tuple[float, float]:
    """The edges of the time line.

    Args:
        scores: Scores of at least one clip.

    Returns:
        (begin, end), seconds: from the container's start, or the first clip where that is earlier, to the last clip's
        end.
    """
    return min(0.0, float(scores.grid.start_s[0])), float(scores.grid.end_s[-1])


def lanes(scores: ClipScores) -> tuple[Lane, ...]:
    """The curves of some scores.

    Args:
        scores: The scores of a video.

    Returns:
        The score that clips are chosen by, then each of its streams that is not that score.
    """
    begin_s, end_s = span(scores)
    starts_s, ends_s = scores.grid.start_s, scores.grid.end_s

    def lane(name: str, meaning: str, values: object) -> Lane:
        drawn = curve(starts_s, ends_s, np.asarray(values, dtype=np.float64), begin_s, end_s)
        return Lane(name, meaning, drawn)

    main = lane(scores.sampler, "saliency", scores.scores)
    streams = drawn_streams(scores).items()
    return (main, *(lane(name, MEANINGS.get(name, name), values) for name, values in streams))


def bottom(scores: ClipScores, k: int, min_gap_s: float, chosen: set[int]) -> tuple[SelectedClip, ...]:
    """The least salient clips, by the rule that chooses the most salient, turned round.

    Args:
        scores: The scores of a video.
        k: How many.
        min_gap_s: Least time between two of them, seconds.
        chosen: Clips that are among the best and cannot be among the worst.

    Returns:
        At most ``k``, the least first; none where all clips have the same score.
    """
    if k < 1 or float(scores.scores.min()) == float(scores.scores.max()):
        return ()
    found = choose(-scores.scores, scores.grid, k, min_gap_s=min_gap_s).indices
    grid = scores.grid
    kept = [i for i in found if i not in chosen]
    return tuple(
        SelectedClip(rank, i, grid.starts[i], grid.ends[i], float(scores.scores[i]))
        for rank, i in enumerate(kept, start=1)
    )


def clock(seconds: float) -> str:
    """A time for people.

    Args:
        seconds: Not negative.

    Returns:
        ``m:ss.s`` under an hour, else ``h:mm:ss``.
    """
    tenths = round(seconds * 10)
    if tenths < 36_000:
        return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _about(video: VideoInfo) -> tuple[tuple[str, str], ...]:
    width, height = _upright(video)
    rate = f"{video.frame_rate:.4g} frames/s"
    return (
        ("Length", clock(video.duration_s)),
        ("Picture", f"{width} × {height}, {rate}"),
        ("Codec", video.codec),
    )


def _upright(video: VideoInfo) -> tuple[int, int]:
    """(width, height) as it is displayed, pixels."""
    is_lying = video.rotation_deg % 180 != 0
    return (video.height_px, video.width_px) if is_lying else (video.width_px, video.height_px)


def _aspect(video: VideoInfo) -> float:
    width, height = _upright(video)
    return width / height


def _how(scores: ClipScores) -> tuple[tuple[str, str], ...]:
    read = ", ".join(scores.features_used) or "nothing"
    return (("Clips", f"{len(scores):,}"), ("Sampler", scores.sampler), ("Read", read))


def _plain(clip: SelectedClip) -> ShownClip:
    return ShownClip(clip.rank, clip.index, clip.start_s, clip.end_s, clip.score)


def _with_pictures(
    path: Path,
    table: PacketTable,
    groups: tuple[tuple[SelectedClip, ...], tuple[SelectedClip, ...]],
    threads: int,
    progress: Callable[[float], None] | None,
) -> list[tuple[ShownClip, ...]]:
    """Both groups with their pictures, decoded in order of time so that the decoder mostly moves forward."""
    pictures: dict[int, tuple[str, int]] = {}
    clips = sorted((clip for group in groups for clip in group), key=lambda c: c.start)
    with Loops(path, table, threads) as loops:
        for done, clip in enumerate(clips, start=1):
            frames = LOOP_FRAMES if clip.rank <= LOOPED_CLIPS else 1
            still = loops.loop(clip.start, clip.end, frames)
            pictures[clip.index] = ("", 0) if still is None else (data_uri(still), frames)
            if progress is not None:
                progress(done / len(clips))
    return [
        tuple(ShownClip(c.rank, c.index, c.start_s, c.end_s, c.score, *pictures[c.index]) for c in group)
        for group in groups
    ]
