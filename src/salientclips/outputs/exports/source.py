"""What exporters draw on: the clips in order of time, and the numbered frames of the video when they are asked for.

A format that counts in seconds alone never opens the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from ...errors import InputError
from ...media.frame_numbers import FrameNumbers, number_frames, packets_of
from ...media.probe import probe
from ...probed import Probe
from ...types import SelectedClip, Selection


@dataclass(frozen=True)
class Source:
    """A selection and, lazily, its video."""

    selection: Selection

    @property
    def video(self) -> Path:
        """The video, as an absolute path."""
        return self.selection.scores.path.absolute()

    @property
    def name(self) -> str:
        """The video's file name in one line: whatever controls a terminal or ends a line is a space."""
        return one_line(self.video.name)

    @cached_property
    def clips(self) -> tuple[SelectedClip, ...]:
        """The clips in order of time."""
        return tuple(sorted(self.selection.clips, key=lambda clip: clip.start))

    @cached_property
    def frames(self) -> FrameNumbers:
        """The video's frames; reads its packets, nothing is decoded."""
        return number_frames(packets_of(self.selection))

    @cached_property
    def probe(self) -> Probe:
        """Size and tracks of the video."""
        return probe(self.selection.scores.path)

    def need_clips(self, format: str) -> None:
        """Refuse to write a file that could not be valid without a clip.

        Args:
            format: Name of the format, for the error.

        Raises:
            InputError: The selection is empty.
        """
        if not self.clips:
            raise InputError(f"an empty selection makes no {format} file", "lower the threshold")


def one_line(text: str) -> str:
    """A text without anything that could end its line.

    Args:
        text: Any text.

    Returns:
        The text with control characters and line separators as spaces, and what is no valid Unicode (a file name of
        stray bytes) as ``?``.
    """
    printable = "".join(c if c.isprintable() or "\ud800" <= c <= "\udfff" else " " for c in text)
    return printable.encode("utf-8", "replace").decode("utf-8")


def title(clip: SelectedClip) -> str:
    """What a clip is called in players and editors.

    Args:
        clip: A clip.

    Returns:
        For example ``"salient clip 1, score 4.272"``.
    """
    return f"salient clip {clip.rank}, score {clip.score:.4g}"


def clock(seconds: Fraction, digits: int = 3, up: bool = False) -> str:
    """A time as ``hh:mm:ss.fff``, rounded without ever passing through a float.

    Args:
        seconds: A time of 0 or more.
        digits: Digits after the point.
        up: Round up instead of to the nearest, so that a player that seeks there shows the frame that begins there.

    Returns:
        Hours have at least two digits.
    """
    unit = 10**digits
    count = -(-seconds * unit // 1) if up else round(seconds * unit)
    whole, part = divmod(int(count), unit)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{part:0{digits}}"
