"""Builds a set of joined videos: the manifest's lines and the files."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..sets.build import Job
from ..sets.build import build as build_set
from ..sets.encode import Writer
from ..sets.manifest import Row as Line
from ..sets.manifest import spans_text
from .clips import FRAME_RATE, HEIGHT_PX, WIDTH_PX, Row
from .footage import pictures
from .soundtrack import soundtrack

VERSION = 1
"""Of the videos; a set of another version is not continued."""


def build(out: Path, name: str, rows: Sequence[Row], seed: int, data: Path, workers: int) -> Path:
    """Build a set, or what is missing of it.

    Args:
        out: Its folder.
        name: Its name.
        rows: Its videos.
        seed: What they were drawn from.
        data: The folder with ``clips256`` and ``esc10``.
        workers: Processes.

    Returns:
        The manifest.

    Raises:
        ValueError: The folder holds another set.
    """
    told = {"set": name, "seed": str(seed), "version": str(VERSION)}
    jobs = [
        Job(
            (
                Line(
                    path=f"{row.split}/{row.name}.mp4",
                    label=row.label,
                    group=row.group,
                    split=row.split,
                    spans=spans_text(row.spans, FRAME_RATE),
                    seed=str(seed),
                    codec="h264",
                    has_class_sound=str(int(row.sounds)),
                ),
            ),
            row.frames,
        )
        for row in rows
    ]
    return build_set(out, told, jobs, functools.partial(join, tuple(rows), data), tables, workers)


def tables(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The manifests: one where the set has a test split; where it has folds, one more for each fold as the test.

    Args:
        lines: One a file.

    Returns:
        The lines of each manifest. With folds no split is named but that test: the rest is dealt by group.
    """
    folds = sorted({line.split for line in lines if line.split.startswith("fold")})
    if not folds:
        return {"manifest": list(lines)}
    made = {"manifest": [line._replace(split="") for line in lines]}
    for fold in folds:
        made[fold] = [line._replace(split="test" if line.split == fold else "") for line in lines]
    return made


def join(rows: tuple[Row, ...], data: Path, number: int, files: Mapping[str, Path]) -> None:
    """Write one video.

    Args:
        rows: All videos of the set.
        data: The folder with ``clips256`` and ``esc10``.
        number: Which of them.
        files: Where to, for the one codec.
    """
    row = rows[number]
    sound = soundtrack(row, data)
    writer = Writer(files["h264"], "h264", WIDTH_PX, HEIGHT_PX, FRAME_RATE)
    for frame in pictures(row, data / "clips256"):
        writer.write(frame, sound)
    writer.close(sound)
