r"""FFmpeg's metadata file (``;FFMETADATA1``) with a chapter a clip, so that any player jumps to the salient clips.

Each chapter has a time base in which its ends are exact, where one fits into 32 bits, else microseconds. Players show
what lies between as part of no chapter, or of the one before. Values escape ``=``, ``;``, ``#`` and ``\``.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from pathlib import Path

from ...whole_file import write_text
from .source import Source, title

_LARGEST = 2**31 - 1
_MICROSECONDS = 1_000_000


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write chapters.

    Args:
        source: The clips.
        path: Where to.

    Returns:
        How to put them into a copy of the video.

    Raises:
        InputError: It cannot be written.
    """
    lines = [";FFMETADATA1", f"comment={_escape(f'salient clips of {source.name}')}"]
    for clip in source.clips:
        per_second = lcm(clip.start.denominator, clip.end.denominator)
        if per_second > _LARGEST:
            per_second = _MICROSECONDS
        lines += ["[CHAPTER]", f"TIMEBASE=1/{per_second}"]
        lines += [f"START={_up(clip.start, per_second)}", f"END={_up(clip.end, per_second)}"]
        lines += [f"title={_escape(title(clip))}"]
    write_text(path, "\n".join(lines) + "\n")
    return ("use it with: ffmpeg -i VIDEO -i FILE -map 0 -map_chapters 1 -codec copy OUT",)


def _up(time: Fraction, per_second: int) -> int:
    return int(-(-time * per_second // 1))


def _escape(text: str) -> str:
    for special in "\\=;#":
        text = text.replace(special, "\\" + special)
    return text
