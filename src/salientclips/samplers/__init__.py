"""Rules (and later networks) that turn the features of a clip into one saliency (paper, section 3).

``SAMPLERS`` names every sampler that a user can pass; :func:`make_sampler` makes one by name.
"""

from __future__ import annotations

from ..errors import UnknownNameError
from .baselines import FRAMES_PER_CLIP, CumulativeMotion, Empirical, Motion, PacketCost, Random, Uniform
from .evidence import Judged, Sampler, VideoEvidence

SAMPLERS: tuple[str, ...] = ("motion", "cumulative-motion", "packet-cost", "uniform", "random")
"""Names of the samplers, the default first."""

__all__ = [
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
    """Make a sampler by name.

    Args:
        name: One of ``SAMPLERS``.
        seed: Seed of ``random``; the others have no chance in them.
        frames_per_clip: Frames that ``motion`` and ``cumulative-motion`` read per clip; 0 for all, None
            for their default.

    Returns:
        The sampler.

    Raises:
        UnknownNameError: There is no sampler of that name.
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
        case _:
            raise UnknownNameError("sampler", name, SAMPLERS)
