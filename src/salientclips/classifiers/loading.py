"""From a request to a running classifier: which recipe, which weights, how many classes, which labels.

The one rule above all: weights are never random in silence. Imports torch; the package's ``__init__`` does
not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from ..errors import InputError, WeightsError
from ..networks.cost import count_gflops
from ..networks.extras import pick_device
from ..networks.weights import load_tensors, local_file, read_tensors
from .labels import default_labels, kinetics400_labels, labels_from
from .network import NetworkClassifier
from .protocol import ClipInput
from .recipe import NORMALISATIONS, Normalisation, Recipe
from .torchvision import TorchvisionName

_LEAST_CROP_PX = 32
"""Networks shrink the picture by 32 before their last layer."""
SEED = 0
"""Of random weights: the same numbers in every process."""


@dataclass(frozen=True)
class Request:
    """What :func:`salientclips.classifiers.load_classifier` was asked for; its arguments, one by one."""

    name: str
    """One of ``CLASSIFIERS``, or ``hf:`` and a name or folder."""
    weights: str | Path | None
    """A path, a URL or ``"default"``."""
    sha256: str | None
    """What the weights file must hash to, hexadecimal."""
    random_weights: bool
    """Whether random numbers take the place of weights."""
    labels: str | Path | Sequence[str] | None
    """Class names in order of the outputs, or the file that holds them."""
    num_classes: int | None
    """Number of outputs."""
    frames: int | None
    """Frames of a clip (T)."""
    frame_step: int | None
    """Source frames from one to the next."""
    crop_px: int | None
    """Side of the square picture, pixels."""
    normalisation: Normalisation | None
    """Whose RGB statistics the weights were trained with."""
    device: str
    """``"auto"``, or torch's name of a device."""
    batch_size: int
    """Clips at a time on a GPU."""
    threads: int | None
    """Clips side by side on a CPU."""


def load(request: Request) -> NetworkClassifier:
    """Build the classifier of a request.

    Args:
        request: What the user asked for.

    Returns:
        The classifier, in eval mode, on its device.

    Raises:
        UnknownNameError: There is no classifier of that name.
        WeightsError: No weights were given, or they do not fit.
        InputError: The arguments contradict one another, or cannot be honoured.
        MissingExtraError: torchvision or transformers is absent or does not load.
    """
    _check(request)
    names = None if request.labels is None else labels_from(request.labels)
    if names is not None and request.num_classes not in (None, len(names)):
        raise InputError(f"{len(names)} labels do not name {request.num_classes} classes", "give as many")
    device = pick_device(request.device)
    if request.name.startswith("hf:"):
        from . import huggingface

        loaded = huggingface.load(
            request.name.removeprefix("hf:"), random_seed=SEED if request.random_weights else None
        )
        network, spec, weights = loaded.network, loaded.input, loaded.weights
        num_classes, own_labels = len(loaded.labels), loaded.labels
        if request.num_classes not in (None, num_classes):
            raise InputError(f"{request.name} has {num_classes} classes", "leave num_classes out")
    else:
        network, spec, weights, num_classes = _from_recipe(_recipe(request.name), request, names)
        own_labels = default_labels(num_classes)
    if names is not None and len(names) != num_classes:
        raise InputError(f"{len(names)} labels for {num_classes} classes", "give as many labels as classes")
    return NetworkClassifier(
        name=request.name,
        input=_overridden(spec, request),
        labels=names or own_labels,
        network=network.eval().requires_grad_(False).to(device),
        device=device,
        weights=weights,
        batch_size=request.batch_size,
        threads=request.threads,
    )


def _check(request: Request) -> None:
    if request.random_weights and request.weights is not None:
        raise InputError("weights and random_weights exclude one another", "give one of them")
    if request.name.startswith("hf:") and request.weights is not None:
        raise InputError("a Hugging Face model brings its own weights", "leave weights out")
    at_least = {
        "num_classes": 1,
        "frames": 1,
        "frame_step": 1,
        "crop_px": _LEAST_CROP_PX,
        "batch_size": 1,
        "threads": 1,
    }
    for what, least in at_least.items():
        value = getattr(request, what)
        if value is not None and value < least:
            raise InputError(f"{what} = {value} is impossible", f"give at least {least}")
    if request.normalisation is not None and request.normalisation not in NORMALISATIONS:
        raise InputError(
            f"there is no normalisation {request.normalisation!r}",
            f"choose one of: {', '.join(NORMALISATIONS)}",
        )


def _recipe(name: str) -> Recipe:
    from . import csn, i3d, r2plus1d
    from . import torchvision as of_torchvision

    match name:
        case "r2plus1d_34":
            return r2plus1d.recipe()
        case "ir_csn_152":
            return csn.recipe()
        case "i3d_rgb":
            return i3d.recipe()
        case _:
            return of_torchvision.recipe(cast(TorchvisionName, name))


def _from_recipe(
    recipe: Recipe, request: Request, names: tuple[str, ...] | None
) -> tuple[nn.Module, ClipInput, str, int]:
    """The network with its weights, how it is fed, where the weights are from, its number of classes."""
    frames = request.frames or recipe.input.frames
    if frames < recipe.least_frames:
        raise InputError(f"{recipe.name} cannot take {frames} frames", f"give at least {recipe.least_frames}")
    tensors, source, normalisation = _tensors(recipe, request)
    asked = len(names) if names is not None else request.num_classes
    num_classes = asked or _classes_of(tensors, recipe) or len(kinetics400_labels())
    with torch.device("meta"):
        network = recipe.build(num_classes)
    spec = _of_size(recipe.input, request.crop_px)
    spec = replace(spec, frames=frames, gflops=count_gflops(network, frames, spec.crop_px))
    if normalisation is not None:
        mean, std = NORMALISATIONS[normalisation]
        spec = replace(spec, mean=mean, std=std)
    if tensors is None:
        network = _random(recipe, num_classes)
    else:
        load_tensors(network, tensors, of=recipe.name, source=source)
    return network, spec, source, num_classes


def _tensors(
    recipe: Recipe, request: Request
) -> tuple[dict[str, torch.Tensor] | None, str, Normalisation | None]:
    """The tensors by the network's own names (None for random ones), their source, their normalisation."""
    if request.random_weights:
        return None, f"random (seed {SEED})", None
    if request.weights is None:
        raise WeightsError(
            f"{recipe.name} has no weights",
            f"give weights, a path or URL ({recipe.published}), or say --random-weights "
            "(random_weights=True) to try things out",
        )
    if request.weights == "default":
        return _default_tensors(recipe.name), "torchvision's default", None
    path = local_file(request.weights, sha256=request.sha256)
    tensors = read_tensors(path)
    layout = next((layout for layout in recipe.layouts if layout.marker in tensors), None)
    if layout is None:
        return tensors, str(request.weights), None
    return layout.rename(tensors), str(request.weights), layout.normalisation


def _default_tensors(name: str) -> dict[str, torch.Tensor]:
    from .torchvision import default_tensors

    if name not in ("r3d_18", "mc3_18", "r2plus1d_18"):
        raise WeightsError(
            f"nobody publishes default weights of {name} for this package",
            f"give a path or a URL ({_recipe(name).published})",
        )
    return default_tensors(cast(TorchvisionName, name))


def _classes_of(tensors: dict[str, torch.Tensor] | None, recipe: Recipe) -> int | None:
    head: Any = None if tensors is None else tensors.get(recipe.head_bias)
    return int(head.shape[0]) if head is not None and head.ndim == 1 else None


def _random(recipe: Recipe, num_classes: int) -> nn.Module:
    # The caller's random numbers go on as if nothing had been drawn.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return recipe.build(num_classes)


def _of_size(spec: ClipInput, crop_px: int | None) -> ClipInput:
    """The input with another crop, the picture resized in proportion."""
    if crop_px is None:
        return spec
    sides = (spec.resize_px,) if isinstance(spec.resize_px, int) else spec.resize_px
    # Upwards, so that the crop never exceeds the picture.
    scaled = [-(-side * crop_px // spec.crop_px) for side in sides]
    return replace(spec, crop_px=crop_px, resize_px=scaled[0] if len(scaled) == 1 else (scaled[0], scaled[1]))


def _overridden(spec: ClipInput, request: Request) -> ClipInput:
    """What the user knows better than the recipe."""
    if request.normalisation is not None:
        mean, std = NORMALISATIONS[request.normalisation]
        spec = replace(spec, mean=mean, std=std)
    if request.frame_step is not None:
        spec = replace(spec, frame_step=request.frame_step)
    if request.crop_px is not None and request.crop_px != spec.crop_px:
        raise InputError(f"{request.name} takes {spec.crop_px} pixels a side", "leave crop_px out")
    if request.frames is not None and request.frames != spec.frames:
        raise InputError(f"{request.name} takes {spec.frames} frames a clip", "leave frames out")
    return spec
