"""Exact time: how pts become seconds, and where clips begin and end.

Everything inside the package counts in ``Fraction`` seconds on one axis, the *timeline*. Its zero is
the start of the container (the earliest start of its video and audio streams), as in every player, so
sound and pictures share it. Seconds as floats appear at the border only (JSON, tables, files).

Nothing here multiplies a frame number by a frame rate: a variable rate, or 30000/1001 over three hours,
would drift (PySceneDetect's issue 168 stayed open for six years over it).

Clips of equal length side by side are the paper's (section 3); the timeline is this project's own
(docs/decisions.md, decision 2).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

import numpy as np
import numpy.typing as npt

from .errors import InputError

MOST_SECONDS = 10**9
"""No time lies further from zero (31 years): what a file claims beyond it is damage."""
_MOST_CLIPS = 1_000_000
"""Of a length in seconds, unless there are more frames; 11 days of seconds. A damaged time stamp would make clips
without end."""
_MOST_EXPONENT = 30


def exact_seconds(text: str) -> Fraction:
    """Read a time that somebody else wrote.

    ``Fraction`` alone would compute all digits of ``1e999999999``.

    Args:
        text: Seconds, as ``3.5``, ``1e-3`` or ``1001/30000``.

    Returns:
        Exactly what is written.

    Raises:
        ValueError: It is no number, or beyond ``MOST_SECONDS``.
        ZeroDivisionError: It divides by zero.
    """
    _, _, exponent = text.lower().partition("e")
    if len(text) > 1000 or (exponent and abs(int(exponent)) > _MOST_EXPONENT):
        raise ValueError("it is no time")
    seconds = Fraction(text)
    if abs(seconds) > MOST_SECONDS:
        raise ValueError("it is beyond any time")
    return seconds


@dataclass(frozen=True)
class Timeline:
    """The map between a stream's pts and exact seconds since the start of the container."""

    time_base: Fraction
    """Seconds per pts tick of the stream."""
    zero: Fraction
    """Where the timeline's zero lies on the stream's own axis, in seconds."""

    def time(self, pts: int) -> Fraction:
        """Exact timeline time of a pts.

        Args:
            pts: Presentation time stamp in ticks of ``time_base``.

        Returns:
            Seconds since the start of the container.
        """
        return pts * self.time_base - self.zero

    def pts(self, time: Fraction) -> int:
        """The last pts that is not after a time.

        Args:
            time: Seconds since the start of the container.

        Returns:
            Ticks of ``time_base``.
        """
        return (time + self.zero) // self.time_base

    def first_pts(self, time: Fraction) -> int:
        """The first pts that is not before a time (the inverse of :meth:`time` where it is exact).

        Args:
            time: Seconds since the start of the container.

        Returns:
            Ticks of ``time_base``.
        """
        return ceil((time + self.zero) / self.time_base)


@dataclass(frozen=True)
class ClipSpec:
    """How long a clip is: F frames at a fixed step of the source (paper, section 3), or a duration.

    Raises:
        InputError: A number is not positive.
    """

    frames: int = 16
    """Frames that the clip classifier looks at (F in the paper)."""
    frame_step: int = 2
    """Source frames from one looked-at frame to the next."""
    seconds: Fraction | None = None
    """If given, clips are this long whatever the frame rate, and the two above only say what is decoded."""

    def __post_init__(self) -> None:
        if self.frames < 1 or self.frame_step < 1:
            raise InputError(
                f"a clip of {self.frames} frames at step {self.frame_step} is impossible",
                "both must be at least 1",
            )
        if self.seconds is not None and self.seconds <= 0:
            raise InputError("the clip length must be positive", "give more than 0 seconds")

    @property
    def source_frames(self) -> int:
        """Source frames that a clip spans, ``frames * frame_step``."""
        return self.frames * self.frame_step


@dataclass(frozen=True)
class ClipGrid:
    """The division of a video into clips, in exact times.

    Clips are half-open spans ``[start, end)``, in order of time and without overlap. They need not be
    equally long or touch one another: scenes from a cut list make a grid too.

    Raises:
        InputError: There are not as many starts as ends, a clip ends before it starts, or clips overlap.

    Example:
        >>> from fractions import Fraction
        >>> from salientclips import ClipGrid, score
        >>> thirds = ClipGrid.from_spans([(Fraction(0), Fraction(5, 2)), (Fraction(5, 2), Fraction(8))])
        >>> score("climb.mp4", grid=thirds).grid.end_s
        array([2.5, 8. ])
    """

    starts: tuple[Fraction, ...]
    """Start of each clip, seconds on the timeline."""
    ends: tuple[Fraction, ...]
    """End of each clip, seconds on the timeline, not included."""

    def __post_init__(self) -> None:
        if len(self.starts) != len(self.ends):
            raise InputError("a clip grid needs as many starts as ends", "give one end for each start")
        if any(end <= start for start, end in zip(self.starts, self.ends, strict=True)):
            raise InputError("a clip ends before it starts", "give spans with end > start")
        if any(b < a for a, b in zip(self.ends, self.starts[1:], strict=False)):
            raise InputError("clips overlap or are out of order", "sort the spans and cut overlaps")

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def start_s(self) -> npt.NDArray[np.float64]:
        """Starts as float64 (num_clips,), seconds."""
        return np.array([float(t) for t in self.starts], dtype=np.float64)

    @cached_property
    def end_s(self) -> npt.NDArray[np.float64]:
        """Ends as float64 (num_clips,), seconds."""
        return np.array([float(t) for t in self.ends], dtype=np.float64)

    def clip_at(self, time: Fraction) -> int | None:
        """Index of the clip that contains a time.

        Args:
            time: Seconds on the timeline.

        Returns:
            Index into the grid, or None where the time lies in no clip.
        """
        index = bisect_right(self.starts, time) - 1
        return index if index >= 0 and time < self.ends[index] else None

    @classmethod
    def from_frame_times(cls, times: Sequence[Fraction], end: Fraction, spec: ClipSpec) -> ClipGrid:
        """Tile a video with clips of a given number of frames or seconds.

        A remainder of at least half a clip becomes a clip of its own; a shorter one is merged into the clip
        before it (design, "definitions that the paper leaves open"), so no frame is lost.

        Args:
            times: Strictly increasing display times of all frames, seconds on the timeline.
            end: When the last frame ends, seconds on the timeline.
            spec: The length of a clip.

        Returns:
            The grid; it covers ``[times[0], end)``. Empty where there are no frames.

        Raises:
            InputError: The times do not increase, or clips of that many seconds would be a million and more than
                there are frames: one damaged time stamp makes years of a video.
        """
        if not times:
            return cls((), ())
        if spec.seconds is None:
            length = spec.source_frames
            firsts = list(range(0, len(times), length))
            if len(firsts) > 1 and 2 * (len(times) - firsts[-1]) < length:
                firsts.pop()
            starts = [times[i] for i in firsts]
        else:
            starts = _regular_starts(times[0], end, spec.seconds, len(times))
        return cls(tuple(starts), (*starts[1:], end))

    @classmethod
    def from_spans(cls, spans: Iterable[tuple[Fraction, Fraction]]) -> ClipGrid:
        """Take any division, for example scenes.

        Args:
            spans: (start, end) of each clip, seconds on the timeline; sorted here.

        Returns:
            The grid.

        Raises:
            InputError: A span is empty, or two overlap.
        """
        ordered = sorted(spans)
        return cls(tuple(s for s, _ in ordered), tuple(e for _, e in ordered))


def _regular_starts(first: Fraction, end: Fraction, length: Fraction, num_frames: int) -> list[Fraction]:
    count = max(1, int((end - first) / length))
    if count > max(_MOST_CLIPS, num_frames):
        raise InputError(
            f"{float(end - first):.6g} s make {count} clips of {float(length):.6g} s, for {num_frames} frames",
            "give longer clips; where the video is not that long, a time stamp in it is damaged",
        )
    remainder = (end - first) - count * length
    if count * length < end - first and 2 * remainder >= length:
        count += 1
    return [first + i * length for i in range(count)]
