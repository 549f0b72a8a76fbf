"""CSV with the columns of PySceneDetect's scene list, and the score and rank of each clip behind them.

Conventions are PySceneDetect's own: frames count from 1, the end frame is the last one of the clip, and seconds and
time codes count from the first frame of the video, not from the start of the container. Its command ``load-scenes``
takes only the starts and makes scenes that touch; ``salientclips score --scenes`` takes both ends.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ...whole_file import write_text
from .source import Source, clock

COLUMNS = (
    "Scene Number",
    "Start Frame",
    "Start Timecode",
    "Start Time (seconds)",
    "End Frame",
    "End Timecode",
    "End Time (seconds)",
    "Length (frames)",
    "Length (timecode)",
    "Length (seconds)",
    "Score",
    "Rank",
)
"""The first ten are PySceneDetect's."""


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a scene list.

    Args:
        source: The clips and their video.
        path: Where to.

    Returns:
        Nothing to note.

    Raises:
        InputError: It cannot be written.
        MediaError: The video cannot be read.
    """
    frames = source.frames
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for number, clip in enumerate(source.clips, start=1):
        first, stop = frames.span(clip)
        start = max(clip.start - frames.times[0], frames.times[0] * 0)
        end = clip.end - frames.times[0]
        begins = (first + 1, clock(start), f"{float(start):.6f}")
        ends = (stop, clock(end), f"{float(end):.6f}")
        length = (stop - first, clock(end - start), f"{float(end - start):.6f}")
        rows.writerow((number, *begins, *ends, *length, repr(clip.score), clip.rank))
    write_text(path, text.getvalue())
    return ()
