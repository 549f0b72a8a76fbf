"""From cases to the rows of the tables: every strategy at every K, measured and priced.

One row is one strategy at one K (the poster's tables are selections of such rows). Every strategy is measured on the
same videos with the same draws of the bootstrap, so that rows can be compared. A strategy of chance is the mean over
its draws, in accuracy and in cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..datasets.manifest import group_of
from .case import PARTS, Case
from .metrics import METRICS, Floats, Metric, Truth, correct, group_weights, interval, measure
from .strategies import Clips, Strategy, chosen


@dataclass(frozen=True)
class Row:
    """One strategy at one K, over all videos."""

    strategy: Strategy
    k: int | None
    """Clips looked at; None for ``dense``, which looks at all."""
    videos: int
    """How many videos there are."""
    accuracy: float
    """The metric that was asked for, 0 to 1."""
    accuracy_low: float
    """Lower end of its 95 % interval; NaN with a single group of videos."""
    accuracy_high: float
    """Upper end."""
    metrics: dict[Metric, float]
    """All of ``METRICS``."""
    seconds: dict[str, float]
    """Mean seconds a video, by the parts in ``PARTS``."""
    gflops: float | None
    """Mean 10^9 multiply-adds a video, f and sampler; None where f's cost is not known."""

    @property
    def seconds_per_video(self) -> float:
        """The sum of all parts."""
        return sum(self.seconds.values())


@dataclass(frozen=True, eq=False)
class Choice:
    """What a strategy did on one video, kept for the figures and for the table of videos."""

    clips: tuple[Clips, ...]
    """One choice a draw."""
    correct: float
    """Share of draws in which the video's most probable class is a true one."""
    label: str
    """The most probable class, in the first draw."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A row, and what it was made from."""

    row: Row
    choices: tuple[Choice, ...]
    """One a video, in order of the cases."""


def truth_of(cases: Sequence[Case]) -> Truth:
    """Which classes are true of each video.

    Args:
        cases: The videos, all looked at by the same classifier.

    Returns:
        bool (num_videos, num_classes).
    """
    found = np.zeros((len(cases), len(cases[0].dense.labels)), dtype=np.bool_)
    for row, case in enumerate(cases):
        found[row, list(case.truth)] = True
    return found


@dataclass(frozen=True, eq=False)
class Bench:
    """The videos, the metric and the draws of the bootstrap: everything that all rows have in common."""

    cases: tuple[Case, ...]
    metric: Metric
    """What ``accuracy`` is."""
    truth: Truth
    """Which classes are true of each video (num_videos, num_classes)."""
    weights: Floats
    """(resamples, num_videos)."""
    draws: int
    """How often strategies of chance are drawn."""
    seed: int
    """Of the draws and of the bootstrap."""

    @property
    def groups(self) -> int:
        """Different groups among the videos."""
        return len({group_of(case.entry) for case in self.cases})

    def between(self, values: Floats) -> tuple[float, float]:
        """The interval of a bootstrap's values; NaN where one group leaves nothing to draw from.

        Args:
            values: The metric in each resample (resamples,).

        Returns:
            Lower and upper end of the 95 % interval.
        """
        return interval(values) if self.groups > 1 else (float("nan"), float("nan"))


def make_bench(cases: Sequence[Case], metric: Metric, *, draws: int, seed: int) -> Bench:
    """Fix what all rows have in common.

    Args:
        cases: At least one video.
        metric: What ``accuracy`` is to be.
        draws: How often strategies of chance are drawn.
        seed: Of the draws and of the bootstrap.

    Returns:
        The bench.
    """
    weights = group_weights([group_of(case.entry) for case in cases], seed=seed)
    return Bench(tuple(cases), metric, truth_of(cases), weights, draws, seed)


def outcomes(
    bench: Bench,
    strategies: Sequence[Strategy],
    ks: Sequence[int],
    progress: Callable[[float], None] | None = None,
) -> tuple[Outcome, ...]:
    """Measure strategies at several K.

    Args:
        bench: The videos.
        strategies: What to compare.
        ks: Clips looked at, each at least 1.
        progress: Called with the share done, 0 to 1.

    Returns:
        One outcome for each strategy and K, in that order; ``dense`` has one.
    """
    found = []
    for number, strategy in enumerate(strategies, start=1):
        wanted: list[int | None] = [None] if strategy.name == "dense" else list(ks)
        # (num_videos, num_k): one choice a draw
        picked = [
            chosen(case, strategy, [k or 1 for k in wanted], draws=bench.draws, seed=bench.seed)
            for case in bench.cases
        ]
        found += [
            _outcome(bench, strategy, k, [of[place] for of in picked]) for place, k in enumerate(wanted)
        ]
        if progress is not None:
            progress(number / len(strategies))
    return tuple(found)


def _outcome(bench: Bench, strategy: Strategy, k: int | None, picked: Sequence[tuple[Clips, ...]]) -> Outcome:
    draws = len(picked[0])
    # (draws, num_videos, num_classes)
    probabilities = np.array(
        [
            [case.probabilities(clips[d]) for case, clips in zip(bench.cases, picked, strict=True)]
            for d in range(draws)
        ]
    )
    once = np.ones((1, len(bench.cases)))
    metrics = {name: float(_mean(name, probabilities, bench.truth, once)[0]) for name in METRICS}
    low, high = bench.between(_mean(bench.metric, probabilities, bench.truth, bench.weights))
    right = np.mean([correct(p, bench.truth) for p in probabilities], axis=0)
    labels = bench.cases[0].dense.labels
    best = [labels[c] for c in np.argmax(probabilities[0], axis=1)]
    seconds, gflops = _price(bench, strategy, picked)
    row = Row(strategy, k, len(bench.cases), metrics[bench.metric], low, high, metrics, seconds, gflops)
    choices = (Choice(clips, float(r), name) for clips, r, name in zip(picked, right, best, strict=True))
    return Outcome(row, tuple(choices))


def _mean(metric: Metric, probabilities: npt.NDArray[np.float64], truth: Truth, weights: Floats) -> Floats:
    """A metric averaged over draws; (num_weightings,)."""
    found: Floats = np.mean([measure(metric, drawn, truth, weights) for drawn in probabilities], axis=0)
    return found


def _price(
    bench: Bench, strategy: Strategy, picked: Sequence[tuple[Clips, ...]]
) -> tuple[dict[str, float], float | None]:
    """Mean seconds by part and mean cost, over videos and draws."""
    everything, payer = strategy.name == "oracle", strategy.paying_sampler
    pairs = [(case, clips) for case, drawn in zip(bench.cases, picked, strict=True) for clips in drawn]
    spent = [case.seconds(clips, payer, looks_at_all=everything) for case, clips in pairs]
    cost = [case.gflops(clips, payer, looks_at_all=everything) for case, clips in pairs]
    known = [value for value in cost if value is not None]
    seconds = {part: float(np.mean([s[part] for s in spent])) for part in PARTS}
    return seconds, float(np.mean(known)) if len(known) == len(cost) else None
