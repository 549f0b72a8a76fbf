"""The engine ``ray``: the same stages, placed on the machines of a Ray cluster by Ray Data.

Where the cluster has GPUs and the second stage wants one, each stage has actors of its own and videos stream from the
one to the other: cores read features and score while GPUs look at clips. Else one kind of actor does both. An actor
holds no video itself: it has a guarded process, as the engine ``local`` has, so limits mean the same here. An actor
that is killed is started again by Ray, with the videos that it had; rows come to the caller once.

Engines are this project's own (docs/decisions.md, decisions 50 and 51).
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..corpus.item import Item
from ..corpus.names import scrubbed
from ..corpus.rows import Outcome
from ..errors import InputError, SalientClipsError, first_line
from ..networks.extras import require
from .guard import GuardedWorker, StageFailedError
from .limits import HEARTBEAT_S, Limits, check_counts
from .local import outcome_of
from .outcome import Scored
from .work import Between, Chain, Stage

if TYPE_CHECKING:
    from types import ModuleType

_PATIENCE_S = 5.0
_BLOCK = 4
"""Most videos in one block: what an actor is handed at once, and does again if it is killed."""
_BLOCKS_PER_WORKER = 16
"""Least blocks, so that no actor is left with a long queue while others idle."""

Row = dict[str, Any]


@dataclass(frozen=True)
class RayEngine:
    """Maps stages over a corpus with Ray Data.

    Raises:
        InputError: A number is below 1.
    """

    address: str | None = None
    """The cluster: ``"auto"``, ``"ray://host:10001"``, ``"host:6379"``; None for the one that this process is
    connected to, or that ``RAY_ADDRESS`` names, else for one of its own on this machine."""
    workers: int | None = None
    """Actors that read and score; None for as many as the cluster has cores for."""
    threads: int = 1
    """Threads, and Ray's CPUs, of each."""
    limits: Limits = field(default_factory=Limits)
    """What one video may cost."""

    def __post_init__(self) -> None:
        check_counts(workers=self.workers, threads=self.threads)

    def run(
        self,
        items: Iterable[Item],
        first: Stage[Item, Between],
        second: Stage[Between, Outcome],
        *,
        gpu: bool = False,
    ) -> Generator[Outcome | None, None, None]:
        """Work on all videos of a corpus.

        Args:
            items: The videos; all their names go to the cluster at the start.
            first: What is done to each.
            second: What is done to what came of that.
            gpu: Whether the second stage uses a GPU where there is one: then it has actors of its own, one a GPU.

        Yields:
            What came of each video, in the order in which they are done; None about once a second where nothing is.

        Raises:
            MissingExtraError: Ray does not load.
            SalientClipsError: The cluster cannot be reached, or the sampler or the classifier does not load.
        """
        everything = list(items)
        if not everything:
            return
        ray = _connect(self.address)
        gpus = int(ray.cluster_resources().get("GPU", 0)) if gpu else 0
        workers = self._actors(ray)
        data = _rows(everything, workers)
        scoring = _Actors(first if gpus else Chain(first, second), self.limits, workers + gpus, self.threads)
        data = data.map(_Guarded, fn_constructor_args=(scoring,), num_cpus=self.threads, concurrency=workers)
        if gpus:
            looking = _Actors(second, self.limits, workers + gpus, self.threads)
            data = data.map(
                _Guarded, fn_constructor_args=(looking,), num_cpus=1, num_gpus=1, concurrency=gpus
            )
        yield from _with_heartbeat(data.iter_rows)

    def _actors(self, ray: ModuleType) -> int:
        """How many actors read and score; Ray would wait in silence for what the cluster does not have."""
        nodes = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
        largest, room = max(nodes, default=0), sum(int(cpus // self.threads) for cpus in nodes)
        if self.threads > largest:
            raise InputError(
                f"--threads {self.threads} is more than any machine of the cluster has ({largest:g} CPUs)",
                "give fewer",
            )
        if self.workers is not None and self.workers > room:
            raise InputError(
                f"the cluster has room for {room} workers of {self.threads} threads, not {self.workers}",
                "give fewer --workers",
            )
        return self.workers or room


def _connect(address: str | None) -> ModuleType:
    """Ray, connected to a cluster, and quiet."""
    # Nobody asked for these; whoever wants them sets the variables.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    ray = require("ray", "ray")
    require("ray.data", "ray")
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not ray.is_initialized():
        try:
            ray.init(
                # Without a word Ray would join any cluster that was started on this machine.
                address=address or os.environ.get("RAY_ADDRESS") or "local",
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
        except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
            raise SalientClipsError(
                f"the Ray cluster {address or 'of this machine'} cannot be reached ({first_line(error)})",
                "check --address, and that `ray status` answers there",
            ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray


def _rows(items: list[Item], workers: int) -> Any:
    """The videos as a data set of pickles, in blocks small enough that rows come back all the time."""
    import ray

    size = max(1, min(_BLOCK, len(items) // (workers * _BLOCKS_PER_WORKER)))
    rows = [{"item": pickle.dumps(item)} for item in items]
    return ray.data.from_items(rows, override_num_blocks=-(-len(rows) // size))


@dataclass(frozen=True)
class _Actors:
    """What the actors of a stage are started with."""

    stage: Stage[Any, Any]
    limits: Limits
    workers: int
    threads: int


class _Guarded:
    """An actor: a guarded process, and the rows that go through it."""

    def __init__(self, actors: _Actors) -> None:
        memory = actors.limits.share_of(min(actors.workers, os.cpu_count() or 1))
        self._worker: GuardedWorker[Any, Any] = GuardedWorker(
            actors.stage, actors.limits, memory, actors.threads
        )

    def __call__(self, row: Row) -> Row:
        given = pickle.loads(row["item"])
        if isinstance(given, Outcome | _Unopened):
            return row
        item = given.item if isinstance(given, Scored) else given
        try:
            made: object = outcome_of(self._worker, item, given)
        except StageFailedError as error:
            # As an exception it would come home wrapped in Ray's; as a row it comes as it is.
            made = _Unopened(error.error)
        return {"item": pickle.dumps(made)}


@dataclass(frozen=True)
class _Unopened:
    """Instead of rows: the stage could not be opened, so no video can be worked on."""

    error: SalientClipsError


def _with_heartbeat(rows: Callable[[], Iterator[Row]]) -> Iterator[Outcome | None]:
    """Ray's rows as they come, and None where nothing comes for a second."""
    results: Queue[Row | BaseException | None] = Queue(maxsize=256)
    enough = Event()

    def pull() -> None:
        try:
            for row in rows():
                results.put(row)
                if enough.is_set():
                    return
            results.put(None)
        except BaseException as error:  # whatever Ray raises is the caller's to see
            results.put(error)

    thread = Thread(target=pull, daemon=True)
    thread.start()
    try:
        while True:
            try:
                row = results.get(timeout=HEARTBEAT_S)
            except Empty:
                yield None
                continue
            if row is None:
                return
            if isinstance(row, BaseException):
                raise _in_our_words(row)
            made = pickle.loads(row["item"])
            if isinstance(made, _Unopened):
                raise made.error
            yield made
    finally:
        enough.set()
        # It may be waiting for room here; it ends with the next row, and Ray's actors with it. That row may be a long
        # time in coming, and nobody waits for it.
        ends = monotonic() + _PATIENCE_S
        while thread.is_alive() and monotonic() < ends:
            with suppress(Empty):
                results.get(timeout=0.05)


def _in_our_words(error: BaseException) -> BaseException:
    if not isinstance(error, Exception):
        return error
    reason = scrubbed(str(error))[:300] or "no message"
    return SalientClipsError(
        f"Ray gave up ({type(error).__name__}: {reason})",
        "look at `ray status`; started again, the run goes on where it was",
    )
