"""Opening media files for writing.

Through a file of Python's own: PyAV leaves the one that it opens by name open where its last bytes cannot be written,
so that a full disk stays as full as it was until the process ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    with path.open("wb") as file, av.open(file, "w", format=format) as container:
        yield container
