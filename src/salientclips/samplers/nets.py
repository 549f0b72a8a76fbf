"""The networks of the samplers: ResNet-18, ShuffleNet-26 and the 18-layer VGG (paper, section 3; poster).

One network looks at one stream and gives one number a class (objective AC) or one number (SAL-CL, SAL-RANK).
The blocks are torchvision's. What differs is the stem: MD and RGB-R are grids of 14 cells at the shorter
side, and the usual stem (stride 2, then max-pooling by 2) would leave 4 x 4 places of them before the first
block. So:

- ``"cells"`` (MD, RGB-R): one 3 x 3 convolution of stride 1, no pooling; the stages then work at 14, 7, 4 and
  2 (ResNet-18), or at 7, 4 and 2 (ShuffleNet-26).
- ``"pixels"`` (IF, 224 at the shorter side): torchvision's own stem.

**ShuffleNet-26** is the paper's name for ShuffleNet units repeated (2, 4, 2): 8 units of 3 convolutions, the
stem and the classifier are 26 layers. The units are those of torchvision, that is of version 2 (Ma et al.,
ECCV 2018), 116, 232 and 464 channels wide; version 2's last 1 x 1 convolution is left out, for the paper's
count has no place for it.

**VGG-18** is configuration E of VGG (Simonyan and Zisserman, ICLR 2015) for one channel of 40 x 200: 16
convolutions of 3 x 3, a hidden layer and the classifier are 18. It is light: a quarter as wide (16 to 128
channels), with batch normalisation, and with a mean over all places before the hidden layer instead of a
fixed grid.

**MobileNetV2** (Sandler et al., CVPR 2018) is not the paper's. It looks at I-frames with the weights that ImageNet
taught it, without its last group of blocks and its last convolution; nothing but the layer ``fc`` is to be trained,
so its batch normalisation is always that of inference.

**Linear** is one layer, on the statistics of a clip (statistics.py); **bands** is one layer on what each MEL band of
a window of sound amounts to, its mean over time, deviation and maximum. Neither is the paper's.

The others take any height and width from 7 up. Sizes and names of tensors are those of layouts.py; the same
networks without torch are in plain_networks.py. What their weights mean is not known here; see card.py.
"""

from __future__ import annotations

import torch
from torch import nn

from ..errors import InputError, UnknownNameError
from ..networks.cost import count_macs, count_parameters
from ..networks.extras import require
from .card import ARCHITECTURES, CHANNELS, PRETRAINED, Architecture, Stream
from .layouts import (
    BAND_FIGURES,
    MEL_BANDS,
    MOBILE_BLOCKS,
    RESNET_BLOCKS,
    RESNET_WIDTHS,
    SHUFFLE_UNITS,
    SHUFFLE_WIDTHS,
    VGG_HIDDEN,
    VGG_STAGES,
    Stem,
    stem_of,
)

LEAST_SIDE = 7
"""Smallest height and width of an input."""


def build_network(
    architecture: Architecture, in_channels: int, outputs: int, *, stem: Stem = "cells"
) -> nn.Module:
    """Build a network with fresh random weights, drawn by torch's global generator.

    Args:
        architecture: One of :data:`salientclips.samplers.card.ARCHITECTURES` or ``PRETRAINED``; these have random
            weights here too.
        in_channels: Channels of the input (C).
        outputs: Numbers it gives: the classes under AC, else 1.
        stem: How it begins; ``"pixels"`` for I-frames. Only ``resnet18`` and ``shufflenet26`` begin otherwise there.

    Returns:
        float32 (B, C, h, w), h and w at least 7, to logits (B, outputs); in training mode. ``linear`` takes one
        place (h = w = 1) too, ``bands`` C = 1 and h = 40 only.

    Raises:
        UnknownNameError: There is no such architecture.
        InputError: ``in_channels`` or ``outputs`` is below 1.
        MissingExtraError: torchvision is absent or does not load.
    """
    if in_channels < 1 or outputs < 1:
        raise InputError(
            f"a network of {in_channels} channels and {outputs} outputs is impossible",
            "give at least 1 of each",
        )
    match architecture:
        case "resnet18":
            return _resnet18(in_channels, outputs, stem)
        case "shufflenet26":
            return _shufflenet26(in_channels, outputs, stem)
        case "vgg18":
            return _Vgg18(in_channels, outputs)
        case "mobilenetv2":
            return _MobileNetV2(in_channels, outputs)
        case "linear":
            return _LinearLayer(in_channels, outputs)
        case "bands":
            return BandLayer(outputs)
        case _:
            raise UnknownNameError("architecture", architecture, (*ARCHITECTURES, *PRETRAINED))


def network_for(stream: Stream, architecture: Architecture, outputs: int) -> nn.Module:
    """Build the network of a stream: :func:`build_network` with the stream's channels and stem.

    Args:
        stream: What it looks at.
        architecture: Its architecture.
        outputs: Numbers it gives.

    Returns:
        The network.

    Raises:
        InputError: As for :func:`build_network`.
        MissingExtraError: torchvision is absent or does not load.
    """
    return build_network(architecture, CHANNELS[stream], outputs, stem=stem_of(stream))


def input_shape(stream: Stream, short_side_cells: int = 14) -> tuple[int, int, int]:
    """The input for which costs are stated: one square frame, or one audio window.

    Args:
        stream: What is looked at.
        short_side_cells: Shorter side, cells of 16 pixels.

    Returns:
        (C, h, w).
    """
    if stream == "audio":
        return CHANNELS[stream], 40, 200
    if stream == "stats":
        return CHANNELS[stream], 1, 1
    side = short_side_cells * (16 if stream == "if" else 1)
    return CHANNELS[stream], side, side


def stream_cost(
    stream: Stream, architecture: Architecture, outputs: int, short_side_cells: int = 14
) -> tuple[int, float]:
    """What the network of a stream costs, counted on the network itself.

    Args:
        stream: What it looks at.
        architecture: Its architecture.
        outputs: Numbers it gives.
        short_side_cells: Shorter side of its input, cells of 16 pixels.

    Returns:
        Trainable parameters, and 10^6 multiply-adds for one frame (audio: one window) of :func:`input_shape`.

    Raises:
        InputError: As for :func:`build_network`.
        MissingExtraError: torchvision is absent or does not load.
    """
    with torch.device("meta"):
        network = network_for(stream, architecture, outputs)
    macs = count_macs(network, (1, *input_shape(stream, short_side_cells)))
    return count_parameters(network), macs / 1e6


def _resnet18(in_channels: int, outputs: int, stem: Stem) -> nn.Module:
    resnet = require("torchvision.models.resnet", "torch")
    network: nn.Module = resnet.ResNet(resnet.BasicBlock, list(RESNET_BLOCKS), num_classes=outputs)
    if stem == "cells":
        network.conv1 = nn.Conv2d(in_channels, RESNET_WIDTHS[0], 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
    else:
        network.conv1 = nn.Conv2d(in_channels, RESNET_WIDTHS[0], 7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    return network


def _shufflenet26(in_channels: int, outputs: int, stem: Stem) -> nn.Module:
    shufflenet = require("torchvision.models.shufflenetv2", "torch")
    network: nn.Module = shufflenet.ShuffleNetV2(
        list(SHUFFLE_UNITS), [*SHUFFLE_WIDTHS, SHUFFLE_WIDTHS[-1]], num_classes=outputs
    )
    width, stride = SHUFFLE_WIDTHS[0], 1 if stem == "cells" else 2
    network.conv1 = nn.Sequential(
        nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
    if stem == "cells":
        network.maxpool = nn.Identity()
    network.conv5 = nn.Identity()
    return network


class _LinearLayer(nn.Module):
    """One layer on the mean over all places; of ``stats`` there is one place."""

    def __init__(self, in_channels: int, outputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_channels, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits


class BandLayer(nn.Module):
    """One layer on the figures of each MEL band of a window of sound.

    Args:
        outputs: Numbers it gives.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(BAND_FIGURES * MEL_BANDS, outputs)

    @staticmethod
    def figures(x: torch.Tensor) -> torch.Tensor:
        """What the layer knows of some windows.

        Args:
            x: Windows of sound, float32 or float64 (B, 1, 40, steps).

        Returns:
            float32 or float64 as they are (B, 120): the mean of each band over time, its deviation, its maximum.
        """
        bands = x[:, 0]
        spread = (bands - bands.mean(dim=2, keepdim=True)).square().mean(dim=2).sqrt()
        return torch.cat([bands.mean(dim=2), spread, bands.amax(dim=2)], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Judge some windows.

        Args:
            x: Windows of sound, float32 (B, 1, 40, steps).

        Returns:
            Logits, float32 (B, outputs).
        """
        logits: torch.Tensor = self.fc(self.figures(x))
        return logits


class _Vgg18(nn.Module):
    """The audio network; torchvision's VGG has a fixed number of channels, so its few lines are here."""

    def __init__(self, in_channels: int, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for stage, (width, convolutions) in enumerate(VGG_STAGES):
            if stage > 0:
                # ceil_mode keeps a place where a side is 1, so that small inputs pass.
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            for _ in range(convolutions):
                convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
                nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
                layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(channels, VGG_HIDDEN)
        self.fc = nn.Linear(VGG_HIDDEN, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = self.features(x)
        logits: torch.Tensor = self.fc(torch.relu(self.hidden(places.mean((2, 3)))))
        return logits


class _MobileNetV2(nn.Module):
    """torchvision's, cut off; its front never learns."""

    def __init__(self, in_channels: int, outputs: int) -> None:
        super().__init__()
        mobilenet = require("torchvision.models.mobilenetv2", "torch")
        blocks = mobilenet.MobileNetV2(inverted_residual_setting=[list(group) for group in MOBILE_BLOCKS])
        # The stem and the blocks; the last convolution is the one behind them.
        self.features: nn.Module = blocks.features[:-1]
        if in_channels != CHANNELS["if"]:
            self.features[0][0] = nn.Conv2d(
                in_channels, blocks.features[0][0].out_channels, 3, stride=2, padding=1, bias=False
            )
        self.fc = nn.Linear(MOBILE_BLOCKS[-1][1], outputs)

    def train(self, mode: bool = True) -> _MobileNetV2:
        super().train(mode)
        self.features.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            places = self.features(x)
        logits: torch.Tensor = self.fc(places.mean((2, 3)))
        return logits
