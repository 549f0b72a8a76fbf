"""JSON: what ``select --json`` prints, and the exact boundaries as integer ticks beside the seconds."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from ...types import Selection
from ...whole_file import write_text
from ..contract import Json, selection_json
from ..ticks import common_base
from .source import Source


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a selection as JSON.

    Args:
        source: The clips.
        path: Where to.

    Returns:
        Nothing to note.

    Raises:
        InputError: It cannot be written.
    """
    write_text(path, json.dumps(with_ticks(source.selection), indent=1, allow_nan=False))
    return ()


def with_ticks(selection: Selection) -> Json:
    """The contract's object with exact boundaries.

    Args:
        selection: The clips chosen.

    Returns:
        ``select --json``'s object with ``ticks_per_second``, and ``start_ticks`` and ``end_ticks`` in each clip.
    """
    found = selection_json(selection)
    per_second = common_base(t for clip in selection.clips for t in (clip.start, clip.end))
    for row, clip in zip(found["clips"], selection.clips, strict=True):
        row["start_ticks"], row["end_ticks"] = _ticks(clip.start, per_second), _ticks(clip.end, per_second)
    return {**found, "ticks_per_second": per_second}


def _ticks(time: Fraction, per_second: int) -> int:
    return int(time * per_second)
