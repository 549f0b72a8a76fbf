"""Kinetics-400 from its official lists (Kay et al. 2017; the paper's second data set).

Each CSV has ``youtube_id``, ``time_start``, ``time_end`` and ``split``, and but for the test list ``label``; a
row is a cut of 10 s. Files are called ``ID_SSSSSS_EEEEEE.mp4`` by the official and most other downloaders (start
and end in seconds, six digits). Kinetics' "validate" is this package's ``validation``; nothing is downloaded
here.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ..errors import FileMissingError, InputError
from .manifest import Entry, Split
from .rows import dict_reader
from .stored_videos import StoredVideos

_SPLITS: dict[str, Split] = {
    "train": "train",
    "val": "validation",
    "validate": "validation",
    "validation": "validation",
    "test": "test",
}


def read_kinetics(list_file: str | Path, videos: str | Path) -> tuple[Entry, ...]:
    """List the videos of an official Kinetics CSV.

    Args:
        list_file: ``train.csv``, ``validate.csv`` or ``test.csv``.
        videos: The folder below which the files are.

    Returns:
        One entry a row, in its order; the group is the YouTube identifier. Files that are not there have the path at
        which they were expected. Unlabelled in a list without labels.

    Raises:
        FileMissingError: The list or the folder is not there.
        InputError: It is no Kinetics list; the message names the line.
    """
    path, stored = Path(list_file), StoredVideos(Path(videos))
    if not path.is_file():
        raise FileMissingError(path)
    remedy = "give train.csv, validate.csv or test.csv as DeepMind publishes them"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = dict_reader(file, str(path))
            missing = {"youtube_id", "time_start", "time_end", "split"} - set(reader.fieldnames or ())
            if missing:
                raise InputError(
                    f"'{path}' is no Kinetics list: it has no column {sorted(missing)[0]!r}", remedy
                )
            return tuple(_entry(row, stored, f"'{path}', line {reader.line_num}") for row in reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' is no CSV in UTF-8 ({error})", remedy) from error


def _entry(row: dict[str, str], stored: StoredVideos, where: str) -> Entry:
    try:
        start, end = (int(float(row[name])) for name in ("time_start", "time_end"))
        split = _SPLITS[row["split"].strip()]
    except (ValueError, KeyError, OverflowError, TypeError, AttributeError) as error:
        raise InputError(f"{where} is damaged", "download the list again") from error
    name = row["youtube_id"].strip()
    label = (row.get("label") or "").strip()
    stems = [f"{name}_{start:06d}_{end:06d}", f"{name}_{start}_{end}", name]
    return Entry(stored.path(stems), (label,) if label else (), name, split)
