"""Builds a set: makes what is missing, checks what is there, writes the manifests.

A file is written under another name and renamed when it is whole; so what has the right name is whole, and a build
that was stopped goes on where it was. The manifests are written again after every few videos and list what is there:
any prefix of the build is a set.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import av

from . import manifest

_EVERY = 7


@dataclass(frozen=True)
class Job:
    """One video of a set, in all its codecs."""

    rows: tuple[manifest.Row, ...]
    """The manifest's lines; one file each."""
    frames: int
    """Pictures in each file."""


Make = Callable[[int, Mapping[str, Path]], None]
"""Writes job number i; the mapping says for each codec which file. It is sent to other processes."""
Tables = Callable[[Sequence[manifest.Row]], Mapping[str, Sequence[manifest.Row]]]
"""Sorts the lines of all files into manifests, by their names without suffix; one of them is ``manifest``."""


def build(
    out: Path, told: Mapping[str, str], jobs: Sequence[Job], make: Make, tables: Tables, workers: int
) -> Path:
    """Build a set, or what is missing of it.

    Args:
        out: Its folder.
        told: What the set is made of; a folder with another such note is not touched.
        jobs: Its videos, in the order in which they are to be made.
        make: Makes one.
        tables: Which manifests there are.
        workers: Processes.

    Returns:
        The manifest.

    Raises:
        ValueError: The folder holds a set of other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, told)
    for stale in out.glob("*/*.part*"):  # of a build that was killed
        stale.unlink()
    there = {number for number, job in enumerate(jobs) if is_whole(out, job)}
    missing = [number for number in range(len(jobs)) if number not in there]
    began, frames = time.monotonic(), 0

    def note() -> None:
        rows = [row for number in sorted(there) for row in jobs[number].rows]
        for name, lines in tables(rows).items():
            manifest.write(out / f"{name}.csv", lines)

    note()
    for number in _made(out, jobs, missing, make, workers):
        there.add(number)
        frames += jobs[number].frames
        if len(there) % _EVERY == 0 or len(there) == len(jobs):
            note()
        rate = frames / (time.monotonic() - began)
        print(f"\r{len(there)}/{len(jobs)} videos, {rate:.0f} frames/s ", end="", file=sys.stderr, flush=True)
    table = out / "manifest.csv"
    print(f"\r{table}: {len(there)} videos{' ' * 20}", file=sys.stderr)
    return table


def make_one(out: Path, job: Job, number: int, make: Make) -> int:
    """Write the files of one job, whole or not at all.

    Args:
        out: The set's folder.
        job: What to make.
        number: Its number, for ``make``.
        make: Makes it.

    Returns:
        The number.
    """
    files = {row.codec: out / row.path for row in job.rows}
    unfinished = {codec: file.with_suffix(f".part{os.getpid()}") for codec, file in files.items()}
    for file in files.values():
        file.parent.mkdir(exist_ok=True)
    try:
        make(number, unfinished)
        for codec, file in files.items():
            unfinished[codec].replace(file)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return number


def is_whole(out: Path, job: Job) -> bool:
    """Whether all files of a job are there, each with as many pictures as it should have."""
    return all(_pictures_in(out / row.path) == job.frames for row in job.rows)


def _pictures_in(file: Path) -> int:
    try:
        with av.open(str(file)) as container:
            return sum(packet.size > 0 for packet in container.demux(video=0))
    except (FileNotFoundError, av.FFmpegError):
        return 0


def _made(out: Path, jobs: Sequence[Job], missing: list[int], make: Make, workers: int) -> Iterator[int]:
    """Make the missing videos, in their order or nearly so; yields each one's number when it is there."""
    if workers == 1:
        for number in missing:
            yield make_one(out, jobs[number], number, make)
        return
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawned, initializer=_end_with_parent) as pool:
        waiting = [pool.submit(make_one, out, jobs[number], number, make) for number in missing]
        with contextlib.ExitStack() as undo:
            undo.callback(pool.shutdown, wait=False, cancel_futures=True)
            for done in as_completed(waiting):
                yield done.result()


def _end_with_parent() -> None:
    """Let this process end when the one that started it is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _claim(out: Path, told: Mapping[str, str]) -> None:
    """Note what the set is made of, or check that it is what was noted."""
    note = out / "settings.json"
    if note.exists():
        noted = json.loads(note.read_text())
        if noted != told:
            other = sorted(name for name in {*told, *noted} if noted.get(name) != told.get(name))
            raise ValueError(f"{out} holds a set with another {', '.join(other)}; build into another folder")
        return
    note.write_text(json.dumps(dict(told), indent=1) + "\n")
