"""Clip classifiers: f maps a clip to class probabilities (paper, section 4).

The front door is :func:`load_classifier`; :func:`prepare_clip` makes its input from decoded frames. Any
other callable that keeps :class:`ClipClassifier` will do as well. Importing this package imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import UnknownNameError
from ..networks.extras import require
from .labels import kinetics400_labels
from .preprocess import prepare_clip, shrink_frames
from .protocol import ClipClassifier, ClipInput
from .recipe import Normalisation

__all__ = [
    "CLASSIFIERS",
    "ClipClassifier",
    "ClipInput",
    "kinetics400_labels",
    "load_classifier",
    "prepare_clip",
    "shrink_frames",
]

CLASSIFIERS: tuple[str, ...] = ("r3d_18", "mc3_18", "r2plus1d_18", "r2plus1d_34", "ir_csn_152", "i3d_rgb")
"""The networks f of the paper's tables. ``hf:NAME_OR_FOLDER`` names any Hugging Face video classifier."""


def load_classifier(
    name: str,
    *,
    weights: str | Path | None = None,
    sha256: str | None = None,
    random_weights: bool = False,
    labels: str | Path | Sequence[str] | None = None,
    num_classes: int | None = None,
    frames: int | None = None,
    frame_step: int | None = None,
    crop_px: int | None = None,
    normalisation: Normalisation | None = None,
    device: str = "auto",
    batch_size: int = 8,
    threads: int | None = None,
) -> ClipClassifier:
    """Build a clip classifier and fill it with weights.

    Args:
        name: One of :data:`CLASSIFIERS`, or ``hf:`` and the name or folder of a Hugging Face model.
        weights: A path or URL; ``"default"`` for torchvision's published ones (needs a network; the three
            networks of 18 layers only). Not for ``hf:``, where the name says it.
        sha256: What the weights file must hash to, hexadecimal.
        random_weights: Fill it with random numbers instead, always the same: for trying things out only.
        labels: Class names in order of the outputs, or a text file with one a line. By default those of
            Kinetics-400 for 400 classes, else ``class_0``, ``class_1`` ...; of the model itself for ``hf:``.
        num_classes: Number of outputs; by default that of ``labels``, else of the weights, else 400.
        frames: Frames of a clip (T), where the network was trained with another number.
        frame_step: Source frames from one to the next.
        crop_px: Side of the square picture, pixels, where not the network's usual; what is cut from it stays the
            same share of the picture. A smaller one is cheaper, and less accurate.
        normalisation: Whose RGB statistics the weights were trained with, where it is not what the
            checkpoint's naming scheme implies (see :mod:`salientclips.classifiers.csn`).
        device: ``"auto"`` (CUDA where there is one), or torch's name of a device.
        batch_size: Clips at a time on a GPU.
        threads: Clips side by side on the CPU; None for torch's number of threads.

    Returns:
        The classifier, in eval mode. On the CPU its probabilities are the same bits for any number of threads
        and any batch (:mod:`salientclips.classifiers.network`).

    Raises:
        UnknownNameError: There is no classifier of that name.
        WeightsError: No weights were given and ``random_weights`` is False, or they do not fit.
        InputError: Arguments contradict one another, or cannot be honoured.
        MissingExtraError: torch, torchvision or transformers is absent or does not load.

    Example:
        >>> from salientclips import load_classifier
        >>> f = load_classifier("r3d_18", random_weights=True, frames=8, crop_px=32)
        >>> f.input.frames, f.input.crop_px, len(f.labels)
        (8, 32, 400)
    """
    if name not in CLASSIFIERS and not name.startswith("hf:"):
        raise UnknownNameError("classifier", name, (*CLASSIFIERS, "hf:NAME_OR_FOLDER"))
    require("torch", "torch")
    from .loading import Request, load

    return load(
        Request(
            name=name,
            weights=weights,
            sha256=sha256,
            random_weights=random_weights,
            labels=labels,
            num_classes=num_classes,
            frames=frames,
            frame_step=frame_step,
            crop_px=crop_px,
            normalisation=normalisation,
            device=device,
            batch_size=batch_size,
            threads=threads,
        )
    )
