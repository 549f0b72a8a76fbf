"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import InputError

_KEPT_OF_A_NAME = 40
"""Characters: file systems allow 255 bytes a name, of which four may make a character."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file so that nobody ever sees half of it.

    Args:
        path: Where it is to be; an existing file is replaced at the end of the block.

    Yields:
        Where to write.

    Raises:
        InputError: It cannot be written there.
    """
    # The suffix stays last, for writers that go by it; what is put before it must not make the name too long. It is
    # by chance: two threads, or two machines on one network drive, may write the same file at once.
    beside = path.with_name(f".{secrets.token_hex(4)}.partial.{path.name[-_KEPT_OF_A_NAME:]}")
    with _taking_its_place(beside, path, "choose another place"):
        yield beside
        beside.replace(path)


@contextmanager
def durable_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears whole or not at all, even if the machine loses power.

    Its bytes are on the disk before it takes its place, and its place is on the disk when the block ends. While it
    is written its name begins with a dot and ends in ``.partial``, so that no reader's ``*.parquet`` matches. That
    name is always the same: one process at a time.

    Args:
        path: Where it is to be; an existing file is replaced at the end of the block.

    Yields:
        The open file.

    Raises:
        InputError: It cannot be written there.
    """
    beside = path.with_name(f".{path.name}.partial")
    with _taking_its_place(beside, path, "make room there, and run again"):
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)


@contextmanager
def _taking_its_place(beside: Path, path: Path, remedy: str) -> Iterator[None]:
    """Whatever happens in the block, nothing stays beside; what the system refuses is said of the path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"'{path}' cannot be written ({reason})", remedy) from error
    finally:
        # Where nothing may be written, nothing is there; what the system says of that must not be the last word.
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that for a folder.

    Args:
        folder: Which.

    Raises:
        OSError: The disk fails.
    """
    if sys.platform == "win32":
        return  # a folder cannot be opened there, and NTFS journals its names
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        # Some network file systems know no fsync of a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(opened)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, in UTF-8 with the line ends that the text has.

    Args:
        path: Where to; an existing file is replaced.
        text: Its content.

    Raises:
        InputError: It cannot be written there.
    """
    with whole_file(path) as beside:
        # A file name of stray bytes, which Python holds as surrogates, goes out as those bytes.
        beside.write_bytes(text.encode("utf-8", "surrogateescape"))


def write_atomically(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write bytes whole, and on the disk before they take their place; several processes may do so at once.

    Args:
        path: Where; its folder is made.
        content: What.
        mode: Permissions of the file; None for the owner alone.

    Raises:
        OSError: It cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if mode is not None:
                part.chmod(mode)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
