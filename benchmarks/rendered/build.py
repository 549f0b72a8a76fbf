"""Builds the rendered set: the manifest's lines from the screenplays, the files from the pictures and the sound."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..sets.build import Job
from ..sets.build import build as build_set
from ..sets.encode import Writer
from ..sets.manifest import Row, spans_text
from .draw import draw
from .screenplay import CODECS, Screenplay, Settings, codecs_of
from .sensor import finished
from .sound import soundtrack

VERSION = 1
"""Of the videos; a set of another version is not continued."""


def build(out: Path, settings: Settings, workers: int, esc10: Path | None) -> Path:
    """Build a set, or what is missing of it; more videos of the same may be asked for.

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
    told = {name: str(value) for name, value in dataclasses.asdict(settings).items() if name != "videos"}
    told |= {"version": str(VERSION), "sounds": "made up" if esc10 is None else "esc10"}
    jobs = [job(draw(settings, index), settings) for index in range(settings.videos)]
    return build_set(out, told, jobs, functools.partial(render, settings, esc10), tables, workers)


def job(play: Screenplay, settings: Settings) -> Job:
    """The manifest's lines of one video and its copies.

    Args:
        play: The screenplay.
        settings: For the frame rate and the seed.

    Returns:
        One line a codec.
    """
    spans = spans_text(play.spans, settings.frame_rate)
    sound = str(int(play.has_class_sound))
    rows = (
        Row(path_of(play, codec), play.label, play.name, play.split, spans, str(settings.seed), codec, sound)
        for codec in codecs_of(play.index)
    )
    return Job(tuple(rows), play.frames)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The manifests: all videos in H.264; and for each codec the same few videos, those that have copies.

    Args:
        rows: One line a file.

    Returns:
        The lines of each manifest.
    """
    copied = {row.group for row in rows if row.codec != "h264"}
    of_codec = {
        f"codec-{codec}": [row for row in rows if row.codec == codec and row.group in copied]
        for codec in CODECS
    }
    return {"manifest": [row for row in rows if row.codec == "h264"], **of_codec}


def path_of(play: Screenplay, codec: str) -> str:
    """A file's path within the set, with ``/``."""
    copy = "" if codec == "h264" else f".{codec}"
    return f"{play.split}/{play.name}{copy}.mp4"


def render(settings: Settings, esc10: Path | None, index: int, files: Mapping[str, Path]) -> None:
    """Write one video from nothing but the arguments.

    Args:
        settings: What the set is made of.
        esc10: The folder of recordings, or nothing.
        index: The video's number.
        files: Where to, for each codec.
    """
    from .stage import pictures

    play = draw(settings, index)
    sound = soundtrack(play, settings, esc10)
    size = settings.width_px, settings.height_px
    writers = [Writer(path, codec, *size, settings.frame_rate) for codec, path in files.items()]
    for frame in finished(play, pictures(play, settings)):
        for writer in writers:
            writer.write(frame, sound)
    for writer in writers:
        writer.close(sound)
