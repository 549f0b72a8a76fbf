"""OpenTimelineIO: a timeline whose tracks are the clips one after another, as Timeline.1 JSON.

Written by hand against the schema (Clip.2, Track.1, ExternalReference.1), so that the package is not needed. With a
constant frame rate, times count frames at the exact rate; with a variable one, ticks of the file's own clock, which
are as exact. The media's own start time code, where it has one, is where its range begins.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...media.frame_numbers import start_timecode
from ...types import SelectedClip
from ...whole_file import write_text
from .source import Source, one_line, title
from .timecode import Timecode


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a timeline.

    Args:
        source: The clips and their video.
        path: Where to.

    Returns:
        Nothing to note.

    Raises:
        InputError: It cannot be written.
        MediaError: The video cannot be read.
    """
    media = _Media(source)
    kinds = ["Video", *(["Audio"] if source.probe.audio else [])]
    tracks = [
        _node("Track.1", kind=kind, name=kind, children=[media.clip(c) for c in source.clips])
        for kind in kinds
    ]
    stack = _node("Stack.1", name="tracks", children=tracks)
    name = f"salient clips of {source.name}"
    timeline = {**_node("Timeline.1", name=name, tracks=stack), "global_start_time": None}
    write_text(path, json.dumps(timeline, indent=1, allow_nan=False))
    return ()


class _Media:
    """The video as a media reference, and spans of it."""

    def __init__(self, source: Source) -> None:
        self._source, self._frames = source, source.frames
        frames = self._frames
        self._rate = 1 / frames.timeline.time_base if frames.is_variable else frames.rate
        stamp = None if frames.is_variable else start_timecode(source.video)
        self._start = 0 if stamp is None else Timecode.of_rate(frames.rate).frame(stamp)

    def clip(self, clip: SelectedClip) -> dict[str, Any]:
        first, stop = self._frames.span(clip)
        scores = self._source.selection.scores
        facts = {
            "rank": clip.rank,
            "score": clip.score,
            "sampler": scores.sampler,
            "start_s": str(clip.start),
            "end_s": str(clip.end),
        }
        made = _node("Clip.2", name=title(clip), metadata={"salientclips": facts})
        made["source_range"] = self._range(first, stop)
        made["media_references"] = {"DEFAULT_MEDIA": self._reference()}
        made["active_media_reference_key"] = "DEFAULT_MEDIA"
        return made

    def _reference(self) -> dict[str, Any]:
        return {
            "OTIO_SCHEMA": "ExternalReference.1",
            "metadata": {},
            "name": one_line(self._source.name),
            "available_range": self._range(0, len(self._frames)),
            "target_url": self._source.video.as_uri(),
        }

    def _range(self, first: int, stop: int) -> dict[str, Any]:
        begin, end = self._value(first), self._value(stop)
        return {
            "OTIO_SCHEMA": "TimeRange.1",
            "start_time": self._time(self._start + begin),
            "duration": self._time(end - begin),
        }

    def _value(self, frame: int) -> Fraction:
        if not self._frames.is_variable:
            return Fraction(frame)
        return (self._frames.bound(frame) - self._frames.times[0]) * self._rate

    def _time(self, value: Fraction) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(self._rate), "value": float(value)}


def _node(schema: str, **fields: Any) -> dict[str, Any]:
    common: dict[str, Any] = {"OTIO_SCHEMA": schema, "metadata": {}, "name": "", "source_range": None}
    return {**common, "effects": [], "markers": [], "enabled": True, **fields}
