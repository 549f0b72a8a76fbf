"""How good the saliency itself is, apart from any classifier: against spans that are known to be salient.

The paper measures a sampler through f alone. Where a data set says when the labelled thing happens (the made-up
benchmarks, ActivityNet), more can be said: how often a salient clip scores higher than another of the same video, and
how many of the top K clips are salient. A mean over videos, with the bootstrap's interval over groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..datasets.spans import salient_clips
from .metrics import Floats, area_under_roc
from .outcome import Bench


@dataclass(frozen=True)
class Finding:
    """How well a saliency finds known spans; all NaN where no video has any."""

    videos: int
    """Videos that have salient clips and others."""
    auc: float
    """Area under the ROC curve within a video, mean over videos; 0.5 is chance."""
    auc_low: float
    """Lower end of its 95 % interval."""
    auc_high: float
    """Upper end of its 95 % interval."""
    hit_rate: float
    """Share of the top K clips that are salient, mean over videos."""


def find_spans(bench: Bench, sampler: str, k: int) -> Finding:
    """Compare a saliency with the known spans.

    Args:
        bench: The videos.
        sampler: Whose scores.
        k: For the hit rate.

    Returns:
        The finding.
    """
    areas, hits = np.full(len(bench.cases), np.nan), np.full(len(bench.cases), np.nan)
    for row, case in enumerate(bench.cases):
        if not case.entry.spans:
            continue
        scores = case.judgements[sampler].scores
        salient = salient_clips(scores.grid, case.entry.spans)
        areas[row] = area_under_roc(scores.scores, salient)
        if not np.isnan(areas[row]):
            hits[row] = np.mean([salient[clip.index] for clip in scores.select(k).clips])
    there = ~np.isnan(areas)
    if not there.any():
        return Finding(0, *(float("nan"),) * 4)
    drawn = bench.weights[:, there]
    total = drawn.sum(axis=1)
    means: Floats = np.divide(drawn @ areas[there], total, out=np.full(len(drawn), np.nan), where=total > 0)
    low, high = bench.between(means)
    return Finding(int(there.sum()), float(areas[there].mean()), low, high, float(hits[there].mean()))
