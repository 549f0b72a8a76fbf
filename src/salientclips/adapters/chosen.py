"""Which frames of the selected clips are handed over, and the frames themselves, upright and with their true times.

A budget of frames is dealt to the clips in rank order, one round after another, so the best clips are served first
and no clip gets a frame twice. Within a clip frames are spread evenly. All adapters that hand over pictures draw on
this.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..media.decode import FrameReader
from ..media.frame_numbers import FrameNumbers, number_frames, packets_of
from ..types import SelectedClip, Selection


@dataclass(frozen=True)
class ChosenFrame:
    """One frame to be handed over."""

    clip: SelectedClip
    number: int
    """Which frame of the video, counted from 0 in display order."""
    time: Fraction
    """When it is shown, seconds on the timeline."""


@dataclass(frozen=True)
class HandedFrame:
    """One frame with its picture."""

    clip: SelectedClip
    number: int
    """Which frame of the video, counted from 0 in display order."""
    time: Fraction
    """When it is shown, seconds on the timeline; its predecessor's where it is damaged and that one stands in."""
    rgb: npt.NDArray[np.uint8]
    """(H, W, 3), 8-bit RGB, display orientation."""

    @property
    def time_s(self) -> float:
        """When it is shown, seconds."""
        return float(self.time)


def choose_frames(
    selection: Selection, count: int, frames: FrameNumbers, *, multiple: int = 1
) -> tuple[ChosenFrame, ...]:
    """Spread a budget of frames over the best clips.

    Args:
        selection: The clips chosen.
        count: Frames wanted in all.
        frames: The video's frames.
        multiple: Each clip gets a multiple of this many; a clip that is shorter repeats frames up to it.

    Returns:
        At most ``count`` frames, in order of time; fewer where the clips have no more.

    Raises:
        InputError: The budget does not reach for one clip, or nothing is selected.
    """
    if count < multiple or multiple < 1:
        raise InputError(f"{count} frames are too few", f"give at least {multiple}")
    if not selection.clips:
        raise InputError("nothing is selected", "lower the threshold")
    spans = [frames.span(clip) for clip in selection.clips]
    quotas = _deal(count // multiple, [max(1, (stop - first) // multiple) for first, stop in spans])
    chosen = []
    for clip, (first, stop), quota in zip(selection.clips, spans, quotas, strict=True):
        parts = quota * multiple
        numbers = [first + (2 * j + 1) * (stop - first) // (2 * parts) for j in range(parts)]
        chosen += [ChosenFrame(clip, number, frames.times[number]) for number in numbers]
    return tuple(sorted(chosen, key=lambda frame: frame.number))


def frames_of(
    selection: Selection,
    count: int,
    *,
    multiple: int = 1,
    size: int | tuple[int, int] | None = None,
    threads: int = 1,
) -> tuple[HandedFrame, ...]:
    """Decode a budget of frames from the best clips.

    Args:
        selection: The clips chosen.
        count: Frames wanted in all.
        multiple: Each clip gets a multiple of this many.
        size: Length of the shorter side, or (height, width) in display orientation; None keeps the size. Pixels.
        threads: Decoder threads.

    Returns:
        The frames in order of time.

    Raises:
        InputError: The budget or the size makes no sense, or nothing is selected.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read; see :mod:`salientclips.errors`.
    """
    table = packets_of(selection)
    chosen = choose_frames(selection, count, number_frames(table), multiple=multiple)
    with FrameReader(selection.scores.path, table, threads=threads, size=size) as reader:
        decoded = reader.frames_at([frame.time for frame in chosen])
    return tuple(
        HandedFrame(frame.clip, frame.number, picture.time, picture.rgb)
        for frame, picture in zip(chosen, decoded, strict=True)
    )


def _deal(units: int, room: list[int]) -> list[int]:
    """Deal units one round after another, best clip first, to places with limited room."""
    dealt = [0] * len(room)
    while units and (open_places := [i for i, limit in enumerate(room) if dealt[i] < limit]):
        for i in open_places[:units]:
            dealt[i] += 1
        units -= min(units, len(open_places))
    return dealt
