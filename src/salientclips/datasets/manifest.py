"""A manifest: the videos of a data set, each with its label, its group and its split.

One row a video. It is what ``fit`` and ``evaluate`` take; the loaders of the other modules here (folders,
Kinetics-400, Sports1M, ActivityNet) make the same rows from other sources. As a file it is CSV in UTF-8 with a
heading: ``path`` (relative ones are counted from the CSV's folder), and, where there is something to say, ``label``
(several joined by ``|``), ``group``, ``split`` and ``spans`` (``start-end`` in seconds, several joined by ``;``).
Other columns are passed over. A missing file is no error here: :func:`missing_files` lists them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..errors import FileMissingError, InputError
from ..whole_file import write_text
from .rows import COLUMNS as COLUMNS
from .rows import SPLITS as SPLITS
from .rows import Row, is_url, read_csv_rows
from .rows import Split as Split


@dataclass(frozen=True)
class Entry:
    """One video of a data set."""

    path: Path
    """The file."""
    labels: tuple[str, ...] = ()
    """Its true classes; several where the data set has several; empty where it is not labelled."""
    group: str = ""
    """Videos of one source share a group and never lie in different splits; empty: a group of its own."""
    split: Split | None = None
    """Which split it belongs to; None where the manifest does not say."""
    spans: tuple[tuple[Fraction, Fraction], ...] = ()
    """Where the labelled thing happens, where that is known: (start, end), seconds on the timeline."""


@dataclass(frozen=True)
class LeftOut:
    """A video of a data set that could not be used; the others went on without it."""

    path: Path
    """The file."""
    reason: str
    """Why, in one line."""


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """Read a CSV manifest.

    Args:
        path: The CSV file.

    Returns:
        One entry a row, in order of the file; the videos need not be there.

    Raises:
        FileMissingError: There is no such file.
        InputError: It is no CSV with a column ``path``, or a row makes no sense or gives a URL; the message names
            the row.
    """
    if not path.is_file():
        raise FileMissingError(path)
    entries = tuple(_entry(row, path, where) for where, row in read_csv_rows(path, str(path)))
    _refuse_twice(entries, path)
    if not entries:
        raise InputError(f"'{path}' lists no video", "give one row a video")
    return entries


def _entry(row: Row, manifest: Path, where: str) -> Entry:
    if is_url(row.path):
        # As a path it would be a missing file; its text may hold a password, so it is not shown.
        raise InputError(f"{where}: the path is a URL", "give files here; URLs are for a corpus")
    # pathlib keeps an absolute path as it is.
    path = manifest.parent / os.path.expanduser(row.path)
    return Entry(path, row.labels, row.group, row.split, row.spans)


def _refuse_twice(entries: Iterable[Entry], manifest: Path) -> None:
    seen: set[Path] = set()
    for entry in entries:
        if entry.path in seen:
            # Once in training and once in validation it would be judged by what it was trained on.
            raise InputError(f"'{manifest}' lists '{entry.path}' twice", "give each video one row")
        seen.add(entry.path)


def write_manifest(entries: Iterable[Entry], path: str | Path) -> None:
    """Write a CSV manifest that :func:`read_manifest` reads back the same.

    Args:
        entries: The videos.
        path: The CSV file; paths inside its folder are written relative to it.

    Raises:
        InputError: A label holds the joiner ``|``, or a label or group would not come back the same; or the file
            cannot be written.
    """
    path = Path(path)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in entries:
        _check_writable(entry)
        spans = ";".join(f"{start}-{end}" for start, end in entry.spans)
        labels = "|".join(entry.labels)
        writer.writerow([_relative(entry.path, path), labels, entry.group, entry.split or "", spans])
    write_text(path, text.getvalue())


def _check_writable(entry: Entry) -> None:
    bad = [text for text in entry.labels if "|" in text or not text.strip()]
    bad += [text for text in (*entry.labels, entry.group, str(entry.path)) if text != text.strip()]
    if bad:
        raise InputError(f"{bad[0]!r} cannot be written to a manifest", "leave '|' and outer blanks out")


def _relative(path: Path, manifest: Path) -> str:
    folder = manifest.parent
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path.absolute())


def missing_files(entries: Iterable[Entry]) -> tuple[Path, ...]:
    """Which videos are not there.

    Args:
        entries: The videos.

    Returns:
        Their paths, in order.
    """
    return tuple(entry.path for entry in entries if not os.path.isfile(entry.path))


def split_entries(
    entries: Sequence[Entry], *, validation_share: float = 0.2, seed: int = 0
) -> dict[Split, tuple[Entry, ...]]:
    """Deal videos to splits, by group and never by clip.

    What a manifest says is kept. The rest goes to training and validation: groups are put in an order drawn by seed
    (from their names or relative paths, so that neither the order of the rows nor where the data set lies matters)
    and taken for validation until its share of the rest is reached. A group that a manifest puts into a split takes
    its other videos along.

    Args:
        entries: The videos.
        validation_share: Share of the videos without a split that go to validation, 0 to 1 (1 excluded). A
            share above 0 gives validation at least one group where there are two and it has none yet.
        seed: Another seed deals otherwise.

    Returns:
        The three splits, each in order of ``entries``, every entry in one of them with its ``split`` filled in.

    Raises:
        InputError: The share is out of range, or the manifest puts one group into two splits.
    """
    if not 0 <= validation_share < 1:
        raise InputError(f"validation_share = {validation_share} is no share", "give 0 or more, less than 1")
    fixed = _fixed_groups(entries)
    free = Counter(group for entry in entries if (group := group_of(entry)) not in fixed)
    names = _names(entries)
    drawn = sorted(free, key=lambda group: hashlib.sha256(f"{seed}|{names[group]}".encode()).hexdigest())
    wanted, taken = validation_share * sum(free.values()), 0
    last = len(drawn) if "train" in fixed.values() else len(drawn) - 1
    for number, group in enumerate(drawn):
        # A group goes where it brings the share nearer; the last one stays in training, which may not be empty.
        needed = validation_share > 0 and number == 0 and "validation" not in fixed.values()
        for_validation = number < last and (needed or taken + free[group] / 2 <= wanted)
        fixed[group] = "validation" if for_validation else "train"
        taken += free[group] if for_validation else 0
    dealt = [replace(entry, split=fixed[group_of(entry)]) for entry in entries]
    return {split: tuple(entry for entry in dealt if entry.split == split) for split in SPLITS}


def group_of(entry: Entry) -> str:
    """The group of a video; one of its own where it has none.

    Args:
        entry: The video.

    Returns:
        A name that is the same for videos of one source only.
    """
    return f"group:{entry.group}" if entry.group else f"path:{entry.path}"


def _names(entries: Sequence[Entry]) -> dict[str, str]:
    """What is drawn from for each group: the same wherever the data set lies and whence it is looked at."""
    paths = {group_of(entry): Path(os.path.abspath(entry.path)) for entry in entries}
    common = os.path.commonpath([path.parent for path in paths.values()]) if paths else ""
    own = {group: path.relative_to(common).as_posix() for group, path in paths.items()}
    return {group: group if group.startswith("group:") else f"path:{own[group]}" for group in paths}


def _fixed_groups(entries: Iterable[Entry]) -> dict[str, Split]:
    fixed: dict[str, Split] = {}
    for entry in entries:
        if entry.split is None:
            continue
        if fixed.setdefault(group_of(entry), entry.split) != entry.split:
            raise InputError(
                f"the group {entry.group!r} lies in two splits, {fixed[group_of(entry)]} and {entry.split}",
                "put videos of one source into one split",
            )
    return fixed
