"""Learned samplers with random weights, and features for them, for tests that need no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from salientclips.samplers.card import CHANNELS, Architecture, Objective, SamplerCard, Stream, StreamCard
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.nets import network_for, stream_cost
from salientclips.samplers.torch_networks import TorchNetworks
from salientclips.timeline import ClipSpec
from salientclips.types import ClipFeatures, FeatureParameters

CLASSES = ("fall", "jump", "run")


cost = lru_cache(stream_cost)
"""Counting takes a while, and tests ask for the same few."""


def modules(sampler: LearnedSampler) -> Mapping[Stream, nn.Module]:
    """The networks themselves, of one that torch computes."""
    assert isinstance(sampler.networks, TorchNetworks)
    return sampler.networks.modules


def own_architecture(stream: Stream, audio: Architecture = "vgg18") -> Architecture | None:
    """The network of a stream that is not one of pictures."""
    own: dict[Stream, Architecture] = {"audio": audio, "stats": "linear"}
    return own.get(stream)


def make_card(
    streams: Sequence[Stream] = ("md", "rgbr"),
    *,
    visual: Objective = "sal-rank",
    audio: Objective = "sal-rank",
    architecture: Architecture = "shufflenet26",
    audio_architecture: Architecture = "vgg18",
    **changes: Any,
) -> SamplerCard:
    """A card whose fields agree; ``changes`` go over them."""
    objectives = {s: audio if s == "audio" else visual for s in streams}
    classes = CLASSES if "ac" in objectives.values() else ()
    cards = []
    for stream in streams:
        kind = own_architecture(stream, audio_architecture) or architecture
        outputs = len(classes) if objectives[stream] == "ac" else 1
        parameters, mmacs = cost(stream, kind, outputs)
        channels = CHANNELS[stream]
        means = (-6.0,) if stream == "audio" else (0.5,) * channels
        stds = (3.0,) if stream == "audio" else (2.0,) * channels
        cards.append(StreamCard(stream, kind, objectives[stream], means, stds, parameters, mmacs))
    both = "audio" in streams and len(streams) > 1
    fields: dict[str, Any] = {
        "name": "tiny",
        "streams": tuple(cards),
        "clip": ClipSpec(16, 2),
        "frames_per_clip": 2,
        "combination": "av-union-list" if both else None,
        "classes": classes,
        "classifier": "r2plus1d_18",
        "data": "random weights | never trained",
        "licence": "apache-2.0",
        "options": {"margin": 0.5, "epochs": 3, "ties": "skip"},
        "validation": {"accuracy_at_10": 0.25},
        "histogram": (0.25, 0.25, 0.5),
        "versions": {"salientclips": "0.1"},
    }
    return SamplerCard(**{**fields, **changes})


def make_learned(
    card: SamplerCard | None = None, *, seed: int = 0, threads: int | None = None
) -> LearnedSampler:
    """A sampler of that card with random weights, always the same; its batch-norm statistics are random too."""
    card = card or make_card()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        networks = {
            s.stream: network_for(s.stream, s.architecture, len(card.classes) if s.objective == "ac" else 1)
            for s in card.networks
        }
        for network in networks.values():
            for name, buffer in network.named_buffers():
                if name.endswith("running_mean"):
                    buffer.normal_(0, 0.1)
                elif name.endswith("running_var"):
                    buffer.uniform_(0.5, 2)
    return LearnedSampler(card, TorchNetworks(networks), threads)


def random_clips(
    count: int, *, frames: int = 2, rows: int = 15, columns: int = 20, sound: bool = True, seed: int = 0
) -> tuple[ClipFeatures, ...]:
    """Features of ``count`` clips, every kind of them."""
    draw = np.random.default_rng(seed)
    costs = np.random.default_rng([seed, 1]).gamma(4, 0.25, count)
    size = (frames, rows, columns)
    return tuple(
        ClipFeatures(
            index=i,
            times=tuple(Fraction(i * 32 + j) for j in range(frames)),
            md=draw.normal(0, 3, (frames, 2, rows, columns)).astype(np.float32),
            md_valid=draw.random(size) > 0.1,
            rgbr=draw.normal(0, 5, (frames, 3, rows, columns)).astype(np.float32),
            energy=draw.random(size).astype(np.float32),
            iframes=draw.integers(0, 255, (1, 3, 224, 256), dtype=np.uint8),
            mel=draw.normal(-6, 3, (40, 200)).astype(np.float32) if sound else None,
            packet_cost=float(costs[i]),
        )
        for i in range(count)
    )


@dataclass(frozen=True)
class Kept:
    """What ``judge_features`` takes."""

    clips: tuple[ClipFeatures, ...]
    parameters: FeatureParameters = field(
        default_factory=lambda: FeatureParameters(2, ("md", "rgbr", "if", "audio", "packets"))
    )


def write_random_front(path: Path) -> Path:
    """Random weights in the form of torchvision's file of MobileNetV2."""
    from torchvision.models import mobilenet_v2

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = mobilenet_v2()
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = 1.0
        # Its norms have seen something, or all pictures would be alike to it.
        with torch.no_grad():
            network(torch.randn(4, 3, 1, 1) + torch.randn(4, 3, 64, 64))
        torch.save(network.state_dict(), path)
    return path
