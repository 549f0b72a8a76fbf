"""R(2+1)D-34, the strongest factorised network in the paper's tables (32 frames of 112 x 112).

Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR 2018: every 3x3x3
convolution is split into a spatial and a temporal one (section 3.5), with as many channels M between them
as keep the number of parameters: M = floor(27 N_in N_out / (9 N_in + 3 N_out)). ResNet-34: 3, 4, 6, 3 basic
blocks (table 1)::

    clip (3, T, 112, 112)
      1x7x7 /(1,2,2) 45 -> BN, ReLU -> 3x1x1 64 -> BN, ReLU               stem
      [block] x 3   64    (T,   56, 56)
      [block] x 4  128    (T/2, 28, 28)        block:  x ----------------------+
      [block] x 6  256    (T/4, 14, 14)                1x3x3 M, BN, ReLU       |
      [block] x 3  512    (T/8,  7,  7)                3x1x1 N, BN, ReLU       | (1x1x1, BN where
      mean over T, H, W -> linear                      1x3x3 M', BN, ReLU      |  the shape changes)
                                                       3x1x1 N, BN             |
                                                       + <---------------------+, ReLU

M is computed for each convolution by itself, as the paper and Caffe2's VMZ do. torchvision computes it once
a block, which makes the second convolution of the first block of layers 2 to 4 narrower (230 for 288
channels); with that rule no published R(2+1)D-34 loads. Batch norm has eps 1e-3 as in Caffe2. Tensors are
named as in torchvision's VideoResNet, as the IG-65M and Kinetics checkpoints of moabitcoin/ig65m-pytorch
and of VMZ (``pt/``) are. Not here: R(2+1)D-152, optical flow.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from .protocol import ClipInput
from .recipe import NORMALISATIONS, Recipe
from .video_resnet import VideoResNet, batch_norm, projection

_BLOCKS = (3, 4, 6, 3)


def middle_channels(channels_in: int, channels_out: int) -> int:
    """Channels between the spatial and the temporal half (section 3.5, with t = d = 3).

    Args:
        channels_in: Channels before the spatial half.
        channels_out: Channels after the temporal half.

    Returns:
        So many that both halves together have the parameters of one 3x3x3 convolution, rounded down.
    """
    return 27 * channels_in * channels_out // (9 * channels_in + 3 * channels_out)


def _split_conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """A 3x3x3 convolution as 1x3x3, batch norm, ReLU, 3x1x1."""
    middle = middle_channels(channels_in, channels_out)
    return nn.Sequential(
        nn.Conv3d(channels_in, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        batch_norm(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(middle, channels_out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )


class _Block(nn.Module):
    """A basic residual block of two split convolutions."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            _split_conv(channels_in, channels_out, stride),
            batch_norm(channels_out),
            nn.ReLU(inplace=True),
        )
        self.conv2 = nn.Sequential(_split_conv(channels_out, channels_out), batch_norm(channels_out))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = projection(channels_in, channels_out, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        result: torch.Tensor = self.relu(self.conv2(self.conv1(x)) + shortcut)
        return result


class R2Plus1D(VideoResNet):
    """R(2+1)D with basic blocks.

    Args:
        num_classes: Number of outputs.
        blocks: Blocks in each of the four layers; (3, 4, 6, 3) is the network of 34 layers.
    """

    def __init__(self, num_classes: int, blocks: Sequence[int] = _BLOCKS) -> None:
        stem = nn.Sequential(
            nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            batch_norm(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, (3, 1, 1), 1, (1, 0, 0), bias=False),
            batch_norm(64),
            nn.ReLU(inplace=True),
        )
        super().__init__(stem, _Block, 1, blocks, num_classes)


def recipe() -> Recipe:
    """How R(2+1)D-34 is built and fed: 32 frames in a row, 128 x 171, centre crop 112 (VMZ's scripts)."""
    mean, std = NORMALISATIONS["kinetics"]
    return Recipe(
        name="r2plus1d_34",
        input=ClipInput(
            frames=32, frame_step=1, resize_px=(128, 171), crop_px=112, mean=mean, std=std, gflops=None
        ),
        build=R2Plus1D,
        head_bias="fc.bias",
        layouts=(),
        least_frames=1,
        published=(
            "for example r2plus1d_34_clip32_ft_kinetics_from_ig65m-ade133f1.pth, "
            "a release file of github.com/moabitcoin/ig65m-pytorch"
        ),
    )
