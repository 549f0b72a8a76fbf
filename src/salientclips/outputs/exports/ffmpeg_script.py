"""A shell script with one ffmpeg command a clip, to be read, changed and run.

Each command seeks before the input (fast) and encodes again (exact: copying would begin at a key frame). In MPEG
transport and program streams, where such a seek may land after the wanted frame, it decodes from the start instead.
Times are ffmpeg's own, counted from the start of the container, in microseconds. File names are quoted for a POSIX
shell.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from ...whole_file import write_text
from .source import Source, one_line, title

_SEEKS_LATE = frozenset({"mpegts", "mpeg"})
"""FFmpeg's names of the containers without an index."""


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a shell script that cuts the clips into its working folder.

    Args:
        source: The clips.
        path: Where to.

    Returns:
        How to run it.

    Raises:
        InputError: It cannot be written.
        MediaError: The video cannot be read.
    """
    decodes_all = source.probe.container in _SEEKS_LATE
    video = shlex.quote(str(source.video))
    lines = ["#!/bin/sh", f"# the salient clips of {one_line(source.name)}", "set -e", f"video={video}"]
    for clip in source.clips:
        span = f"-ss {float(clip.start):.6f} -to {float(clip.end):.6f}"
        # An option before the input seeks in it; behind it, it drops what was decoded.
        source_words = f'-i "$video" {span}' if decodes_all else f'{span} -i "$video"'
        # -nostdin: else ffmpeg eats what a loop around the script reads.
        lines += [f"# {title(clip)}", f"ffmpeg -nostdin -y {source_words} \\"]
        lines += [f"    -c:v libx264 -crf 18 -c:a aac clip_{clip.rank:03}.mp4"]
    write_text(path, "\n".join(lines) + "\n")
    return ("run it with: sh FILE",)
