"""From one score a clip to K clips: the selection rule of SCSampler and its options.

The paper takes the K highest scores (section 3, "top-K"); that is the default. ``min_gap_s`` (temporal
non-maximum suppression), ``coverage`` and ``threshold`` are ours. The second rule, ``cumulative``, serves the
baselines that spread their clips: it takes the clips in which the running sum of the scores crosses the
middles of K equal parts (MGSampler's idea, ICCV 2021, at clip level; equal scores make it uniform sampling).

Everything is deterministic: equal scores rank by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .timeline import ClipGrid

Rule = Literal["top", "cumulative"]
"""How clips are taken from scores: the K highest, or where the running sum crosses K equal parts."""


@dataclass(frozen=True)
class Chosen:
    """Which clips were chosen."""

    indices: tuple[int, ...]
    """Clip indices, best first."""
    note: str
    """Why there are fewer than were asked for; empty where there are not."""


def choose(
    scores: npt.NDArray[np.float64],
    grid: ClipGrid,
    k: int,
    *,
    rule: Rule = "top",
    min_gap_s: float = 0.0,
    coverage: float = 0.0,
    threshold: float | None = None,
) -> Chosen:
    """Choose up to K different clips.

    Args:
        scores: Saliency of each clip, float64 (num_clips,), finite.
        grid: Where the clips lie.
        k: Clips wanted, at least 1.
        rule: ``"top"`` or ``"cumulative"``.
        min_gap_s: Least time between the end of one selected clip and the start of another, seconds.
        coverage: Share of K, 0 to 1, given to the best clip of each of ``round(coverage * k)`` equal parts.
        threshold: Least score of a clip that may be selected; None for no limit.

    Returns:
        Indices in rank order: by score, then by time.

    Raises:
        InputError: An argument is out of range.
    """
    _check(k, min_gap_s, coverage, threshold)
    # stable sort of the negated scores: ties keep the order of time
    by_score = [int(i) for i in np.argsort(-scores, kind="stable")]
    first = _best_of_each_part(by_score, grid, round(coverage * k))
    if rule == "cumulative":
        first += _at_equal_parts_of_the_sum(scores, k)
    allowed = [i for i in dict.fromkeys(first + by_score) if threshold is None or scores[i] >= threshold]
    taken = _with_gaps(allowed, grid, k, Fraction(min_gap_s))
    taken.sort(key=lambda i: (-scores[i], i))
    return Chosen(tuple(taken), _note(len(taken), k, len(scores), len(allowed)))


def _check(k: int, min_gap_s: float, coverage: float, threshold: float | None) -> None:
    if k < 1:
        raise InputError(f"k = {k} clips cannot be selected", "give k of at least 1")
    if not 0 <= min_gap_s < float("inf"):
        raise InputError(f"min_gap_s = {min_gap_s} is not a gap", "give 0 or more seconds")
    if not 0 <= coverage <= 1:
        raise InputError(f"coverage = {coverage} is not a share", "give a number from 0 to 1")
    if threshold is not None and np.isnan(threshold):
        raise InputError("the threshold is not a number", "give a finite score")


def _best_of_each_part(by_score: list[int], grid: ClipGrid, parts: int) -> list[int]:
    """The best clip of each of ``parts`` equally long parts of the video, by a clip's middle."""
    if parts == 0 or not by_score:
        return []
    begin, span = grid.starts[0], grid.ends[-1] - grid.starts[0]
    best: dict[int, int] = {}
    for i in by_score:
        middle = (grid.starts[i] + grid.ends[i]) / 2
        best.setdefault(int((middle - begin) * parts / span), i)
    return sorted(best.values(), key=by_score.index)


def _at_equal_parts_of_the_sum(scores: npt.NDArray[np.float64], k: int) -> list[int]:
    """The clips in which the running sum of the scores crosses (j + 1/2) / K of the total.

    Scores are shifted to be non-negative; where all are zero each clip counts the same.
    """
    if len(scores) == 0:
        return []
    weights = scores - min(float(scores.min()), 0.0)
    if not weights.any():
        weights = np.ones_like(weights)
    running = np.cumsum(weights)
    crossings = (np.arange(k) + 0.5) / k * running[-1]
    found = np.searchsorted(running, crossings, side="left")
    return [int(i) for i in np.minimum(found, len(scores) - 1)]


def _with_gaps(order: list[int], grid: ClipGrid, k: int, gap: Fraction) -> list[int]:
    """The first K of ``order`` that keep their distance from those taken before them."""
    if gap == 0:
        return order[:k]
    taken: list[int] = []
    for i in order:
        if len(taken) == k:
            break
        start, end = grid.starts[i], grid.ends[i]
        if all(start - grid.ends[j] >= gap or grid.starts[j] - end >= gap for j in taken):
            taken.append(i)
    return taken


def _note(taken: int, k: int, clips: int, allowed: int) -> str:
    if taken == k:
        return ""
    if clips < k:
        reason = f"the video has {clips} clip{'s' if clips != 1 else ''}"
    elif allowed < k:
        reason = f"{allowed} of {clips} clips reach the threshold"
    else:
        reason = "no other clip keeps the minimum gap"
    if taken < min(clips, allowed) and clips < k:
        reason += " and not all keep the minimum gap"
    return f"{taken} of {k} clips selected: {reason}"
