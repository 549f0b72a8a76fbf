"""What the residual networks of VMZ have in common: a stem, four layers of blocks, the mean over all places, a head.

They differ in the stem and in the block, which their own modules hold. Batch norm has Caffe2's eps, as VMZ's networks
were trained with. Tensors are named as in torchvision's VideoResNet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

WIDTHS = (64, 128, 256, 512)
"""Channels of the blocks of each layer, before a bottleneck widens them."""


def batch_norm(channels: int) -> nn.BatchNorm3d:
    """Batch norm as Caffe2 has it.

    Args:
        channels: Of its input.

    Returns:
        The module; its eps is 1e-3, torch's own would be 1e-5.
    """
    return nn.BatchNorm3d(channels, eps=1e-3)


def projection(channels_in: int, channels_out: int, stride: int) -> nn.Module | None:
    """What a block's input passes on the way around the block.

    Args:
        channels_in: Channels of the block's input.
        channels_out: Channels of its output.
        stride: Of the block, in time and space.

    Returns:
        A 1x1x1 convolution and batch norm; None where the shape stays.
    """
    if stride == 1 and channels_in == channels_out:
        return None
    return nn.Sequential(
        nn.Conv3d(channels_in, channels_out, 1, stride, bias=False), batch_norm(channels_out)
    )


class VideoResNet(nn.Module):
    """A residual network over clips.

    Args:
        stem: Before the layers; gives 64 channels.
        block: Makes a block of channels in, channels of the layer and stride.
        expansion: How many times wider a block's output is than its layer.
        blocks: Blocks in each of the four layers.
        num_classes: Number of outputs.
    """

    def __init__(
        self,
        stem: nn.Module,
        block: Callable[[int, int, int], nn.Module],
        expansion: int,
        blocks: Sequence[int],
        num_classes: int,
    ) -> None:
        super().__init__()

        def layer(channels_in: int, width: int, count: int, stride: int) -> nn.Sequential:
            first = block(channels_in, width, stride)
            return nn.Sequential(first, *(block(width * expansion, width, 1) for _ in range(count - 1)))

        channels = [width * expansion for width in WIDTHS]
        self.stem = stem
        self.layer1 = layer(64, WIDTHS[0], blocks[0], 1)
        self.layer2 = layer(channels[0], WIDTHS[1], blocks[1], 2)
        self.layer3 = layer(channels[1], WIDTHS[2], blocks[2], 2)
        self.layer4 = layer(channels[2], WIDTHS[3], blocks[3], 2)
        self.fc = nn.Linear(channels[3], num_classes)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips to logits.

        Args:
            clips: float32 (B, 3, T, H, W).

        Returns:
            float32 (B, num_classes).
        """
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(clips)))))
        logits: torch.Tensor = self.fc(x.mean(dim=(2, 3, 4)))
        return logits
