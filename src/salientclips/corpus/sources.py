"""Which videos a corpus has: whatever names videos, turned into items.

A source is a video, a folder, a pattern, a list, a manifest or a WebDataset shard, on the local disk or behind a URL;
``docs/corpus.md`` describes each. Listing reads names and labels, never a video, and its order is the same every
time: sources in the order they are given, inside a folder or pattern by name, inside a list, manifest or shard as
written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from ..datasets.folder import SUFFIXES
from ..datasets.rows import check_path, is_url
from ..errors import FileMissingError, InputError
from .braces import expand_braces
from .endings import LIST_SUFFIX, SHARD_SUFFIXES, TABLE_SUFFIXES
from .fetch import local_copy
from .item import Item
from .names import (
    absolute,
    beside,
    canonical,
    local_path,
    path_of,
    protocol_of,
    shown_name,
    split_member,
    suffix_of,
)
from .places import folder_items, is_pattern, matches, remote_folder_items, remote_matches
from .remote import attempt, check_protocol, file_system
from .shards import shard_items
from .tables import table_items


def list_items(sources: Sequence[str | Path]) -> tuple[Item, ...]:
    """List the videos of a corpus.

    Args:
        sources: Videos, folders, patterns, lists (``.txt``), manifests (``.csv``, ``.parquet``) and shards (``.tar``,
            ``.tar.gz``, ``.tgz``, also with braces), as paths or URLs.

    Returns:
        Each video once, in order of its first mention. Where that says nothing of its labels, group, split or spans,
        what a later mention says counts.

    Raises:
        InputError: No source is given, one holds no video or makes no sense, two contradict each other about a video,
            or two URLs differ by nothing but a password or signature.
        FileMissingError: A path that is no pattern does not exist (in a list or manifest it is an item all the same).
        FetchError: A list, manifest, folder or shard cannot be fetched, or a shard is damaged.
        MissingExtraError: fsspec is absent, or the package that speaks a protocol.

    Example:
        >>> from salientclips import list_items
        >>> items = list_items(["videos/", "labelled.csv"])
        >>> [(item.video.rpartition("/")[2], item.labels) for item in items]
        [('a.mp4', ('abseiling',)), ('b.mp4', ('zumba',))]
    """
    sources = (sources,) if isinstance(sources, str) else sources
    if not sources:
        raise InputError("no video is given", "give videos, folders, patterns, lists, manifests or shards")
    return _merged(item for source in sources for item in _all_of(os.fspath(source)))


def _all_of(source: str) -> Iterator[Item]:
    """The items of a source, of which there is at least one."""
    empty = True
    for item in _items(source, listed=False):
        empty = False
        yield item
    if empty:
        raise InputError(f"'{shown_name(source)}' holds no video", "check that it is the right one")


def _merged(items: Iterable[Item]) -> tuple[Item, ...]:
    found: dict[str, Item] = {}
    videos: dict[str, str] = {}
    reachable: set[str] = set()
    for item in items:
        shown = shown_name(item.video)
        _check_reachable(item.video, reachable)
        if videos.setdefault(shown, item.video) != item.video:
            # Under one name in the rows, one of them would be taken for done when the other is.
            raise InputError(
                f"'{shown}' is given twice, with different credentials or signatures", "give each video once"
            )
        found[shown] = _joined(found[shown], item) if shown in found else item
    return tuple(found.values())


def _check_reachable(video: str, reachable: set[str]) -> None:
    """Refuse a protocol that nobody speaks here before any work begins, not video by video."""
    if not is_url(video):
        return
    place = split_member(video)[1] if protocol_of(video) == "tar" else video
    protocol = protocol_of(place)
    if protocol not in reachable and local_path(place) is None:
        check_protocol(place)
        reachable.add(protocol)


def _joined(first: Item, later: Item) -> Item:
    """What two mentions of a video say together."""
    said = {}
    for what in ("labels", "group", "split", "spans"):
        one, other = getattr(first, what), getattr(later, what)
        if one and other and one != other:
            raise InputError(
                f"'{shown_name(first.video)}' is given twice, with different {what}: {_told(one)} and {_told(other)}",
                "give each video once, or say the same of it",
            )
        said[what] = one or other
    return replace(first, **said)


def _told(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def _items(source: str, *, listed: bool, braces: bool = True) -> Iterator[Item]:
    """The items of a source; a missing file that is listed is one. Braces that were expanded once are letters."""
    path = local_path(source)
    if path is not None:
        yield from _local(path, listed, braces)
    elif protocol_of(source) == "tar":
        if not split_member(source)[1]:
            raise InputError(f"'{shown_name(source)}' names no shard", "write tar://MEMBER::SHARD")
        yield Item(canonical(source))
    else:
        yield from _remote(canonical(source), listed, braces)


def _local(path: Path, listed: bool, braces: bool) -> Iterator[Item]:
    place = str(path)
    # Not Path's own, which raise for a name that is too long for the system.
    if os.path.isdir(path):
        yield from folder_items(place)
    elif os.path.isfile(path):
        yield from _file(absolute(path), listed)
    elif braces and _is_shard_pattern(place):
        for shard in expand_braces(place):
            yield from _items(shard, listed=listed, braces=False)
    elif is_pattern(place):
        yield from _matched(place, matches(place), listed)
    elif listed and suffix_of(place) not in SHARD_SUFFIXES:
        yield Item(canonical(place))
    else:
        raise FileMissingError(path)


def _remote(url: str, listed: bool, braces: bool) -> Iterator[Item]:
    if braces and _is_shard_pattern(url):
        for shard in expand_braces(url):
            yield from _items(shard, listed=listed, braces=False)
    elif is_pattern(url) and not _is_remote_file(url):
        yield from _matched(url, remote_matches(url), listed)
    elif path_of(url).endswith("/") or _is_remote_folder(url):
        yield from remote_folder_items(url)
    else:
        yield from _file(url, listed)


def _is_shard_pattern(place: str) -> bool:
    return "{" in place and suffix_of(place) in SHARD_SUFFIXES


def _is_remote_file(url: str) -> bool:
    files, place = file_system(url)
    return bool(attempt(url, lambda: files.isfile(place)))


def _is_remote_folder(url: str) -> bool:
    """Whether a URL without '/' at its end is a folder; asked only where its ending leaves it open.

    A web server's is not asked: it would answer with the video.
    """
    known = SUFFIXES | SHARD_SUFFIXES | TABLE_SUFFIXES | {LIST_SUFFIX}
    if suffix_of(url) in known or protocol_of(url) in ("http", "https"):
        return False
    files, place = file_system(url)
    return bool(attempt(url, lambda: files.isdir(place)))


def _matched(pattern: str, found: Sequence[str], listed: bool) -> Iterator[Item]:
    if not found and listed and not set(pattern) & set("*?"):
        # Brackets are common in names, and a listed video that has gone is an item.
        yield Item(canonical(pattern))
    elif not found:
        raise InputError(
            f"'{shown_name(pattern)}' matches no video", "check the pattern; quote it in a shell"
        )
    for name in found:
        yield from _file(name, listed)


def _file(place: str, listed: bool) -> Iterator[Item]:
    """The items of a single file, by its ending."""
    suffix = suffix_of(place)
    if suffix in SHARD_SUFFIXES:
        yield from shard_items(place)
    elif suffix in TABLE_SUFFIXES or suffix == LIST_SUFFIX:
        if listed:
            raise InputError(
                f"a list names the list '{shown_name(place)}'", "give lists and manifests side by side"
            )
        folder = path_of(place).rpartition("/")[0] if is_url(place) else str(Path(place).parent)
        with _here(place) as path:
            yield from (
                _listed(path, shown_name(place), folder)
                if suffix == LIST_SUFFIX
                else table_items(path, shown_name(place), folder)
            )
    else:
        yield Item(canonical(place))


def _here(place: str) -> AbstractContextManager[Path]:
    return local_copy(place) if is_url(place) else nullcontext(Path(place))


def _listed(path: Path, name: str, folder: str) -> Iterator[Item]:
    """The items of a text list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"'{name}' is no text in UTF-8", "save it as UTF-8") from error
    # Not splitlines(): file names may hold what Unicode takes for line ends.
    lines = (line.strip(" \t\r") for line in text.split("\n"))
    for line in lines:
        if line and not line.startswith("#"):
            check_path(line, f"'{name}'")
            yield from _items(beside(line, folder), listed=True)
