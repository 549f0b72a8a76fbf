"""An edit decision list in the style of CMX 3600: the clips one after another, from record time 01:00:00:00 on.

An EDL counts time code at one constant rate. At 29.97 and 59.94 frames per second it is drop-frame time code. The
source's own start time code is honoured where the file has one. A variable frame rate cannot be said in an EDL: times
are then converted at the mean rate, off by up to half a frame, and a note and a comment say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from ...media.frame_numbers import start_timecode
from ...types import SelectedClip
from ...whole_file import write_text
from .source import Source, one_line, title
from .timecode import Timecode

_MOST_EVENTS = 999


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write an edit decision list.

    Args:
        source: The clips and their video.
        path: Where to.

    Returns:
        What is not exact, if anything.

    Raises:
        InputError: It cannot be written.
        MediaError: The video cannot be read.
    """
    counted = _Count(source)
    code = counted.code
    tracks = "AA/V" if source.probe.audio else "V"
    lines = [f"TITLE: {one_line(source.video.stem)}", f"FCM: {'' if code.drops else 'NON-'}DROP FRAME", ""]
    notes = counted.notes
    lines += [f"* {note}" for note in notes]
    at = code.frame(f"01:00:00{';' if code.drops else ':'}00")
    for number, clip in enumerate(source.clips, start=1):
        first, stop = counted.span(clip)
        source_times = f"{code.text(counted.start + first)} {code.text(counted.start + stop)}"
        record_times = f"{code.text(at)} {code.text(at + stop - first)}"
        lines.append(f"{number:03}  AX       {tracks:5} C        {source_times} {record_times}")
        lines += [f"* FROM CLIP NAME: {source.name}", f"* COMMENT: {title(clip)}"]
        at += stop - first
    write_text(path, "\n".join(lines) + "\n")
    if len(source.clips) > _MOST_EVENTS:
        notes = (*notes, f"an EDL has room for {_MOST_EVENTS} events; some editors stop there")
    return notes


@dataclass(frozen=True)
class _Count:
    """How the frames of a video are counted in time code."""

    source: Source

    @cached_property
    def code(self) -> Timecode:
        return Timecode.of_rate(self.source.frames.rate)

    @cached_property
    def start(self) -> int:
        stamp = start_timecode(self.source.video)
        return 0 if stamp is None else self.code.frame(stamp)

    @property
    def notes(self) -> tuple[str, ...]:
        frames = self.source.frames
        if not frames.is_variable:
            return ()
        rate = self.code.base
        return (f"variable frame rate: times are converted to {rate} frames/s and may be half a frame off",)

    def span(self, clip: SelectedClip) -> tuple[int, int]:
        frames = self.source.frames
        first, stop = frames.span(clip)
        if not frames.is_variable:
            return first, stop
        begin, end = (self._at(frames.bound(number)) for number in (first, stop))
        return begin, max(begin + 1, end)

    def _at(self, time: Fraction) -> int:
        return round((time - self.source.frames.times[0]) * self.code.base)
