"""The layers of the samplers' networks in numpy: convolutions with batch normalisation folded in, pooling.

Planes are laid out (C, H, W, B): channels outermost, the frames of a batch innermost. So a 1 x 1 convolution is one
matrix product without a transposition, a half of the channels is a block of memory, and every run is a batch long.
What pooling sees went through a ReLU, therefore 0 pads it too.

The order of additions depends on shapes alone, as long as BLAS has one thread (one_blas_thread.py). Batch
normalisation is that of inference (running statistics), epsilon 1e-5 as in torch and torchvision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

Floats = npt.NDArray[np.float32]
Tensors = Mapping[str, Floats]
"""Weights by torch's names, of any shape (layouts.py)."""

_EPSILON = 1e-5
_BLOCK = 1 << 18
"""Numbers in the columns of a dense convolution at once: 1 MB, so that they stay in the cache."""


@dataclass(frozen=True, eq=False)
class Dense:
    """A k x k convolution with its batch normalisation, padded by k // 2."""

    weight: Floats
    """(O, C * k * k + 1); the last column is the bias."""
    side: int
    """Side of the window, k places."""
    stride: int = 1
    """Places from one window to the next."""

    @classmethod
    def of(cls, tensors: Tensors, convolution: str, norm: str, stride: int = 1) -> Dense:
        """Fold batch normalisation into a convolution.

        Args:
            tensors: The weights of the network.
            convolution: Name of the convolution, kernel (O, C, k, k).
            norm: Name of the normalisation that follows.
            stride: Places from one window to the next.

        Returns:
            Both as one layer.
        """
        kernel = tensors[f"{convolution}.weight"]
        scale, shift = _normalisation(tensors, norm)
        weight = np.column_stack((kernel.reshape(len(kernel), -1) * scale[:, None], shift))
        return cls(weight.astype(np.float32), kernel.shape[2], stride)

    def __call__(self, planes: Floats, *, border: int, rectified: bool = True) -> Floats:
        """Convolve, add the bias, and cut off below 0.

        Args:
            planes: (C, H + 2 * (k // 2), W, B), rows of zeros above and below.
            border: Rows of zeros wanted above and below the result.
            rectified: Whether the ReLU follows at once.

        Returns:
            (O, H' + 2 * border, W', B).
        """
        _, tall, wide, frames = planes.shape
        high, across = (tall - self.side) // self.stride + 1, (wide - 1) // self.stride + 1
        result = empty(len(self.weight), high, across, frames, border)
        inner = inside(result, border)
        if self.side == 1:
            seen = planes[:, :: self.stride, :: self.stride]
            found = _product(self.weight[:, :-1], seen)
            found += self.weight[:, -1][:, None, None, None]
            _copy(found, inner, rectified)
            return result
        taps = self.weight.shape[1]
        rows = min(high, max(1, _BLOCK // (taps * across * frames)))
        memory = np.empty(taps * rows * across * frames, np.float32)
        for top in range(0, high, rows):
            part = inner[:, top : top + rows]
            columns = memory[: taps * part[0].size].reshape(taps, -1)
            self._look(planes, top, part.shape[1], across, columns)
            _copy((self.weight @ columns).reshape(part.shape), part, rectified)
        return result

    def _look(self, planes: Floats, top: int, count: int, across: int, out: Floats) -> None:
        """What each place of some rows looks at, and a 1 for the bias: (C * k * k + 1, count * W' * B)."""
        channels, _, wide, frames = planes.shape
        side, step = self.side, self.stride
        out[-1] = 1.0
        columns = out[:-1].reshape(channels, side, side, count, across, frames)
        for down in range(side):
            first = top * step + down
            rows = planes[:, first : first + (count - 1) * step + 1 : step]
            for right in range(side):
                # The places for which this tap lies within the picture; beyond it are zeros.
                shift = right - side // 2
                begin = max(0, -(shift // step))
                end = max(begin, min(across, (wide - 1 - shift) // step + 1))
                taken = columns[:, down, right]
                taken[:, :, :begin] = 0.0
                taken[:, :, end:] = 0.0
                start = begin * step + shift
                taken[:, :, begin:end] = rows[:, :, start : start + (end - begin) * step : step]


@dataclass(frozen=True, eq=False)
class Separable:
    """A depthwise 3 x 3 convolution, its normalisation, then a 1 x 1 convolution with its own and a ReLU.

    Nothing stands between the two in ShuffleNet, so the first normalisation is folded into both. A depthwise
    convolution has too little work for each number that it reads: as nine shifted products and sums it takes three
    times as long as in the form here, in which each channel's three rows go through a banded matrix (3 W, W').
    """

    taps: Floats
    """(C, 3, 3)."""
    weight: Floats
    """(O, C)."""
    bias: Floats
    """(O,)."""
    stride: int
    """Places from one window to the next."""

    @classmethod
    def of(cls, tensors: Tensors, name: str, first: int, stride: int) -> Separable:
        """Fold four layers of a branch into one.

        Args:
            tensors: The weights of the network.
            name: Name of the branch.
            first: Number of its depthwise convolution; the normalisation of that, the 1 x 1 convolution and its
                normalisation have the numbers after it.
            stride: Places from one window of the depthwise convolution to the next.

        Returns:
            All four as one layer.
        """
        scale, shift = _normalisation(tensors, f"{name}.{first + 1}")
        taps = tensors[f"{name}.{first}.weight"][:, 0] * scale[:, None, None]
        scale, bias = _normalisation(tensors, f"{name}.{first + 3}")
        weight = tensors[f"{name}.{first + 2}.weight"][:, :, 0, 0] * scale[:, None]
        bias = bias + (weight * shift).sum(axis=1)
        return cls(taps.astype(np.float32), weight.astype(np.float32), bias.astype(np.float32), stride)

    def __call__(self, planes: Floats, out: Floats) -> None:
        """Convolve.

        Args:
            planes: (C, H + 2, W, B), a row of zeros above and below.
            out: Receives the result (O, H', W', B).
        """
        found = _product(self.weight, _depthwise(self.taps, planes, self.stride))
        found += self.bias[:, None, None, None]
        _copy(found, out, rectified=True)


@dataclass(frozen=True, eq=False)
class Depthwise:
    """A depthwise 3 x 3 convolution with its batch normalisation, cut off below 0 and above 6 (MobileNetV2)."""

    taps: Floats
    """(C, 3, 3)."""
    bias: Floats
    """(C,)."""
    stride: int
    """Places from one window to the next."""

    @classmethod
    def of(cls, tensors: Tensors, convolution: str, norm: str, stride: int) -> Depthwise:
        """Fold batch normalisation into a depthwise convolution.

        Args:
            tensors: The weights of the network.
            convolution: Name of the convolution, kernel (C, 1, 3, 3).
            norm: Name of the normalisation that follows.
            stride: Places from one window to the next.

        Returns:
            Both as one layer.
        """
        scale, shift = _normalisation(tensors, norm)
        taps = tensors[f"{convolution}.weight"][:, 0] * scale[:, None, None]
        return cls(taps.astype(np.float32), shift.astype(np.float32), stride)

    def __call__(self, planes: Floats) -> Floats:
        """Convolve.

        Args:
            planes: (C, H + 2, W, B), a row of zeros above and below.

        Returns:
            (C, H', W', B).
        """
        found = _depthwise(self.taps, planes, self.stride)
        found += self.bias[:, None, None, None]
        return np.clip(found, np.float32(0), np.float32(6), out=found)


@dataclass(frozen=True, eq=False)
class Linear:
    """A full layer on the mean over all places."""

    weight: Floats
    """(O, C)."""
    bias: Floats
    """(O,)."""

    @classmethod
    def of(cls, tensors: Tensors, name: str) -> Linear:
        """Take a full layer from the weights of a network.

        Args:
            tensors: The weights.
            name: Name of the layer, weight (O, C).

        Returns:
            The layer.
        """
        return cls(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def __call__(self, seen: Floats) -> Floats:
        """Multiply and add the bias.

        Args:
            seen: (C, B).

        Returns:
            (O, B).
        """
        found: Floats = self.weight @ seen + self.bias[:, None]
        return found


def empty(channels: int, high: int, across: int, frames: int, border: int) -> Floats:
    """Planes with rows of zeros above and below, and anything between.

    Args:
        channels: C.
        high: H.
        across: W.
        frames: B.
        border: Rows of zeros above and below.

    Returns:
        float32 (C, H + 2 * border, W, B).
    """
    planes = np.empty((channels, high + 2 * border, across, frames), np.float32)
    planes[:, :border] = 0.0
    planes[:, high + border :] = 0.0
    return planes


def inside(planes: Floats, border: int) -> Floats:
    """Planes without the rows of :func:`empty`.

    Args:
        planes: (C, H + 2 * border, W, B).
        border: Rows above and below.

    Returns:
        A view (C, H, W, B).
    """
    return planes[:, border : planes.shape[1] - border]


def bordered(planes: Floats, border: int) -> Floats:
    """Put rows of zeros above and below.

    Args:
        planes: (C, H, W, B).
        border: Rows above and below.

    Returns:
        A copy (C, H + 2 * border, W, B).
    """
    channels, high, across, frames = planes.shape
    result = empty(channels, high, across, frames, border)
    inside(result, border)[...] = planes
    return result


def pool_twos(planes: Floats, *, border: int) -> Floats:
    """The maximum of 2 x 2 places, of fewer at the end of an odd side.

    Args:
        planes: (C, H, W, B).
        border: Rows of zeros wanted above and below the result.

    Returns:
        (C, ceil(H / 2) + 2 * border, ceil(W / 2), B).
    """
    channels, high, across, frames = planes.shape
    rows = planes[:, 0::2].copy()
    np.maximum(rows[:, : high // 2], planes[:, 1::2], out=rows[:, : high // 2])
    result = empty(channels, (high + 1) // 2, (across + 1) // 2, frames, border)
    inner = inside(result, border)
    inner[...] = rows[:, :, 0::2]
    left = inner[:, :, : across // 2]
    np.maximum(left, rows[:, :, 1::2], out=left)
    return result


def pool_threes(planes: Floats) -> Floats:
    """The maximum of 3 x 3 places, stride 2.

    Args:
        planes: (C, H + 2, W, B), a row of zeros above and below; no number below 0.

    Returns:
        (C, ceil(H / 2), ceil(W / 2), B).
    """
    _, tall, wide, _ = planes.shape
    high, across = (tall - 3) // 2 + 1, (wide - 1) // 2 + 1
    rows = np.maximum(planes[:, 0 : 2 * high : 2], planes[:, 1 : 2 * high : 2])
    np.maximum(rows, planes[:, 2 : 2 * high + 1 : 2], out=rows)
    best = rows[:, :, ::2].copy()
    np.maximum(best[:, :, 1:], rows[:, :, 1 : 2 * across - 2 : 2], out=best[:, :, 1:])
    np.maximum(best[:, :, : wide // 2], rows[:, :, 1::2], out=best[:, :, : wide // 2])
    return best


def mean_of_places(planes: Floats) -> Floats:
    """The mean over all places.

    Args:
        planes: (C, H, W, B).

    Returns:
        (C, B).
    """
    channels, _, _, frames = planes.shape
    mean: Floats = planes.reshape(channels, -1, frames).mean(axis=1)
    return mean


def rectify(planes: Floats) -> Floats:
    """Cut off below 0, in place.

    Args:
        planes: Of any shape.

    Returns:
        The same planes (any shape).
    """
    return np.maximum(planes, np.float32(0), out=planes)


def _product(weight: Floats, planes: Floats) -> Floats:
    """A 1 x 1 convolution: (O, C) and (C, H, W, B) to (O, H, W, B)."""
    channels, high, across, frames = planes.shape
    product: Floats = weight @ planes.reshape(channels, -1)
    return product.reshape(len(weight), high, across, frames)


def _depthwise(taps: Floats, planes: Floats, stride: int) -> Floats:
    """Taps (C, 3, 3) over planes (C, H + 2, W, B): (C, H', W', B)."""
    channels, tall, wide, frames = planes.shape
    high = (tall - 3) // stride + 1
    of_channel, of_row, of_place, of_frame = planes.strides
    threes = as_strided(
        planes,
        (channels, high, 3 * wide, frames),
        (of_channel, of_row * stride, of_place, of_frame),
        writeable=False,
    )
    found: Floats = np.matmul(_band(taps, wide, stride)[:, None], threes)
    return found


def _band(taps: Floats, wide: int, stride: int) -> Floats:
    """The taps as a matrix (C, W', 3 * W) over three rows of W places."""
    band = np.zeros((len(taps), (wide - 1) // stride + 1, 3, wide), np.float32)
    for place in range(band.shape[1]):
        left = place * stride - 1
        begin, end = max(left, 0), min(left + 3, wide)
        band[:, place, :, begin:end] = taps[:, :, begin - left : end - left]
    return band.reshape(len(taps), -1, 3 * wide)


def _copy(found: Floats, out: Floats, rectified: bool) -> None:
    if rectified:
        np.maximum(found, np.float32(0), out=out)
    else:
        out[...] = found


def _normalisation(tensors: Tensors, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Batch normalisation as ``x * scale + shift``, float64 (C,) each."""
    parts = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (tensors[f"{name}.{part}"].astype(np.float64) for part in parts)
    scale = gamma / np.sqrt(variance + _EPSILON)
    return scale, beta - mean * scale
