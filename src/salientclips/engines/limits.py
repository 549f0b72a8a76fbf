"""What a single video may cost before it is given up: seconds, and memory of the process that reads it.

Limits are this project's own (docs/decisions.md, decision 50).
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..errors import InputError

HEARTBEAT_S = 1.0
"""How long an engine is silent where nothing is done."""

_SHARE_OF_MEMORY = 0.8
"""Of the machine's memory, divided among its workers: what remains is for everything else."""


@dataclass(frozen=True)
class Limits:
    """What one video may cost a worker.

    Raises:
        InputError: A limit lets nothing through.
    """

    seconds: float = 3600.0
    """Wall time, seconds, fetching included."""
    memory_bytes: int | None = None
    """Memory beyond what the worker held before its first video; None for its share of the machine's."""

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise InputError(
                f"a time limit of {self.seconds} s lets nothing through", "give more than 0 seconds"
            )
        if self.memory_bytes is not None and self.memory_bytes < 1:
            raise InputError(f"a memory limit of {self.memory_bytes} bytes lets nothing through", "give more")

    def share_of(self, workers: int) -> int:
        """The memory limit of one of some workers.

        Args:
            workers: How many there are on this machine.

        Returns:
            Bytes.
        """
        return self.memory_bytes or int(_SHARE_OF_MEMORY * _memory_bytes() / workers)


def _memory_bytes() -> int:
    """The memory that there is: the machine's, or what a container is allowed of it."""
    total = int(psutil.virtual_memory().total)
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            return min(total, int(Path(place).read_text()))
    return total


def check_counts(**counts: int | None) -> None:
    """See that the numbers an engine is given make sense.

    Args:
        counts: Numbers by name; None where nobody says.

    Raises:
        InputError: One is below 1.
    """
    for name, value in counts.items():
        if value is not None and value < 1:
            raise InputError(f"{name} = {value} does nothing", f"give {name} of at least 1")


def cores() -> int:
    """The cores that this process may use, which a container may have fewer of than the machine.

    Returns:
        At least 1.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
