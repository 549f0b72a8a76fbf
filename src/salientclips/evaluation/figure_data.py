"""The numbers behind each figure, as tables: a figure shows nothing that is not in its CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..datasets.spans import salient_clips
from .outcome import Outcome
from .report import Evaluation
from .tables import Cell

PLACES = 10
"""Equal parts of a video's length in the figure of where clips lie."""
TIMELINES = 8
"""Videos in the figure of time lines."""


@dataclass(frozen=True)
class Table:
    """A table of numbers."""

    heading: tuple[str, ...]
    """Names of the columns."""
    rows: list[list[Cell]]
    """One list of cells a row, in order of the columns."""


def accuracy_over_k(found: Evaluation) -> Table:
    """Accuracy of every strategy at every K; dense at the largest, for it looks at all clips.

    Args:
        found: The evaluation.

    Returns:
        Columns strategy, sampler, k (empty for dense), accuracy_percent and its interval.
    """
    rows: list[list[Cell]] = [
        [
            row.strategy.name,
            row.strategy.sampler,
            row.k,
            100 * row.accuracy,
            100 * row.accuracy_low,
            100 * row.accuracy_high,
        ]
        for row in found.rows
    ]
    return Table(("strategy", "sampler", "k", "accuracy_percent", "low_percent", "high_percent"), rows)


def accuracy_over_seconds(found: Evaluation) -> Table:
    """Accuracy and mean time of every strategy at every K.

    Args:
        found: The evaluation.

    Returns:
        Columns strategy, sampler, k, seconds_per_video, accuracy_percent. Without the oracle, which no one can run.
    """
    rows: list[list[Cell]] = [
        [row.strategy.name, row.strategy.sampler, row.k, row.seconds_per_video, 100 * row.accuracy]
        for row in found.rows
        if row.strategy.name != "oracle"
    ]
    return Table(("strategy", "sampler", "k", "seconds_per_video", "accuracy_percent"), rows)


def where_clips_lie(found: Evaluation) -> Table:
    """In which tenth of their videos the clips lie that samplers and the oracle take.

    Args:
        found: The evaluation.

    Returns:
        Columns strategy, sampler, from_percent and to_percent of the video's length, share_percent of the clips;
        each video counts the same. Where the manifest has spans, a further strategy ``spans`` says where they lie.
    """
    rows: list[list[Cell]] = []
    for outcome in found.at_k():
        if outcome.row.strategy.name in ("sampler", "oracle"):
            named: list[Cell] = [outcome.row.strategy.name, outcome.row.strategy.sampler]
            rows += _shares(named, [_places(found, outcome, i) for i in range(len(outcome.choices))])
    spans = [_span_places(found, i) for i, case in enumerate(found.bench.cases) if case.entry.spans]
    if spans:
        rows += _shares(["spans", ""], spans)
    return Table(("strategy", "sampler", "from_percent", "to_percent", "share_percent"), rows)


def timelines(found: Evaluation) -> Table:
    """Saliency and choice along the first videos (poster: the most salient clips along the time line).

    Args:
        found: The evaluation; its first sampler is shown.

    Returns:
        Columns video, clip, start_s, end_s, saliency (0 to 1 within the video), taken (by the sampler), best (by
        the oracle) and salient (by the manifest; empty where it does not say). No rows without a sampler.
    """
    heading = ("video", "clip", "start_s", "end_s", "saliency", "taken", "best", "salient")
    at_k = {(o.row.strategy.name, o.row.strategy.sampler): o for o in found.at_k()}
    name = next((sampler for strategy, sampler in at_k if strategy == "sampler"), None)
    if name is None:
        return Table(heading, [])
    rows: list[list[Cell]] = []
    for i, case in enumerate(found.bench.cases[:TIMELINES]):
        scores = case.judgements[name].scores
        low, spread = float(scores.scores.min()), float(np.ptp(scores.scores))
        taken = set(at_k["sampler", name].choices[i].clips[0])
        best = set(at_k["oracle", ""].choices[i].clips[0])
        spans = case.entry.spans
        salient = salient_clips(scores.grid, spans) if spans else None
        for clip, (start, end) in enumerate(zip(scores.grid.start_s, scores.grid.end_s, strict=True)):
            level = (float(scores.scores[clip]) - low) / spread if spread > 0 else 0.5
            marks: list[Cell] = [
                int(clip in taken),
                int(clip in best),
                None if salient is None else int(salient[clip]),
            ]
            rows.append([str(case.entry.path), clip, float(start), float(end), level, *marks])
    return Table(heading, rows)


def _places(found: Evaluation, outcome: Outcome, video: int) -> list[float]:
    """Middles of the clips taken, as shares of the video's length."""
    grid = found.bench.cases[video].dense.grid
    begin, span = grid.start_s[0], grid.end_s[-1] - grid.start_s[0]
    middles = (grid.start_s + grid.end_s) / 2
    return [float((middles[i] - begin) / span) for clips in outcome.choices[video].clips for i in clips]


def _span_places(found: Evaluation, video: int) -> list[float]:
    case = found.bench.cases[video]
    grid = case.dense.grid
    begin, span = grid.start_s[0], grid.end_s[-1] - grid.start_s[0]
    salient = salient_clips(grid, case.entry.spans)
    return [float(m) for m in (((grid.start_s + grid.end_s) / 2 - begin) / span)[salient]]


def _shares(named: Sequence[Cell], places: Sequence[Sequence[float]]) -> list[list[Cell]]:
    """Share of clips in each part, averaged over the videos that have any."""
    counts = [np.histogram(of, bins=PLACES, range=(0.0, 1.0))[0] / len(of) for of in places if len(of)]
    mean = np.mean(counts, axis=0) if counts else np.zeros(PLACES)
    step = 100 / PLACES
    return [[*named, i * step, (i + 1) * step, 100 * float(share)] for i, share in enumerate(mean)]
