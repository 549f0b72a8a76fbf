"""PyTorchVideo: a clip sampler that yields the salient clips of each video, best first.

PyTorchVideo hands a sampler the annotation of the video; the selection travels in it, or a name of it, which a
``DataLoader`` can put into a batch: ``("v.mp4", {"label": 3, "selection": "v"})``. Times count from the
first frame of the video, as PyTorchVideo's do, as exact fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..media.cut import on_frames
from ..media.frame_numbers import number_frames, packets_of
from ..types import Selection
from .foreign import require_foreign

if TYPE_CHECKING:
    from pytorchvideo.data.clip_sampling import ClipInfo


class SalientClipSampler:
    """What ``pytorchvideo.data.LabeledVideoDataset(..., clip_sampler=...)`` wants; one sampler serves many videos.

    Args:
        clip_duration: Length of a clip, seconds, centred on the salient one; None takes the salient clip as it is.
        selections: Selections by the names that annotations use; None where annotations hold selections themselves.
    """

    def __init__(
        self,
        clip_duration: float | Fraction | None = None,
        selections: Mapping[Any, Selection] | None = None,
    ) -> None:
        self._selections = selections
        self._length = None if clip_duration is None else Fraction(clip_duration)
        self._next = 0
        self._spans: list[tuple[Fraction, Fraction]] = []

    def __call__(
        self,
        last_clip_time: float | Fraction | None,
        video_duration: float | Fraction,
        annotation: Mapping[str, Any],
    ) -> ClipInfo:
        """The next clip of the video.

        Args:
            last_clip_time: Where the clip before ended; not looked at, for clips come by rank.
            video_duration: Length of the video, seconds.
            annotation: Has the video's :class:`salientclips.Selection`, or its name, under ``"selection"``.

        Returns:
            PyTorchVideo's ``ClipInfo``; its ``clip_index`` is the rank less one.

        Raises:
            InputError: The annotation has no selection, or an empty one.
            MissingExtraError: pytorchvideo does not load.
        """
        library = require_foreign("pytorchvideo.data.clip_sampling", "pytorchvideo")
        if self._next == 0:
            self._spans = self._spans_of(self._selection(annotation), Fraction(video_duration))
        start, end = self._spans[self._next]
        rank = self._next
        is_last = rank + 1 == len(self._spans)
        self._next = 0 if is_last else rank + 1
        info: ClipInfo = library.ClipInfo(start, end, rank, 0, is_last)
        return info

    def reset(self) -> None:
        """Begin anew with the next video."""
        self._next = 0

    def _selection(self, annotation: Mapping[str, Any]) -> object:
        named = annotation.get("selection")
        return named if self._selections is None else self._selections.get(named)

    def _spans_of(self, selection: object, duration: Fraction) -> list[tuple[Fraction, Fraction]]:
        if not isinstance(selection, Selection) or not selection.clips:
            raise InputError("the annotation has no selected clips", 'add "selection": scores.select(k)')
        frames = number_frames(packets_of(selection))
        zero = frames.times[0]
        spans = []
        for clip in selection.clips:
            span = on_frames(clip, frames)
            start, end = span.start - zero, span.end - zero
            if self._length is not None:
                middle = (start + end) / 2
                start = max(Fraction(0), min(middle - self._length / 2, duration - self._length))
                end = start + self._length
            spans.append((start, end))
        return spans
