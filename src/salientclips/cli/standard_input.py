"""The video ``-``: standard input, as a file that is there until the command ends.

A video is read in several passes and by position, which a pipe cannot give; so it is copied first. What is printed
names the copy, which is gone afterwards; a score file made of it still fits the video itself, for it goes by the
content.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import typer

from ..errors import InputError

WORD = "-"
"""How standard input is named; a file of that name is ``/its/folder/-``."""


def copied(context: typer.Context, video: Path) -> Path:
    """Turn ``-`` into a file.

    Args:
        context: The command, at whose end the copy is removed.
        video: What the user named.

    Returns:
        The copy of standard input, or the path as it is.

    Raises:
        InputError: Standard input is a terminal, or there is no room for the copy.
    """
    if str(video) != WORD:
        return video
    if sys.stdin.isatty():
        raise InputError("standard input is a terminal", "pipe a video into the command, or name a file")
    # On the outermost context, which is closed even where the words that follow make no sense.
    folder = tempfile.mkdtemp(prefix="salientclips-")
    context.find_root().call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
    copy = Path(folder) / "stdin"
    try:
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise InputError(
            f"standard input cannot be copied to '{copy}' ({error.strerror})", "make room, or set TMPDIR"
        ) from error
    return copy


def refused(video: Path) -> Path:
    """Refuse ``-`` where what is written points to the video.

    Args:
        video: What the user named.

    Returns:
        The path as it is.

    Raises:
        InputError: It is ``-``.
    """
    if str(video) == WORD:
        raise InputError("what this command writes points to the video", "name a file, not standard input")
    return video


def copied_if_alone(context: typer.Context, videos: list[str]) -> list[str]:
    """Turn ``-`` into a file where it is the only video; among many, it is no video of a data set.

    Args:
        context: The command.
        videos: What the user named.

    Returns:
        The same, or the path of the copy.

    Raises:
        InputError: ``-`` is one of several, or it cannot be copied.
    """
    if WORD not in videos:
        return videos
    if len(videos) > 1:
        raise InputError("standard input is one video, and several are named", "leave out the -")
    return [str(copied(context, Path(WORD)))]
