"""The rows of a manifest as they are written: where a video lies, as text, and what is said of it.

What the columns mean is said in :mod:`.manifest`, which makes files of local paths of them; a corpus takes the rows
themselves, for its videos may lie behind URLs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ..errors import InputError
from ..timeline import exact_seconds

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

COLUMNS = ("path", "label", "group", "split", "spans")
"""The columns of a manifest file; only the first must be there."""

_MOST_COLUMNS = 1000

_SPLIT_WORDS: dict[str, Split | None] = {
    "": None,
    "train": "train",
    "training": "train",
    "validation": "validation",
    "validate": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Row:
    """One row of a manifest."""

    path: str
    """Where the video lies, as written: a path or a URL."""
    labels: tuple[str, ...] = ()
    """Its true classes, each once."""
    group: str = ""
    """Empty where nothing is said."""
    split: Split | None = None
    """None where nothing is said."""
    spans: tuple[tuple[Fraction, Fraction], ...] = ()
    """(start, end), seconds, in order."""


def is_url(text: str) -> bool:
    """Whether a text is a URL and no local path.

    Args:
        text: What somebody gave.

    Returns:
        True for ``scheme://...``.
    """
    return _URL.match(text) is not None


def read_csv_rows(path: Path, name: str) -> tuple[tuple[str, Row], ...]:
    """Read the rows of a CSV manifest.

    Args:
        path: The file; it is there.
        name: What the file is called in messages.

    Returns:
        Each row behind the words that name it in messages, in order of the file.

    Raises:
        InputError: It is no CSV with a column ``path``, or a row makes no sense; the message names the row.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = dict_reader(file, name)
            if "path" not in (reader.fieldnames or ()):
                raise InputError(
                    f"'{name}' has no column 'path'", f"give a CSV with the heading {','.join(COLUMNS)}"
                )
            rows = [(f"'{name}', line {reader.line_num}", row) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"'{name}' is no CSV in UTF-8 ({error})", "save it as CSV, UTF-8") from error
    return tuple((where, _row(row, where)) for where, row in rows)


def dict_reader(lines: Iterable[str], name: str) -> csv.DictReader[str]:
    """Read a CSV with a heading, which may be hostile.

    Args:
        lines: The text.
        name: What the file is called in messages.

    Returns:
        Its rows; those that are shorter than the heading are filled up.

    Raises:
        InputError: The heading is endless: every short row would become as long.
        csv.Error: The heading is no CSV, or a cell is longer than 128 kB; so is reading on.
    """
    reader = csv.DictReader(lines, strict=True)
    count = len(reader.fieldnames or ())
    if count > _MOST_COLUMNS:
        raise InputError(f"'{name}' has {count} columns", f"name {', '.join(COLUMNS)} alone")
    return reader


def _row(row: Mapping[str, str | None], where: str) -> Row:
    value = {name: (row.get(name) or "").strip() for name in COLUMNS}
    check_path(value["path"], where)
    split = split_named(value["split"], where)
    labels, spans = labels_in(value["label"]), spans_in(value["spans"], where)
    return Row(value["path"], labels, value["group"], split, spans)


def check_path(text: str, where: str) -> None:
    """Whether a text can be a path or a URL at all.

    Args:
        text: What is written there.
        where: The row, for the message.

    Raises:
        InputError: It is empty, or holds a NUL, which no system call takes.
    """
    if not text or "\0" in text:
        what = "holds a NUL" if text else "is empty"
        raise InputError(f"{where}: the path {what}", "give a file name")


def labels_in(text: str) -> tuple[str, ...]:
    """The labels of a cell.

    Args:
        text: Labels joined by ``|``.

    Returns:
        Each once, without outer blanks, in order.
    """
    return tuple(dict.fromkeys(part.strip() for part in text.split("|") if part.strip()))


def split_named(text: str, where: str) -> Split | None:
    """The split that a word means.

    Args:
        text: ``train``, ``val``, ... in any case; may be empty.
        where: The row, for the message.

    Returns:
        The split; None for an empty text.

    Raises:
        InputError: There is no such split.
    """
    word = text.strip().lower()
    if word not in _SPLIT_WORDS:
        raise InputError(f"{where}: there is no split {text!r}", f"use one of {', '.join(SPLITS)}")
    return _SPLIT_WORDS[word]


def spans_in(text: str, where: str) -> tuple[tuple[Fraction, Fraction], ...]:
    """The spans of a cell.

    Args:
        text: ``start-end`` in seconds, several joined by ``;``.
        where: The row, for the message.

    Returns:
        (start, end) exact as written, in order of time.

    Raises:
        InputError: A span cannot be read, or ends before it starts.
    """
    spans = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        try:
            # Exact as written: 0.1 is a tenth. The first "-" may be a sign, so the split is at the last.
            start, end = (exact_seconds(side.strip()) for side in part.rsplit("-", 1))
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(
                f"{where}: {part!r:.60} is no span", "write start-end in seconds, 3.5-8"
            ) from error
        if end <= start:
            raise InputError(f"{where}: the span {part!r} ends before it starts", "write start-end")
        spans.append((start, end))
    return tuple(sorted(spans))
