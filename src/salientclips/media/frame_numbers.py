"""A video as a numbered list of frames with an exact rate: what cut lists, time codes and annotation tools count in.

Frames are numbered from 0 in display order by their packets, so the numbers hold with a variable frame rate, too.
The rate is the one that the stream was made at (30000/1001, not 29.97), found from the times themselves: headers
lie. With a variable rate there is none, and the rate here is the mean.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from ..errors import StoredScoresError
from ..timeline import Timeline
from ..types import Fingerprint, PacketTable, Selection
from .container import open_container, video_stream
from .demux import end_time, lazy_times, read_packets
from .fingerprint import fingerprint
from .probe import is_variable

_NTSC = Fraction(1000, 1001)
_HIGHEST_RATE = 1000


class Span(Protocol):
    """Anything with a start and an end in exact seconds on the timeline, such as a ``SelectedClip``."""

    @property
    def start(self) -> Fraction:
        """Seconds on the timeline."""

    @property
    def end(self) -> Fraction:
        """Seconds on the timeline, not included."""


@dataclass(frozen=True)
class FrameNumbers:
    """The frames of a video, numbered from 0 in display order."""

    times: Sequence[Fraction]
    """When each frame is shown, increasing, seconds on the timeline."""
    end: Fraction
    """When the last one ends, seconds on the timeline."""
    rate: Fraction
    """Frames per second: exact where the rate is constant, else the mean."""
    is_variable: bool
    """Whether frames are unevenly spaced."""
    timeline: Timeline
    """From pts to time."""

    def __len__(self) -> int:
        return len(self.times)

    def span(self, clip: Span) -> tuple[int, int]:
        """The frames of a clip.

        Args:
            clip: Where to look.

        Returns:
            ``(first, stop)``: frames ``first <= i < stop`` begin within the clip; in a clip in which none begins, the
            one that is on show at its start.
        """
        return frames_within(clip, self.times)

    def bound(self, number: int) -> Fraction:
        """Where one frame ends and another begins.

        Args:
            number: 0 to the number of frames.

        Returns:
            When the frame of that number begins, which is when the one before it ends; behind the last frame, the
            end of the video. Seconds on the timeline.
        """
        return self.times[number] if number < len(self) else self.end


def frames_within(clip: Span, times: Sequence[Fraction]) -> tuple[int, int]:
    """The frames of a clip.

    Args:
        clip: Where to look.
        times: When each frame of the video is shown, increasing, seconds on the timeline.

    Returns:
        As :meth:`FrameNumbers.span`.
    """
    first, stop = bisect_left(times, clip.start), bisect_left(times, clip.end)
    if first == stop:
        first = max(0, first - 1)
        stop = first + 1
    return first, stop


def number_frames(table: PacketTable) -> FrameNumbers:
    """Number the frames of a video.

    Args:
        table: Its packet table.

    Returns:
        The numbered frames.
    """
    times = lazy_times(table)
    end = end_time(table)
    return FrameNumbers(times, end, _rate(times, end), is_variable(table), table.timeline)


def packets_of(selection: Selection) -> PacketTable:
    """The packet table of the video that a selection is of, after a check that it still is that video.

    Args:
        selection: The clips chosen; ``selection.scores.path`` says where the video is.

    Returns:
        The table.

    Raises:
        StoredScoresError: There is another file at that place now.
        MediaError: The video cannot be read; see :mod:`salientclips.errors`.
    """
    path = selection.scores.path
    if fingerprint(path) != selection.scores.fingerprint:
        raise StoredScoresError(f"'{path}' is not the video that was scored", "score it again")
    return _packets(path, selection.scores.fingerprint)


@lru_cache(maxsize=4)
def _packets(path: Path, fingerprint: Fingerprint) -> PacketTable:
    """The tables of the last videos: handing a selection over asks for one several times."""
    return read_packets(path)


def start_timecode(path: Path) -> str | None:
    """The time code that a camera or editor wrote for the first frame.

    Args:
        path: A local video file.

    Returns:
        ``hh:mm:ss:ff``, with ``;`` before the frames where it drops; None where the file has none.

    Raises:
        MediaError: The file cannot be read; see :mod:`salientclips.errors`.
    """
    with open_container(path) as container:
        # A QuickTime time code track hands its value to the video stream or to the container.
        of_stream = video_stream(container, path).metadata.get("timecode")
        tracks = [s.metadata.get("timecode") for s in container.streams]
        return of_stream or container.metadata.get("timecode") or next((t for t in tracks if t), None)


def _rate(times: Sequence[Fraction], end: Fraction) -> Fraction:
    """The standard rate whose even spacing explains the times, else the mean."""
    if len(times) < 2:
        return 1 / (end - times[0])
    span = times[-1] - times[0]
    mean = (len(times) - 1) / span
    near = [Fraction(round(mean)), round(mean / _NTSC) * _NTSC]
    # Containers round each time; over the whole video that is less than a quarter of a frame.
    fitting = [rate for rate in near if rate and abs(span * rate - (len(times) - 1)) < Fraction(1, 4)]
    if mean < _HIGHEST_RATE and fitting:
        return min(fitting, key=lambda rate: (abs(rate - mean), rate.denominator))
    return mean
