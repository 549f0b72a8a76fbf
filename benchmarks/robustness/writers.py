"""Every command that writes, on small footage made up for it: with these disks and second writers are tried."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from media_files import AudioSpec, make_video
from salientclips.cli.run import run

from .mutated import make_job

_FIT = "--epochs 1 --streams md --objective ac --frames-per-clip 1 --videos-per-batch 2 --clips-per-video 2"


@dataclass(frozen=True)
class Writer:
    """One command."""

    name: str
    words: str
    """With the fields of :class:`Footage` in braces, and ``{out}`` for the output."""
    output: str
    """Name of the file or folder that it makes."""
    is_folder: bool = False
    is_heavy: bool = False
    """Whether it needs torch and a classifier."""
    goes_on: bool = False
    """Whether a second run does only what is left to do."""


WRITERS: tuple[Writer, ...] = (
    Writer("score, parquet", "score {video} -o {out}", "s.parquet"),
    Writer("score, json", "score {video} -o {out}", "s.json"),
    Writer("score, csv", "score {video} -o {out}", "s.csv"),
    Writer("score, corpus", "score {videos} -o {out} --workers 1", "set", is_folder=True, goes_on=True),
    Writer(
        "select, corpus", "select {videos} -k 2 -o {out} --workers 1", "chosen", is_folder=True, goes_on=True
    ),
    Writer("vectors, parquet", "vectors {video} -o {out}", "v.parquet"),
    Writer("vectors, csv", "vectors {video} -o {out}", "v.csv"),
    Writer("export, csv", "export {video} -k 2 -o {out}", "e.csv"),
    Writer("export, parquet", "export {video} -k 2 -o {out}", "e.parquet"),
    Writer("export, fiftyone", "export {video} -k 2 -o {out} --to fiftyone", "fiftyone", is_folder=True),
    Writer("report", "report {video} -k 2 -o {out}", "page.html"),
    Writer("compare", "compare {video} motion uniform -k 2 -o {out}", "compared.html"),
    Writer("cut", "cut {video} -k 2 -o {out}", "clips", is_folder=True),
    Writer("cut --copy", "cut {video} -k 2 --copy -o {out}", "copies", is_folder=True),
    Writer("summary", "summary {video} -k 2 -o {out}", "summary.mp4"),
    Writer("frames, json", "frames {video} -k 2 --frames 4 -o {out}", "frames.json"),
    Writer("frames, folder", "frames {video} -k 2 --frames 4 -o {out}", "frames", is_folder=True),
    Writer("demo --keep", "demo --keep {out}", "demo.mp4"),
    Writer(
        "fit",
        "fit {labelled} -o {out} -c {model} --device cpu --cache {cache} " + _FIT,
        "sampler",
        is_folder=True,
        is_heavy=True,
    ),
    Writer(
        "evaluate",
        "evaluate {labelled} -c {model} -k 1,2 --table-k 2 --draws 1 --out {out} --device cpu --cache {cache}",
        "tables",
        is_folder=True,
        is_heavy=True,
    ),
)
"""All of them."""


@dataclass(frozen=True)
class Footage:
    """What the commands read."""

    video: Path
    """Some seconds with sound."""
    videos: Path
    """A folder of six short ones."""
    labelled: Path
    """The same, in a folder for each class."""
    model: str
    """A tiny classifier."""
    cache: Path


def build_footage(folder: Path, *, heavy: bool, frames: int = 120) -> Footage:
    """Make what the commands read.

    Args:
        folder: Where; what is there is left as it is.
        heavy: Whether the classifier is needed.
        frames: How many the video has, 30 a second.

    Returns:
        Its parts.
    """
    videos, labelled = folder / "videos", folder / "labelled"
    if not labelled.exists():
        for number in range(6):
            (videos).mkdir(parents=True, exist_ok=True)
            made = videos / f"{number}.mp4"
            make_video(made, frames=96, size=(96, 64), gop=16 + number)
            named = labelled / f"LABEL_{number % 3}" / made.name
            named.parent.mkdir(parents=True, exist_ok=True)
            named.write_bytes(made.read_bytes())
    video = folder / "video.mp4"
    if not video.exists():
        make_video(video, frames=frames, size=(192, 144), gop=15, audio=AudioSpec(duration_s=4.0))
    looking = make_job("classify", folder).looking if heavy else None
    return Footage(video, videos, labelled, "" if looking is None else looking.classifier, folder / "cache")


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str
    """What it wrote to standard error, and what libraries wrote there by themselves."""


def call(writer: Writer, footage: Footage, out: Path) -> Said:
    """Run a command in this process.

    Args:
        writer: Which.
        footage: What it reads.
        out: Where it writes.

    Returns:
        How it ended.
    """
    with _both_streams() as said:
        code = run(words_of(writer, footage, out))
    return Said(code, *said)


def words_of(writer: Writer, footage: Footage, out: Path) -> list[str]:
    """The words of a command."""
    return [word.format(out=out, **vars(footage)) for word in writer.words.split()]


@contextmanager
def _both_streams() -> Iterator[list[str]]:
    """What this process writes to descriptors 1 and 2, FFmpeg's own lines among them; filled when the block ends."""
    texts: list[str] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        kept: Sequence[int] = (os.dup(1), os.dup(2))
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            yield texts
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
