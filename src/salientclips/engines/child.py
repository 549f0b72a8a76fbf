"""The inside of a worker process: opens a stage, then takes orders from the parent until the parent is gone.

Messages are pickles behind their length, on stdin and what was stdout; what libraries print goes to stderr instead.
Only a parent of the same installation writes here, so pickle is no risk that was not there. Nothing may be printed,
and no exception may end the process: what went wrong with a video is an answer.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from time import sleep
from typing import Any, BinaryIO

from ..errors import SalientClipsError, unforeseen

FOLDER_VARIABLE = "SALIENTCLIPS_WORKER_FOLDER"
"""Names the folder that was made for this process's temporary files, and goes with it."""

_LENGTH = struct.Struct("<Q")
_SPARE_S = 30
"""Beyond a video's time limit: the parent acts first, and this only where the parent is gone."""


@dataclass(frozen=True)
class Order:
    """One video to work on."""

    given: Any
    """What the stage is given."""
    limit_s: float
    """What it may take, seconds."""


@dataclass(frozen=True)
class Failed:
    """The answer where it did not work."""

    error: SalientClipsError


@dataclass(frozen=True)
class Ready:
    """The answer once the stage is open."""


def write_message(stream: BinaryIO | Any, message: bytes) -> None:
    """Write one message.

    Args:
        stream: A pipe.
        message: Any bytes.
    """
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


def read_message(stream: BinaryIO | Any) -> bytes | None:
    """Read one message, waiting for it.

    Args:
        stream: A pipe.

    Returns:
        Its bytes; None where the other side is gone, perhaps in the midst of a message.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None


def main() -> None:
    """Serve the parent until it closes the pipe or is gone."""
    answers, orders = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    # Whatever else reads or writes here must not find the parent's pipes.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    # An interrupt from the keyboard reaches all processes of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()

    def answer(made: object) -> None:
        try:
            message = pickle.dumps(made)
        except Exception as error:  # what cannot be sent must not end the process
            message = pickle.dumps(Failed(unforeseen(error)))
        write_message(answers, message)

    first = read_message(orders)
    if first is None:
        return
    try:
        stage, threads = pickle.loads(first)
        work = stage.open(threads)
    except Exception as error:  # the parent has to know, whatever it is
        answer(Failed(unforeseen(error)))
        return
    answer(Ready())
    while (order := read_message(orders)) is not None:
        answer(_done(work, pickle.loads(order)))


def _done(work: Callable[[Any], Any], order: Order) -> object:
    _set_alarm(order.limit_s)
    try:
        return work(order.given)
    except Exception as error:  # one video must not end the others
        return Failed(unforeseen(error))
    finally:
        _set_alarm(None)


def _set_alarm(limit_s: float | None) -> None:
    """Have the kernel end this process where the parent cannot: it is gone, and Python is stuck in C."""
    if hasattr(signal, "setitimer") and (limit_s is None or limit_s < 1e6):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0 if limit_s is None else limit_s + _SPARE_S)


def _end_with(parent: int) -> None:
    """End this process soon after its parent, also in the midst of a video."""
    while os.getppid() == parent:
        sleep(1.0)
    if folder := os.environ.get(FOLDER_VARIABLE):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    # Under its own name, so that the classes above are the same to both sides.
    from salientclips.engines import child

    child.main()
