"""The verb ``evaluate``: the poster's tables from the user's own videos.

f looks at every clip of every video once, and that is kept; every sampler scores every video once, and that is kept
too; then each strategy at each K is a look-up (:mod:`salientclips.evaluation`). A run that was stopped goes on where
it was. A video that is missing, damaged, unlabelled or of a class that f does not know is left out and listed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

from .. import __version__
from ..cache.predictions import identity, load_or_look
from ..cache.store import clips_key, default_folder, key_of
from ..classifiers import ClipClassifier
from ..datasets.folder import read_entries
from ..datasets.manifest import SPLITS, Entry, Split
from ..errors import InputError, SalientClipsError, UnknownNameError
from ..evaluation.case import Case, Judgement
from ..evaluation.cost import card_of, gflops_of
from ..evaluation.decoding import plan_decoding
from ..evaluation.metrics import METRICS, Metric
from ..evaluation.outcome import make_bench, outcomes
from ..evaluation.report import FEW_GROUPS, Evaluation, LeftOut, sampler_rows
from ..evaluation.strategies import DRAWS, usual_strategies
from ..media.demux import read_packets
from ..outputs.score_files import load_scores, save_scores
from ..samplers import Sampler, make_sampler
from ..samplers.card import FEATURE_VERSION
from ..timeline import ClipSpec
from ..types import ClipScores, Fingerprint, PacketTable
from .score import DEFAULT_SAMPLER, score

Progress = Callable[[str, float], None]
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
        draws: How often strategies of chance are drawn and averaged.
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
    """
    ks = _checked(k, metric, split, draws)
    shown_k = table_k or max((n for n in ks if n <= TABLE_K), default=ks[0])
    if shown_k not in ks:
        raise InputError(f"the tables' K of {shown_k} is not among the K", "give it with --k, too")
    entries = read_entries(Path(source)) if isinstance(source, str | Path) else tuple(source)
    judges = _named(samplers)
    shown_split, entries = _of_split(entries, split)
    folder = default_folder() if cache is None else Path(cache)
    work = _Work(classifier, judges, folder, threads, batch_clips, progress)
    cases = work.cases(entries)
    if not cases:
        first = work.left_out[0]
        raise InputError(
            f"none of {len(entries)} videos can be evaluated; the first, '{first.path}': {first.reason}",
            "check paths and labels of the manifest",
        )
    bench = make_bench(cases, metric, draws=draws, seed=seed)
    cards = {name: card_of(judge) for name, judge in judges.items()}
    histogram = next((card.histogram for card in cards.values() if card is not None and card.histogram), ())
    report = None if progress is None else (lambda share: progress("tables", share))
    return Evaluation(
        benchmark=benchmark or (Path(source).stem if isinstance(source, str | Path) else "videos"),
        split=shown_split,
        classifier=work.classifier_name,
        metric=metric,
        k=shown_k,
        bench=bench,
        outcomes=outcomes(bench, usual_strategies(tuple(judges), histogram), ks, report),
        samplers=sampler_rows(bench, tuple(judges), cards, shown_k),
        left_out=tuple(work.left_out),
        warnings=(*dict.fromkeys(work.warnings), *_remarks(bench.groups, bool(histogram))),
        commit=_commit(),
    )


def _checked(k: Sequence[int], metric: str, split: str | None, draws: int) -> tuple[int, ...]:
    ks = tuple(sorted(set(k)))
    if not ks or ks[0] < 1:
        raise InputError(f"k = {list(k)} clips cannot be selected", "give k of at least 1")
    if draws < 1:
        raise InputError(f"{draws} draws cannot be averaged", "give at least 1")
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    if split is not None and split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    return ks


def _named(samplers: Sequence[str | Sampler]) -> dict[str, Sampler]:
    """Samplers by the name that they have in the tables: what the user wrote, a folder by its last part."""
    found: dict[str, Sampler] = {}
    for given in samplers:
        judge = make_sampler(given) if isinstance(given, str) else given
        name = judge.name
        if isinstance(given, str) and Path(given).is_dir():
            name = Path(given).resolve().name
        if name in found and isinstance(given, str):
            name = given
        if name in found:
            raise InputError(f"two samplers are called {name!r}", "give each once, or rename one's folder")
        found[name] = judge
    return found


def _of_split(entries: Sequence[Entry], split: Split | None) -> tuple[str, tuple[Entry, ...]]:
    named = {entry.split for entry in entries} - {None}
    if split is None and not named:
        return "all", tuple(entries)
    wanted = split or "test"
    found = tuple(entry for entry in entries if entry.split == wanted)
    if not found:
        have = ", ".join(sorted(str(name) for name in named)) or "none"
        raise InputError(f"no video is of the split {wanted!r}", f"give --split; the source names: {have}")
    return wanted, found


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


@dataclass
class _Work:
    """Goes through the videos; what cannot be used is noted and passed over."""

    classifier: ClipClassifier
    judges: dict[str, Sampler]
    cache: Path
    threads: int
    batch_clips: int
    progress: Progress | None
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    classifier_name: str = field(init=False)

    def __post_init__(self) -> None:
        self.classifier_name = identity(self.classifier)

    def cases(self, entries: Sequence[Entry]) -> list[Case]:
        found = []
        for number, entry in enumerate(entries):
            try:
                found.append(self._case(entry, number, len(entries)))
            except SalientClipsError as error:
                self.left_out.append(LeftOut(entry.path, error.message))
        return found

    def _case(self, entry: Entry, number: int, total: int) -> Case:
        known = self.classifier.labels
        truth = tuple(known.index(label) for label in entry.labels if label in known)
        if not entry.labels:
            raise InputError("it has no label")
        if not truth:
            raise InputError(f"its class {'|'.join(entry.labels)!r} is none of {self.classifier.name}'s")

        def report(part: str, share: float) -> None:
            if self.progress is not None:
                self.progress(part, (number + share) / total)

        began = perf_counter()
        table = read_packets(entry.path)
        demux_s = perf_counter() - began
        dense = load_or_look(
            entry.path,
            self.classifier,
            folder=self.cache,
            name=self.classifier_name,
            threads=self.threads,
            batch_clips=self.batch_clips,
            table=table,
            progress=lambda share: report("labels", share),
            warn=self.warnings.append,
        )
        judgements = {}
        for place, (name, judge) in enumerate(self.judges.items(), start=1):
            scores = self._scores(entry.path, judge, table, dense.fingerprint)
            cost = gflops_of(judge, table, len(scores))
            judgements[name] = Judgement(scores, cost)
            self._note(entry.path, name, scores)
            report("scores", place / len(self.judges))
        plan = plan_decoding(table, dense.grid, self.classifier.input)
        return Case(entry, truth, dense, plan, judgements, demux_s)

    def _note(self, path: Path, name: str, scores: ClipScores) -> None:
        self.warnings += [f"'{path}', {name}: {warning}" for warning in scores.warnings]

    def _scores(self, path: Path, judge: Sampler, table: PacketTable, of: Fingerprint) -> ClipScores:
        """A sampler's scores of a video, from the cache where they are there and fit."""
        spec = ClipSpec(self.classifier.input.frames, self.classifier.input.frame_step)
        key = key_of(
            kind="scores",
            version=FEATURE_VERSION,
            fingerprint=asdict(of),
            sampler=judge.name,
            parameters=judge.parameters,
            features=asdict(judge.feature_parameters),
            clips=clips_key(spec),
        )
        file = self.cache / "scores" / f"{key}.json"
        if file.exists():
            try:
                return load_scores(file, path, sampler=judge, clip=spec)
            except SalientClipsError as damage:
                self.warnings.append(f"{damage.message}; it is made again")
        found = score(path, judge, clip=spec, threads=self.threads, table=table)
        file.parent.mkdir(parents=True, exist_ok=True)
        save_scores(found, file)
        return found
