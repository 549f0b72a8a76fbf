"""Folders and patterns of videos, on the local disk and behind URLs.

Both kinds of folders mean the same as in :mod:`salientclips.datasets.folder`: what is no video by its suffix and what
is hidden is passed over, and where no video lies in the folder itself, the folder directly inside it is a video's
label. Of what a pattern matches, the files count; where its last part names no ending (``clips/*``) only the videos.
"""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from ..datasets.folder import SUFFIXES, read_folder
from ..errors import InputError
from .item import Item
from .names import absolute, path_of, protocol_of, shown_name, suffix_of
from .remote import attempt, file_system


def folder_items(folder: str) -> tuple[Item, ...]:
    """List the videos of a local folder.

    Args:
        folder: Its path.

    Returns:
        One item a video, in order of path.

    Raises:
        FileMissingError: There is no such folder.
        InputError: It holds no video.
    """
    return tuple(Item(absolute(entry.path), entry.labels) for entry in read_folder(Path(folder)))


def remote_folder_items(url: str) -> tuple[Item, ...]:
    """List the videos of a folder behind a URL.

    Args:
        url: The folder.

    Returns:
        One item a video, in order of URL.

    Raises:
        FetchError: It cannot be listed.
        InputError: It holds no video.
    """
    files, place = file_system(url)
    base = url.rstrip("/") + "/"
    found = attempt(url, lambda: files.find(place))
    inside = sorted(_below(name, files, base) for name in found)
    videos = [name for name in inside if suffix_of(name) in SUFFIXES and not _is_hidden(name)]
    if not videos:
        raise InputError(f"'{shown_name(url)}' holds no video", "give a folder with videos in it")
    labelled = all("/" in name for name in videos)
    return tuple(Item(base + name, (name.split("/")[0],) if labelled else ()) for name in videos)


def is_pattern(place: str) -> bool:
    """Whether a path or URL has signs of a pattern in it.

    Args:
        place: A path or URL.

    Returns:
        True for ``*`` and ``[``, and for ``?`` unless it begins the query of a URL of HTTP.
    """
    return _first_sign(place) is not None


def matches(pattern: str) -> tuple[str, ...]:
    """The local files that a pattern means.

    Args:
        pattern: A path with ``*``, ``?``, ``[...]`` or ``**``.

    Returns:
        Absolute paths, in order; hidden files only where the pattern says them.
    """
    found = {absolute(Path(name)) for name in glob.glob(pattern, recursive=True) if os.path.isfile(name)}
    return tuple(sorted(name for name in found if _counts(name, pattern)))


def remote_matches(pattern: str) -> tuple[str, ...]:
    """The files behind URLs that a pattern means.

    Args:
        pattern: A URL with ``*``, ``?`` (not for HTTP), ``[...]`` or ``**``.

    Returns:
        URLs, in order; none hidden.

    Raises:
        FetchError: The place cannot be listed.
    """
    sign = _first_sign(pattern)
    base = pattern[: pattern.rindex("/", 0, sign) + 1]
    files, place = file_system(pattern)
    found = attempt(pattern, lambda: files.glob(place, detail=True))
    names = [_below(name, files, base) for name, facts in found.items() if facts.get("type") != "directory"]
    return tuple(sorted(base + name for name in names if _counts(name, pattern) and not _is_hidden(name)))


def _first_sign(place: str) -> int | None:
    web = protocol_of(place) in ("http", "https")
    # The brackets of an IPv6 host are no pattern.
    start = place.find("/", len("https://")) if web else 0
    found = re.compile("[*[]" if web else "[*?[]").search(path_of(place), max(start, 0))
    return found.start() if found else None


def _counts(name: str, pattern: str) -> bool:
    """Whether a file that matches is meant: a pattern that names no ending means videos."""
    ending = suffix_of(pattern)
    return suffix_of(name) in SUFFIXES or (bool(ending) and not is_pattern(ending))


def _below(name: str, files: object, base: str) -> str:
    """What a store calls a file, counted from a folder's URL."""
    root = str(files._strip_protocol(base)).rstrip("/")  # type: ignore[attr-defined]
    return name.removeprefix(root).lstrip("/")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
