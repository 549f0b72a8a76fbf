"""Files that belong together: written into a folder by one writer at a time, so that those of two never mix.

A single file that is written whole (:mod:`salientclips.whole_file`) needs no lock. A sampler is three files, and the
weights of one run beside the card of another would load without a word.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process and no other thread is in such a block for a folder, and keep them out.

    To be held for as long as writing takes, not for the work before it. The system takes the lock back when the
    process ends, however it ends. On POSIX the folder itself is locked and nothing is left in it; on Windows a file
    ``.salientclips.lock`` stays there. A network file system that knows no locks gives none.

    Args:
        folder: An existing folder.

    Yields:
        Once it is held.

    Raises:
        OSError: The folder cannot be opened.
    """
    opened = _open(folder)
    try:
        _wait_for(opened)
        yield
    finally:
        os.close(opened)


if sys.platform == "win32":
    import msvcrt

    def _open(folder: Path) -> int:
        return os.open(folder / ".salientclips.lock", os.O_RDWR | os.O_CREAT, 0o644)

    def _wait_for(opened: int) -> None:
        while True:
            try:
                return msvcrt.locking(opened, msvcrt.LK_LOCK, 1)
            except OSError as error:  # it gives up after ten seconds
                if error.errno != errno.EDEADLK:
                    raise
else:
    import fcntl

    def _open(folder: Path) -> int:
        return os.open(folder, os.O_RDONLY)

    def _wait_for(opened: int) -> None:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.ENOLCK, errno.EBADF):
                raise
