"""The dear half of ``evaluate``: f looks at every clip once, each sampler scores each video once, and all is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

from ..cache.predictions import identity, load_or_look
from ..cache.store import clips_key, default_folder, key_of
from ..classifiers import ClipClassifier
from ..datasets.folder import read_entries
from ..datasets.manifest import SPLITS, Entry, LeftOut, Split
from ..errors import InputError, SalientClipsError, UnknownNameError
from ..evaluation.case import Case, Judgement
from ..evaluation.cost import card_of, gflops_of
from ..evaluation.decoding import plan_decoding
from ..media.demux import read_packets
from ..outputs.score_files import load_scores, save_scores
from ..samplers import Sampler, make_sampler
from ..samplers.card import FEATURE_VERSION, SamplerCard
from ..types import ClipScores, Fingerprint, PacketTable
from .score import Progress, score


@dataclass(frozen=True, eq=False)
class Gathered:
    """What f and some samplers say of some videos."""

    cases: tuple[Case, ...]
    """The videos that can be evaluated."""
    split: str
    """Which they are."""
    classifier: str
    """f and its weights."""
    cards: dict[str, SamplerCard | None]
    """Of each sampler by its name in the tables; None for one without."""
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    """What went wrong without stopping the work, one line each."""


def gather(
    source: str | Path | Sequence[Entry],
    classifier: ClipClassifier,
    samplers: Sequence[str | Sampler] | Mapping[str, str | Sampler],
    *,
    split: Split | None = None,
    cache: str | Path | None = None,
    threads: int = 1,
    batch_clips: int = 4,
    progress: Progress | None = None,
) -> Gathered:
    """Ask f and the samplers about videos, or take from the cache what they said.

    Args:
        source: As for :func:`evaluate`.
        classifier: f.
        samplers: As for :func:`evaluate`, or by the names that they shall have in the tables.
        split: As for :func:`evaluate`.
        cache: As for :func:`evaluate`.
        threads: Decoder threads.
        batch_clips: Clips given to f at once.
        progress: Called with ("labels" | "scores", share done).

    Returns:
        What was found.

    Raises:
        InputError: No video can be evaluated, or an argument is wrong.
        UnknownNameError: There is no sampler or split of that name.
        FileMissingError: There is no such source.
    """
    if split is not None and split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
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
    cards = {name: card_of(judge) for name, judge in judges.items()}
    return Gathered(
        tuple(cases), shown_split, work.classifier_name, cards, tuple(work.left_out), tuple(work.warnings)
    )


def _named(samplers: Sequence[str | Sampler] | Mapping[str, str | Sampler]) -> dict[str, Sampler]:
    """Samplers by the name that they have in the tables: what the user wrote, a folder by its last part."""
    if isinstance(samplers, Mapping):
        return {n: make_sampler(given) if isinstance(given, str) else given for n, given in samplers.items()}
    found: dict[str, Sampler] = {}
    for given in samplers:
        judge = make_sampler(given) if isinstance(given, str) else given
        name = judge.name
        if isinstance(given, str) and os.path.isdir(given):
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
        spec = self.classifier.input.clip_spec
        key = key_of(
            kind="scores",
            version=FEATURE_VERSION,
            fingerprint=asdict(of),
            sampler=judge.name,
            parameters=judge.parameters,
            features=judge.feature_parameters.facts(),
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
