"""From one score a clip to K clips: the selection rule of SCSampler and its options.

The paper takes the K highest scores (section 3, "top-K"); that is the default. ``min_gap_s`` (temporal
non-maximum suppression), ``coverage`` and ``threshold`` are ours. The second rule, ``cumulative``, serves the
baselines that spread their clips: it takes the clips in which the running sum of the scores crosses the
middles of K equal parts (MGSampler's idea, ICCV 2021, at clip level; equal scores make it uniform sampling).
The third, ``av-union-list``, is the paper's best combination of picture and sound: K' of the K places go to the
top of the visual list, the others to the best clips of the audio list that are not among them.

Everything is deterministic: equal scores rank by time (under ``av-union-list``: by the other list, then by time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .timeline import ClipGrid

Rule = Literal["top", "cumulative", "av-union-list"]
"""How clips are taken from scores: the K highest, where the running sum crosses K equal parts, or the union of the
heads of two lists."""

RULES: tuple[Rule, ...] = ("top", "cumulative", "av-union-list")

STRATEGIES: tuple[str, ...] = ("sampler", "dense", "uniform", "random", "empirical", "oracle")
"""How the clips that a classifier looks at can be chosen (poster, "Strategies"; the verb ``classify``)."""

VISUAL_SHARE = 0.8
"""Share of K that the visual list fills under ``av-union-list`` (the poster's K' = 8 of 10)."""


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
    streams: Mapping[str, npt.NDArray[np.float64]] | None = None,
    visual_share: float = VISUAL_SHARE,
) -> Chosen:
    """Choose up to K different clips.

    Args:
        scores: Saliency of each clip, float64 (num_clips,), finite.
        grid: Where the clips lie.
        k: Clips wanted, at least 1.
        rule: One of ``RULES``.
        min_gap_s: Least time between the end of one selected clip and the start of another, seconds.
        coverage: Share of K, 0 to 1, given to the best clip of each of ``round(coverage * k)`` equal parts.
        threshold: Least score of a clip that may be selected; None for no limit. It is compared with
            ``scores``, whatever the rule.
        streams: For ``av-union-list``: the lists ``"visual"`` and ``"audio"``, float64 (num_clips,) each, NaN
            where a clip has none. A list that is absent leaves all places to the other; without either, the
            highest of ``scores``.
        visual_share: For ``av-union-list``: ``K' = floor(visual_share * k + 1/2)`` places go to the visual list.

    Returns:
        Indices in rank order: by score, then by time. Under ``av-union-list`` the clips of the visual list in
        its order, then those of the audio list in its.

    Raises:
        InputError: An argument is out of range.
    """
    check_choice(k, min_gap_s, coverage, threshold)
    allowed = np.ones(len(scores), dtype=bool) if threshold is None else scores >= threshold
    if rule == "av-union-list":
        taken = _union(scores, streams or {}, grid, k, visual_share, allowed, Fraction(min_gap_s), coverage)
        return Chosen(tuple(taken), _note(len(taken), k, len(scores), int(allowed.sum())))
    # stable sort of the negated scores: ties keep the order of time
    by_score: list[int] = np.argsort(-scores, kind="stable").tolist()
    first = _best_of_each_part(by_score, grid, round(coverage * k))
    if rule == "cumulative":
        first += _at_equal_parts_of_the_sum(scores, k)
    may = allowed.tolist()
    order = [i for i in dict.fromkeys(first + by_score) if may[i]]
    taken = _with_gaps(order, grid, k, Fraction(min_gap_s))
    taken.sort(key=lambda i: (-scores[i], i))
    return Chosen(tuple(taken), _note(len(taken), k, len(scores), len(order)))


def check_choice(k: int, min_gap_s: float, coverage: float, threshold: float | None) -> None:
    """See that options of a choice make sense, whatever the video.

    Args:
        k: As for :func:`choose`, like the others.
        min_gap_s: Seconds.
        coverage: A share.
        threshold: A score, or None.

    Raises:
        InputError: One is out of range.
    """
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


def _union(
    scores: npt.NDArray[np.float64],
    streams: Mapping[str, npt.NDArray[np.float64]],
    grid: ClipGrid,
    k: int,
    visual_share: float,
    allowed: npt.NDArray[np.bool_],
    gap: Fraction,
    coverage: float,
) -> list[int]:
    """AV-union-list: K' clips from the visual list, K - K' others from the audio list.

    Clips that ``coverage`` asks for are the best of their parts by the visual list and take its places first, and
    the audio list's only where there are more of them. A list that has no clip left leaves its places to the other.
    """
    if not 0 <= visual_share <= 1:
        raise InputError(f"visual_share = {visual_share} is not a share", "give a number from 0 to 1")
    nothing = np.full(len(scores), np.nan)
    visual, audio = streams.get("visual", nothing), streams.get("audio", nothing)
    if np.isnan(visual).all() and np.isnan(audio).all():
        visual = scores
    by_visual, by_audio = _ranked(visual, audio, allowed), _ranked(audio, visual, allowed)
    spread = _best_of_each_part(by_visual, grid, floor(coverage * k + 0.5))
    from_visual = max(floor(visual_share * k + 0.5), min(len(spread), k))
    taken = _with_gaps(list(dict.fromkeys(spread + by_visual)), grid, from_visual, gap)
    taken.sort(key=by_visual.index)
    taken = _with_gaps(by_audio, grid, k, gap, taken)
    return _with_gaps(by_visual, grid, k, gap, taken)


def _ranked(
    scores: npt.NDArray[np.float64], other: npt.NDArray[np.float64], allowed: npt.NDArray[np.bool_]
) -> list[int]:
    """The allowed clips that have a score, best first; equal ones by the other list, then by time."""
    settled = np.where(np.isnan(other), -np.inf, other)
    order = np.lexsort((-settled, -scores))
    found: list[int] = order[allowed[order] & ~np.isnan(scores[order])].tolist()
    return found


def _with_gaps(
    order: list[int], grid: ClipGrid, k: int, gap: Fraction, before: Sequence[int] = ()
) -> list[int]:
    """``before`` filled up to K from ``order``, with those that keep their distance from all taken before them."""
    taken = list(before)
    there = set(taken)
    for i in order:
        if len(taken) >= k:
            break
        if i in there:
            continue
        start, end = grid.starts[i], grid.ends[i]
        if gap == 0 or all(start - grid.ends[j] >= gap or grid.starts[j] - end >= gap for j in taken):
            taken.append(i)
            there.add(i)
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


def with_median(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give clips without a score the median of the others: neither chosen for it nor left out for it.

    Args:
        scores: NaN where a clip has none (num_clips,).

    Returns:
        float64 (num_clips,); all 0 where no clip has a score.
    """
    lost = np.isnan(scores)
    return np.where(lost, 0.0 if lost.all() else np.median(scores[~lost]), scores)


def mean_of_those_there(
    values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Average several opinions of the same things, of which some may be missing.

    Args:
        values: One opinion a row (num_opinions, ...); NaN where there is none.
        weights: What each row counts (num_opinions,), at least 0; None for alike. Where all that are there count
            nothing, they count alike.

    Returns:
        float64 of the shape of one row; NaN where no row has an opinion.
    """
    there = ~np.isnan(values)
    alike = there.astype(np.float64)
    if weights is None:
        counts = alike
    else:
        counts = np.where(there, weights.reshape(-1, *[1] * (values.ndim - 1)), 0.0)
        counts = np.where(counts.sum(axis=0) > 0, counts, alike)
    whole = counts.sum(axis=0)
    total = (np.where(there, values, 0.0) * counts).sum(axis=0)
    return np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), np.nan)
