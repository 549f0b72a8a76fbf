"""Builds the set: renders what is missing, checks what is there, writes the manifest.

A video is written under another name and renamed when it is whole; so what has the right name is whole, and a build
that was stopped goes on where it was. The manifest is written again after every few videos and lists what is there:
any prefix of the build is a set with all three splits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import av

from . import manifest
from .draw import draw
from .encode import Writer, finished
from .screenplay import Screenplay, Settings, codecs_of
from .sound import soundtrack

VERSION = 1
"""Of the videos; a set of another version is not continued."""
_EVERY = 7


def build(out: Path, settings: Settings, workers: int, esc10: Path | None) -> Path:
    """Build a set, or what is missing of it.

    Args:
        out: Its folder.
        settings: What it is made of.
        workers: Processes that render.
        esc10: The folder of recordings; with nothing the sounds are made up.

    Returns:
        The manifest.

    Raises:
        ValueError: The folder holds a set of other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, settings, esc10)
    table = out / "manifest.csv"
    plays = [draw(settings, index) for index in range(settings.videos)]
    there = {play.index for play in plays if is_whole(out, play)}
    missing = [play.index for play in plays if play.index not in there]
    began, frames = time.monotonic(), 0

    def note() -> None:
        manifest.write(
            table, (row for play in plays if play.index in there for row in manifest.rows(play, settings))
        )

    note()
    for index in _rendered(out, settings, missing, workers, esc10):
        there.add(index)
        frames += plays[index].frames
        if len(there) % _EVERY == 0:
            note()
        rate = frames / (time.monotonic() - began)
        print(
            f"\r{len(there)}/{len(plays)} videos, {rate:.0f} frames/s ", end="", file=sys.stderr, flush=True
        )
    note()
    print(f"\r{table}: {len(there)} videos{' ' * 20}", file=sys.stderr)
    return table


def render(out: Path, settings: Settings, index: int, esc10: Path | None) -> int:
    """Write one video, in all its codecs, from nothing but the arguments.

    Args:
        out: The set's folder.
        settings: What it is made of.
        index: The video's number.
        esc10: The folder of recordings, or nothing.

    Returns:
        The video's number.
    """
    from .stage import pictures

    play = draw(settings, index)
    sound = soundtrack(play, settings, esc10)
    (out / play.split).mkdir(exist_ok=True)
    files = {codec: out / manifest.file_of(play, codec) for codec in codecs_of(index)}
    unfinished = {codec: file.with_suffix(f".part{os.getpid()}") for codec, file in files.items()}
    try:
        writers = [Writer(path, codec, settings) for codec, path in unfinished.items()]
        for frame in finished(play, pictures(play, settings)):
            for writer in writers:
                writer.write(frame, sound)
        for writer in writers:
            writer.close(sound)
        for codec, file in files.items():
            unfinished[codec].replace(file)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return index


def is_whole(out: Path, play: Screenplay) -> bool:
    """Whether all files of a video are there, each with as many pictures as it should have."""
    return all(
        _pictures_in(out / manifest.file_of(play, codec)) == play.frames for codec in codecs_of(play.index)
    )


def _pictures_in(file: Path) -> int:
    try:
        with av.open(str(file)) as container:
            return sum(packet.size > 0 for packet in container.demux(video=0))
    except (FileNotFoundError, av.FFmpegError):
        return 0


def _rendered(
    out: Path, settings: Settings, missing: list[int], workers: int, esc10: Path | None
) -> Iterator[int]:
    """Render the missing videos, in their order or nearly so; yields each one's number when it is there."""
    for stale in out.glob("*/*.part*"):  # of a build that was killed
        stale.unlink()
    if workers == 1:
        for index in missing:
            yield render(out, settings, index, esc10)
        return
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawned, initializer=_end_with_parent) as pool:
        jobs = [pool.submit(render, out, settings, index, esc10) for index in missing]
        with contextlib.ExitStack() as undo:
            undo.callback(pool.shutdown, wait=False, cancel_futures=True)
            for job in as_completed(jobs):
                yield job.result()


def _end_with_parent() -> None:
    """Let this process end when the one that started it is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _claim(out: Path, settings: Settings, esc10: Path | None) -> None:
    """Note what the set is made of, or check that it is what was noted; more videos of the same may be asked for."""
    told = {name: str(value) for name, value in dataclasses.asdict(settings).items() if name != "videos"}
    told |= {"version": str(VERSION), "sounds": "made up" if esc10 is None else "esc10"}
    note = out / "settings.json"
    if note.exists():
        noted = json.loads(note.read_text())
        if noted != told:
            other = sorted(name for name in told if noted.get(name) != told[name])
            raise ValueError(f"{out} holds a set with another {', '.join(other)}; build into another folder")
        return
    note.write_text(json.dumps(told, indent=1) + "\n")
