"""What a sampler asks of its networks, whoever computes them: torch (torch_networks.py) or numpy (plain_networks.py).

Both are given the same tensors under the same names, so that one check of weights and one hash serve both.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError
from .card import SamplerCard, Stream
from .inputs import Inputs
from .layouts import layout, outputs_of

Scores = npt.NDArray[np.float64]
Tensors = Mapping[str, npt.NDArray[np.float32]]
"""Weights by torch's names, those that inference reads; of any shape (layouts.py)."""


@dataclass(frozen=True)
class Pool:
    """Workers that may run the networks side by side."""

    executor: Executor
    """Takes calls of :meth:`Networks.logits`."""
    workers: int
    """How many run at the same time."""


class Networks(Protocol):
    """The networks of one sampler, one a stream of its card, ready to judge; nothing changes them."""

    def tensors(self, stream: Stream) -> Tensors:
        """The weights of one network.

        Args:
            stream: Which.

        Returns:
            float32 by torch's names, without the counters that inference never reads.
        """

    def logits(self, stream: Stream, frames: Inputs) -> Scores:
        """Run one network over a batch.

        Args:
            stream: Which.
            frames: Normalised, float32 (B, C, h, w).

        Returns:
            float64 (B, outputs); the same bits for the same batch, whatever runs beside it (on a CPU).
        """

    def pool(self, threads: int | None) -> AbstractContextManager[Pool]:
        """Workers to call :meth:`logits` from.

        Args:
            threads: How many; None for what suits the engine. No bit of a result depends on it.

        Returns:
            The workers, until the block ends.
        """


def check_networks(card: SamplerCard, networks: Networks) -> None:
    """Whether each network is what the card says, tensor by tensor.

    Args:
        card: The card.
        networks: Networks for all of its streams.

    Raises:
        WeightsError: One is missing or of another shape.
    """
    for stream in card.networks:
        wanted = layout(stream.stream, stream.architecture, outputs_of(card, stream))
        try:
            tensors = networks.tensors(stream.stream)
        except KeyError:
            raise WeightsError(
                f"'{card.name}' has no network for {stream.stream}", "give one a stream"
            ) from None
        given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if wanted != given:
            differ = sorted(n for n in {*wanted, *given} if wanted.get(n) != given.get(n))
            raise WeightsError(
                f"the {stream.stream} network of '{card.name}' is not the {stream.architecture} of its card:"
                f" {', '.join(differ[:3])} differ",
                "build it with network_for",
            )
