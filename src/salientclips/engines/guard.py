"""A process that takes one video after the other, and is stopped when a video takes too much of anything.

A decoder in C can hang, eat memory or crash, and nothing inside its own process can be relied on to stop it then.
So the work is done in a child (``child.py``), and the parent looks on: at the clock, at the child's memory, at
whether it lives. A child that is stopped costs one video, which is reported; the next video gets a new child.

Two things may not be the video's fault, so that it is tried once more in a new child before it is blamed: a death,
for somebody else may have killed the child (an operator, a system short of memory); and memory, where the child had
other videos before, of which something may have stayed.

The child is no copy of the parent (``fork``) and does not import the caller's script (``multiprocessing``'s spawn),
so threads, notebooks and scripts without a guarded main are all right. It ends with its parent, whatever ends that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep
from types import TracebackType
from typing import Generic, TypeVar

from ..errors import MemoryLimitError, SalientClipsError, TimeLimitError, WorkerDiedError
from .child import Failed, Order
from .limits import Limits
from .process import ChildProcess
from .work import Stage

Given = TypeVar("Given")
Made = TypeVar("Made")

_LOOK_EVERY_S = 0.1
_REOPEN_PAUSES_S = (0.0, 1.0, 5.0, 20.0)
"""Before each further try to open a stage that was open once: a GPU may be full for the moment."""


class Stopped(Exception):  # noqa: N818 - it never reaches a user
    """The caller wants no more; the video that was in work is not done."""


class StageFailedError(Exception):
    """A stage could not be opened, so no video can be worked on; ``error`` says why, for the user."""

    def __init__(self, error: SalientClipsError) -> None:
        super().__init__(str(error))
        self.error = error


class _DiedAtStartError(StageFailedError):
    """The process died instead of opening the stage, or could not be started."""


class _PerhapsNotItsFaultError(Exception):
    """A video failed in a way that another try in a new process may show to be somebody else's doing."""


@dataclass(eq=False)
class GuardedWorker(Generic[Given, Made]):
    """One child process at a time, started when it is first needed.

    Use it as a context manager; ``do`` may be called by one thread at a time.
    """

    stage: Stage[Given, Made]
    """What is done to a video."""
    limits: Limits
    memory_bytes: int
    """Memory that one video may take."""
    threads: int = 1
    """Threads of the child."""
    stopped: Callable[[], bool] = lambda: False
    """Asked ten times a second whether to give up."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the child has besides the parent's."""

    def __post_init__(self) -> None:
        self._child: ChildProcess | None = None
        self._was_open = False

    def __enter__(self) -> GuardedWorker[Given, Made]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def do(self, video: str, given: Given) -> Made:
        """Work on one video.

        Args:
            video: Its name, for messages.
            given: What the stage takes.

        Returns:
            What the stage makes of it.

        Raises:
            TimeLimitError, MemoryLimitError: It took too much.
            WorkerDiedError: Its process died, and so did the next one that tried.
            SalientClipsError: Whatever the stage raises.
            StageFailedError: The stage could not be opened: no video can be worked on.
            Stopped: The caller wants no more.
        """
        try:
            return self._try(video, given, is_last=False)
        except _PerhapsNotItsFaultError:
            return self._try(video, given, is_last=True)

    def _try(self, video: str, given: Given, *, is_last: bool) -> Made:
        child = self._ready()
        child.order(Order(given, self.limits.seconds))
        ends = monotonic() + self.limits.seconds
        while (answer := child.answer(_LOOK_EVERY_S)) is None:
            if self.stopped():
                self.close()
                raise Stopped
            error, is_certain = self._trouble(child, video, ends)
            if error is not None:
                self.close()
                raise error if is_certain or is_last else _PerhapsNotItsFaultError
        if isinstance(answer, Failed):
            raise answer.error
        made: Made = answer
        return made

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None:
            self._child.end()
            self._child = None

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        return None if self._child is None else self._child.process.pid

    def _trouble(self, child: ChildProcess, video: str, ends: float) -> tuple[SalientClipsError | None, bool]:
        """What is wrong, and whether it is certainly the video's fault."""
        if (how := child.death()) is not None:
            return WorkerDiedError(video, how), False
        if monotonic() > ends:
            return TimeLimitError(video, self.limits.seconds), True
        if child.growth_bytes() > self.memory_bytes:
            return MemoryLimitError(video, self.limits.memory_bytes), child.orders == 1
        return None, True

    def _ready(self) -> ChildProcess:
        """The child, started and waited for where there is none, or where it holds more than is good."""
        child = self._child
        if child is not None and child.death() is None and child.growth_bytes() <= self.memory_bytes / 2:
            return child
        for pause_s in _REOPEN_PAUSES_S if self._was_open else (0.0, 0.0):
            self._wait(pause_s)
            try:
                return self._start()
            except StageFailedError as failed:
                problem = failed
                # What cannot be opened at the very first is no accident, unless the process was killed.
                if not self._was_open and not isinstance(failed, _DiedAtStartError):
                    break
        raise problem

    def _wait(self, seconds: float) -> None:
        ends = monotonic() + seconds
        while monotonic() < ends:
            if self.stopped():
                raise Stopped
            sleep(_LOOK_EVERY_S)

    def _start(self) -> ChildProcess:
        self.close()
        try:
            child = self._child = ChildProcess(self.stage, self.threads, self.environment)
        except OSError as error:
            reason = error.strerror or str(error)
            raise _DiedAtStartError(
                SalientClipsError(f"a worker process cannot be started ({reason})", "give fewer --workers")
            ) from error
        # Loading a classifier takes its time and is no video's fault: no limit here.
        while (answer := child.answer(_LOOK_EVERY_S)) is None:
            how = child.death()
            if how is None and not self.stopped():
                continue
            words = child.last_words()
            self.close()
            if how is None:
                raise Stopped
            said = f"{how}: {words}" if words else how
            raise _DiedAtStartError(SalientClipsError(f"a worker process died at its start ({said})"))
        if isinstance(answer, Failed):
            self.close()
            raise StageFailedError(answer.error)
        child.remember_memory()
        self._was_open = True
        return child
