"""A small disk that can be filled and made read-only: a tmpfs, in a mount namespace that ends with this program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FILLER = ".filler"


_MARK = "SALIENTCLIPS_OWN_MOUNTS"


def own_mounts() -> list[str]:
    """The words that start a program where its mounts are its own; where it is not root, in a user namespace too."""
    return ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]


def begin_again_with_own_mounts() -> None:
    """Start this program again where it may mount, once."""
    if _MARK not in os.environ:
        os.environ[_MARK] = "1"
        os.execvp("unshare", [*own_mounts(), sys.executable, *sys.orig_argv[1:]])


@dataclass(frozen=True)
class Disk:
    """A mounted disk."""

    place: Path

    def leave(self, room_bytes: int) -> None:
        """Fill it up to so much room, in whole pages, rounded down."""
        self.free()
        status = os.statvfs(self.place)
        page = status.f_frsize
        filled = status.f_bavail - room_bytes // page
        with (self.place / _FILLER).open("wb") as file:
            for _ in range(filled):
                file.write(bytes(page))

    def free(self) -> None:
        """Take the filler away, and let it be written to."""
        self._remount("rw")
        (self.place / _FILLER).unlink(missing_ok=True)

    def forbid(self) -> None:
        """Make it read-only."""
        self._remount("ro")

    def _remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.place)], check=True)

    def content(self) -> dict[str, bytes]:
        """All files but the filler, by their path on the disk."""
        return {
            str(path.relative_to(self.place)): path.read_bytes()
            for path in sorted(self.place.rglob("*"))
            if path.is_file() and path.name != _FILLER
        }


@contextmanager
def mounted(place: Path, size_mib: int) -> Iterator[Disk]:
    """A new disk at a place, for as long as the block runs."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(place)], check=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", str(place)], check=True)
