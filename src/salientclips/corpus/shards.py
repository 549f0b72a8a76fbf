"""The videos of a WebDataset shard, and what the files beside them in it say of them.

A member's key is its folder and its name up to the first dot, as WebDataset has it; members of one key belong
together. A member whose name ends as a video's is a video; ``KEY.cls`` or ``KEY.txt`` holds its label, ``KEY.json``
what a manifest would say (``label`` or ``labels``, ``group``, ``split``). What has no key (hidden files) and what
WebDataset keeps for itself (``__...__``) is passed over.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import Any

from ..datasets.folder import SUFFIXES
from ..datasets.rows import Split, labels_in, split_named
from ..errors import InputError
from .item import Item
from .names import member_name, shard_url, shown_name
from .shard_index import scan

_KEY = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)")
_OWN = re.compile(r"__[^/]*__($|/)")
_SIDECARS = ("cls", "txt", "json")


def shard_items(shard: str) -> tuple[Item, ...]:
    """List the videos of a shard; of the data only the labels are read.

    Args:
        shard: Its path or URL.

    Returns:
        One item a video, in order of the shard; none where it holds no video.

    Raises:
        FetchError: It is no tar, a damaged one, or cannot be fetched.
        InputError: A video stands in it twice, or what stands beside one makes no sense.
        FileMissingError: There is no such local file.
        MissingExtraError: fsspec is absent, or the package that speaks the protocol.
    """
    url = shard_url(shard)
    index, content = scan(url, lambda name: _parts(name)[1] in _SIDECARS)
    said: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    for name, data in content.items():
        key, kind = _parts(name)
        said[key][kind] = data
    videos = [name for name in index.members if _is_video(name)]
    for twice in sorted(index.twice.intersection(videos)):
        raise InputError(f"'{shown_name(url)}' holds {twice!r} twice", "give each video a name of its own")
    return tuple(_item(name, url, said[_parts(name)[0]]) for name in videos)


def _parts(name: str) -> tuple[str, str]:
    """The key of a member, and the rest of its name in small letters; both empty where it has none."""
    found = None if _OWN.match(name) else _KEY.fullmatch(name)
    return (found[1], found[2].lower()) if found else ("", "")


def _is_video(name: str) -> bool:
    # WebDataset gives a hidden file in a folder a key: the folder. It is no video all the same.
    hidden = name.rpartition("/")[2].startswith(".")
    return bool(_parts(name)[0]) and not hidden and PurePosixPath(name).suffix.lower() in SUFFIXES


def _item(name: str, url: str, said: dict[str, bytes]) -> Item:
    where = f"'{shown_name(url)}', {_parts(name)[0]!r}"
    facts = _facts(said["json"], where) if "json" in said else {}
    # A text beside a class is a caption, and a class is meant to be one.
    label = next((said[kind] for kind in ("cls", "txt") if kind in said), None)
    labels = _labels(facts, where) if label is None else labels_in(_text(label, where))
    return Item(member_name(name, url), labels, str(facts.get("group") or ""), _split(facts, where))


def _text(data: bytes, where: str) -> str:
    try:
        return " ".join(data.decode("utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: the label is no UTF-8", "write labels in UTF-8") from error


def _facts(data: bytes, where: str) -> dict[str, Any]:
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: its .json is none", "write JSON in UTF-8") from error
    # Data sets put what they like into it; only an object can have our keys.
    return facts if isinstance(facts, dict) else {}


def _labels(facts: dict[str, Any], where: str) -> tuple[str, ...]:
    said = facts.get("labels", facts.get("label"))
    several = said if isinstance(said, list) else [] if said is None else [said]
    if not all(isinstance(label, str | int) for label in several):
        raise InputError(f"{where}: its .json has a label that is none", "give a text, a number, or a list")
    return tuple(dict.fromkeys(text for label in several if (text := str(label).strip())))


def _split(facts: dict[str, Any], where: str) -> Split | None:
    said = facts.get("split")
    return split_named(str(said), where) if said is not None else None
