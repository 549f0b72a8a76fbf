"""Opening media files for writing.

Through a file of Python's own: PyAV leaves the one that it opens by name open where its last bytes cannot be written,
so that a full disk stays as full as it was until the process ends. And through one that fails once: of a second
refusal, which comes when the file is ended all the same, PyAV prints a traceback or makes an error that is no
OSError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
import av.container


@contextmanager
def output_container(path: Path, format: str | None = None) -> Iterator[av.container.OutputContainer]:
    """Open a media file for writing; whatever happens it is closed at the end of the block.

    Args:
        path: Where; replaced.
        format: FFmpeg's muxer; None to go by the suffix.

    Yields:
        PyAV's container.

    Raises:
        OSError: The system refuses a write, also of the last bytes at the end of the block.
        ValueError: No muxer goes by that suffix.
    """
    with path.open("wb") as file:
        once = _FailsOnce(file)
        try:
            with av.open(once, "w", format=format) as container:
                yield container
        except Exception:
            # Ending the file after a refusal is an error of PyAV's own, which would stand for the true one.
            if once.failure is None:
                raise
        if once.failure is not None:
            raise once.failure


class _FailsOnce:
    """A file for PyAV; what is written after a refusal is lost, and nothing more is said of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.name = file.name
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.failure is not None:
            return len(data)
        try:
            return self._file.write(data)
        except OSError as refusal:
            self.failure = refusal
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        # What was not written yet is written before the place is changed.
        if self.failure is not None:
            return offset
        try:
            return self._file.seek(offset, whence)
        except OSError as refusal:
            self.failure = refusal
            raise

    def tell(self) -> int:
        return self._file.tell()
