"""Stages that go wrong on purpose, for the tests of the engines: worker processes import them from here."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from salientclips.corpus.item import Item
from salientclips.corpus.rows import Outcome, VideoRow
from salientclips.engines.work import Stage
from salientclips.errors import InputError, NoVideoStreamError

Given = TypeVar("Given")
Made = TypeVar("Made")


_KEPT: list[object] = []


class Unreadable:
    """Goes by pickle, and does not come back."""

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("no number",)


@dataclass(frozen=True)
class Moody:
    """Opens the first time, then for some times not, and then does again; a video called ``crashes`` kills it."""

    tries: Path
    refusals: int

    def open(self, threads: int) -> Callable[[Item], Item]:
        before = len(self.tries.read_text()) if self.tries.exists() else 0
        self.tries.write_text("x" * (before + 1))
        if 1 <= before <= self.refusals:
            raise InputError("the GPU is full", "wait")
        return Trouble()._do


@dataclass(frozen=True)
class Trouble:
    """Does what the name of a video says, the part before the first dot."""

    start_s: float = 0.0
    nap_s: float = 0.0

    def open(self, threads: int) -> Callable[[Item], Item]:
        time.sleep(self.start_s)
        return self._do

    def _do(self, item: Item) -> Item:
        time.sleep(self.nap_s)
        match item.video.split(".")[0]:
            case "hangs":
                time.sleep(1000)
            case "hangs_in_c":
                # PyDLL keeps Python's lock: no thread of this process can do anything now.
                ctypes.PyDLL(None).sleep(1000)
            case "eats":
                hoard = []
                while True:
                    hoard.append(np.ones(4 << 20))
                    time.sleep(0.01)
            case "crashes":
                print("the decoder says goodbye", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGSEGV)
            case "exits":
                os._exit(3)
            case "prints":
                print("noise that is no answer")
                os.write(1, b"more of it")
            case "killed":
                # By somebody else, as far as anybody can tell: once, or as often as it is tried.
                tries = Path(item.group)
                tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
                if item.video != "killed.once" or tries.read_text() == "x":
                    os.kill(os.getpid(), signal.SIGKILL)
            case "keeps":
                # A cache, a leak: it is there for as long as the process is.
                _KEPT.append(np.ones(4 << 20))
                time.sleep(0.3)
            case "litters":
                place = Path(tempfile.gettempdir())
                (place / "copy.mp4").write_text("large")
                Path(item.group).write_text(str(place))
                time.sleep(1000)
            case "asks":
                # A program that this one starts must not eat the orders.
                assert subprocess.run(["cat"], capture_output=True, timeout=5).stdout == b""
            case "cannot_be_sent":
                return lambda: item  # type: ignore[return-value]
            case "cannot_be_read":
                return Unreadable()  # type: ignore[return-value]
            case "bug":
                raise ZeroDivisionError("of all things")
            case "refuses":
                raise NoVideoStreamError(item.video)  # type: ignore[arg-type]
        return item


@dataclass(frozen=True)
class Unopenable:
    """Cannot be opened."""

    def open(self, threads: int) -> Callable[[Item], Item]:
        raise InputError("there are no weights", "give some")


@dataclass(frozen=True)
class DiesAtStart:
    """Kills its process instead of opening; only the first time, where it is given a file to remember that by."""

    remembered: Path | None = None

    def open(self, threads: int) -> Callable[[Item], Item]:
        if self.remembered is not None and self.remembered.exists():
            return lambda item: item
        if self.remembered is not None:
            self.remembered.touch()
        os._exit(5)


@dataclass(frozen=True)
class Slow(Generic[Given, Made]):
    """A stage that takes its time, so that whoever wants to disturb it can."""

    stage: Stage[Given, Made]
    nap_s: float

    def open(self, threads: int) -> Callable[[Given], Made]:
        work = self.stage.open(threads)

        def slowly(given: Given) -> Made:
            time.sleep(self.nap_s)
            return work(given)

        return slowly


@dataclass(frozen=True)
class Says:
    """Turns a video into a row that says by which process, with how many threads."""

    def open(self, threads: int) -> Callable[[Item], Outcome]:
        settings = os.environ.get("OMP_NUM_THREADS", "")

        def say(item: Item) -> Outcome:
            return Outcome(VideoRow(item.video, note=f"{os.getpid()} {threads} {settings}"))

        return say
