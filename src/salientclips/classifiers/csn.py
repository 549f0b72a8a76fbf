"""ir-CSN-152, the best network f in the paper's tables (32 frames of 224 x 224).

Tran et al., "Video Classification with Channel-Separated Convolutional Networks", ICCV 2019: in the
interaction-reduced block (section 3.3, figure 2c) the 3x3x3 convolution of a ResNet bottleneck is
depthwise, so channels meet in the 1x1x1 convolutions only. ResNet-152: 3, 8, 36, 3 blocks (table 1); 29.7 M
parameters::

    clip (3, T, 224, 224)
      3x7x7 /(1,2,2) 64 -> BN, ReLU -> max 1x3x3 /(1,2,2)       stem
      [block] x 3    256  (T,   56, 56)       block:  x -----------------------+
      [block] x 8    512  (T/2, 28, 28)         1x1x1 N, BN, ReLU              |
      [block] x 36  1024  (T/4, 14, 14)         3x3x3 depthwise, BN, ReLU      | (1x1x1, BN where
      [block] x 3   2048  (T/8,  7,  7)         1x1x1 4N, BN                   |  the shape changes)
      mean over T, H, W -> linear               + <----------------------------+, ReLU

Tensors are named as in VMZ's PyTorch release (``pt/vmz``: torchvision's VideoResNet names); mmaction2's are
renamed. The two differ in normalisation: VMZ's use Kinetics statistics, mmaction2's fine-tuned ones
(``ircsn_ig65m_pretrained_..._58e_kinetics400``) ImageNet's. Files that mmaction2 *ported* from VMZ
(``vmz_ircsn_...``) have mmaction2's names and Kinetics statistics, which nothing in the file tells: give
``normalisation="kinetics"``. The published cost, 96.7 GFLOPs (97.6 with batch norm and ReLU in mmaction2's
count), is that of their test crop of 256 x 256; at 224 x 224, as the training crop and here, it is 74.0.
Not here: the interaction-preserved variant.
"""

from __future__ import annotations

import re

import torch
from torch import nn

from .protocol import ClipInput
from .recipe import NORMALISATIONS, Layout, Recipe
from .video_resnet import VideoResNet, batch_norm, projection

_BLOCKS = (3, 8, 36, 3)
_EXPANSION = 4


def _depthwise(channels: int, stride: int) -> nn.Conv3d:
    return nn.Conv3d(channels, channels, 3, stride, 1, groups=channels, bias=False)


class _Block(nn.Module):
    """The interaction-reduced bottleneck."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = width * _EXPANSION
        self.conv1 = nn.Sequential(
            nn.Conv3d(channels_in, width, 1, bias=False), batch_norm(width), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(_depthwise(width, stride), batch_norm(width), nn.ReLU(inplace=True))
        self.conv3 = nn.Sequential(nn.Conv3d(width, channels_out, 1, bias=False), batch_norm(channels_out))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = projection(channels_in, channels_out, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        result: torch.Tensor = self.relu(self.conv3(self.conv2(self.conv1(x))) + shortcut)
        return result


class IrCsn152(VideoResNet):
    """ir-CSN with 152 layers.

    Args:
        num_classes: Number of outputs.
    """

    def __init__(self, num_classes: int) -> None:
        stem = nn.Sequential(
            nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False),
            batch_norm(64),
            nn.ReLU(inplace=True),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        super().__init__(stem, _Block, _EXPANSION, _BLOCKS, num_classes)


_MMACTION_RULES: tuple[tuple[str, str], ...] = (
    # mmaction2 wraps convolution and batch norm as .conv and .bn, the depthwise pair in one Sequential more.
    (r"^backbone\.conv1\.conv\.", "stem.0."),
    (r"^backbone\.conv1\.bn\.", "stem.1."),
    (r"^backbone\.(layer\d\.\d+\.conv2)\.0\.conv\.", r"\1.0."),
    (r"^backbone\.(layer\d\.\d+\.conv2)\.0\.bn\.", r"\1.1."),
    (r"^backbone\.(layer\d\.\d+\.(?:conv[13]|downsample))\.conv\.", r"\1.0."),
    (r"^backbone\.(layer\d\.\d+\.(?:conv[13]|downsample))\.bn\.", r"\1.1."),
    (r"^cls_head\.fc_cls\.", "fc."),
)


def _rename_mmaction(name: str) -> str:
    for pattern, replacement in _MMACTION_RULES:
        renamed, hits = re.subn(pattern, replacement, name)
        if hits:
            return renamed
    return name


def from_mmaction(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """mmaction2's tensor names to ours; names that it does not know stay, and are reported later.

    Args:
        tensors: By mmaction2's names, for example ``backbone.layer1.0.conv2.0.conv.weight``; of any shape and
            any dtype.

    Returns:
        The same tensors, of the same shape and the same dtype, by our names: ``layer1.0.conv2.0.weight``.
    """
    return {_rename_mmaction(name): tensor for name, tensor in tensors.items()}


def recipe() -> Recipe:
    """How ir-CSN-152 is built and fed: 32 frames at a step of 2, shorter side 256, centre crop 224."""
    mean, std = NORMALISATIONS["kinetics"]
    return Recipe(
        name="ir_csn_152",
        input=ClipInput(frames=32, frame_step=2, resize_px=256, crop_px=224, mean=mean, std=std, gflops=None),
        build=IrCsn152,
        head_bias="fc.bias",
        layouts=(Layout("mmaction2", "backbone.conv1.conv.weight", from_mmaction, "imagenet"),),
        least_frames=1,
        published=(
            "for example ircsn_ig65m-pretrained-r152-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb "
            "of mmaction2's model zoo"
        ),
    )
