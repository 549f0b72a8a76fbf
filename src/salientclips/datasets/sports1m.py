"""Sports-1M from its lists, and miniSports (Karpathy et al., CVPR 2014; the paper's first and third data set).

A list has a line a video, ``URL LABEL,LABEL...``; labels are line numbers, from 0, of ``labels.txt``. About 5 %
of the videos have several. Which videos the paper's miniSports holds was not published, only that it is a
class-balanced subset: :func:`balanced_subset` draws one by seed. Nothing is downloaded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from ..errors import FileMissingError, InputError
from .manifest import Entry, Split
from .stored_videos import StoredVideos


def read_sports1m(
    list_file: str | Path, label_file: str | Path, videos: str | Path, *, split: Split | None = None
) -> tuple[Entry, ...]:
    """List the videos of a partition of Sports-1M.

    Args:
        list_file: ``train_partition.txt`` or ``test_partition.txt``, or one of the cross-validation lists.
        label_file: ``labels.txt``.
        videos: The folder below which the files are, called by YouTube's identifier.
        split: What to call the partition; by default ``train`` or ``test`` where the list's name says so.

    Returns:
        One entry a line, in its order; the group is the YouTube identifier. Files that are not there have the path at
        which they were expected.

    Raises:
        FileMissingError: A list or the folder is not there.
        InputError: A line makes no sense; the message names it.
    """
    path, stored = Path(list_file), StoredVideos(Path(videos))
    labels = [line.strip() for line in _lines(Path(label_file))]
    if split is None:
        split = next((s for s in ("train", "test") if s in path.stem), None)
    entries = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            url, indices = line.split()
            name = parse_qs(urlparse(url).query)["v"][0]
            classes = [int(index) for index in indices.split(",")]
            if min(classes) < 0:
                raise ValueError("a label is negative")
            named = tuple(dict.fromkeys(labels[index] for index in classes))
        except (ValueError, KeyError, IndexError) as error:
            raise InputError(
                f"'{path}', line {number}: no URL with labels 0 to {len(labels) - 1}",
                "give a list of Sports-1M",
            ) from error
        entries.append(Entry(stored.path([name]), named, name, split))
    return tuple(entries)


def balanced_subset(entries: Sequence[Entry], per_class: int, *, seed: int = 0) -> tuple[Entry, ...]:
    """Draw the same number of videos of every class (miniSports).

    A video counts for its first label. Which are drawn depends on the seed and on the videos' names, not on their
    order nor on other classes, so a subset can be drawn again from a shuffled or longer list.

    Args:
        entries: The videos; unlabelled ones are never drawn.
        per_class: Videos of each class; a class that has fewer gives all it has.
        seed: Another seed draws otherwise.

    Returns:
        The subset, in order of ``entries``.

    Raises:
        InputError: ``per_class`` is below 1.
    """
    if per_class < 1:
        raise InputError(f"{per_class} videos of each class are none", "give at least 1")

    def lot(entry: Entry) -> str:
        return hashlib.sha256(f"{seed}|{entry.group}|{entry.path.name}".encode()).hexdigest()

    by_class: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.labels:
            by_class.setdefault(entry.labels[0], []).append(entry)
    drawn = {id(entry) for of in by_class.values() for entry in sorted(of, key=lot)[:per_class]}
    return tuple(entry for entry in entries if id(entry) in drawn)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileMissingError(path)
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is no text in UTF-8", "give a list of Sports-1M, unpacked") from error
