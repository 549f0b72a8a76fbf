"""WebVTT (W3C): a cue a clip, for the chapters or subtitles track of a player.

Times are the player's. WebVTT counts milliseconds; both ends are rounded up, so that a player that seeks to a cue
shows the clip's first frame and not the one before it. Cue text escapes ``&``, ``<`` and ``>``.
"""

from __future__ import annotations

from pathlib import Path

from ...whole_file import write_text
from .source import Source, clock, title


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a WebVTT file.

    Args:
        source: The clips.
        path: Where to.

    Returns:
        Nothing to note.

    Raises:
        InputError: It cannot be written.
    """
    blocks = ["WEBVTT", f"NOTE\nsalient clips of {_escape(source.name)}"]
    for clip in source.clips:
        times = f"{clock(clip.start, up=True)} --> {clock(clip.end, up=True)}"
        blocks.append(f"{clip.rank}\n{times}\n{_escape(title(clip))}")
    write_text(path, "\n\n".join(blocks) + "\n")
    return ()


def _escape(text: str) -> str:
    # This covers "-->", too, which may stand in no text or note.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
