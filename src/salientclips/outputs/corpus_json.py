"""The JSON lines of a corpus run: one event a line, for machines that follow it (``docs/json.md``)."""

from __future__ import annotations

from pathlib import Path

from ..corpus.rows import Outcome
from .contract import SCHEMA, Json


def start_json(output: Path, *, videos: int, before: int, failed_before: int) -> Json:
    """The first event.

    Args:
        output: Folder of the data set.
        videos: Videos of the corpus.
        before: Of them, done by earlier runs.
        failed_before: Of those, failed.

    Returns:
        A JSON-able object.
    """
    return {
        "schema": SCHEMA,
        "event": "start",
        "output": str(output),
        "videos": videos,
        "done_before": before,
        "failed_before": failed_before,
    }


def video_json(outcome: Outcome) -> Json:
    """The event of one video.

    Args:
        outcome: What came of it.

    Returns:
        A JSON-able object; ``error`` is null where all went well.
    """
    row = outcome.row
    error = {"type": row.error_type, "message": row.message, "remedy": row.remedy}
    return {
        "event": "video",
        "video": row.video,
        "status": row.status,
        "clips": row.clip_rows,
        "duration_s": row.duration_s,
        "label": row.label,
        "error": error if outcome.failed else None,
        "seconds": outcome.seconds,
        "warnings": list(row.warnings),
    }


def progress_json(*, done: int, failed: int, video_s: float, elapsed_s: float, left_s: float | None) -> Json:
    """The event that tells how far a run is, at most one a second.

    Args:
        done: Videos done by this run.
        failed: Of them, failed.
        video_s: Their length, seconds of video.
        elapsed_s: Since the run began.
        left_s: Until it is done; None before there is anything to go by.

    Returns:
        A JSON-able object.
    """
    return {
        "event": "progress",
        "done": done,
        "failed": failed,
        "videos_per_second": done / elapsed_s if elapsed_s else 0.0,
        "video_hours_per_second": video_s / 3600 / elapsed_s if elapsed_s else 0.0,
        "elapsed_s": elapsed_s,
        "left_s": left_s,
    }


def end_json(output: Path, *, done: int, failed: int, stopped: bool, seconds: dict[str, float]) -> Json:
    """The last event.

    Args:
        output: Folder of the data set.
        done: Videos done by this run.
        failed: Videos of the data set that failed, in this run or before.
        stopped: Whether too many failures ended it.
        seconds: Time that the workers spent by part, all together.

    Returns:
        A JSON-able object.
    """
    return {
        "event": "end",
        "output": str(output),
        "done": done,
        "failed": failed,
        "stopped": stopped,
        "seconds": seconds,
    }
