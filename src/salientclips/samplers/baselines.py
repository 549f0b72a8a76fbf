"""Samplers that need no training; each is a baseline for ever.

``uniform``, ``random`` and ``empirical`` are strategies of the paper's tables (poster, "Strategies").
``packet-cost`` believes the encoder: what is costly to code is new. ``motion`` adds up what moves against the
camera and what motion could not predict. ``cumulative-motion`` is MGSampler (Zhi et al., ICCV 2021) at clip level:
clips are spread evenly over the motion instead of over time.

All keep the protocol :class:`salientclips.Sampler`, which says what ``name``, ``rule`` and the rest are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..compressed.features import remove_camera_motion
from ..compressed.packet_cost import packet_cost
from ..errors import InputError
from ..ranking import Rule
from ..types import ClipFeatures, FeatureParameters
from .evidence import VideoEvidence

Scores = npt.NDArray[np.float64]

NO_FEATURES = FeatureParameters(frames_per_clip=0, features=())
PACKETS_ONLY = FeatureParameters(frames_per_clip=0, features=("packets",))
FRAMES_PER_CLIP = 4
"""Frames that the motion samplers read of a clip when nothing is said."""

NET_SIDE_PX = 224
"""Motion is measured as if the shorter side had this many pixels, so that sizes can be compared."""


@dataclass(frozen=True)
class Uniform:
    """K clips evenly spread over the video: equal scores, spread by the cumulative rule."""

    name: ClassVar[str] = "uniform"
    rule: ClassVar[Rule] = "cumulative"
    feature_parameters: ClassVar[FeatureParameters] = NO_FEATURES

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """None."""
        return {}

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """Score each clip 1; float64 (num_clips,)."""
        return np.ones(len(evidence.grid))


@dataclass(frozen=True)
class Random:
    """K clips by lot."""

    seed: int = 0
    """Of the draw; the same seed gives the same clips."""
    name: ClassVar[str] = "random"
    rule: ClassVar[Rule] = "top"
    feature_parameters: ClassVar[FeatureParameters] = NO_FEATURES

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """The seed."""
        return {"seed": self.seed}

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """Score each clip by a seeded uniform draw from [0, 1); float64 (num_clips,)."""
        return np.random.default_rng(self.seed).random(len(evidence.grid))


@dataclass(frozen=True)
class Empirical:
    """K clips drawn from where f's best clips lay in the training videos (poster, "empirical").

    Raises:
        InputError: The histogram is empty, or has impossible weights.
    """

    histogram: tuple[float, ...]
    """Weights of equal parts of a video's length, at least 0; it is in a learned sampler's card."""
    seed: int = 0
    """Of the draw; the same seed gives the same clips."""
    name: ClassVar[str] = "empirical"
    rule: ClassVar[Rule] = "top"
    feature_parameters: ClassVar[FeatureParameters] = NO_FEATURES

    def __post_init__(self) -> None:
        weights = np.array(self.histogram, dtype=np.float64)
        if weights.size == 0 or not np.isfinite(weights).all() or weights.min() < 0 or not weights.any():
            raise InputError(
                "the histogram of where salient clips lie is empty or has impossible weights",
                "give weights of at least 0, not all 0; `salientclips fit` puts one in a sampler's card",
            )

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """The seed, and the histogram as text."""
        return {"seed": self.seed, "histogram": " ".join(f"{weight:.6g}" for weight in self.histogram)}

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """Seeded scores whose top K are K different clips drawn by the histogram, one after the other.

        The logarithm of a clip's weight plus a Gumbel draw: the order of such sums is that of drawing without
        replacement with these weights (Vieira 2014, "Gumbel-max trick"). A clip's weight is the mass of the
        histogram over its span, between the first clip's start and the last one's end. Clips of no weight come
        after all others, by lot.

        Args:
            evidence: The video; only its grid is used.

        Returns:
            float64 (num_clips,), finite.
        """
        grid = evidence.grid
        if len(grid) == 0:
            return np.zeros(0)
        begin, span = grid.start_s[0], grid.end_s[-1] - grid.start_s[0]
        mass = np.concatenate([[0.0], np.cumsum(self.histogram)])
        edges = np.linspace(0.0, 1.0, len(mass))

        def below(times_s: Scores) -> Scores:
            found: Scores = np.interp((times_s - begin) / span, edges, mass)
            return found

        weights = below(grid.end_s) - below(grid.start_s)
        scores = np.random.default_rng(self.seed).gumbel(size=len(grid))
        some = weights > 0
        scores[some] += np.log(weights[some])
        if some.any() and not some.all():
            scores[~some] -= scores[~some].max() - scores[some].min() + 1.0
        return scores


@dataclass(frozen=True)
class PacketCost:
    """How much dearer a clip's frames are than others of their type in the same video."""

    name: ClassVar[str] = "packet-cost"
    rule: ClassVar[Rule] = "top"
    feature_parameters: ClassVar[FeatureParameters] = PACKETS_ONLY

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """None."""
        return {}

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """Mean over the clip's frames of size / (mean size of that frame type in the video).

        See :func:`salientclips.compressed.packet_cost.packet_cost`.

        Args:
            evidence: The video; only its packet table is read.

        Returns:
            float64 (num_clips,), 1 is average; NaN where a clip holds no frame that counts.
        """
        return packet_cost(evidence.table, evidence.grid)


@dataclass(frozen=True)
class Motion:
    """What moves against the camera, and what motion could not predict."""

    frames_per_clip: int = FRAMES_PER_CLIP
    """Frames read of a clip, evenly spread; 0 for all."""
    name: ClassVar[str] = "motion"
    rule: ClassVar[Rule] = "top"

    @property
    def feature_parameters(self) -> FeatureParameters:
        """MD and RGB-R of ``frames_per_clip`` frames."""
        return FeatureParameters(self.frames_per_clip, ("md", "rgbr"))

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """None beyond the feature parameters."""
        return {}

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """``log(1 + m * r)``, averaged over the frames read of a clip.

        m is the mean length of the displacements after the global camera motion was taken out, in pixels per
        frame at a shorter side of 224; r is the root of the mean squared luma residual, in 8-bit levels.
        The product asks for both: vectors without residual are a texture that slides, residual without
        vectors is noise. The logarithm keeps one wild frame from drowning a clip. How this compares with
        other forms is in docs/decisions.md.

        Args:
            evidence: The video; MD and RGB-R are read.

        Returns:
            float64 (num_clips,), 0 for a still picture; NaN where no frame of a clip could be read.
        """
        scores = np.full(len(evidence.grid), np.nan)
        for clip in evidence.features(self.feature_parameters):
            scores[clip.index] = motion_of(clip)
        return scores


@dataclass(frozen=True)
class CumulativeMotion:
    """MGSampler's idea at clip level: clips at equal steps of accumulated motion."""

    frames_per_clip: int = FRAMES_PER_CLIP
    """Frames read of a clip, evenly spread; 0 for all."""
    name: ClassVar[str] = "cumulative-motion"
    rule: ClassVar[Rule] = "cumulative"

    @property
    def feature_parameters(self) -> FeatureParameters:
        """MD of ``frames_per_clip`` frames."""
        return FeatureParameters(self.frames_per_clip, ("md",))

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """None beyond the feature parameters."""
        return {}

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """Square root of the mean displacement against the camera, averaged over the frames read.

        The root is MGSampler's exponent of 0.5, which keeps still stretches from being skipped altogether.

        Args:
            evidence: The video; MD is read.

        Returns:
            float64 (num_clips,), at least 0; NaN where no frame of a clip could be read.
        """
        scores = np.full(len(evidence.grid), np.nan)
        for clip in evidence.features(self.feature_parameters):
            if clip.times:
                scores[clip.index] = np.mean(np.sqrt(moving(clip)))
        return scores


def motion_of(clip: ClipFeatures) -> float:
    """The score of ``motion`` (:meth:`Motion.__call__`) for one clip; NaN where no frame of it could be read."""
    return float(np.mean(np.log1p(moving(clip) * unpredicted(clip)))) if clip.times else float("nan")


def packet_cost_of(clip: ClipFeatures) -> float:
    """The score of ``packet-cost`` for one clip; NaN where no packet of it counts, or none was looked at."""
    return float("nan") if clip.packet_cost is None else clip.packet_cost


def moving(clip: ClipFeatures) -> Scores:
    """Mean displacement against the camera.

    Args:
        clip: MD of n frames.

    Returns:
        float64 (n,), pixels per frame at a shorter side of 224.
    """
    assert clip.md is not None
    assert clip.md_valid is not None
    scale = NET_SIDE_PX / (16 * min(clip.md.shape[-2:]))
    own = remove_camera_motion(clip.md, clip.md_valid)
    lengths = np.sqrt(np.square(own[:, 0]) + np.square(own[:, 1]))  # 0 where a cell is not valid
    cells = np.maximum(np.count_nonzero(clip.md_valid, axis=(1, 2)), 1)
    mean: Scores = np.sum(lengths, axis=(1, 2), dtype=np.float64) / cells * scale
    return mean


def unpredicted(clip: ClipFeatures) -> Scores:
    """Root mean squared luma residual of each frame.

    Over the cells that have a vector: what an intra cell's residual is relative to differs between codecs.

    Args:
        clip: RGB-R of n frames, with their energy.

    Returns:
        float64 (n,), 8-bit levels.
    """
    assert clip.energy is not None
    assert clip.md_valid is not None
    cells = np.maximum(np.count_nonzero(clip.md_valid, axis=(1, 2)), 1)
    mean: Scores = np.sum(clip.energy * clip.md_valid, axis=(1, 2), dtype=np.float64) / cells
    return np.sqrt(mean)
