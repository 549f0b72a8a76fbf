"""Where results may go: judged before long work is done, and never onto the video that they are of."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError


def check_place(path: Path) -> None:
    """Find out before long work whether a file can be written to a place.

    Args:
        path: Where a file is to go.

    Raises:
        InputError: It is a folder, its folder is not there, or that may not be written to.
    """
    # Not Path.is_dir, here and below: of a name that is too long for the file system it makes an error of its own.
    if os.path.isdir(path) or not os.path.isdir(path.parent) or not os.access(path.parent, os.W_OK):
        raise InputError(f"'{path}' cannot be written", "choose a file in a folder that exists")


def keep_off(video: Path, path: Path) -> None:
    """Refuse to write over the video.

    Args:
        video: The video, which need not be there any more.
        path: Where a result is to go.

    Raises:
        InputError: It is the same file, by whatever name.
    """
    if os.path.exists(path) and os.path.exists(video) and path.samefile(video):
        raise InputError(f"'{path}' is the video itself", "choose another place")


def make_folder(folder: Path) -> None:
    """Make a folder for results, unless it is there.

    Args:
        folder: Which; the one that holds it must be there, since a missing one is more often a slip of the pen.

    Raises:
        InputError: It cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"'{folder}' cannot be made ({error.strerror})", "choose another folder") from error
