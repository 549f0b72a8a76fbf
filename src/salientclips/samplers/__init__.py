"""Rules and networks that turn the features of a clip into one saliency (paper, section 3).

``SAMPLERS`` names every sampler that is there without training: those that were trained and released with the
package, of which ``default`` scores where nothing is said, and rules that need no training. :func:`make_sampler`
makes one by name, or loads a learned one from its folder or from the hub. Importing this package imports no torch,
and no released sampler does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, UnknownNameError
from .baselines import FRAMES_PER_CLIP, CumulativeMotion, Empirical, Motion, PacketCost, Random, Uniform
from .evidence import Judged, Sampler, VideoEvidence
from .released import load_released, released_names

if TYPE_CHECKING:
    from .learned import LearnedSampler

RELEASED: tuple[str, ...] = released_names()
"""Names of the samplers that were trained and came with the package."""
SAMPLERS: tuple[str, ...] = (*RELEASED, "motion", "cumulative-motion", "packet-cost", "uniform", "random")
"""Names of the samplers, the default first."""
DEFAULT_SAMPLER = "default"
"""Who scores when nothing is said; trained, and ready without torch (released/__init__.py)."""

__all__ = [
    "DEFAULT_SAMPLER",
    "RELEASED",
    "SAMPLERS",
    "CumulativeMotion",
    "Empirical",
    "Judged",
    "Motion",
    "PacketCost",
    "Random",
    "Sampler",
    "Uniform",
    "VideoEvidence",
    "make_sampler",
]


def make_sampler(name: str, *, seed: int = 0, frames_per_clip: int | None = None) -> Sampler:
    """Make a sampler by name, or load one that was learned.

    Args:
        name: One of ``SAMPLERS``, the folder of a learned sampler, or ``"user/name"`` on the Hugging Face hub.
        seed: Seed of ``random``; the others have no chance in them.
        frames_per_clip: Frames that ``motion`` and ``cumulative-motion`` read per clip; 0 for all, None
            for their default of 4. A learned sampler, ``default`` among them, reads what it was trained on.

    Returns:
        The sampler.

    Raises:
        UnknownNameError: There is no sampler of that name.
        InputError: A learned sampler was trained on another number of frames.
        CardError: A learned sampler's card is damaged, or of features of another version.
        WeightsError: There is no such learned sampler, or its weights do not fit its card.
        MissingExtraError: It needs a package that does not load.

    Example:
        >>> from salientclips import make_sampler, score
        >>> sampler = make_sampler("motion", frames_per_clip=1)
        >>> sampler.feature_parameters
        FeatureParameters(frames_per_clip=1, features=('md', 'rgbr'), budget='full')
        >>> score("climb.mp4", sampler).sampler
        'motion'
    """
    frames = FRAMES_PER_CLIP if frames_per_clip is None else frames_per_clip
    match name:
        case "motion":
            return Motion(frames)
        case "cumulative-motion":
            return CumulativeMotion(frames)
        case "packet-cost":
            return PacketCost()
        case "uniform":
            return Uniform()
        case "random":
            return Random(seed)
    if name in RELEASED:
        return _checked(load_released(name), name, frames_per_clip)
    if "/" in name or os.sep in name or Path(name).is_dir():
        # Here and not above: whoever names no learned sampler need not wait for its code.
        from .learned import LearnedSampler

        return _checked(LearnedSampler.from_pretrained(name), name, frames_per_clip)
    raise UnknownNameError("sampler", name, (*SAMPLERS, "a learned sampler's FOLDER", "USER/NAME on the hub"))


def _checked(sampler: LearnedSampler, source: str, frames_per_clip: int | None) -> Sampler:
    trained_on = sampler.card.frames_per_clip
    if frames_per_clip is not None and frames_per_clip != trained_on:
        here = f"{trained_on or 'all'} frame{'' if trained_on == 1 else 's'} a clip"
        raise InputError(
            f"the sampler '{source}' was trained on {here} and cannot read {frames_per_clip or 'all'}",
            "leave --frames-per-clip out, or name a sampler that needs no training, such as --sampler motion",
        )
    return sampler
