"""A filter script for ffmpeg that makes one short video of the clips, in order of time, sound and pictures in step.

``trim`` and ``atrim`` cut at exact frames and samples, ``concat`` joins them. Times are ffmpeg's own, counted from
the start of the container, in microseconds; ``trim`` rounds them to the stream's own ticks.
"""

from __future__ import annotations

from pathlib import Path

from ...whole_file import write_text
from .source import Source


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a filter script.

    Args:
        source: The clips and their video.
        path: Where to.

    Returns:
        The command that uses it.

    Raises:
        InputError: The selection is empty, or the file cannot be written.
        MediaError: The video cannot be read.
    """
    source.need_clips("filter script")
    has_audio = bool(source.probe.audio)
    parts, labels = [], ""
    for number, clip in enumerate(source.clips):
        span = f"start={float(clip.start):.6f}:end={float(clip.end):.6f}"
        parts.append(f"[0:v:0]trim={span},setpts=PTS-STARTPTS[v{number}]")
        labels += f"[v{number}]"
        if has_audio:
            parts.append(f"[0:a:0]atrim={span},asetpts=PTS-STARTPTS[a{number}]")
            labels += f"[a{number}]"
    ends = "[v][a]" if has_audio else "[v]"
    parts.append(f"{labels}concat=n={len(source.clips)}:v=1:a={int(has_audio)}{ends}")
    write_text(path, ";\n".join(parts) + "\n")
    maps = "-map '[v]' -map '[a]'" if has_audio else "-map '[v]'"
    return (f"use it with: ffmpeg -i VIDEO -/filter_complex FILE -fps_mode vfr {maps} OUT.mp4",)
