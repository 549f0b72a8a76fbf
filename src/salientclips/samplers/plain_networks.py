"""The samplers' networks without torch: the paper's and MobileNetV2, computed by numpy (paper, section 3).

Same weights, same numbers as nets.py up to rounding (about 1e-5 of the logits), for inference on the CPU. Released
samplers always run here, so that their scores do not depend on what else is installed. Training is not here. The
layers are plain_layers.py's; docs/decisions.md has what it costs beside torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import UnknownNameError
from .card import ARCHITECTURES, PRETRAINED, Architecture, SamplerCard, Stream
from .inputs import Inputs
from .layouts import RESNET_BLOCKS, SHUFFLE_UNITS, Stem, mobile_blocks, stem_of, vgg_places
from .networks import Pool, Scores
from .one_blas_thread import one_blas_thread
from .plain_layers import (
    Dense,
    Depthwise,
    Floats,
    Linear,
    Separable,
    Tensors,
    bordered,
    mean_of_places,
    pool_threes,
    pool_twos,
    rectify,
)

PlainNetwork = Callable[[Floats], Floats]
"""Planes float32 (C, h, w, B) to logits (outputs, B)."""

_LEAST_FRAMES = 4
"""A batch is filled up with zeros to a multiple of this: whole vectors are computed faster."""
_MOST_WORKERS = 4
"""Beyond these the features cannot be read as fast as they are judged."""


@dataclass(frozen=True, eq=False)
class PlainNetworks:
    """The networks of a sampler, computed by numpy; keeps :class:`salientclips.samplers.networks.Networks`."""

    card: SamplerCard
    """What they are."""
    weights: Mapping[Stream, Tensors]
    """Tensors by torch's names, float32, one mapping a stream; never written to."""

    def tensors(self, stream: Stream) -> Tensors:
        """The tensors of one network by torch's names."""
        return self.weights[stream]

    def logits(self, stream: Stream, frames: Inputs) -> Scores:
        """Run one network over a batch.

        Args:
            stream: Which.
            frames: Normalised, float32 (B, C, h, w).

        Returns:
            float64 (B, outputs).
        """
        count = len(frames)
        filled = -(-count // _LEAST_FRAMES) * _LEAST_FRAMES
        planes = np.zeros((*frames.shape[1:], filled), np.float32)
        planes[..., :count] = frames.transpose(1, 2, 3, 0)
        # What overflows is found by the caller, who knows whose network it is.
        with np.errstate(over="ignore", invalid="ignore"):
            said = self._built[stream](planes)
        return said[:, :count].T.astype(np.float64)

    @contextmanager
    def pool(self, threads: int | None) -> Iterator[Pool]:
        """Workers on the CPU; None is one a core, four at most."""
        workers = threads or min(_MOST_WORKERS, os.cpu_count() or 1)
        with one_blas_thread(), ThreadPoolExecutor(workers) as executor:
            yield Pool(executor, workers)

    @cached_property
    def _built(self) -> dict[Stream, PlainNetwork]:
        return {
            s.stream: build_plain(s.architecture, self.weights[s.stream], stem=stem_of(s.stream))
            for s in self.card.networks
        }


def build_plain(architecture: Architecture, tensors: Tensors, *, stem: Stem = "cells") -> PlainNetwork:
    """Make a network of its weights.

    Args:
        architecture: One of :data:`salientclips.samplers.card.ARCHITECTURES` or ``PRETRAINED``.
        tensors: All of its tensors (layouts.py), float32.
        stem: How it begins.

    Returns:
        The network.

    Raises:
        UnknownNameError: There is no such architecture.
    """
    match architecture:
        case "resnet18":
            return _ResNet18(tensors, stem)
        case "shufflenet26":
            return _ShuffleNet26(tensors, stem)
        case "vgg18":
            return _Vgg18(tensors)
        case "mobilenetv2":
            return _MobileNetV2(tensors)
        case "linear":
            return _LinearLayer(tensors)
        case "bands":
            return _BandLayer(tensors)
        case _:
            raise UnknownNameError("architecture", architecture, (*ARCHITECTURES, *PRETRAINED))


class _LinearLayer:
    """One layer on the mean over all places."""

    def __init__(self, tensors: Tensors) -> None:
        self._fc = Linear.of(tensors, "fc")

    def __call__(self, planes: Floats) -> Floats:
        return self._fc(mean_of_places(planes))


class _BandLayer:
    """One layer on the mean, deviation and maximum over time of each MEL band."""

    def __init__(self, tensors: Tensors) -> None:
        self._fc = Linear.of(tensors, "fc")

    def __call__(self, planes: Floats) -> Floats:
        bands = planes[0]  # (40, steps, B)
        mean = bands.mean(axis=1)
        spread = np.sqrt(np.square(bands - mean[:, None]).mean(axis=1))
        return self._fc(np.concatenate([mean, spread, bands.max(axis=1)]))


class _ShuffleNet26:
    """Units of version 2 (Ma et al., ECCV 2018): half of the channels pass by, then the halves are interleaved."""

    def __init__(self, tensors: Tensors, stem: Stem) -> None:
        self._pixels = stem == "pixels"
        self._stem = Dense.of(tensors, "conv1.0", "conv1.1", 2 if self._pixels else 1)
        self._units = tuple(
            _Unit.of(tensors, f"stage{stage}.{unit}", unit == 0)
            for stage, units in enumerate(SHUFFLE_UNITS, start=2)
            for unit in range(units)
        )
        self._fc = Linear.of(tensors, "fc")

    def __call__(self, planes: Floats) -> Floats:
        seen = self._stem(bordered(planes, 1), border=1 if self._pixels else 0)
        if self._pixels:
            seen = pool_threes(seen)
        for unit in self._units:
            seen = unit(seen)
        return self._fc(mean_of_places(seen))


@dataclass(frozen=True, eq=False)
class _Unit:
    """One unit of ShuffleNet; the first of a stage halves the grid and looks at all channels in both branches."""

    narrow: Dense
    wide: Separable
    aside: Separable | None

    @classmethod
    def of(cls, tensors: Tensors, name: str, is_first: bool) -> _Unit:
        narrow = Dense.of(tensors, f"{name}.branch2.0", f"{name}.branch2.1")
        wide = Separable.of(tensors, f"{name}.branch2", 3, 2 if is_first else 1)
        return cls(narrow, wide, Separable.of(tensors, f"{name}.branch1", 0, 2) if is_first else None)

    def __call__(self, planes: Floats) -> Floats:
        _, high, across, frames = planes.shape
        half = len(self.wide.weight)
        if self.aside is not None:
            high, across = (high + 1) // 2, (across + 1) // 2
        result = np.empty((2 * half, high, across, frames), np.float32)
        if self.aside is None:
            result[0::2] = planes[:half]
            planes = planes[half:]
        else:
            self.aside(bordered(planes, 1), result[0::2])
        self.wide(self.narrow(planes, border=1), result[1::2])
        return result


class _ResNet18:
    """Basic blocks (He et al., CVPR 2016)."""

    def __init__(self, tensors: Tensors, stem: Stem) -> None:
        self._pixels = stem == "pixels"
        self._stem = Dense.of(tensors, "conv1", "bn1", 2 if self._pixels else 1)
        self._blocks = tuple(
            _Block.of(tensors, f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1)
            for stage, blocks in enumerate(RESNET_BLOCKS, start=1)
            for block in range(blocks)
        )
        self._fc = Linear.of(tensors, "fc")

    def __call__(self, planes: Floats) -> Floats:
        seen = self._stem(bordered(planes, self._stem.side // 2), border=1 if self._pixels else 0)
        if self._pixels:
            seen = pool_threes(seen)
        for block in self._blocks:
            seen = block(seen)
        return self._fc(mean_of_places(seen))


@dataclass(frozen=True, eq=False)
class _Block:
    first: Dense
    second: Dense
    aside: Dense | None

    @classmethod
    def of(cls, tensors: Tensors, name: str, stride: int) -> _Block:
        aside = f"{name}.downsample"
        return cls(
            Dense.of(tensors, f"{name}.conv1", f"{name}.bn1", stride),
            Dense.of(tensors, f"{name}.conv2", f"{name}.bn2"),
            Dense.of(tensors, f"{aside}.0", f"{aside}.1", stride) if f"{aside}.0.weight" in tensors else None,
        )

    def __call__(self, planes: Floats) -> Floats:
        seen = self.second(self.first(bordered(planes, 1), border=1), border=0, rectified=False)
        seen += planes if self.aside is None else self.aside(planes, border=0, rectified=False)
        return rectify(seen)


class _Vgg18:
    """Configuration E of VGG (Simonyan and Zisserman, ICLR 2015), a quarter as wide; see nets.py."""

    def __init__(self, tensors: Tensors) -> None:
        self._layers = tuple(
            (Dense.of(tensors, f"features.{place}", f"features.{place + 1}"), pooled)
            for place, _, pooled in vgg_places()
        )
        self._hidden, self._fc = Linear.of(tensors, "hidden"), Linear.of(tensors, "fc")

    def __call__(self, planes: Floats) -> Floats:
        seen = bordered(planes, 1)
        for i, (layer, _) in enumerate(self._layers):
            pool_next = i + 1 == len(self._layers) or self._layers[i + 1][1]
            seen = layer(seen, border=0 if pool_next else 1)
            if pool_next and i + 1 < len(self._layers):
                seen = pool_twos(seen, border=1)
        return self._fc(rectify(self._hidden(mean_of_places(seen))))


class _MobileNetV2:
    """Inverted residuals (Sandler et al., CVPR 2018); see nets.py for where it is cut off."""

    def __init__(self, tensors: Tensors) -> None:
        self._stem = Dense.of(tensors, "features.0.0", "features.0.1", 2)
        self._blocks = tuple(
            _Inverted.of(tensors, f"features.{number}.conv", within != before, stride, before == width)
            for number, before, width, stride, within in mobile_blocks()
        )
        self._fc = Linear.of(tensors, "fc")

    def __call__(self, planes: Floats) -> Floats:
        seen = _up_to_6(self._stem(bordered(planes, 1), border=0))
        for block in self._blocks:
            seen = block(seen)
        return self._fc(mean_of_places(seen))


@dataclass(frozen=True, eq=False)
class _Inverted:
    wide: Dense | None
    depthwise: Depthwise
    narrow: Dense
    is_residual: bool

    @classmethod
    def of(cls, tensors: Tensors, name: str, widens: bool, stride: int, keeps_width: bool) -> _Inverted:
        place = int(widens)
        return cls(
            Dense.of(tensors, f"{name}.0.0", f"{name}.0.1") if widens else None,
            Depthwise.of(tensors, f"{name}.{place}.0", f"{name}.{place}.1", stride),
            Dense.of(tensors, f"{name}.{place + 1}", f"{name}.{place + 2}"),
            stride == 1 and keeps_width,
        )

    def __call__(self, planes: Floats) -> Floats:
        wide = bordered(planes, 1) if self.wide is None else _up_to_6(self.wide(planes, border=1))
        seen = self.narrow(self.depthwise(wide), border=0, rectified=False)
        if self.is_residual:
            seen += planes
        return seen


def _up_to_6(planes: Floats) -> Floats:
    """ReLU6 after a ReLU, in place."""
    return np.minimum(planes, np.float32(6), out=planes)
