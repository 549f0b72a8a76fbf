"""Finding the videos of a published list among the files that somebody has of it.

The lists name videos by YouTube's identifier. What the files are called differs between downloaders, so they are
found by their stem, anywhere below a folder. What is not found gets the path at which it was expected, so that
:func:`~salientclips.datasets.manifest.missing_files` lists it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import FileMissingError
from .folder import SUFFIXES


class StoredVideos:
    """The videos below a folder, by stem; looked up once.

    Args:
        folder: Where the files are.

    Raises:
        FileMissingError: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FileMissingError(folder)
        self.folder = folder
        self._found: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                self._found.setdefault(path.stem, path)

    def path(self, stems: Sequence[str]) -> Path:
        """The file of a video.

        Args:
            stems: What it may be called without its suffix, the official name first; at least one.

        Returns:
            The file, or where it was expected: ``STEM.mp4`` in the folder.
        """
        found = (self._found[stem] for stem in stems if stem in self._found)
        return next(found, self.folder / f"{stems[0]}.mp4")
