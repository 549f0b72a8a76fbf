"""Which streams of some scores are worth a curve of their own beside the saliency."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..types import ClipScores


def drawn_streams(scores: ClipScores) -> dict[str, npt.NDArray[np.float64]]:
    """The streams of some scores, where they say more than the scores do.

    A sampler of one stream has that and ``visual``, both of which are its score: three times the same curve.

    Args:
        scores: The scores of a video.

    Returns:
        Saliency by stream, float64 (num_clips,) each; none where every one of them is the score, wherever it has a
        value.
    """
    is_new = any(not _repeats(values, scores.scores) for values in scores.streams.values())
    return scores.streams if is_new else {}


def _repeats(values: npt.NDArray[np.float64], scores: npt.NDArray[np.float64]) -> bool:
    there = ~np.isnan(values)
    return bool(np.array_equal(values[there], scores[there]))
