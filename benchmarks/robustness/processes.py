"""What processes hold: memory now and at most, file descriptors, threads; by Linux's ``/proc``."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psutil

MIB = 1 << 20
_EVERY_S = 0.25


@dataclass(frozen=True)
class Held:
    """What a process holds at one moment."""

    rss_mib: float
    descriptors: int
    threads: int


def held() -> Held:
    """What this process holds, after the garbage is gone and the allocator has given back what is free."""
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc's; others keep no arenas
        ctypes.CDLL(None).malloc_trim(0)
    me = psutil.Process()
    return Held(me.memory_info().rss / MIB, me.num_fds(), me.num_threads())


def peak_mib(pid: int | str = "self") -> float:
    """The most memory that a process held so far, MiB (``VmHWM``); 0 where it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (OSError, ValueError):
        pass
    return 0.0


def cpu_s() -> float:
    """Processor time of this process and of all children that have ended, seconds."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


@dataclass
class WorkerPeaks:
    """Looks at the guarded workers of this process while a block runs."""

    peaks: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """The most memory that each held, MiB, by process id."""
    last: dict[int, float] = field(default_factory=dict)
    """What each held when it was last seen, MiB."""

    def __enter__(self) -> WorkerPeaks:
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def most_mib(self) -> float:
        """The most that any worker held."""
        return max(self.peaks.values(), default=0.0)

    def _look(self) -> None:
        me = str(os.getpid())
        while not self._over.wait(_EVERY_S):
            for child in Path(f"/proc/{me}/task").glob("*/children"):
                for pid in _words(child):
                    if b"salientclips.engines.child" in _command(pid):
                        self.peaks[int(pid)] = max(self.peaks[int(pid)], peak_mib(pid))
                        self.last[int(pid)] = _rss_mib(pid)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _rss_mib(pid: str) -> float:
    try:
        rss: int = psutil.Process(int(pid)).memory_info().rss
    except psutil.Error:
        return 0.0
    return rss / MIB
