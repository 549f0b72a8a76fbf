"""A child process and the pipes to it, as seen by the parent: what it answers, whether it lives, what it holds.

It gets a folder of its own for temporary files, because one that is killed cannot tidy up: whoever ends it does.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import psutil

from ..corpus.names import scrubbed
from ..errors import unforeseen
from .child import FOLDER_VARIABLE, Failed, read_message, write_message
from .work import Stage

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_LAST_WORDS_BYTES = 4096
_PATIENCE_S = 10.0


class ChildProcess:
    """A worker process that was told its stage and opens it.

    Args:
        stage: What is done to a video.
        threads: Threads that it may use.
        environment: Variables that it has besides the parent's.

    Raises:
        OSError: The system starts no more processes.
    """

    def __init__(self, stage: Stage[Any, Any], threads: int, environment: Mapping[str, str]) -> None:
        self._folder = tempfile.mkdtemp(prefix="salientclips-worker-")
        # What a crashing library prints goes to a file: the terminal is the caller's.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        try:
            self.process = _started(threads, {**environment, **_places(self._folder)}, self._said)
        except OSError:
            self._tidy_up()
            raise
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        self._answers: SimpleQueue[Any] = SimpleQueue()
        # A pipe cannot be waited for with a time limit on every platform; a queue can.
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()
        with suppress(psutil.Error):
            self._memory: psutil.Process | None = psutil.Process(self.process.pid)
        self._at_start_bytes = 0
        self.orders = 0
        """Videos that it was given so far."""
        self._send((stage, threads))

    def order(self, order: object) -> None:
        """Hand it one video.

        Args:
            order: Goes by pickle.
        """
        self.orders += 1
        # The file is one for both processes, its position too: it holds what was said of this video.
        self._said.seek(0)
        self._said.truncate()
        self._send(order)

    def _send(self, message: object) -> None:
        # If it is dead, whoever waits for the answer finds out, and can say of which video.
        with suppress(OSError):
            write_message(self._in, pickle.dumps(message))

    def answer(self, wait_s: float) -> Any | None:
        """What it answers.

        Args:
            wait_s: How long to wait for it.

        Returns:
            The answer; None where there is none yet.
        """
        try:
            return self._answers.get(timeout=wait_s)
        except Empty:
            return None

    def _listen(self) -> None:
        while (message := read_message(self._out)) is not None:
            try:
                self._answers.put(pickle.loads(message))
            except Exception as error:  # an answer that cannot be read must not be waited for
                self._answers.put(Failed(unforeseen(error)))

    def death(self) -> str | None:
        """How it died; None while it lives, or while there is an answer to be had."""
        if self.process.poll() is None:
            return None
        self._listener.join(1.0)
        if not self._answers.empty():
            return None
        code = self.process.returncode
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def last_words(self) -> str:
        """The last line that it printed, without secrets; empty where it said nothing."""
        length = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, length - _LAST_WORDS_BYTES))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return scrubbed(lines[-1])[:200] if lines else ""

    def remember_memory(self) -> None:
        """Take what it holds now as what it needs without a video."""
        self._at_start_bytes = self._rss_bytes()

    def growth_bytes(self) -> int:
        """Memory that it holds beyond that, bytes.

        Returns:
            Bytes of resident memory; below 0 where it has given some back.
        """
        return self._rss_bytes() - self._at_start_bytes

    def _rss_bytes(self) -> int:
        try:
            return 0 if self._memory is None else int(self._memory.memory_info().rss)
        except psutil.Error:
            return 0

    def end(self) -> None:
        """Kill it, and remove what it left."""
        self.process.kill()
        # A process that waits for a dead network drive dies when the drive says so; nobody waits for that.
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE_S)
        self._listener.join(1.0)
        for stream in (self._in, self._out):
            with suppress(OSError):
                stream.close()
        self._tidy_up()

    def _tidy_up(self) -> None:
        self._said.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _places(folder: str) -> dict[str, str]:
    """The variables that say where temporary files go."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP", FOLDER_VARIABLE), folder)


def _started(threads: int, environment: Mapping[str, str], said: Any) -> subprocess.Popen[bytes]:
    # It shall import what this process would, and nothing that lies where the user happens to be: -P.
    path = os.pathsep.join(place or os.getcwd() for place in sys.path)
    settings = dict.fromkeys(_THREAD_SETTINGS, str(threads))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "salientclips.engines.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env={**os.environ, **settings, "PYTHONPATH": path, **environment},
    )
