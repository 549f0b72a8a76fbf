"""A folder of videos as a data set: one sub-folder a class, or videos without labels.

A video's class is the name of the folder directly inside the given one, at whatever depth below it the video lies.
Videos that lie in the folder itself make it a data set without labels; then sub-folders are searched too and their
names mean nothing. What is no video by its suffix, and what is hidden, is passed over.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import FileMissingError, InputError
from .manifest import Entry, read_manifest

SUFFIXES = frozenset(
    (
        *(".3g2", ".3gp", ".asf", ".avi", ".flv", ".h264", ".h265", ".hevc", ".m2ts", ".m4v", ".mkv", ".mov"),
        *(".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
    )
)
"""File name endings that are taken for videos."""


def read_folder(folder: Path) -> tuple[Entry, ...]:
    """List the videos of a folder.

    Args:
        folder: A folder with a sub-folder for each class, or a folder of videos.

    Returns:
        One entry a video, in order of path; labelled where no video lies in the folder itself.

    Raises:
        FileMissingError: There is no such folder.
        InputError: It holds no video.
    """
    if not folder.is_dir():
        raise FileMissingError(folder)
    found = sorted(path for path in folder.rglob("*") if _is_video(path, folder))
    if not found:
        raise InputError(f"'{folder}' holds no video", f"put files in it that end in {_some_suffixes()}")
    if any(path.parent == folder for path in found):
        return tuple(Entry(path) for path in found)
    return tuple(Entry(path, labels=(path.relative_to(folder).parts[0],)) for path in found)


def read_entries(source: Path) -> tuple[Entry, ...]:
    """List the videos of a folder or of a CSV manifest.

    Args:
        source: A folder (:func:`read_folder`) or a ``.csv`` file (:func:`~.manifest.read_manifest`).

    Returns:
        One entry a video.

    Raises:
        FileMissingError: There is neither.
        InputError: It lists no video, or is neither a folder nor CSV.
    """
    if source.is_dir():
        return read_folder(source)
    if not source.exists():
        raise FileMissingError(source)
    if source.suffix.lower() != ".csv":
        raise InputError(f"'{source}' is neither a folder nor a CSV manifest", "give a folder or a .csv file")
    return read_manifest(source)


def _is_video(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _some_suffixes() -> str:
    return ", ".join((".mp4", ".mkv", ".mov", ".webm", ".avi"))
