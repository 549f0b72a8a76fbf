"""A clip's neighbours have a say in its score: what is worth looking at seldom lasts one clip only.

The paper judges each clip alone. Averaging the scores of a few clips on either side, nearer ones counting more,
takes out the noise of single clips; it costs nothing, and how far it reaches is chosen on validation videos
(docs/results.md). Pure numpy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import InputError

Scores = npt.NDArray[np.float64]

MOST_NEIGHBOURS = 16
"""On either side; further away a clip is another story."""


def with_neighbours(scores: Scores, neighbours: int) -> Scores:
    """Average the scores of clips with those around them.

    A clip counts ``neighbours + 1``, the next ones on either side one less, and so on. At the ends of the video, and
    where a clip has no score, the others' weights are scaled up; a clip without a score stays without.

    Args:
        scores: One a clip, in order of time, NaN where there is none (num_clips,).
        neighbours: Clips on either side that have a say, 0 for none.

    Returns:
        float64 (num_clips,).

    Raises:
        InputError: ``neighbours`` is below 0 or above 16.
    """
    if not 0 <= neighbours <= MOST_NEIGHBOURS:
        raise InputError(f"{neighbours} neighbours are impossible", f"give 0 to {MOST_NEIGHBOURS}")
    if neighbours == 0 or len(scores) == 0:
        return scores
    shares = neighbours + 1.0 - np.abs(np.arange(-neighbours, neighbours + 1))
    there = ~np.isnan(scores)
    total = _around(np.where(there, scores, 0.0), shares)
    weight = _around(there.astype(np.float64), shares)
    return np.where(there, total / np.where(there, weight, 1.0), np.nan)


def _around(values: Scores, shares: Scores) -> Scores:
    """The weighted sum of each value and those around it; nothing lies beyond the ends."""
    reach = len(shares) // 2
    padded = np.pad(values, reach)
    # Added up in one fixed order, so that a score never depends on how the sum is blocked.
    return sum((share * padded[i : i + len(values)] for i, share in enumerate(shares)), np.zeros(len(values)))
