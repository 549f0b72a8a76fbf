"""Which streams of some scores are worth a curve of their own beside the saliency."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..types import ClipScores


def drawn_streams(scores: ClipScores) -> dict[str, npt.NDArray[np.float64]]:
    """The streams of some scores that say something else than the scores do.

    A sampler of pictures alone has ``visual``, which is its score. Where it has but one stream, that is the score
    too, wherever it has a value: clips without one were given the median.

    Args:
        scores: The scores of a video.

    Returns:
        Saliency by stream, float64 (num_clips,) each.
    """
    others = {
        name: values
        for name, values in scores.streams.items()
        if not np.array_equal(values, scores.scores, equal_nan=True)
    }
    return others if any(not _repeats(values, scores.scores) for values in others.values()) else {}


def _repeats(values: npt.NDArray[np.float64], scores: npt.NDArray[np.float64]) -> bool:
    there = ~np.isnan(values)
    return bool(np.array_equal(values[there], scores[there]))
