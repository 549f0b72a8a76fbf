"""How good predictions are: accuracy, mean class accuracy, mean average precision, and how sure one can be of them.

The paper gives top-1 accuracy (section 4); mean class accuracy and mAP are what ActivityNet and unbalanced sets ask
for. Intervals are percentile bootstraps over *groups* of videos (Efron and Tibshirani 1993, chapter 13): videos of
one source resemble one another, and counting them as independent would make every interval too narrow.

All three metrics are computed for weighted videos, so one resample is one row of weights. Also here: how well a
saliency finds spans that are known to be salient (the area under the ROC curve within a video). Nothing here knows
of strategies or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Metric = Literal["top-1", "mean-class", "map"]
METRICS: tuple[Metric, ...] = ("top-1", "mean-class", "map")
"""Share of videos whose most probable class is a true one; the same averaged over classes; mean over classes of the
average precision of ranking videos by the class's probability."""

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
"""Which classes are true of a video (num_videos, num_classes)."""

RESAMPLES = 1000
LEVEL = 0.95


def measure(metric: Metric, probabilities: npt.NDArray[np.floating], truth: Truth, weights: Floats) -> Floats:
    """One metric of one set of predictions, for several weightings of the videos.

    Args:
        metric: One of ``METRICS``.
        probabilities: Class probabilities (num_videos, num_classes).
        truth: bool (num_videos, num_classes); at least one True a video.
        weights: How often each video counts (num_weightings, num_videos), at least 0.

    Returns:
        float64 (num_weightings,), 0 to 1; NaN where no video counts.
    """
    if metric == "map":
        return _mean_over_classes(
            [_average_precision(probabilities[:, c], truth[:, c], weights) for c in _classes(truth)]
        )
    right = correct(probabilities, truth)
    if metric == "top-1":
        return _ratio(weights @ right, weights.sum(axis=1))
    found = [
        _ratio(weights[:, of] @ right[of], weights[:, of].sum(axis=1))
        for of in (truth[:, c] for c in _classes(truth))
    ]
    return _mean_over_classes(found)


def correct(probabilities: npt.NDArray[np.floating], truth: Truth) -> Floats:
    """Whether the most probable class of each video is a true one; equal ones count in order of class index.

    Args:
        probabilities: (num_videos, num_classes).
        truth: bool (num_videos, num_classes).

    Returns:
        float64 (num_videos,), 0 or 1.
    """
    best = np.argmax(probabilities, axis=1)
    found: Floats = truth[np.arange(len(truth)), best].astype(np.float64)
    return found


def group_weights(groups: Sequence[str], resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Draws of the bootstrap: groups with replacement, each with all of its videos.

    Args:
        groups: The group of each video (num_videos,).
        resamples: How many draws.
        seed: Another seed draws otherwise.

    Returns:
        float64 (resamples, num_videos): how often each video was drawn.
    """
    _, member = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
    count = int(member.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return drawn[:, member].astype(np.float64)


def interval(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """The middle share of a bootstrap's values.

    Args:
        values: The metric of each resample (resamples,); NaN where a resample had nothing to measure.
        level: The share, 0 to 1.

    Returns:
        (low, high); NaN where no resample could be measured.
    """
    found = values[~np.isnan(values)]
    if len(found) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def area_under_roc(scores: Floats, salient: Truth) -> float:
    """The chance that a salient clip scores higher than another of the same video; ties count half.

    Args:
        scores: Saliency of each clip (num_clips,), finite.
        salient: bool (num_clips,).

    Returns:
        0 to 1; NaN where all clips are salient, or none.
    """
    good, bad = np.sort(scores[salient]), scores[~salient]
    if len(good) == 0 or len(bad) == 0:
        return float("nan")
    higher = len(good) - np.searchsorted(good, bad, side="right")
    equal = len(good) - np.searchsorted(good, bad, side="left") - higher
    return float((higher + 0.5 * equal).sum() / (len(good) * len(bad)))


def _classes(truth: Truth) -> npt.NDArray[np.intp]:
    """Classes that any video has."""
    return np.flatnonzero(truth.any(axis=0))


def _average_precision(scores: npt.NDArray[np.floating], of_class: Truth, weights: Floats) -> Floats:
    """Sum over thresholds of precision times the gain in recall; equal scores pass a threshold together."""
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    drawn = weights[:, order]
    hits = np.cumsum(drawn * of_class[order], axis=1)[:, last_of_tie]
    seen = np.cumsum(drawn, axis=1)[:, last_of_tie]
    gained = np.diff(hits, axis=1, prepend=0.0)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return _ratio((precision * gained).sum(axis=1), hits[:, -1])


def _ratio(above: Floats, below: Floats) -> Floats:
    found: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found


def _mean_over_classes(values: Sequence[Floats]) -> Floats:
    """Over the classes that a weighting has videos of."""
    found = np.array(values)
    there = ~np.isnan(found)
    return _ratio(np.where(there, found, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))
