"""What the front door must know of an architecture: how to build it, feed it, and read its checkpoints.

A checkpoint of one network circulates under several naming schemes; a :class:`Layout` recognises one by a
tensor that only it has and renames the rest. Nothing is guessed: after renaming, every tensor must fit
(:mod:`salientclips.networks.weights`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .protocol import ClipInput

if TYPE_CHECKING:
    import torch
    from torch import nn

Triple = tuple[float, float, float]

Normalisation = Literal["kinetics", "imagenet"]
"""Whose RGB statistics a checkpoint was trained with."""

NORMALISATIONS: dict[Normalisation, tuple[Triple, Triple]] = {
    # (mean, std) of RGB in [0, 1]: VMZ's and torchvision's for video; mmaction2's.
    "kinetics": ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


@dataclass(frozen=True)
class Layout:
    """One naming scheme of checkpoints."""

    name: str
    """Who writes it, for example ``"mmaction2"``."""
    marker: str
    """A tensor name that only this scheme has."""
    rename: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
    """Turns its tensors into the network's own."""
    normalisation: Normalisation | None = None
    """What its checkpoints were trained with, where that is not what the recipe says."""


@dataclass(frozen=True)
class Recipe:
    """One architecture."""

    name: str
    """The name that users pass."""
    input: ClipInput
    """How it is fed; ``gflops`` is None here and counted when the network is built."""
    build: Callable[[int], nn.Module]
    """Number of classes to network: (B, 3, T, H, W) to logits."""
    head_bias: str
    """Name of the last layer's bias; its length is the number of classes."""
    layouts: tuple[Layout, ...]
    """Foreign naming schemes; a checkpoint that matches none must have the network's own names."""
    least_frames: int
    """The shortest clip that the network can take."""
    published: str
    """Which checkpoint fits, for the error message of someone who has none."""
