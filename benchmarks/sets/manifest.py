"""A set's table of contents: ``manifest.csv``, one line a file.

Columns: ``path`` (from the manifest's folder), ``label``, ``group`` (split by it; copies of one video share it),
``split``, ``spans`` (the true salient spans, ``start_s-end_s`` joined by ``;``), ``seed``, ``codec``,
``has_class_sound`` (0 or 1). Times count from the first frame; a span's end is the end of its last frame.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One line; all as text, in the order of the columns."""

    path: str
    label: str
    group: str
    split: str
    spans: str
    seed: str
    codec: str
    has_class_sound: str


def spans_text(spans: Iterable[tuple[int, int]], rate: Fraction) -> str:
    """Spans in frames as the manifest writes them: ``3.200-7.040;12.000-15.360``."""
    return ";".join(f"{float(start / rate):.3f}-{float(end / rate):.3f}" for start, end in spans)


def read_spans(text: str) -> list[tuple[float, float]]:
    """The manifest's spans in seconds; the opposite of ``spans_text``."""
    return [(float(one.split("-")[0]), float(one.split("-")[1])) for one in text.split(";") if one]


def read(path: Path) -> list[Row]:
    """All lines of a manifest."""
    with path.open(newline="") as file:
        return [Row(**line) for line in csv.DictReader(file)]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a manifest, whole or not at all.

    Args:
        path: Where to.
        rows: Its lines.
    """
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Row._fields)
        table.writerows(rows)
    os.replace(unfinished, path)
