"""The tensors of each network by name and shape, without any library: what weights are checked against.

The names are torchvision's (nets.py builds the same networks with it), so that weights that were trained with torch
fit the engine that has no torch (plain_networks.py), and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Literal

from .card import CHANNELS, Architecture, SamplerCard, Stream, StreamCard

Stem = Literal["cells", "pixels"]
"""What a network's input is made of: cells of 16 x 16 pixels, or pixels."""

Layout = dict[str, tuple[int, ...]]
"""Shape by name, in the order of the network; counters that inference never reads are not among them."""

SHUFFLE_UNITS = (2, 4, 2)
SHUFFLE_WIDTHS = (24, 116, 232, 464)
"""Channels after the stem and after each stage."""
RESNET_BLOCKS = (2, 2, 2, 2)
RESNET_WIDTHS = (64, 128, 256, 512)
VGG_STAGES = ((16, 2), (32, 2), (64, 4), (128, 4), (128, 4))
"""Channels and convolutions of each stage; max-pooling by 2 stands between stages."""
VGG_HIDDEN = 256
MEL_BANDS = 40
"""Of a window of sound; audio/mel.py has the same number, and needs PyAV to be imported."""
BAND_FIGURES = 3
"""What ``bands`` knows of each MEL band of a window: its mean over time, deviation and maximum."""

MOBILE_STEM = 32
"""Channels after the stem of MobileNetV2."""
MOBILE_BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2))
"""Groups of its blocks: by how much a block widens, its channels, how many there are, and the stride of the first.
The last group (320 channels) and the last convolution are left out: they know ImageNet's classes."""

_STATISTICS = ("running_mean", "running_var")
_BATCH_NORM = ("weight", "bias", *_STATISTICS)

_Named = Iterator[tuple[str, tuple[int, ...]]]


def stem_of(stream: Stream) -> Stem:
    """How the network of a stream begins.

    Args:
        stream: What it looks at.

    Returns:
        ``"pixels"`` for I-frames, which are pictures; else ``"cells"``.
    """
    return "pixels" if stream == "if" else "cells"


def outputs_of(card: SamplerCard, stream: StreamCard) -> int:
    """Numbers that a network of a card gives.

    Args:
        card: The card.
        stream: One of its networks.

    Returns:
        How many classes there are under AC, else 1.
    """
    return len(card.classes) if stream.objective == "ac" else 1


def layout(stream: Stream, architecture: Architecture, outputs: int) -> Layout:
    """The tensors of the network of a stream.

    Args:
        stream: What it looks at.
        architecture: Its architecture.
        outputs: Numbers it gives.

    Returns:
        Shape by name: those of ``network_for(...).state_dict()`` but for ``num_batches_tracked``.
    """
    channels, stem = CHANNELS[stream], stem_of(stream)
    match architecture:
        case "resnet18":
            return dict(_resnet18(channels, outputs, stem))
        case "shufflenet26":
            return dict(_shufflenet26(channels, outputs))
        case "vgg18":
            return dict(_vgg18(channels, outputs))
        case "mobilenetv2":
            return dict(_mobilenetv2(channels, outputs))
        case "linear":
            return dict(_linear("fc", outputs, channels))
        case "bands":
            return dict(_linear("fc", outputs, BAND_FIGURES * MEL_BANDS))
        case "none":
            return {}


def count_trainable(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Trainable numbers; the statistics of batch normalisation are not among them.

    Args:
        shapes: Shape of each tensor by its name, as :func:`layout` gives them.

    Returns:
        How many there are.
    """
    return sum(prod(shape) for name, shape in shapes.items() if not name.endswith(_STATISTICS))


def vgg_places() -> Iterator[tuple[int, int, bool]]:
    """Each convolution of VGG-18: its number in ``features``, its channels, and whether pooling goes before it."""
    place = 0
    for stage, (width, convolutions) in enumerate(VGG_STAGES):
        for i in range(convolutions):
            pooled = stage > 0 and i == 0
            place += pooled
            yield place, width, pooled
            place += 3


def mobile_blocks() -> Iterator[tuple[int, int, int, int, int]]:
    """Each block of MobileNetV2: its number in ``features``, channels before and after, stride, channels within."""
    before, number = MOBILE_STEM, 1
    for widening, width, blocks, stride in MOBILE_BLOCKS:
        for block in range(blocks):
            yield number, before, width, stride if block == 0 else 1, before * widening
            before, number = width, number + 1


def _convolution(name: str, norm: str, out: int, per_group: int, side: int) -> _Named:
    yield f"{name}.weight", (out, per_group, side, side)
    for part in _BATCH_NORM:
        yield f"{norm}.{part}", (out,)


def _linear(name: str, out: int, channels: int) -> _Named:
    yield f"{name}.weight", (out, channels)
    yield f"{name}.bias", (out,)


def _resnet18(channels: int, outputs: int, stem: Stem) -> _Named:
    yield from _convolution("conv1", "bn1", RESNET_WIDTHS[0], channels, 3 if stem == "cells" else 7)
    before = RESNET_WIDTHS[0]
    for stage, (width, blocks) in enumerate(zip(RESNET_WIDTHS, RESNET_BLOCKS, strict=True), start=1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            yield from _convolution(f"{name}.conv1", f"{name}.bn1", width, before, 3)
            yield from _convolution(f"{name}.conv2", f"{name}.bn2", width, width, 3)
            if before != width:
                yield from _convolution(f"{name}.downsample.0", f"{name}.downsample.1", width, before, 1)
            before = width
    yield from _linear("fc", outputs, before)


def _shufflenet26(channels: int, outputs: int) -> _Named:
    yield from _convolution("conv1.0", "conv1.1", SHUFFLE_WIDTHS[0], channels, 3)
    before = SHUFFLE_WIDTHS[0]
    for stage, (width, units) in enumerate(zip(SHUFFLE_WIDTHS[1:], SHUFFLE_UNITS, strict=True), start=2):
        half = width // 2
        for unit in range(units):
            name = f"stage{stage}.{unit}"
            if unit == 0:
                yield from _convolution(f"{name}.branch1.0", f"{name}.branch1.1", before, 1, 3)
                yield from _convolution(f"{name}.branch1.2", f"{name}.branch1.3", half, before, 1)
            given = before if unit == 0 else half
            yield from _convolution(f"{name}.branch2.0", f"{name}.branch2.1", half, given, 1)
            yield from _convolution(f"{name}.branch2.3", f"{name}.branch2.4", half, 1, 3)
            yield from _convolution(f"{name}.branch2.5", f"{name}.branch2.6", half, half, 1)
        before = width
    yield from _linear("fc", outputs, before)


def _vgg18(channels: int, outputs: int) -> _Named:
    before = channels
    for place, width, _ in vgg_places():
        yield from _convolution(f"features.{place}", f"features.{place + 1}", width, before, 3)
        before = width
    yield from _linear("hidden", VGG_HIDDEN, before)
    yield from _linear("fc", outputs, VGG_HIDDEN)


def _mobilenetv2(channels: int, outputs: int) -> _Named:
    yield from _convolution("features.0.0", "features.0.1", MOBILE_STEM, channels, 3)
    width = MOBILE_STEM
    for number, before, width, _, within in mobile_blocks():
        name, place = f"features.{number}.conv", 0
        if within != before:
            yield from _convolution(f"{name}.0.0", f"{name}.0.1", within, before, 1)
            place = 1
        yield from _convolution(f"{name}.{place}.0", f"{name}.{place}.1", within, 1, 3)
        yield from _convolution(f"{name}.{place + 1}", f"{name}.{place + 2}", width, within, 1)
    yield from _linear("fc", outputs, width)
