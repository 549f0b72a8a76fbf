"""What is kept of a video, as arrays: everything that training and evaluation need, so that they read no file.

``VideoFeatures`` is what the reader gives, all clips at once; ``DensePredictions`` is what f says of every clip (the
paper's "dense"). Every strategy of the poster's tables is a look-up into the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..timeline import ClipGrid
from ..types import ClipFeatures, FeatureParameters, Fingerprint


@dataclass(frozen=True, eq=False)
class VideoFeatures:
    """The features of all clips of a video, in order of the clips."""

    fingerprint: Fingerprint
    """Of the file that they were read from."""
    parameters: FeatureParameters
    """What was read."""
    grid: ClipGrid
    """The clips."""
    clips: tuple[ClipFeatures, ...]
    """One item a clip (num_clips)."""
    seconds: dict[str, float] = field(default_factory=dict)
    """What reading took by part: ``demux``, ``features``, ``audio``."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the reading, one line each."""


@dataclass(frozen=True, eq=False)
class DensePredictions:
    """What a classifier says of every clip of a video."""

    fingerprint: Fingerprint
    """Of the file that was looked at."""
    classifier: str
    """Name of the classifier and of its weights, such that two that differ have different ones."""
    labels: tuple[str, ...]
    """Class names (num_classes,)."""
    grid: ClipGrid
    """The clips."""
    probabilities: npt.NDArray[np.float32]
    """Class probabilities (num_clips, num_classes); each row sums to 1."""
    seconds: dict[str, float] = field(default_factory=dict)
    """What looking took by part: ``demux``, ``decode``, ``classifier``, over all clips; ``prepare`` is the share of
    ``decode`` that goes with the clips looked at, not with the frames decoded."""
    gflops_per_clip: float | None = None
    """Cost of one clip, 10^9 multiply-adds; None where it is not known."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the looking, one line each."""
