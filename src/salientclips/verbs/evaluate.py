"""The verb ``evaluate``: the tables of the paper's poster from the user's own videos.

f looks at every clip of every video once, and that is kept; every sampler scores every video once, and that is kept
too; then each strategy at each K is a look-up (:mod:`salientclips.evaluation`). A run that was stopped goes on where
it was. A video that is missing, damaged, unlabelled or of a class that f does not know is left out and listed.

Cross-validation is :func:`gather` once a fold, each with the samplers that have not seen it, and one
:func:`tabulate` of all.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..classifiers import ClipClassifier
from ..datasets.manifest import Entry, Split
from ..errors import InputError, UnknownNameError
from ..evaluation.metrics import METRICS, Metric
from ..evaluation.outcome import make_bench, outcomes
from ..evaluation.report import FEW_GROUPS, Evaluation, sampler_rows
from ..evaluation.strategies import DRAWS, usual_strategies
from ..samplers import DEFAULT_SAMPLER, Sampler
from .gather import Gathered, gather
from .score import Progress, part_of

USUAL_K: tuple[int, ...] = tuple(range(1, 21))
TABLE_K = 10


def evaluate(
    source: str | Path | Sequence[Entry],
    classifier: ClipClassifier,
    samplers: Sequence[str | Sampler] = (DEFAULT_SAMPLER,),
    *,
    k: Sequence[int] = USUAL_K,
    table_k: int | None = None,
    split: Split | None = None,
    metric: Metric = "top-1",
    cache: str | Path | None = None,
    benchmark: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int = 1,
    batch_clips: int = 4,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare every strategy with f on labelled videos.

    Args:
        source: A CSV manifest, a folder with a sub-folder for each class, or entries.
        classifier: f.
        samplers: Names, folders of trained samplers, or samplers of your own.
        k: Clips looked at, each at least 1.
        table_k: The K of the tables that show one; by default 10, or the largest K below it.
        split: Which videos; by default those of ``test`` where the source names splits, else all.
        metric: What ``accuracy`` is: top-1, mean-class or map.
        cache: A folder for what f and the samplers said, shared between evaluations and with ``fit``; by default
            ``$XDG_CACHE_HOME/salientclips/videos``.
        benchmark: Name of the set of videos in the tables; by default the source's.
        draws: How many times strategies of chance are drawn; their results are averaged.
        seed: Of the draws and of the bootstrap.
        threads: Decoder threads; the result does not depend on it.
        batch_clips: Clips given to f at once; bounds the memory.
        progress: Called with ("labels" | "scores" | "tables", share done).

    Returns:
        The tables; write them with :func:`salientclips.evaluation.tables.write_tables` and draw them with
        :func:`salientclips.evaluation.figures.draw_figures`.

    Raises:
        InputError: An argument is out of range, or no video can be evaluated.
        UnknownNameError: There is no sampler, metric or split of that name.
        FileMissingError: There is no such source.

    Example:
        >>> from salientclips import evaluate, load_classifier
        >>> f = load_classifier("r3d_18", random_weights=True, frames=8, crop_px=32)
        >>> found = evaluate("labelled.csv", f, ["motion"], k=[1, 2], cache="cache")
        >>> {row.strategy.name for row in found.rows if row.k == 2} >= {"uniform", "random", "oracle"}
        True
        >>> found.k, all(0 <= row.accuracy <= 1 for row in found.rows)
        (2, True)
    """
    ks, shown_k = _checked(k, table_k, metric, draws)
    gathered = gather(
        source,
        classifier,
        samplers,
        split=split,
        cache=cache,
        threads=threads,
        batch_clips=batch_clips,
        progress=progress,
    )
    name = benchmark or (Path(source).stem if isinstance(source, str | Path) else "videos")
    return tabulate(
        [gathered],
        benchmark=name,
        k=ks,
        table_k=shown_k,
        metric=metric,
        draws=draws,
        seed=seed,
        progress=progress,
    )


def tabulate(
    folds: Sequence[Gathered],
    *,
    benchmark: str,
    k: Sequence[int] = USUAL_K,
    table_k: int | None = None,
    metric: Metric = "top-1",
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Make the tables of what was gathered.

    Args:
        folds: At least one; of several, each with samplers of the same names (trained on the others' videos) and
            the same f. Cards and the histogram of ``empirical`` are those of the first.
        benchmark: Name of the set of videos in the tables.
        k: Clips looked at, each at least 1.
        table_k: The K of the tables that show one; by default 10, or the largest K below it.
        metric: What ``accuracy`` is: top-1, mean-class or map.
        draws: How many times strategies of chance are drawn; their results are averaged.
        seed: Of the draws and of the bootstrap.
        progress: Called with ("tables", share done).

    Returns:
        The tables.

    Raises:
        InputError: An argument is out of range, or the folds do not go together.
        UnknownNameError: There is no metric of that name.
    """
    ks, shown_k = _checked(k, table_k, metric, draws)
    first = folds[0]
    if any((fold.classifier, *fold.cards) != (first.classifier, *first.cards) for fold in folds):
        raise InputError(
            "the folds have other classifiers or samplers",
            "gather each with the same f and names of samplers",
        )
    bench = make_bench([case for fold in folds for case in fold.cases], metric, draws=draws, seed=seed)
    known = [card for card in first.cards.values() if card is not None]
    histogram = next((card.histogram for card in known if card.histogram), ())
    names = tuple(first.cards)
    report = part_of(progress, "tables")
    warnings = [warning for fold in folds for warning in fold.warnings]
    return Evaluation(
        benchmark=benchmark,
        split=first.split if len(folds) == 1 else f"{len(folds)} folds",
        classifier=first.classifier,
        metric=metric,
        k=shown_k,
        bench=bench,
        outcomes=outcomes(bench, usual_strategies(names, histogram), ks, report),
        samplers=sampler_rows(bench, names, first.cards, shown_k),
        left_out=tuple(out for fold in folds for out in fold.left_out),
        warnings=(*dict.fromkeys(warnings), *_remarks(bench.groups, bool(histogram))),
        commit=_commit(),
    )


def _checked(k: Sequence[int], table_k: int | None, metric: str, draws: int) -> tuple[tuple[int, ...], int]:
    """Every K once, increasing, and the K of the tables that show one."""
    ks = tuple(sorted(set(k)))
    if not ks or ks[0] < 1:
        raise InputError(f"k = {list(k)} clips cannot be selected", "give k of at least 1")
    if draws < 1:
        raise InputError(f"{draws} draws cannot be averaged", "give at least 1")
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    shown_k = table_k or max((n for n in ks if n <= TABLE_K), default=ks[0])
    if shown_k not in ks:
        raise InputError(f"the tables' K of {shown_k} is not among the K", "give it with --k, too")
    return ks, shown_k


def _remarks(groups: int, has_histogram: bool) -> tuple[str, ...]:
    remarks = []
    if groups == 1:
        remarks.append("all videos are of one group, so there is nothing to draw intervals from")
    elif groups < FEW_GROUPS:
        remarks.append(f"the videos are of {groups} groups only, so the intervals say little")
    if not has_histogram:
        remarks.append("no sampler's card has a histogram of salient places: there is no row 'empirical'")
    return tuple(remarks)


def _commit() -> str:
    """The commit of the source tree, with ``+`` where it was changed since; the version where there is no tree."""
    here = Path(__file__).resolve().parents[1]
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
        tracked = subprocess.run(
            ["git", "-C", str(here), "ls-files", "--error-unmatch", __file__], capture_output=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return f"v{__version__}"
    # An installed copy may lie inside somebody else's repository.
    return found if tracked.returncode == 0 else f"v{__version__}"
