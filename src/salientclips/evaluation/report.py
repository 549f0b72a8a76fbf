"""All that an evaluation found, and the comparison of samplers with their own parts.

The poster's tables of features, objectives and combinations compare samplers. Those that are given by name are rows;
a sampler with several streams gives further rows for nothing: each stream alone, and picture and sound combined in
each of the paper's ways (the scores are there, and each choice is a look-up). What such a part alone would take in
seconds was not measured, so it has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..datasets.manifest import LeftOut
from ..samplers.card import SamplerCard
from .case import Case, Judgement, variants
from .metrics import Metric
from .outcome import Bench, Outcome, Row, outcomes
from .saliency import Finding, find_spans
from .strategies import Strategy

FEW_GROUPS = 10
"""With fewer groups of videos than this a bootstrap over them is a rough guess."""


@dataclass(frozen=True)
class SamplerRow:
    """One sampler, or one part of it, at the tables' K."""

    sampler: str
    """Its name in the tables."""
    part: str
    """Empty for the sampler itself; else a stream or a combination of its streams."""
    card: SamplerCard | None
    row: Row
    finding: Finding


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The tables, as data."""

    benchmark: str
    """Name of the set of videos."""
    split: str
    """train, validation, test, or all."""
    classifier: str
    """f, with a mark of its weights."""
    metric: Metric
    """What ``accuracy`` is."""
    k: int
    """The K of the tables that show one."""
    bench: Bench
    outcomes: tuple[Outcome, ...]
    """Every strategy at every K."""
    samplers: tuple[SamplerRow, ...]
    """Every sampler, and every part of one, at ``k``."""
    left_out: tuple[LeftOut, ...]
    """Videos that could not be evaluated, and why."""
    warnings: tuple[str, ...]
    """What went wrong without stopping the work, one line each."""
    commit: str
    """What made it: the commit, or the version."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all outcomes."""
        return tuple(outcome.row for outcome in self.outcomes)

    def at_k(self) -> tuple[Outcome, ...]:
        """The outcomes at the tables' K, with dense."""
        return tuple(outcome for outcome in self.outcomes if outcome.row.k in (None, self.k))


def sampler_rows(
    bench: Bench, samplers: Sequence[str], cards: Mapping[str, SamplerCard | None], k: int
) -> tuple[SamplerRow, ...]:
    """Compare samplers and their parts.

    Args:
        bench: The videos.
        samplers: Names of the samplers.
        cards: By name.
        k: Clips looked at.

    Returns:
        A row for each sampler, followed by those of its parts.
    """
    found = []
    for name in samplers:
        parts = dict.fromkeys(part for case in bench.cases for part in variants(case.judgements[name].scores))
        for part in ("", *parts):
            title = f"{name} [{part}]" if part else name
            told = replace(bench, cases=tuple(_with_part(case, name, part, title) for case in bench.cases))
            (outcome,) = outcomes(told, [Strategy("sampler", title)], [k])
            finding = find_spans(told, title, k)
            found.append(SamplerRow(name, part, cards.get(name), outcome.row, finding))
    return tuple(found)


def _with_part(case: Case, name: str, part: str, title: str) -> Case:
    """The case with one more judgement; a video that lacks the part is judged by the whole sampler."""
    whole = case.judgements[name].scores
    scores = variants(whole).get(part, whole) if part else whole
    return replace(
        case, judgements={**case.judgements, title: Judgement(scores, case.judgements[name].gflops)}
    )
