"""A video of a corpus as a file on the local disk: itself where it is one, else a copy that is gone afterwards.

A copy is streamed, so it takes the disk's room and not the memory's. It is checked against the length that the store
announced, and made again where the network fails. A member of a shard is read from its place in the shard; where a
shard cannot be sought in (``.tar.gz``, a server without ranges) it is read from its beginning up to the member.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import FetchError, FileMissingError, InputError
from .names import local_path, protocol_of, shown_name, split_member, suffix_of
from .remote import CHUNK_BYTES, TruncatedError, attempt, file_system
from .shard_index import forget, index_of, read_shard, walk


@contextmanager
def local_copy(video: str, folder: Path | None = None) -> Iterator[Path]:
    """Have a video on the local disk for as long as the block lasts.

    Args:
        video: Its name (:class:`~salientclips.corpus.item.Item`): a path, a URL, or ``tar://MEMBER::SHARD``.
        folder: Where a copy may be put; None for the system's folder for temporary files.

    Yields:
        The file: a local one itself, else a copy with the suffix of the video's name, removed afterwards.

    Raises:
        FileMissingError: A local file, or a local shard, is not there.
        FetchError: It cannot be fetched, or comes incomplete, or a shard is damaged or has no such member.
        MissingExtraError: fsspec is absent, or the package that speaks the protocol.
        InputError: fsspec does not know the protocol, or no copy can be put into the folder.
    """
    path = local_path(video)
    if path is not None:
        if not os.path.isfile(path):
            raise FileMissingError(path)
        yield path
        return
    copy = _new_file(video, folder)
    try:
        if protocol_of(video) == "tar":
            _copy_member(video, copy)
        else:
            _copy_whole(video, copy)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _new_file(video: str, folder: Path | None) -> Path:
    # The suffix is all that a copy takes of a name, which anybody may have written.
    suffix = suffix_of(video)
    kept = suffix if re.fullmatch(r"(\.[a-z0-9]{1,8}){1,2}", suffix, re.ASCII) else ""
    try:
        handle, name = tempfile.mkstemp(kept, "salientclips-", folder)
    except OSError as error:
        reason = error.strerror or str(error)
        where = folder or tempfile.gettempdir()
        raise InputError(f"no copy can be put into '{where}' ({reason})", "give another folder") from error
    os.close(handle)
    return Path(name)


def _copy_whole(url: str, copy: Path) -> None:
    files, place = file_system(url)

    def once() -> None:
        if protocol_of(url) in ("http", "https"):
            # The transfer announces its length itself and fails if it ends early; a signed URL may allow no more.
            files.get_file(place, str(copy), chunk_size=CHUNK_BYTES)
            return
        facts = files.info(place)
        if facts.get("type") == "directory":
            raise FetchError(shown_name(url), "it is a folder", "give a folder with a '/' at its end")
        files.get_file(place, str(copy))
        # What was announced may come of a listing that is older than the video.
        files.invalidate_cache()
        _check_length(copy.stat().st_size, facts.get("size"))

    attempt(url, once, copy.parent)


def _copy_member(video: str, copy: Path) -> None:
    name, shard = split_member(video)
    if not shard:
        raise InputError(f"'{video}' names no shard", "write tar://MEMBER::SHARD")

    def read(file: BinaryIO, stream: bool) -> None:
        index = index_of(shard)
        member = index.members.get(name)
        if member is None:
            raise FetchError(shown_name(video), "the shard has no such member", "list the corpus again")
        with copy.open("wb") as target:
            if member.offset is None:
                _pour_unpacked(shard, file, stream, name, target)
                return
            # A stream has no size.
            if None not in (sizes := (getattr(file, "size", None), index.size)) and sizes[0] != sizes[1]:
                forget(shard)
                raise TruncatedError("the shard has changed while it was read")
            _go_to(file, member.offset, stream)
            _pour(file, target, member.size)

    read_shard(shard, read, copy.parent)


def _pour_unpacked(shard: str, file: BinaryIO, stream: bool, name: str, target: BinaryIO) -> None:
    """Copy a member whose bytes do not lie in the shard as they are."""
    for member, content in walk(shard, file, stream):
        if member.name == name:
            _pour(content(), target, member.size)
            return


def _go_to(file: BinaryIO, offset: int, stream: bool) -> None:
    if not stream:
        file.seek(offset)
        return
    while offset > 0:
        chunk = file.read(min(CHUNK_BYTES, offset))
        if not chunk:
            raise TruncatedError(f"it ends {offset} bytes too early")
        offset -= len(chunk)


def _pour(file: BinaryIO, target: BinaryIO, size: int) -> None:
    left = size
    while left > 0:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            break
        target.write(chunk)
        left -= len(chunk)
    _check_length(size - left, size)


def _check_length(came: int, announced: int | None) -> None:
    if announced is not None and came != announced:
        raise TruncatedError(f"{came} bytes came of {announced}")
