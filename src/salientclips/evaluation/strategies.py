"""The strategies of the poster, each a look-up: which clips of a video it would have taken, for any K.

Random, uniform, empirical, dense and oracle as in the paper (poster, "Strategies"), and any sampler's top K. The
first and the third draw by lot: they are drawn several times and averaged, so that the table does not show one lucky
draw. Where the paper is silent: the oracle of a video with several true classes takes the clips with the largest
sum of their probabilities; a video with fewer than K clips gives all it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..ranking import choose
from ..samplers import Empirical, Random, Uniform
from ..samplers.evidence import VideoEvidence
from ..timeline import ClipGrid, Timeline
from ..types import PacketTable
from .case import Case

DRAWS = 10
"""How often ``random`` and ``empirical`` are drawn."""

Clips = tuple[int, ...]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Strategy:
    """A way of choosing clips, as one line of the tables."""

    name: str
    """random, uniform, empirical, dense, oracle or sampler."""
    sampler: str = ""
    """Whose scores decide, for ``sampler``; else empty."""
    histogram: tuple[float, ...] = ()
    """Where salient clips lie, for ``empirical``."""

    @property
    def title(self) -> str:
        """What tables and figures call it."""
        return self.sampler or self.name

    @property
    def looks_at_all(self) -> bool:
        """Whether f looks at every clip, whatever K is."""
        return self.name in ("dense", "oracle")

    @property
    def paying_sampler(self) -> str | None:
        """The sampler whose time is to be counted."""
        return self.sampler or None


def usual_strategies(samplers: Sequence[str], histogram: Sequence[float]) -> tuple[Strategy, ...]:
    """All strategies, in the order of the tables.

    Args:
        samplers: Names of the samplers.
        histogram: For ``empirical``; where it is empty there is no such line.

    Returns:
        The strategies.
    """
    first = [Strategy("random"), Strategy("uniform")]
    if histogram:
        first.append(Strategy("empirical", histogram=tuple(histogram)))
    return (*first, Strategy("dense"), *(Strategy("sampler", name) for name in samplers), Strategy("oracle"))


def chosen(
    case: Case, strategy: Strategy, ks: Sequence[int], *, draws: int = DRAWS, seed: int = 0
) -> tuple[tuple[Clips, ...], ...]:
    """The clips that a strategy takes of a video.

    Args:
        case: The video.
        strategy: How.
        ks: Clips wanted, each at least 1; ``dense`` takes all.
        draws: How often a strategy of chance is drawn.
        seed: Of the first draw; the same video and seed give the same draws, at every K from the same order.

    Returns:
        For each K one choice a draw (a strategy without chance has one); indices, best first.

    Raises:
        InputError: There is no strategy of that name.
    """
    grid = case.dense.grid
    match strategy.name:
        case "dense":
            return ((tuple(range(len(grid))),),) * len(ks)
        case "uniform":
            ones = np.ones(len(grid))
            return tuple((choose(ones, grid, k, rule=Uniform.rule).indices,) for k in ks)
        case "oracle":
            surest = case.dense.probabilities[:, list(case.truth)].sum(axis=1, dtype=np.float64)
            return _heads([surest], grid, ks)
        case "sampler":
            scores = case.judgements[strategy.sampler].scores
            if scores.rule == "top":
                return _heads([scores.scores], grid, ks)
            return tuple((tuple(clip.index for clip in scores.select(k).clips),) for k in ks)
        case "random" | "empirical":
            return _heads(_drawn(case, strategy, draws, seed), grid, ks)
        case _:
            raise InputError(f"there is no strategy {strategy.name!r}", "take one of usual_strategies()")


def _heads(drawn: Sequence[Scores], grid: ClipGrid, ks: Sequence[int]) -> tuple[tuple[Clips, ...], ...]:
    """The top K of each score: the head of one order, so that it is made once for all K."""
    orders = [choose(scores, grid, max(1, len(grid))).indices for scores in drawn]
    return tuple(tuple(order[:k] for order in orders) for k in ks)


def _drawn(case: Case, strategy: Strategy, draws: int, seed: int) -> list[Scores]:
    # Videos of one length must not all be drawn alike: the file decides along with the seed.
    own = int(case.dense.fingerprint.sha256[:12], 16)
    seeds = np.random.SeedSequence((seed, own)).generate_state(draws, np.uint64)
    evidence = _grid_only(case.dense.grid)
    judges = [
        Empirical(strategy.histogram, int(one)) if strategy.name == "empirical" else Random(int(one))
        for one in seeds
    ]
    return [judge(evidence) for judge in judges]


def _grid_only(grid: ClipGrid) -> VideoEvidence:
    """Evidence for samplers that look at nothing but the clips' places."""
    nothing = np.zeros(0, dtype=np.int64)
    table = PacketTable(
        Timeline(Fraction(1), Fraction(0)),
        nothing,
        nothing.astype(np.int32),
        nothing.astype(np.int32),
        nothing.astype(np.bool_),
        nothing.astype(np.bool_),
        nothing.astype(np.uint8),
    )
    return VideoEvidence(table, grid, lambda parameters: iter(()))
