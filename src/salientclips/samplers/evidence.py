"""What a sampler is given, and what it is: the two halves of the agreement between reading and scoring.

A sampler is a callable from the evidence of one video to one number a clip. It asks for what it needs, so a
sampler that looks at nothing (``uniform``) costs nothing, and features stream past without being kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..ranking import Rule
from ..timeline import ClipGrid
from ..types import ClipFeatures, FeatureParameters, PacketTable


@dataclass(frozen=True)
class VideoEvidence:
    """What a sampler can learn of one video without decoding it by itself."""

    table: PacketTable
    """Every packet's time, size and type."""
    grid: ClipGrid
    """The clips to be scored."""
    features: Callable[[FeatureParameters], Iterator[ClipFeatures]]
    """Reads features: an iterator in order of clips, one item a clip, each to be used and let go."""
    path: Path | None = None
    """The file, for a sampler that decodes by itself all the same (what it takes is booked as its own); None where
    there is none."""


@dataclass(frozen=True)
class Judged:
    """What a sampler with several streams says: its verdict, and the opinions that went into it."""

    scores: npt.NDArray[np.float64]
    """Saliency of each clip (num_clips,); NaN for a clip of which nothing could be read."""
    streams: dict[str, npt.NDArray[np.float64]]
    """Saliency by stream (num_clips,) each; see ``ClipScores.streams``."""
    warnings: tuple[str, ...] = ()
    """What the user should know of, one line each: a stream that this video does not have."""


class Sampler(Protocol):
    """A light judge of clips (the paper's saliency S, section 3).

    One with networks and without a card may say as ``gflops_per_clip`` what a clip costs, 10^9 multiply-adds.
    """

    @property
    def name(self) -> str:
        """The name that users pass and files store."""

    @property
    def rule(self) -> Rule:
        """How clips are to be taken from the scores."""

    @property
    def feature_parameters(self) -> FeatureParameters:
        """What it reads; ``features`` is empty where it reads nothing."""

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """Everything else that decides its numbers, to be stored with them."""

    def __call__(self, evidence: VideoEvidence) -> npt.NDArray[np.float64] | Judged:
        """Score every clip.

        Args:
            evidence: The video.

        Returns:
            float64 (num_clips,); higher is more salient; NaN for a clip of which nothing could be read. Or the
            same with the streams it was made from.
        """
