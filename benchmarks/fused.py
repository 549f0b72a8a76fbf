"""Learned fusion: several samplers' scores put together, their weights chosen on validation videos.

Not in the paper. Each sampler's scores are made comparable within the video (mean 0, deviation 1), weighed, added,
and averaged over a few neighbouring clips. Weights and neighbours are those by which f is surest of the truth on its
K clips of the validation videos. Features are read once for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from salientclips.cache.predictions import load_or_look
from salientclips.classifiers import ClipClassifier
from salientclips.datasets.manifest import Entry
from salientclips.evaluation.cost import card_of
from salientclips.ranking import Rule
from salientclips.samplers import Judged, Sampler, VideoEvidence
from salientclips.samplers.context import with_neighbours
from salientclips.timeline import ClipSpec
from salientclips.training.targets import make_targets
from salientclips.training.validate import figures, top
from salientclips.types import ClipFeatures, FeatureParameters
from salientclips.verbs.score import score

Scores = npt.NDArray[np.float64]

WEIGHTS = (0.0, 0.5, 1.0)
NEIGHBOURS = (0, 1, 2, 3)


@dataclass(frozen=True)
class Fused:
    """A sampler made of others; keeps :class:`salientclips.samplers.Sampler`."""

    judges: tuple[Sampler, ...]
    weights: tuple[float, ...]
    """Of each judge, 0 or more."""
    neighbours: int
    name: str = "fused"
    rule: Rule = "top"

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """The judges' names and own parameters, weights and neighbours."""
        said = [f"{judge.name}:{weight}:{judge.parameters}" for judge, weight in self._counted()]
        return {"judges": " ".join(said), "neighbours": self.neighbours}

    @property
    def feature_parameters(self) -> FeatureParameters:
        """All that any judge reads; they read the same number of frames, or nothing."""
        wanted = [
            judge.feature_parameters for judge, _ in self._counted() if judge.feature_parameters.features
        ]
        if not wanted:
            return self.judges[0].feature_parameters
        names = dict.fromkeys(name for one in wanted for name in one.features)
        return replace(wanted[0], features=tuple(names))

    @property
    def gflops_per_clip(self) -> float:
        """Of the judges with networks, 10^9 multiply-adds where every clip has all its frames."""
        cards = [card for judge, _ in self._counted() if (card := card_of(judge)) is not None]
        return sum(card.frames_per_clip * stream.mmacs for card in cards for stream in card.streams) / 1000

    def _counted(self) -> list[tuple[Sampler, float]]:
        return [(j, w) for j, w in zip(self.judges, self.weights, strict=True) if w > 0]

    def __call__(self, evidence: VideoEvidence) -> Scores:
        """Score every clip: float64 (num_clips,)."""
        kept: tuple[ClipFeatures, ...] = ()
        if self.feature_parameters.features:
            kept = tuple(evidence.features(self.feature_parameters))
        once = replace(evidence, features=lambda _: iter(kept))
        said = [standard(opinion(judge(once))) for judge, _ in self._counted()]
        return fuse(said, [weight for _, weight in self._counted()], self.neighbours)


def opinion(said: Scores | Judged) -> Scores:
    """The scores of a sampler, whichever way it gives them."""
    return said.scores if isinstance(said, Judged) else said


def standard(scores: Scores) -> Scores:
    """Scores with mean 0 and deviation 1 (num_clips,); all 0 where they are alike, NaN becomes the mean."""
    there = scores[~np.isnan(scores)]
    if len(there) == 0 or np.ptp(there) == 0:
        return np.zeros(len(scores))
    standardised: Scores = np.nan_to_num((scores - there.mean()) / there.std())
    return standardised


def fuse(said: Sequence[Scores], weights: Sequence[float], neighbours: int) -> Scores:
    """The weighted sum, averaged over neighbours (num_clips,)."""
    total = np.sum([weight * one for weight, one in zip(weights, said, strict=True)], axis=0)
    return with_neighbours(total, neighbours)


def chosen(
    judges: Sequence[Sampler],
    validation: Sequence[Entry],
    classifier: ClipClassifier,
    clip: ClipSpec,
    cache: Path,
    k: int = 10,
) -> Fused:
    """The fusion that does best on validation videos.

    Args:
        judges: Samplers; the first is the one that wins ties alone.
        validation: Labelled videos that none of them was trained on.
        classifier: f.
        clip: How videos are divided.
        cache: Where f's opinions are kept.
        k: Clips chosen.

    Returns:
        The fusion.
    """
    known = []
    for entry in validation:
        dense = load_or_look(entry.path, classifier, clip, folder=cache)
        targets = make_targets(dense, [label for label in entry.labels if label in dense.labels])
        said = [standard(score(entry.path, judge, clip=clip).scores) for judge in judges]
        known.append((dense.probabilities, targets, said))
    candidates = [(w, n) for n in NEIGHBOURS for w in product(WEIGHTS, repeat=len(judges)) if max(w) == 1.0]
    alone = (1.0, *(0.0 for _ in judges[1:]))
    candidates.sort(key=lambda candidate: candidate != (alone, 0))

    def merit(candidate: tuple[tuple[float, ...], int]) -> float:
        picks = [top(fuse(said, *candidate), k) for _, _, said in known]
        return figures([(probabilities, targets) for probabilities, targets, _ in known], picks)[1]

    weights, neighbours = max(candidates, key=merit)
    return Fused(tuple(judges), weights, neighbours)
