"""torchvision's R3D-18, MC3-18 and R(2+1)D-18 (three of the networks f in the paper's Sports1M table).

Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR 2018. The networks
are torchvision's own; here is how they are fed (its published transform: 128 x 171, centre crop 112, no
anti-aliasing) and where their weights come from. 16 frames at a step of 2 is torchvision's protocol (15
frames a second of 30). The residual blocks differ in their convolutions::

    R3D        MC3 (layers 2-4)   R(2+1)D
    3x3x3      1x3x3              1x3x3 -> BN -> ReLU -> 3x1x1
    BN, ReLU   BN, ReLU           BN, ReLU
    3x3x3      1x3x3              1x3x3 -> BN -> ReLU -> 3x1x1
    BN         BN                 BN
      + <-- input (or its 1x1x1 projection), then ReLU
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from ..errors import WeightsError
from ..networks.extras import require
from .protocol import ClipInput
from .recipe import NORMALISATIONS, Recipe

TorchvisionName = Literal["r3d_18", "mc3_18", "r2plus1d_18"]


def recipe(name: TorchvisionName) -> Recipe:
    """How a torchvision network is built and fed.

    Args:
        name: Its name there and here.

    Returns:
        The recipe.

    Raises:
        MissingExtraError: torchvision is absent or does not load.
    """
    video = require("torchvision.models.video", "torch")

    def build(num_classes: int) -> nn.Module:
        network = getattr(video, name)(weights=None, num_classes=num_classes)
        assert isinstance(network, nn.Module)
        return network

    mean, std = NORMALISATIONS["kinetics"]
    return Recipe(
        name=name,
        input=ClipInput(
            frames=16,
            frame_step=2,
            resize_px=(128, 171),
            crop_px=112,
            mean=mean,
            std=std,
            gflops=None,
            antialias=False,
        ),
        build=build,
        head_bias="fc.bias",
        layouts=(),
        least_frames=1,
        published="weights='default' for torchvision's own",
    )


def default_tensors(name: TorchvisionName) -> dict[str, torch.Tensor]:
    """Torchvision's published Kinetics-400 weights, by its own download and cache.

    Args:
        name: The network.

    Returns:
        float32 tensors by name, of any shape.

    Raises:
        MissingExtraError: torchvision is absent or does not load.
        WeightsError: The download failed or its hash is wrong.
    """
    models = require("torchvision.models", "torch")
    chosen = models.get_model_weights(name).DEFAULT
    try:
        tensors: dict[str, torch.Tensor] = chosen.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # urllib's errors are OSErrors; a bad hash is a RuntimeError
        raise WeightsError(
            f"torchvision's weights of {name} cannot be had ({error})",
            f"download {chosen.url} elsewhere and give weights=PATH",
        ) from error
    return tensors
