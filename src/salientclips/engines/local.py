"""The engine ``local``: guarded processes on the cores of this machine.

Engines are this project's own (docs/decisions.md, decisions 50 and 51).
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Event, Lock, Thread

from ..corpus.item import Item
from ..corpus.rows import Outcome, failure
from ..errors import SalientClipsError
from .guard import GuardedWorker, StageFailedError, Stopped
from .limits import HEARTBEAT_S, Limits, check_counts, cores
from .work import Between, Chain, Stage


@dataclass(frozen=True)
class LocalEngine:
    """Maps stages over a corpus with processes on this machine.

    Raises:
        InputError: A number is below 1.
    """

    workers: int | None = None
    """Processes; None for one a core."""
    threads: int | None = None
    """Threads of each; None to divide the cores among the workers."""
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
            items: The videos; taken one by one as workers become free.
            first: What is done to each.
            second: What is done to what came of that, in the same process.
            gpu: Whether the second stage uses a GPU where there is one: then there are as many workers as GPUs,
                where nobody says how many.

        Yields:
            What came of each video, in the order in which they are done; None about once a second where nothing is.

        Raises:
            SalientClipsError: No video can be worked on: the sampler or the classifier does not load.
        """
        gpus = _gpus() if gpu else []
        count = self.workers or len(gpus) or cores()
        crew = _Crew(items, Chain(first, second), self, count, gpus)
        try:
            yield from crew.outcomes()
        finally:
            crew.dismiss()


def _gpus() -> list[str]:
    """The GPUs of this machine as CUDA names them; none where torch sees none."""
    from ..networks.extras import pick_device

    if pick_device("auto").type != "cuda":
        return []
    import torch

    allowed = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return allowed or [str(number) for number in range(torch.cuda.device_count())]


class _Crew:
    """Threads of this process, each with a worker process that it waits for."""

    def __init__(
        self,
        items: Iterable[Item],
        stage: Stage[Item, Outcome],
        engine: LocalEngine,
        count: int,
        gpus: Sequence[str],
    ) -> None:
        self._items, self._lock = iter(items), Lock()
        self._stage, self._engine, self._count, self._gpus = stage, engine, count, gpus
        # Bounded: rows wait here when the writer is slower than the workers.
        self._results: Queue[Outcome | BaseException | None] = Queue(maxsize=4 * count)
        self._enough = Event()
        self._threads = [Thread(target=self._serve, args=(number,), daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def outcomes(self) -> Iterator[Outcome | None]:
        at_work = self._count
        while at_work:
            try:
                result = self._results.get(timeout=HEARTBEAT_S)
            except Empty:
                yield None
                continue
            if result is None:
                at_work -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result

    def dismiss(self) -> None:
        """Stop everything, and wait until it has stopped."""
        self._enough.set()
        while any(thread.is_alive() for thread in self._threads):
            # A thread may be waiting for room.
            try:
                self._results.get(timeout=0.05)
            except Empty:
                continue

    def _serve(self, number: int) -> None:
        gpu = {"CUDA_VISIBLE_DEVICES": self._gpus[number % len(self._gpus)]} if self._gpus else {}
        try:
            with GuardedWorker(
                self._stage,
                self._engine.limits,
                self._engine.limits.share_of(self._count),
                self._engine.threads or max(1, cores() // self._count),
                self._enough.is_set,
                gpu,
            ) as worker:
                while (item := self._next()) is not None:
                    self._results.put(outcome_of(worker, item, item))
        except Stopped:
            pass
        except StageFailedError as error:
            self._results.put(error.error)
        except BaseException as error:  # a fault of ours must end the run, not hang it
            self._results.put(error)
        finally:
            self._results.put(None)

    def _next(self) -> Item | None:
        with self._lock:
            return None if self._enough.is_set() else next(self._items, None)


def outcome_of(worker: GuardedWorker[Between, Outcome], item: Item, given: Between) -> Outcome:
    """What a worker makes of a video; a row that says so where it fails.

    Args:
        worker: Who does it.
        item: The video.
        given: What the worker's stage takes.

    Returns:
        The rows.

    Raises:
        StageFailedError, Stopped: As :meth:`GuardedWorker.do`.
    """
    try:
        return worker.do(item.name, given)
    except SalientClipsError as error:
        return failure(item, error)
