"""Label Studio: one task with the clips as predicted timeline labels, to be corrected by people.

Label Studio counts frames from 1, both ends included, and works out the frame on show as time times the rate that
its ``<Video>`` tag is given (24 unless told), so it supposes a constant rate. The rate goes into the task's data as
``fps``, from where the configuration below takes it. With a variable rate the frame numbers follow Label Studio's own
count at the highest rate, so that its time line shows the right moment.
"""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from ...types import SelectedClip
from ...whole_file import write_text
from .source import Source, title

CONFIG = (
    '<View><TimelineLabels name="timelineLabels" toName="video"><Label value="salient"/></TimelineLabels>'
    '<Video name="video" value="$video" frameRate="$fps"/></View>'
)
"""The labelling configuration that the task is for."""


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a list of one task.

    Args:
        source: The clips and their video.
        path: Where to.

    Returns:
        The labelling configuration, and what may have to be changed.

    Raises:
        InputError: It cannot be written.
        MediaError: The video cannot be read.
    """
    rate = _rate(source)
    results = []
    for clip in source.clips:
        first, last = _span(source, clip, rate)
        results.append(
            {
                "id": f"clip{clip.rank}",
                "type": "timelinelabels",
                "from_name": "timelineLabels",
                "to_name": "video",
                "value": {"ranges": [{"start": first, "end": last}], "timelinelabels": ["salient"]},
                "meta": {"text": [title(clip)]},
            }
        )
    url = "/data/local-files/?d=" + quote(source.video.as_posix().lstrip("/"))
    model = f"salientclips {source.selection.scores.sampler}"
    task = {
        "data": {"video": url, "fps": float(rate)},
        "predictions": [{"model_version": model, "result": results}],
    }
    write_text(path, json.dumps([task], indent=1, allow_nan=False))
    notes = [f"labelling configuration: {CONFIG}", "the video's URL is for local storage with the root /"]
    if source.frames.is_variable:
        notes.append("Label Studio supposes a constant frame rate: a copy with one is safer")
    return tuple(notes)


def _rate(source: Source) -> Fraction:
    frames = source.frames
    if not frames.is_variable:
        return frames.rate
    times = frames.times[:]
    return 1 / min(b - a for a, b in pairwise(times))


def _span(source: Source, clip: SelectedClip, rate: Fraction) -> tuple[int, int]:
    frames = source.frames
    first, stop = frames.span(clip)
    if not frames.is_variable:
        return first + 1, stop
    begin, end = (round((frames.bound(number) - frames.times[0]) * rate) for number in (first, stop))
    return begin + 1, max(begin + 1, end)
