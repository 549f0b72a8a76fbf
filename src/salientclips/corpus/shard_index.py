"""Where the members of a WebDataset shard lie in it, so that one can be read without the others.

A shard is a tar file. Its headers are walked once a process; the data between them are skipped where the shard can be
sought in, and read past where it cannot (``.tar.gz``, servers that know no ranges). Only regular files count: links,
devices and folders in a tar are no members here, and no member's name ever becomes a path on the disk.

Python's own reader takes a damaged header for the end of the archive. Here it is an error, for the videos behind it
would be lost without a word; only an archive that ends cleanly between two members may lack its end mark.
"""

from __future__ import annotations

import tarfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from gzip import BadGzipFile
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from ..errors import FetchError, FileMissingError, InputError
from .names import local_path, shown_name, suffix_of
from .remote import attempt, file_system

_GZIPPED = frozenset((".tgz", ".tar.gz"))
_KEPT = 16
"""Shards whose index a process keeps."""
_AHEAD_BYTES = 1 << 20
"""What is read at once of a remote shard."""
_SMALL_BYTES = 1 << 24
"""A member that is read whole may be no longer."""
_DAMAGE = (tarfile.TarError, EOFError, BadGzipFile, zlib.error, OverflowError)

_Result = TypeVar("_Result")
_Key = tuple[str, int, int]


@dataclass(frozen=True)
class Member:
    """A regular file in a shard."""

    name: str
    """As written in the tar."""
    offset: int | None
    """Where its bytes begin in the shard; None where they do not lie there as they are (compressed, sparse)."""
    size: int
    """Its length in bytes."""


@dataclass(frozen=True)
class ShardIndex:
    """What is in a shard."""

    members: dict[str, Member]
    """By name, in order; of several with one name the last, as tar unpacks them."""
    twice: frozenset[str]
    """Names that several have."""
    size: int | None
    """Length of the shard itself in bytes, where its store says it: tells whether it is still the same."""


class _Header(tarfile.TarInfo):
    """A header that is not taken for the end of the archive when it is damaged."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if type(error).__name__ in ("TruncatedHeaderError", "InvalidHeaderError"):
                raise tarfile.ReadError(str(error)) from error
            raise

    def _block(self, count: int) -> int:
        # A negative size would send the reader back, round and round.
        if count < 0:
            raise tarfile.ReadError("a member of negative size")
        return -(-count // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


_indexes: OrderedDict[_Key, ShardIndex] = OrderedDict()
_lock = threading.Lock()


def index_of(shard: str) -> ShardIndex:
    """What is in a shard; read once a process.

    Args:
        shard: Its path or URL.

    Returns:
        Its index. Of a remote shard it is kept until :func:`forget`.

    Raises:
        FetchError: It is no tar, a damaged one, or cannot be fetched.
        FileMissingError: There is no such local file.
        MissingExtraError: fsspec is absent, or the package that speaks the protocol.
    """
    key = _key(shard)
    with _lock:
        if key in _indexes:
            _indexes.move_to_end(key)
            return _indexes[key]
    return scan(shard, lambda name: False)[0]


def forget(shard: str) -> None:
    """Let an index go, because the shard has changed.

    Args:
        shard: Its path or URL.

    Raises:
        FileMissingError: A local shard is not there any more.
    """
    with _lock:
        _indexes.pop(_key(shard), None)


def scan(shard: str, wanted: Callable[[str], bool]) -> tuple[ShardIndex, dict[str, bytes]]:
    """Walk a shard once.

    Args:
        shard: Its path or URL.
        wanted: Of which members, by name, the bytes are wanted; they are small.

    Returns:
        Its index, and the bytes of those that are wanted, by name.

    Raises:
        FetchError: It is no tar, a damaged one, or cannot be fetched.
        InputError: A member that is wanted is longer than 16 MiB.
        FileMissingError: There is no such local file.
        MissingExtraError: fsspec is absent, or the package that speaks the protocol.
    """
    key = _key(shard)

    def read(file: BinaryIO, stream: bool) -> tuple[ShardIndex, dict[str, bytes]]:
        members: dict[str, Member] = {}
        small: dict[str, bytes] = {}
        twice: set[str] = set()
        for member, content in walk(shard, file, stream):
            if member.name in members:
                twice.add(member.name)
            members[member.name] = member
            if wanted(member.name):
                if member.size > _SMALL_BYTES:
                    raise InputError(
                        f"'{shown_name(shard)}': {member.name!r} is {member.size} bytes long",
                        "keep what labels a video below 16 MiB",
                    )
                small[member.name] = content().read()
        index = ShardIndex(members, frozenset(twice), getattr(file, "size", None))
        with _lock:
            _indexes[key] = index
            while len(_indexes) > _KEPT:
                _indexes.popitem(last=False)
        return index, small

    return read_shard(shard, read)


def walk(shard: str, file: BinaryIO, stream: bool) -> Iterator[tuple[Member, Callable[[], BinaryIO]]]:
    """Walk the members of an open shard in its order.

    Args:
        shard: Its path or URL.
        file: The shard's bytes, from their beginning.
        stream: Read on without ever seeking.

    Yields:
        Each member, and a function that opens its bytes, to be called before the next member is asked for.

    Raises:
        tarfile.TarError, EOFError, BadGzipFile, zlib.error, OverflowError: It is no tar, or a damaged one.
    """
    gzipped = suffix_of(shard) in _GZIPPED
    mode = "r|gz" if gzipped else "r|" if stream else "r:"
    with tarfile.open(fileobj=file, mode=cast(Any, mode), tarinfo=_Header) as tar:
        for info in tar:
            if info.isreg():
                offset = None if gzipped or info.issparse() else info.offset_data
                yield (
                    Member(info.name, offset, info.size),
                    cast(Callable[[], BinaryIO], partial(tar.extractfile, info)),
                )
            # A shard may have any number of members; tarfile would keep them all.
            tar.members = []  # type: ignore[attr-defined]


def read_shard(shard: str, read: Callable[[BinaryIO, bool], _Result], folder: Path | None = None) -> _Result:
    """Read something of a shard, by seeking where that can be done, else from its beginning.

    Args:
        shard: Its path or URL.
        read: Takes the open shard and whether it may only be read on; may be called several times.
        folder: Where it writes to, for the remedy of an error.

    Returns:
        What ``read`` returns.

    Raises:
        FetchError: It is no tar, a damaged one, or cannot be fetched.
        FileMissingError: There is no such local file.
        MissingExtraError: fsspec is absent, or the package that speaks the protocol.
    """

    def once() -> _Result:
        try:
            try:
                with _opened(shard, stream=False) as file:
                    return read(file, False)
            except ValueError:
                # So HTTP's file system says that the server gives no ranges. Of a local file it is damage.
                if local_path(shard) is not None:
                    raise
                with _opened(shard, stream=True) as file:
                    return read(file, True)
        except _DAMAGE as error:
            reason = f"it is no whole tar archive: {error}"
            raise FetchError(shown_name(shard), reason, "write the shard again") from error

    return attempt(shard, once, folder)


@contextmanager
def _opened(shard: str, *, stream: bool) -> Iterator[BinaryIO]:
    path = local_path(shard)
    if path is not None:
        if not path.is_file():
            raise FileMissingError(path)
        with path.open("rb") as local:
            yield local
        return
    files, place = file_system(shard)
    # A block size of 0 is HTTP's word for a stream; only HTTP is ever asked for one.
    with files.open(place, "rb", block_size=0 if stream else _AHEAD_BYTES) as remote:
        yield cast(BinaryIO, remote)


def _key(shard: str) -> _Key:
    """What an index is kept under: a local shard that was written again is another one."""
    path = local_path(shard)
    if path is None:
        return shard, -1, -1
    try:
        facts = path.stat()
    except OSError:
        raise FileMissingError(path) from None
    return str(path), facts.st_size, facts.st_mtime_ns
