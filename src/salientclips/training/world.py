"""One process, or several that train together under ``torchrun``, one a GPU.

    torchrun --nproc-per-node 4 -m salientclips fit VIDEOS --classifier NAME

Work that is kept in the cache (labels, features) is dealt to the processes by video; each step's videos are dealt
likewise and gradients are averaged. Only the first process writes and speaks. All must see one file system. A run of
one process on a CPU is the same bits every time; on GPUs, where numbers are of mixed precision, it is close.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed, nn

from ..networks.extras import pick_device

Item = TypeVar("Item")

_PATIENCE = timedelta(days=7)
"""How long a process waits for the others: labelling takes as long as it takes."""


@dataclass(frozen=True)
class World:
    """This process among its fellows."""

    device: torch.device
    """Where it computes."""
    rank: int = 0
    """Its number, from 0."""
    size: int = 1
    """How many there are."""

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's share of some work.

        Args:
            items: The whole work, the same in every process.

        Returns:
            Every ``size``-th item from ``rank`` on, so that every item is in exactly one share.
        """
        return items[self.rank :: self.size]

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()

    def hear(self, said: Item) -> Item:
        """What the first process says; the others' own word is not heard."""
        if self.size == 1:
            return said
        words: list[Item | None] = [said]
        distributed.broadcast_object_list(words, src=0)
        heard: Item = words[0]  # type: ignore[assignment]
        return heard

    def joined(self, network: nn.Module) -> nn.Module:
        """The network, such that a backward pass averages the gradients of all processes.

        Args:
            network: On ``device``.

        Returns:
            The network itself where this process is alone; else wrapped.
        """
        if self.size == 1:
            return network
        if self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return nn.parallel.DistributedDataParallel(network, device_ids=[self.device.index])
        return nn.parallel.DistributedDataParallel(network)


@contextmanager
def join_world(device: str) -> Iterator[World]:
    """Meet the other processes, if there are any.

    Args:
        device: ``"auto"``, or torch's name of one; under ``torchrun`` with GPUs each process takes its own.

    Yields:
        This process's place.

    Raises:
        InputError: The device is not there.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(pick_device(device))
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = device in ("auto", "cuda") and torch.cuda.is_available()
    place = torch.device("cuda", local) if on_gpu else pick_device("cpu" if device == "auto" else device)
    if on_gpu:
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    try:
        yield World(place, rank, size)
    finally:
        distributed.destroy_process_group()
