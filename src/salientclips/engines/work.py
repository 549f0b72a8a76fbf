"""What is done to one video of a corpus, as stages that processes can be started with (paper, figure 1).

A stage is plain data that goes by pickle; opened in a process, it loads what it needs once (a sampler, a
classifier) and then takes video after video. ``classify`` has two: one that reads features and scores, which wants
cores, and one that looks at the chosen clips, which wants a GPU. Where one process does all, :class:`Chain` runs one
after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from ..corpus.fetch import local_copy
from ..corpus.item import Item
from ..corpus.job import Job
from ..corpus.names import local_path, scrubbed
from ..corpus.rows import Outcome
from ..errors import unforeseen
from ..samplers import Sampler, Uniform
from ..types import ClipScores
from ..verbs.classify import VideoClassifier
from ..verbs.score import score
from .outcome import Scored, classified_outcome, scored_outcome, selected_outcome

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
Given = TypeVar("Given")
Between = TypeVar("Between")
Made = TypeVar("Made")


class Stage(Protocol[In, Out]):
    """Something to do to one video after the other."""

    def open(self, threads: int) -> Callable[[In], Out]:
        """Load what is needed, once a process.

        Args:
            threads: Threads that it may use; the results do not depend on it.

        Returns:
            What does it, and raises a ``SalientClipsError`` where a video does not allow it.
        """


@dataclass(frozen=True)
class Chain(Generic[Given, Between, Made]):
    """Two stages in one process: a :class:`Stage` again."""

    first: Stage[Given, Between]
    """Reads a video."""
    second: Stage[Between, Made]
    """Goes on with what the first one made."""

    def open(self, threads: int) -> Callable[[Given], Made]:
        """As :meth:`Stage.open`."""
        one, other = self.first.open(threads), self.second.open(threads)

        def both(given: Given) -> Made:
            if not isinstance(given, Item) or local_path(given.video) is not None:
                return other(one(given))
            # It lies elsewhere: held over both, so that it comes once.
            with at_hand(given):
                return other(one(given))

        return both


@dataclass(frozen=True)
class ScoreStage:
    """Reads features and scores: the :class:`Stage` that wants cores."""

    job: Job

    def open(self, threads: int) -> Callable[[Item], Scored]:
        """As :meth:`Stage.open`."""
        looking, how = self.job.looking, self.job.scoring
        # The other strategies need no score: uniform says what clips there are, and costs one look at the packets.
        judge: Sampler = how.judge() if looking is None or looking.strategy == "sampler" else Uniform()

        def read(item: Item) -> Scored:
            with at_hand(item) as (path, fetch_s):
                scores = score(path, judge, clip=how.clip, budget=how.budget, threads=threads)
                warnings = tuple(_by_name(line, path, item) for line in scores.warnings)
            scores = replace(scores, warnings=warnings)
            return Scored(item, scores, {"fetch": fetch_s, **scores.seconds})

        return read


@dataclass(frozen=True)
class ChooseStage:
    """Makes rows of scores, of all clips or (``select``) of the chosen ones: a :class:`Stage` that costs nothing."""

    job: Job

    def open(self, threads: int) -> Callable[[Scored], Outcome]:
        """As :meth:`Stage.open`."""
        how = self.job.choosing
        if self.job.verb == "score":
            return scored_outcome

        def choose(done: Scored) -> Outcome:
            selection = done.scores.select(
                how.k, min_gap_s=how.min_gap_s, coverage=how.coverage, threshold=how.threshold
            )
            return selected_outcome(done, selection)

        return choose


@dataclass(frozen=True)
class LookStage:
    """Decodes the chosen clips and asks the classifier: the :class:`Stage` that wants a GPU."""

    job: Job

    def open(self, threads: int) -> Callable[[Scored], Outcome]:
        """As :meth:`Stage.open`."""
        looking, how = self.job.looking, self.job.scoring
        assert looking is not None, "a job of classify has a classifier"
        f = looking.load(threads=threads)
        whole = VideoClassifier(f, how.judge(), self.job.choosing.k, looking.strategy, how.seed, threads)
        by_sampler = looking.strategy == "sampler"

        def look(done: Scored) -> Outcome:
            item = done.item
            label = next((label for label in item.labels if label in f.labels), None)
            with at_hand(item) as (path, fetch_s):
                ready = _here(done.scores, path) if by_sampler else None
                said = whole(path, label=label, scores=ready)
                warnings = tuple(_by_name(line, path, item) for line in said.warnings)
            spent = _sum(done.seconds, {"fetch": fetch_s, **said.seconds})
            by = done.scores.sampler if by_sampler else looking.strategy
            done = replace(done, seconds=spent)
            return classified_outcome(done, replace(said, warnings=warnings), looking.top, by)

        return look


def stages(job: Job) -> tuple[Stage[Item, Scored], Stage[Scored, Outcome]]:
    """The two stages of a job.

    Args:
        job: What is to be done.

    Returns:
        One that reads features and scores, and one that makes the rows: at no cost, or by looking at clips.
    """
    second: Stage[Scored, Outcome] = ChooseStage(job) if job.looking is None else LookStage(job)
    return ScoreStage(job), second


_HELD: dict[str, Path] = {}
"""Videos that are at hand in this process now: stages run one after the other, in one thread."""


@contextmanager
def at_hand(item: Item) -> Iterator[tuple[Path, float]]:
    """A video as a local file, for as long as the block runs; inside another such block the same file.

    Args:
        item: The video.

    Yields:
        Its path, and the seconds that it took to come.

    Raises:
        SalientClipsError: It cannot be fetched, or the block raised something. A temporary copy is called by the
            video's name then, for its path is another one in every run.
    """
    if item.video in _HELD:
        yield _HELD[item.video], 0.0
        return
    began = perf_counter()
    with local_copy(item.video) as path:
        _HELD[item.video] = path
        try:
            yield path, perf_counter() - began
        except Exception as error:
            told = unforeseen(error)
            told.message = (
                scrubbed(_by_name(told.message, path, item))
                if told is not error
                else _by_name(told.message, path, item)
            )
            told.remedy = _by_name(told.remedy, path, item)
            raise told from None
        finally:
            del _HELD[item.video]


def _by_name(line: str, path: Path, item: Item) -> str:
    return line.replace(str(path), item.name)


def _here(scores: ClipScores, path: Path) -> ClipScores:
    """Scores that were made on another copy, of the same file here."""
    return replace(scores, path=path)


def _sum(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {part: one.get(part, 0.0) + other.get(part, 0.0) for part in {**one, **other}}
