"""The videos of a corpus as ``fit`` takes them: files that stay, since training opens them in every run."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..corpus.fetch import local_copy
from ..corpus.item import Item
from ..corpus.names import local_path, suffix_of
from ..corpus.rows import Outcome, failure
from ..datasets.manifest import Entry
from ..errors import SalientClipsError
from ..whole_file import whole_file


def kept_entry(item: Item, cache: Path) -> Entry:
    """A video as ``fit`` takes it: a local file.

    Args:
        item: The video. One that lies elsewhere is copied into the cache, once: training recognises videos by their
            content, and asks for it again in every run.
        cache: The folder of the cache.

    Returns:
        The same facts, with a path.

    Raises:
        MediaError: It cannot be fetched.
    """
    path = local_path(item.video)
    if path is None:
        # By the name and not the URL: one that is signed anew is the same video.
        kept = hashlib.sha256(item.name.encode()).hexdigest()[:32]
        path = cache / "media" / f"{kept}{suffix_of(item.video)}"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with local_copy(item.video) as copy, whole_file(path) as beside:
                shutil.copyfile(copy, beside)
    return Entry(path, item.labels, item.group, item.split, item.spans)


def kept_entries(items: Sequence[Item], cache: Path) -> tuple[tuple[Entry, ...], tuple[Outcome, ...]]:
    """All videos as ``fit`` takes them.

    Args:
        items: The videos.
        cache: The folder of the cache.

    Returns:
        Those that could be had, and what is to be said of the others.
    """
    entries, failures = [], []
    for item in items:
        try:
            entries.append(kept_entry(item, cache))
        except SalientClipsError as error:
            failures.append(failure(item, error))
    return tuple(entries), tuple(failures)
