"""What a classifier says of a video under several strategies, and what each costs: the report's comparison.

The selected clips, as many spread evenly over the video (``uniform``), and on request all (``dense``) are each
looked at for themselves, so that the seconds are measured and not shared out. Without ``dense``, what it would
have taken is worked out from the clips that were looked at, and marked as an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..classifiers import ClipClassifier
from ..classifiers.look import ClipLooker
from ..outputs.report.data import Cost, Guess, Verdict
from ..samplers import Uniform
from ..types import PacketTable, SelectedClip, Selection
from .score import Progress, part_of, score

_SHOWN_GUESSES = 3


@dataclass(frozen=True)
class Comparison:
    """Strategies side by side."""

    verdicts: tuple[Verdict, ...]
    costs: tuple[Cost, ...]
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""


def compare_strategies(
    selection: Selection,
    classifier: ClipClassifier,
    table: PacketTable,
    *,
    dense: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Ask a classifier about the selected clips, about clips at even distances and, if wanted, about all.

    Args:
        selection: The clips chosen.
        classifier: f: looks at one clip.
        table: The packet table of the video.
        dense: Whether all clips are looked at, too; takes long.
        threads: Decoder threads.
        progress: Called with ("classifier", share of a strategy's clips done).

    Returns:
        Three classes a strategy, and the costs in seconds and GFLOPs.

    Raises:
        MediaError: The video cannot be read.
    """
    scores = selection.scores
    even = score(scores.path, Uniform(), clip=scores.clip_spec, grid=scores.grid, table=table)
    groups: dict[str, Sequence[SelectedClip]] = {
        "sampler": selection.clips,
        "uniform": even.select(selection.k).clips,
    }
    if dense:
        groups["dense"] = even.select(len(scores)).clips
    looked = {
        name: _look(name, clips, selection, classifier, table, threads, progress)
        for name, clips in groups.items()
        if clips
    }
    costs = [cost for _, cost, _ in looked.values()]
    if not dense and costs:
        costs.append(_estimate(costs, len(scores), classifier))
    return Comparison(
        tuple(verdict for verdict, _, _ in looked.values()),
        tuple(costs),
        tuple(dict.fromkeys(line for _, _, lines in looked.values() for line in lines)),
    )


def scoring_cost(selection: Selection) -> Cost:
    """What scoring alone took.

    Args:
        selection: The clips chosen.

    Returns:
        The cost without any classifier; no clip was looked at.
    """
    return Cost("sampler", 0, dict(selection.scores.seconds), None)


def _look(
    name: str,
    clips: Sequence[SelectedClip],
    selection: Selection,
    classifier: ClipClassifier,
    table: PacketTable,
    threads: int,
    progress: Progress | None,
) -> tuple[Verdict, Cost, tuple[str, ...]]:
    scores = selection.scores
    looker = ClipLooker(scores.path, classifier, table, threads)
    report = part_of(progress, "classifier")
    said = looker.look(sorted(clips, key=lambda c: c.start), report, leave_out_lost=True)
    num_seen = len(clips) - len(looker.lost)
    mean = np.delete(said, sorted(looker.lost), axis=0).mean(axis=0, dtype=np.float64)
    best = np.argsort(-mean, kind="stable")[:_SHOWN_GUESSES]
    spent = dict(scores.seconds)
    if name != "sampler":
        # Clips that are not chosen by score need the packet table and nothing more.
        spent = {part: value for part, value in spent.items() if part == "demux"}
    cost = classifier.input.gflops
    gflops = None if cost is None else cost * num_seen
    verdict = Verdict(name, num_seen, tuple(Guess(classifier.labels[i], float(mean[i])) for i in best))
    return verdict, Cost(name, num_seen, {**spent, **looker.seconds}, gflops), looker.warnings


def _estimate(costs: Sequence[Cost], clips: int, classifier: ClipClassifier) -> Cost:
    """What looking at all clips would take, at the mean time a clip took so far."""
    looked_at = sum(cost.clips for cost in costs)
    each = {part: sum(c.parts_s[part] for c in costs) / looked_at for part in ("decode", "classifier")}
    parts = {"demux": costs[0].parts_s.get("demux", 0.0), **{p: v * clips for p, v in each.items()}}
    gflops = classifier.input.gflops
    return Cost("dense", clips, parts, None if gflops is None else gflops * clips, is_estimated=True)
