"""The JSON that export, cut, summary and frames print under ``--json``, by the rules of contract.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..types import SelectedClip, Selection
from .contract import SCHEMA, Json


@dataclass(frozen=True)
class CutRow:
    """One clip that became a file."""

    clip: SelectedClip
    path: Path
    """The file."""
    start_s: float
    """Time of the file's first frame in the source, seconds on the timeline."""
    end_s: float
    """When the file's last frame ends in the source, seconds on the timeline."""
    starts_early_s: float
    """How much of what is before the clip is in the file, seconds."""
    ends_late_s: float
    """How much of what is after the clip is in the file, seconds."""


def export_json(
    video: Path, output: Path, format: str, clips: int, notes: Sequence[str], selection: Selection
) -> Json:
    """What ``export --json`` prints.

    Args:
        video: The video.
        output: What was written.
        format: Its format.
        clips: How many clips are in it.
        notes: What is to be known to use it.
        selection: The clips chosen.

    Returns:
        A JSON-able object.
    """
    return {
        "schema": SCHEMA,
        "path": str(video),
        "output": str(output),
        "format": format,
        "clips_written": clips,
        "notes": list(notes),
        "note": selection.note,
        "warnings": list(selection.scores.warnings),
    }


def cut_json(video: Path, copy: bool, rows: Sequence[CutRow], note: str, warnings: Sequence[str]) -> Json:
    """What ``cut --json`` prints.

    Args:
        video: The video.
        copy: Whether packets were copied.
        rows: The files, in rank order.
        note: Why there are fewer than were asked for.
        warnings: What went wrong without stopping the work.

    Returns:
        A JSON-able object; times in seconds on the timeline of the source.
    """
    clips = [
        {
            "rank": row.clip.rank,
            "index": row.clip.index,
            "score": row.clip.score,
            "output": str(row.path),
            "start_s": row.start_s,
            "end_s": row.end_s,
            "starts_early_s": row.starts_early_s,
            "ends_late_s": row.ends_late_s,
        }
        for row in rows
    ]
    return {
        "schema": SCHEMA,
        "path": str(video),
        "copied": copy,
        "clips": clips,
        "note": note,
        "warnings": list(warnings),
    }


def summary_json(
    video: Path,
    output: Path,
    duration_s: float,
    has_sound: bool,
    parts: Sequence[tuple[SelectedClip, float]],
    note: str,
    warnings: Sequence[str],
) -> Json:
    """What ``summary --json`` prints.

    Args:
        video: The video.
        output: What was written.
        duration_s: How long it is, seconds.
        has_sound: Whether it has sound.
        parts: Each clip, in order of time, and when it begins in the summary, seconds.
        note: Why there are fewer than were asked for.
        warnings: What went wrong without stopping the work.

    Returns:
        A JSON-able object.
    """
    clips = [
        {
            "rank": clip.rank,
            "index": clip.index,
            "score": clip.score,
            "start_s": clip.start_s,
            "end_s": clip.end_s,
            "at_s": at_s,
        }
        for clip, at_s in parts
    ]
    return {
        "schema": SCHEMA,
        "path": str(video),
        "output": str(output),
        "duration_s": duration_s,
        "has_sound": has_sound,
        "clips": clips,
        "note": note,
        "warnings": list(warnings),
    }


def frames_json(
    video: Path,
    output: Path,
    tokens: int,
    rows: Sequence[tuple[int, float, int]],
    note: str,
    warnings: Sequence[str],
) -> Json:
    """What ``frames --json`` prints.

    Args:
        video: The video.
        output: What was written.
        tokens: What the frames cost a model, labels included.
        rows: Number, time in seconds and rank of the clip of each frame, in order of time.
        note: Why there are fewer clips than were asked for.
        warnings: What went wrong without stopping the work.

    Returns:
        A JSON-able object.
    """
    return {
        "schema": SCHEMA,
        "path": str(video),
        "output": str(output),
        "tokens": tokens,
        "frames": [{"number": number, "time_s": time_s, "rank": rank} for number, time_s, rank in rows],
        "note": note,
        "warnings": list(warnings),
    }
