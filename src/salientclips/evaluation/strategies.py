"""The strategies of the poster, each a look-up: which clips of a video it would have taken, for any K.

Random, uniform, empirical, dense and oracle as in the paper (poster, "Strategies"), and any sampler's top K. The
first and the third draw by lot: they are drawn several times and averaged, so that the table does not show one lucky
draw. Where the paper is silent: the oracle of a video with several true classes takes the clips with the largest
sum of their probabilities; a video with fewer than K clips gives all it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..ranking import choose
from ..samplers import Empirical, Random, Uniform
from ..samplers.evidence import VideoEvidence
from ..timeline import ClipGrid
from .case import Case

DRAWS = 10
"""How often ``random`` and ``empirical`` are drawn."""

Clips = tuple[int, ...]


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


def chosen(case: Case, strategy: Strategy, k: int, *, draws: int = DRAWS, seed: int = 0) -> tuple[Clips, ...]:
    """The clips that a strategy takes of a video.

    Args:
        case: The video.
        strategy: How.
        k: Clips wanted, at least 1; ``dense`` takes all.
        draws: How often a strategy of chance is drawn.
        seed: Of the first draw; the same video and seed give the same draws.

    Returns:
        One choice a draw (a strategy without chance has one); indices, best first.

    Raises:
        InputError: There is no strategy of that name.
    """
    grid = case.dense.grid
    match strategy.name:
        case "dense":
            return (tuple(range(len(grid))),)
        case "uniform":
            return (choose(np.ones(len(grid)), grid, k, rule=Uniform.rule).indices,)
        case "oracle":
            surest = case.dense.probabilities[:, list(case.truth)].sum(axis=1, dtype=np.float64)
            return (choose(surest, grid, k).indices,)
        case "sampler":
            return (tuple(clip.index for clip in case.judgements[strategy.sampler].scores.select(k).clips),)
        case "random" | "empirical":
            return tuple(choose(scores, grid, k).indices for scores in _drawn(case, strategy, draws, seed))
        case _:
            raise InputError(f"there is no strategy {strategy.name!r}", "take one of usual_strategies()")


def _drawn(
    case: Case, strategy: Strategy, draws: int, seed: int
) -> Iterator[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    # Videos of one length must not all be drawn alike: the file decides along with the seed.
    own = int(case.dense.fingerprint.sha256[:12], 16)
    evidence = _grid_only(case.dense.grid)
    for number in range(draws):
        number_seed = int(np.random.SeedSequence((seed, number, own)).generate_state(1, np.uint64)[0])
        judge = (
            Empirical(strategy.histogram, number_seed)
            if strategy.name == "empirical"
            else Random(number_seed)
        )
        yield judge(evidence)


def _grid_only(grid: ClipGrid) -> VideoEvidence:
    """Evidence for samplers that look at nothing but the clips' places."""
    from fractions import Fraction

    from ..timeline import Timeline
    from ..types import PacketTable

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
