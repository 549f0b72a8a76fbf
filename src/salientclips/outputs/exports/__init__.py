"""A selection as a file that another tool reads: one module a format, one function for all.

Times in the files are those of the player (zero is the start of the container) unless a format counts in frames, time
codes or seconds from the first frame; each module says which. Clips are in order of time, with their rank as text,
except in JSON and Parquet, which keep rank order.

The formats belong to others: WebVTT (W3C), OpenTimelineIO, CMX 3600, FFmpeg and the tools that each module
names. CSV, JSON and Parquet are this project's own (docs/json.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...destinations import keep_off
from ...errors import InputError, UnknownNameError
from ...types import Selection
from . import (
    chapters,
    edl,
    ffmpeg_filter,
    ffmpeg_script,
    fiftyone,
    json_file,
    label_studio,
    otio,
    parquet,
    scenes_csv,
    webvtt,
)
from .source import Source


@dataclass(frozen=True)
class Format:
    """One kind of file."""

    write: Callable[[Source, Path], tuple[str, ...]]
    """Writes it and returns what the user should know, one line each."""
    suffixes: tuple[str, ...]
    """File names that mean this format; empty where it has to be named."""
    reader: str
    """Who reads it."""


FORMATS: dict[str, Format] = {
    "csv": Format(scenes_csv.write, (".csv",), "PySceneDetect, spreadsheets"),
    "json": Format(json_file.write, (".json",), "programs (docs/json.md)"),
    "parquet": Format(parquet.write, (".parquet",), "pandas, DuckDB, Spark"),
    "webvtt": Format(webvtt.write, (".vtt",), "browsers, players, gradio"),
    "ffmetadata": Format(chapters.write, (".ffmetadata", ".ffmeta"), "ffmpeg: chapters"),
    "otio": Format(otio.write, (".otio",), "OpenTimelineIO, video editors"),
    "edl": Format(edl.write, (".edl",), "video editors (CMX 3600)"),
    "fiftyone": Format(fiftyone.write, (), "FiftyOne: a folder with data.json and labels.json"),
    "label-studio": Format(label_studio.write, (), "Label Studio: tasks with predictions"),
    "ffmpeg": Format(ffmpeg_script.write, (".sh",), "a shell: one ffmpeg command a clip"),
    "ffmpeg-filter": Format(
        ffmpeg_filter.write, (".ffscript",), "ffmpeg: a filter script for one short video"
    ),
}
"""All formats by the name that ``--to`` takes."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    """Where it is: a file, or a folder."""
    format: str
    """A key of :data:`FORMATS`."""
    clips: int
    """How many clips are in the file."""
    notes: tuple[str, ...]
    """What the user should know to use it, one line each."""


def export(selection: Selection, path: str | Path, format: str | None = None) -> Exported:
    """Write a selection as a file that another tool reads.

    Args:
        selection: The clips chosen.
        path: Where to; an existing file is replaced, once the new one is whole.
        format: A key of :data:`FORMATS`: csv, json, parquet, webvtt, ffmetadata, otio, edl, fiftyone, label-studio,
            ffmpeg or ffmpeg-filter. None goes by the suffix of ``path``.

    Returns:
        What was written, and what is to be known of it.

    Raises:
        UnknownNameError: There is no such format.
        InputError: The suffix says no format, the file cannot be written, or it is the video itself.
        StoredScoresError: The format counts frames, and the video has changed since it was scored.
        MediaError: The format counts frames, and the video cannot be read.

    Example:
        >>> from salientclips import export, score
        >>> done = export(score("climb.mp4").select(k=3), "climb.vtt")
        >>> done.format, done.clips
        ('webvtt', 3)
    """
    path = Path(path)
    name = format_of(path) if format is None else format
    if name not in FORMATS:
        raise UnknownNameError("export format", name, tuple(FORMATS))
    keep_off(selection.scores.path, path)
    notes = FORMATS[name].write(Source(selection), path)
    return Exported(path, name, len(selection.clips), notes)


def format_of(path: Path) -> str:
    """The format that a file name says.

    Args:
        path: Where an export is to go.

    Returns:
        A key of :data:`FORMATS`.

    Raises:
        InputError: No format has that suffix.
    """
    for name, format in FORMATS.items():
        if path.suffix.lower() in format.suffixes:
            return name
    raise InputError(
        f"'{path}' says no export format by its name",
        f"name one of: {', '.join(FORMATS)} (--to on the command line)",
    )
