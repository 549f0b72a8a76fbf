"""A process that takes one video after the other, and is stopped when a video takes too much of anything.

A decoder in C can hang, eat memory or crash, and nothing inside its own process can be relied on to stop it then.
So the work is done in a child (``child.py``), and the parent looks on: at the clock, at the child's memory, at
whether it lives. A child that is stopped costs one video, which is reported; the next video gets a new child. A child
that dies may have been killed by somebody else (an operator, a system short of memory), so its video is tried once
more in a new one, and only the second death is the video's.

The child is no copy of the parent (``fork``) and does not import the caller's script (``multiprocessing``'s spawn),
so threads, notebooks and scripts without a guarded main are all right. It ends with its parent, whatever ends that.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any, Generic, TypeVar

import psutil

from ..errors import MemoryLimitError, SalientClipsError, TimeLimitError, WorkerDiedError
from .child import Failed, Order, read_message, write_message
from .limits import Limits
from .work import Stage

Given = TypeVar("Given")
Made = TypeVar("Made")

_LOOK_EVERY_S = 0.1
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Stopped(Exception):  # noqa: N818 - it never reaches a user
    """The caller wants no more; the video that was in work is not done."""


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

    def __post_init__(self) -> None:
        self._child: _Child | None = None

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
            return self._try(video, given)
        except WorkerDiedError:
            return self._try(video, given)

    def _try(self, video: str, given: Given) -> Made:
        child = self._ready()
        child.send(Order(given, self.limits.seconds))
        ends = monotonic() + self.limits.seconds
        while (answer := child.answer(_LOOK_EVERY_S)) is None:
            if self.stopped():
                self.close()
                raise Stopped
            self._look_at(child, video, ends)
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

    def _look_at(self, child: _Child, video: str, ends: float) -> None:
        error: SalientClipsError | None = None
        if (how := child.death()) is not None:
            error = WorkerDiedError(video, how)
        elif monotonic() > ends:
            error = TimeLimitError(video, self.limits.seconds)
        elif child.growth_bytes() > self.memory_bytes:
            error = MemoryLimitError(video, self.memory_bytes)
        if error is not None:
            self.close()
            raise error

    def _ready(self) -> _Child:
        """The child, started and waited for where there is none."""
        if self._child is not None and self._child.death() is None:
            return self._child
        try:
            return self._start()
        except _DiedAtStartError:
            # As with a video: the first death may be somebody else's doing.
            return self._start()

    def _start(self) -> _Child:
        self.close()
        child = self._child = _Child(self.stage, self.threads)
        # Loading a classifier takes its time and is no video's fault: no limit here.
        while (answer := child.answer(_LOOK_EVERY_S)) is None:
            how = child.death()
            if how is not None or self.stopped():
                self.close()
                if how is None:
                    raise Stopped
                raise _DiedAtStartError(SalientClipsError(f"a worker process died at its start ({how})"))
        if isinstance(answer, Failed):
            self.close()
            raise StageFailedError(answer.error)
        child.remember_memory()
        return child


class StageFailedError(Exception):
    """A stage could not be opened, so no video can be worked on; ``error`` says why, for the user."""

    def __init__(self, error: SalientClipsError) -> None:
        super().__init__(str(error))
        self.error = error


class _DiedAtStartError(StageFailedError):
    """The process died instead of opening the stage."""


class _Child:
    """The process, and the pipes to it."""

    def __init__(self, stage: Stage[Any, Any], threads: int) -> None:
        settings = dict.fromkeys(_THREAD_SETTINGS, str(threads))
        path = os.pathsep.join(p for p in sys.path if p)
        # What a crashing library prints goes to a file: the terminal is the caller's.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "salientclips.engines.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, **settings, "PYTHONPATH": path},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        self._answers: SimpleQueue[Any] = SimpleQueue()
        # A pipe cannot be waited for with a time limit on every platform; a queue can.
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._memory = psutil.Process(self.process.pid)
        self._at_start_bytes = 0
        self.send((stage, threads))

    def send(self, message: object) -> None:
        try:
            write_message(self._in, pickle.dumps(message))
        except (BrokenPipeError, OSError):
            # It is dead; whoever waits for the answer finds out, and can say of which video.
            return

    def answer(self, wait_s: float) -> Any | None:
        try:
            return self._answers.get(timeout=wait_s)
        except Empty:
            return None

    def _listen(self) -> None:
        while (message := read_message(self._out)) is not None:
            self._answers.put(pickle.loads(message))

    def death(self) -> str | None:
        """How it died; None while it lives, or while there is an answer to be had."""
        if self.process.poll() is None:
            return None
        self._listener.join(1.0)
        if not self._answers.empty():
            return None
        code = self.process.returncode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = self._last_words()
        return f"{how}: {last}" if last else how

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return " ".join(lines[-1].split())[:200] if lines else ""

    def remember_memory(self) -> None:
        self._at_start_bytes = self._rss_bytes()

    def growth_bytes(self) -> int:
        return self._rss_bytes() - self._at_start_bytes

    def _rss_bytes(self) -> int:
        try:
            return int(self._memory.memory_info().rss)
        except psutil.Error:
            return 0

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join(5.0)
        for stream in (self._in, self._out, self._said):
            try:
                stream.close()
            except BrokenPipeError:
                continue
