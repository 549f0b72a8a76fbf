"""The verbs ``cut`` and ``summary``: the selected clips as videos, one file a clip or one short video of all.

Both encode again, so that every clip begins and ends on the very frames; ``cut`` can copy packets instead, which is
fast and without loss, begins at key frames, and says how far off that is.

Not in the paper: both are this project's own (docs/decisions.md, decision 37).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..destinations import keep_off, make_folder
from ..errors import InputError
from ..media.copy import COPY_SUFFIXES, copy_spans
from ..media.cut import Cutter, FrameSpan, on_frames
from ..media.frame_numbers import number_frames, packets_of
from ..types import PacketTable, SelectedClip, Selection
from ..whole_file import whole_file
from .score import Progress, part_of

_LONGEST_STEM_BYTES = 200
"""File systems allow names of 255 bytes; rank, time, suffix and what marks a half-written file come on top."""


@dataclass(frozen=True)
class CutClip:
    """One clip that became a file."""

    clip: SelectedClip
    path: Path
    """The file."""
    start: Fraction
    """Time of its first frame in the source, seconds on the timeline."""
    end: Fraction
    """When its last frame ends in the source, seconds on the timeline."""
    starts_early_s: float
    """How much of what is before the clip is in the file, seconds; 0 unless packets were copied."""
    ends_late_s: float
    """How much of what is after the clip is in the file, seconds; 0 unless packets were copied."""


@dataclass(frozen=True)
class CutResult:
    """What ``cut`` wrote."""

    clips: tuple[CutClip, ...]
    """In rank order."""
    warnings: tuple[str, ...]
    """What went wrong without stopping the work, one line each."""


@dataclass(frozen=True)
class SummaryPart:
    """Where one clip lies in a summary."""

    clip: SelectedClip
    at: Fraction
    """When it begins in the summary, seconds."""


@dataclass(frozen=True)
class SummaryResult:
    """What ``summary`` wrote."""

    path: Path
    """The file."""
    duration: Fraction
    """How long the summary is, seconds."""
    has_sound: bool
    """Whether it has a sound track."""
    parts: tuple[SummaryPart, ...]
    """In order of time."""
    warnings: tuple[str, ...]
    """What went wrong without stopping the work, one line each."""


def cut(
    selection: Selection,
    folder: str | Path,
    *,
    copy: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> CutResult:
    """Write each selected clip to a file of its own.

    Args:
        selection: The clips chosen.
        folder: Where to; made if it is not there. Files are named by video, rank and start.
        copy: Copy packets instead of encoding again: fast and without loss, but from a key frame on.
        threads: Threads of the decoder and the encoder.
        progress: Called with ("cut", share done).

    Returns:
        The files, and for each how far it reaches beyond its clip.

    Raises:
        InputError: Nothing is selected, the folder cannot be written to, or the video cannot be copied in parts.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read; see :mod:`salientclips.errors`.

    Example:
        >>> from salientclips import cut, score
        >>> done = cut(score("climb.mp4", "uniform").select(k=2), "clips")
        >>> [made.path.name for made in done.clips]
        ['climb_001_1.067s.mp4', 'climb_002_5.333s.mp4']
        >>> done.clips[0].starts_early_s
        0.0
    """
    _need_clips(selection)
    table = packets_of(selection)
    frames = number_frames(table)
    spans = [on_frames(clip, frames) for clip in selection.clips]
    suffix = _copy_suffix(selection.scores.path) if copy else ".mp4"
    places = [_place(Path(folder), selection, clip, suffix) for clip in selection.clips]
    make_folder(Path(folder))
    if copy:
        bounds, warnings = _copy(selection.scores.path, table, spans, places), table.warnings
    else:
        bounds = [(span.start, span.end) for span in spans]
        warnings = _encode(selection.scores.path, table, spans, places, threads, progress)
    made = tuple(
        CutClip(clip, path, start, end, float(span.start - start), float(end - span.end))
        for clip, path, span, (start, end) in zip(selection.clips, places, spans, bounds, strict=True)
    )
    return CutResult(made, warnings)


def summary(
    selection: Selection, path: str | Path, *, threads: int = 1, progress: Progress | None = None
) -> SummaryResult:
    """Write one short video of the selected clips, in order of time, with their sound.

    Args:
        selection: The clips chosen.
        path: Where to; ends in ``.mp4`` or ``.m4v``; replaced once the new one is whole.
        threads: Threads of the decoder and the encoder.
        progress: Called with ("summary", share done).

    Returns:
        What was written, and where each clip begins in it.

    Raises:
        InputError: Nothing is selected, the name is no mp4's, it is the video itself, or it cannot be written.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read; see :mod:`salientclips.errors`.

    Example:
        >>> from salientclips import score, summary
        >>> done = summary(score("climb.mp4", "uniform").select(k=2), "short.mp4")
        >>> float(done.duration), done.has_sound, [float(part.at) for part in done.parts]
        (2.1333333333333333, True, [0.0, 1.0666666666666667])
    """
    _need_clips(selection)
    path = Path(path)
    if path.suffix.lower() not in (".mp4", ".m4v"):
        raise InputError(f"'{path}' is no mp4 file by its name", "let it end in .mp4")
    keep_off(selection.scores.path, path)
    if not os.path.isdir(path.parent):
        raise InputError(f"'{path}' cannot be written", "choose a file in a folder that exists")
    table = packets_of(selection)
    clips = sorted(selection.clips, key=lambda clip: clip.start)
    with Cutter(selection.scores.path, table, threads=threads) as cutter, whole_file(path) as beside:
        spans = [on_frames(clip, cutter.frames) for clip in clips]
        report = part_of(progress, "summary")
        duration = cutter.write(spans, beside, report)
        failures, has_sound = cutter.decode_failures, cutter.has_sound
    parts, at = [], Fraction(0)
    for clip, span in zip(clips, spans, strict=True):
        parts.append(SummaryPart(clip, at))
        at += span.end - span.start
    return SummaryResult(path, duration, has_sound, tuple(parts), _warnings(table, failures))


def _encode(
    path: Path,
    table: PacketTable,
    spans: list[FrameSpan],
    places: list[Path],
    threads: int,
    progress: Progress | None,
) -> tuple[str, ...]:
    with Cutter(path, table, threads=threads) as cutter:
        # In order of time, so that the decoder only moves forward.
        order = sorted(range(len(spans)), key=lambda i: spans[i].start)
        for done, i in enumerate(order, start=1):
            with whole_file(places[i]) as beside:
                cutter.write([spans[i]], beside)
            if progress is not None:
                progress("cut", done / len(order))
        return _warnings(table, cutter.decode_failures)


def _copy(
    path: Path, table: PacketTable, spans: list[FrameSpan], places: list[Path]
) -> list[tuple[Fraction, Fraction]]:
    with ExitStack() as stack:
        besides = [stack.enter_context(whole_file(place)) for place in places]
        copied = copy_spans(path, table, list(zip(spans, besides, strict=True)))
    return [(made.start, made.end) for made in copied]


def _place(folder: Path, selection: Selection, clip: SelectedClip, suffix: str) -> Path:
    video = selection.scores.path
    stem = video.stem
    while len(os.fsencode(stem)) > _LONGEST_STEM_BYTES:
        stem = stem[:-1]
    path = folder / f"{stem}_{clip.rank:03}_{clip.start_s:.3f}s{suffix}"
    keep_off(video, path)
    return path


def _copy_suffix(video: Path) -> str:
    suffix = video.suffix.lower()
    return suffix if suffix in COPY_SUFFIXES else ".mkv"


def _need_clips(selection: Selection) -> None:
    if not selection.clips:
        raise InputError("nothing is selected", "lower the threshold")


def _warnings(table: PacketTable, failures: int) -> tuple[str, ...]:
    broken = (f"{failures} packets of the clips were broken; their frames are missing",) if failures else ()
    return (*table.warnings, *broken)
