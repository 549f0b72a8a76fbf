"""One video, ready to be evaluated: what f says of all its clips, what the samplers say, and what each step took.

Everything that the tables need is here, so no strategy reads a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from ..cache.types import DensePredictions
from ..datasets.manifest import Entry
from ..errors import InputError
from ..ranking import with_median
from ..samplers.card import COMBINATIONS, Scale
from ..samplers.combine import combine, rule_of
from ..types import ClipScores
from .decoding import DecodePlan

PARTS: tuple[str, ...] = ("demux", "features", "sampler", "decode", "classifier")
"""What the time of a video is split into."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """One sampler's scores of a video, and what its networks cost there."""

    scores: ClipScores
    gflops: float = 0.0
    """10^9 multiply-adds of the sampler's networks over all clips; 0 for a sampler without any."""


@dataclass(frozen=True, eq=False)
class Case:
    """One video with its truth, f's dense predictions and the samplers' scores.

    Raises:
        InputError: A sampler scored other clips than f looked at.
    """

    entry: Entry
    truth: tuple[int, ...]
    """Indices of its true classes among ``dense.labels``; at least one."""
    dense: DensePredictions
    plan: DecodePlan
    """What decoding any clips of it takes."""
    judgements: dict[str, Judgement]
    """By the sampler's name in the tables."""
    demux_s: float = 0.0
    """What reading its packets took, seconds."""

    def __post_init__(self) -> None:
        for name, judgement in self.judgements.items():
            if judgement.scores.grid != self.dense.grid:
                raise InputError(
                    f"{name} scored other clips of '{self.entry.path}' than the classifier looked at",
                    "score clips as long as the classifier's",
                )

    def probabilities(self, clips: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """The video's class probabilities from some of its clips: their mean (paper, section 3).

        Args:
            clips: Indices, at least one.

        Returns:
            float64 (num_classes,).
        """
        found: npt.NDArray[np.float64] = self.dense.probabilities[list(clips)].mean(axis=0, dtype=np.float64)
        return found

    def seconds(
        self, clips: tuple[int, ...], sampler: str | None, *, looks_at_all: bool = False
    ) -> dict[str, float]:
        """What choosing and looking at some clips takes, from what was measured of this video.

        Args:
            clips: Indices of the clips chosen.
            sampler: Who chose; None for nobody who reads anything.
            looks_at_all: Whether f looks at every clip before the choice (the oracle does).

        Returns:
            Seconds by the parts in ``PARTS``. Demultiplexing, features, sampler and classifier as measured (the
            classifier's in proportion to the clips), decoding by the frames that pass through the decoder, and
            what is done to decoded frames by the clips.
        """
        count = len(self.dense.grid)
        looked = count if looks_at_all else len(clips)
        passed = self.plan.all_frames if looks_at_all else self.plan.frames(clips)
        spent, found = self.dense.seconds, dict.fromkeys(PARTS, 0.0)
        found["demux"] = self.demux_s
        prepare = spent.get("prepare", 0.0)
        by_frames, by_clips = passed / max(1, self.plan.all_frames), looked / max(1, count)
        found["decode"] = (spent.get("decode", 0.0) - prepare) * by_frames + prepare * by_clips
        found["classifier"] = spent.get("classifier", 0.0) * looked / max(1, count)
        if sampler is not None:
            measured = self.judgements[sampler].scores.seconds
            found["features"] = measured.get("features", 0.0) + measured.get("audio", 0.0)
            found["sampler"] = measured.get("sampler", 0.0)
        return found

    def gflops(
        self, clips: tuple[int, ...], sampler: str | None, *, looks_at_all: bool = False
    ) -> float | None:
        """What the networks cost: f on the clips looked at, and the sampler on all.

        Args:
            clips: Indices of the clips chosen.
            sampler: Who chose; None for nobody who reads anything.
            looks_at_all: Whether f looks at every clip before the choice.

        Returns:
            10^9 multiply-adds; None where f's cost is not known.
        """
        if self.dense.gflops_per_clip is None:
            return None
        looked = len(self.dense.grid) if looks_at_all else len(clips)
        own = 0.0 if sampler is None else self.judgements[sampler].gflops
        return self.dense.gflops_per_clip * looked + own


def variants(scores: ClipScores) -> dict[str, ClipScores]:
    """The parts of a sampler with several streams, and its streams combined in each of the paper's ways.

    Args:
        scores: Of a sampler that keeps its streams' opinions.

    Returns:
        By name: each stream of which this video has anything, and each combination where it has both picture and
        sound; empty where there is one stream at most. They cost nothing more than the sampler itself.
    """
    if len(scores.streams) < 2:
        return {}
    found = {
        name: replace(scores, scores=with_median(values), rule="top", streams={})
        for name, values in scores.streams.items()
    }
    visual, audio = scores.streams.get("visual"), scores.streams.get("audio")
    if visual is not None and audio is not None:
        given = scores.sampler_parameters
        weight, scale = (
            float(given.get("visual_weight", 0.5)),
            cast("Scale", given.get("score_scale", "standard")),
        )
        for combination in COMBINATIONS:
            both = with_median(combine(combination, visual, audio, visual_weight=weight, scale=scale))
            found[combination] = replace(scores, scores=both, rule=rule_of(combination))
    return found
