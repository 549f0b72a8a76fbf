"""One verb over a whole corpus: lists the videos, leaves out what is done, and writes what comes of the rest.

A run may be killed at any point and started again with the same words; the data set then ends with the same rows as
if it had never been disturbed (:mod:`salientclips.outputs.corpus_dataset`).

The data set is this project's own (docs/corpus_output.md; docs/decisions.md, decisions 51 to 53).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Protocol

import pyarrow.compute as pc

from ..corpus.item import Item
from ..corpus.job import Job
from ..corpus.rows import Outcome
from ..corpus.sources import list_items
from ..errors import InputError
from ..outputs.corpus_dataset import DatasetWriter, from_text, read_videos
from ..verbs.classify import VideoClassifier
from .local import LocalEngine
from .work import Between, Stage, stages


class Engine(Protocol):
    """Maps stages over a corpus: :class:`LocalEngine` or :class:`~salientclips.engines.ray.RayEngine`."""

    def run(
        self,
        items: Iterable[Item],
        first: Stage[Item, Between],
        second: Stage[Between, Outcome],
        *,
        gpu: bool = False,
    ) -> Generator[Outcome | None, None, None]:
        """Put every video through both stages.

        Args:
            items: The videos.
            first: What is done to a video first; wants cores.
            second: What is done to what came of that.
            gpu: Whether the second stage wants a GPU where there is one.

        Yields:
            What comes of each video as it is done, and None about once a second where nothing is.
        """


@dataclass
class Tally:
    """How far a run is."""

    total: int
    """Videos of the corpus."""
    before: int
    """Of them, done by earlier runs."""
    failed_before: int
    """Of those, failed."""
    done: int = 0
    """Done by this run, failures among them."""
    failed: int = 0
    """Failed in this run."""
    video_s: float = 0.0
    """Length of what this run has done, seconds of video."""
    began: float = field(default_factory=monotonic)
    """Clock reading at the start, seconds of :func:`time.monotonic`."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time that the workers spent by part, all together."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self.began

    @property
    def left_s(self) -> float | None:
        """Seconds until it is done, if the rest goes as what is done; None before there is anything to go by."""
        if not self.done:
            return None
        return self.elapsed_s / self.done * (self.total - self.before - self.done)

    def count(self, outcome: Outcome) -> None:
        """Count one more video.

        Args:
            outcome: What came of it.
        """
        self.done += 1
        self.failed += outcome.failed
        self.video_s += outcome.row.duration_s or 0.0
        for part, spent in outcome.seconds.items():
            self.seconds[part] = self.seconds.get(part, 0.0) + spent


@dataclass(frozen=True)
class CorpusReport:
    """What a run came to."""

    folder: Path
    """The data set."""
    tally: Tally
    """How many videos there are, were done and failed, and what that took."""
    stopped: bool
    """Whether it was ended by too many failures, with videos left to do."""
    failures: tuple[Outcome, ...]
    """The first failures of this run, at most ten; the data set has them all."""

    @property
    def failed(self) -> int:
        """Videos of the data set that failed, in this run or before."""
        return self.tally.failed + self.tally.failed_before


Watch = Callable[[Tally, Outcome | None], None]
"""Called with every video that is done, and with None about once a second where nothing is."""

_FAILURES_SHOWN = 10


def run_corpus(
    sources: Sequence[str | Path] | str | Path,
    output: str | Path,
    job: Job | None = None,
    *,
    engine: Engine | None = None,
    retry_failed: bool = False,
    max_failures: int | None = None,
    part_seconds: float = 30.0,
    watch: Watch | None = None,
) -> CorpusReport:
    """Score, select or classify every video of a corpus.

    Args:
        sources: Files, folders, globs, lists, manifests, WebDataset shards and URLs
            (:func:`salientclips.corpus.sources.list_items`).
        output: Folder of the data set; made, or continued where it was begun with the same job.
        job: What is done to each video; ``score`` by default.
        engine: Who does it; by default the cores of this machine.
        retry_failed: Whether videos that failed in an earlier run are done again.
        max_failures: Stop when more videos than that have failed in this run; None to go on whatever happens.
        part_seconds: Rows are written so often, seconds: what a kill can cost, at most, of what is done.
        watch: Called as the work goes on.

    Returns:
        What the run came to. Failures are rows of the data set, not exceptions.

    Raises:
        InputError: Sources list no video, or the folder holds something else, another job, or is in use.
        SalientClipsError: The sampler or the classifier does not load; the engine cannot start.

    Example:
        >>> from salientclips import Choosing, Job, LocalEngine, run_corpus
        >>> job = Job("select", choosing=Choosing(k=2))
        >>> report = run_corpus("videos/", "corpus", job, engine=LocalEngine(workers=1))
        >>> report.tally.done, report.failed
        (2, 0)
        >>> run_corpus("videos/", "corpus", job).tally.done  # they have rows already
        0
    """
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    wanted = _with_clip(job or Job())
    items = list_items([str(source) for source in given])
    first, second = stages(wanted)
    gpu = wanted.looking is not None and wanted.looking.wants_gpu
    folder = Path(output)
    if max_failures is not None and max_failures < 0:
        raise InputError(f"max_failures = {max_failures} makes no sense", "give 0 or more")
    with DatasetWriter(
        folder,
        wanted.facts(),
        retry={item.name for item in items} if retry_failed else (),
        part_seconds=part_seconds,
    ) as writer:
        todo = [item for item in items if item.name not in writer.done]
        tally = Tally(len(items), len(items) - len(todo), _failed(folder, items))
        failures: list[Outcome] = []
        stopped = False
        # Closed however the block ends: the workers go with it.
        with closing((engine or LocalEngine()).run(todo, first, second, gpu=gpu)) as results:
            for outcome in results:
                if outcome is None:
                    writer.tick()
                elif not writer.add(outcome):
                    continue  # it came twice, and counts once
                else:
                    tally.count(outcome)
                    if outcome.failed and len(failures) < _FAILURES_SHOWN:
                        failures.append(outcome)
                if watch is not None:
                    watch(tally, outcome)
                if max_failures is not None and tally.failed > max_failures:
                    stopped = tally.before + tally.done < tally.total
                    break
    return CorpusReport(folder, tally, stopped, tuple(failures))


def _with_clip(job: Job) -> Job:
    """The job with the classifier's clips, with the certainty that the classifier loads, and with absolute paths."""
    job = job.absolute()
    if job.looking is None:
        return job
    how, f = job.scoring, job.looking.load(device="cpu")
    # Says now what it would say in every worker: that the sampler has no histogram, for example.
    VideoClassifier(f, how.judge(), job.choosing.k, job.looking.strategy, how.seed)
    return replace(job, scoring=replace(job.scoring, clip=f.input.clip_spec))


def _failed(folder: Path, items: Sequence[Item]) -> int:
    """How many videos of the corpus have failed in earlier runs."""
    rows = read_videos(folder, ["video", "status"])
    failed = rows.filter(pc.equal(rows["status"], "failed"))["video"].to_pylist()
    wanted = {item.name for item in items} if failed else set()
    return sum(from_text(video) in wanted for video in failed)
