"""What a container says of itself in words: its title tag. They are a stranger's: who shows them escapes them."""

from __future__ import annotations

from pathlib import Path

from .container import open_container


def title_of(path: Path) -> str:
    """The title that the container's metadata gives.

    Args:
        path: A local file.

    Returns:
        The title as it stands there, of any length and with any characters; empty where there is none.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
    """
    with open_container(path) as container:
        return str(container.metadata.get("title", ""))
