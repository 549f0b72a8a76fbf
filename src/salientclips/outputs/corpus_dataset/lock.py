"""One writer at a time: a lock on a folder that the system takes back when its process ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
import weakref
from pathlib import Path

from ...errors import InputError

LOCK_NAME = ".salientclips.lock"


class FolderLock:
    """Holds a folder until :meth:`release`, or until the process is gone.

    Args:
        folder: An existing folder. The file ``.salientclips.lock`` in it stays there: removing it could let two in.

    Raises:
        InputError: Another process, or another writer of this one, holds it; or the folder may not be written to.
    """

    _opened: int | None = None

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_NAME
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(
                f"'{folder}' cannot be written to ({error.strerror})", "choose another folder"
            ) from error
        try:
            _hold(opened)
        except OSError as error:
            os.close(opened)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
                raise InputError(
                    f"'{folder}' cannot be locked ({error.strerror})",
                    "choose a folder on another file system",
                ) from error
            raise InputError(
                f"another process is writing to '{folder}'", "wait until it ends, or choose another folder"
            ) from error
        self._opened = opened
        _HELD.add(self)

    def release(self) -> None:
        """Let the folder go; a second time does nothing."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def __del__(self) -> None:
        self.release()


_HELD: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _let_go_in_child() -> None:
    # A forked worker shares the lock; if it outlived a killed writer, the folder would stay locked. Closing its copy
    # leaves the writer's as it is.
    for lock in list(_HELD):
        lock.release()


if sys.platform == "win32":
    import msvcrt

    def _hold(opened: int) -> None:
        msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _hold(opened: int) -> None:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)

    os.register_at_fork(after_in_child=_let_go_in_child)
