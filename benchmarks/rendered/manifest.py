"""The set's table of contents: ``manifest.csv``, one line a file.

Columns: ``path`` (from the manifest's folder), ``label``, ``group`` (copies of one video share it; split by it),
``split``, ``spans`` (the true salient spans, ``start_s-end_s`` joined by ``;``), ``seed``, ``codec``,
``has_class_sound`` (0 or 1). Times count from the first frame; a span's end is the end of its last frame.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from .screenplay import Screenplay, Settings, codecs_of

COLUMNS = ("path", "label", "group", "split", "spans", "seed", "codec", "has_class_sound")
"""Of every benchmark's manifest, in this order."""


def file_of(play: Screenplay, codec: str) -> str:
    """A file's path within the set, with ``/``."""
    copy = "" if codec == "h264" else f".{codec}"
    return f"{play.split}/{play.name}{copy}.mp4"


def rows(play: Screenplay, settings: Settings) -> list[tuple[str, ...]]:
    """The manifest's lines for one video and its copies.

    Args:
        play: The screenplay.
        settings: For the frame rate and the seed.

    Returns:
        One line a codec, as ``COLUMNS``.
    """
    spans = spans_text(play.spans, settings.frame_rate)
    sound = str(int(play.has_class_sound))
    return [
        (file_of(play, codec), play.label, play.name, play.split, spans, str(settings.seed), codec, sound)
        for codec in codecs_of(play.index)
    ]


def spans_text(spans: Iterable[tuple[int, int]], rate: Fraction) -> str:
    """Spans in frames as the manifest writes them: ``3.20-7.04;12.00-15.36``."""
    return ";".join(f"{float(start / rate):.3f}-{float(end / rate):.3f}" for start, end in spans)


def read_spans(text: str) -> list[tuple[float, float]]:
    """The manifest's spans in seconds; the opposite of ``spans_text``."""
    return [(float(one.split("-")[0]), float(one.split("-")[1])) for one in text.split(";") if one]


def write(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    """Write a manifest, whole or not at all.

    Args:
        path: Where to.
        lines: As ``COLUMNS``.
    """
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(lines)
    os.replace(unfinished, path)
