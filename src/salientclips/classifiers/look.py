"""Looks at clips with a classifier: decodes only them, in order of time, and asks f (paper, section 3).

Used to classify the chosen clips of a video, and to look at all of them once (the labels of training, and every
strategy of the poster's tables, are look-ups into that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import SeekMismatchError
from ..media.decode import FrameReader
from ..media.demux import lazy_times
from ..media.frame_numbers import Span, frames_within
from ..media.stacked import stacked
from ..timeline import ClipSpec
from ..types import PacketTable
from .preprocess import prepare_clip, shrink_frames
from .protocol import ClipClassifier, ClipInput

if TYPE_CHECKING:
    import torch

Probabilities = npt.NDArray[np.float32]
"""Class probabilities (num_clips, num_classes)."""

_FRAMES_AT_ONCE = 8


class ClipLooker:
    """Decodes clips and shows them to f, a few at a time.

    Args:
        path: A local video file.
        classifier: f.
        table: The packet table of the file.
        threads: Decoder threads; the result does not depend on it.
        batch_clips: Clips given to f at once; bounds the memory.
    """

    def __init__(
        self,
        path: Path,
        classifier: ClipClassifier,
        table: PacketTable,
        threads: int = 1,
        batch_clips: int = 4,
    ) -> None:
        self._path, self._classifier, self._table = path, classifier, table
        self._times = lazy_times(table)
        self._threads, self._batch_clips = threads, batch_clips
        self.seconds = {"decode": 0.0, "prepare": 0.0, "classifier": 0.0}
        """Time spent so far by part; ``prepare``, making f's input of decoded frames, is a share of ``decode``."""
        self.warnings: tuple[str, ...] = ()
        """What went wrong without stopping the work, one line each."""
        self.lost: frozenset[int] = frozenset()
        """Places in ``clips`` of those that could not be decoded and were left out, at the last look."""

    def look(
        self,
        clips: Sequence[Span],
        progress: Callable[[float], None] | None = None,
        *,
        leave_out_lost: bool = False,
    ) -> Probabilities:
        """Look at clips.

        Args:
            clips: At least one, in order of time, so that the decoder only moves forward.
            progress: Called with the share of clips done, 0 to 1.
            leave_out_lost: Whether a clip that cannot be decoded gets a row of NaN and a warning, as long as another
                can be; otherwise it ends the work.

        Returns:
            float32 (num_clips, num_classes), in the order of ``clips``.

        Raises:
            MediaError: The video cannot be read.
        """
        import torch

        rows: list[Probabilities] = []
        lost: dict[int, SeekMismatchError] = {}
        with FrameReader(self._path, self._table, threads=self._threads) as reader:
            tensors = self._decoded(reader, clips, lost if leave_out_lost else None)
            while batch := list(islice(tensors, self._batch_clips)):
                began = perf_counter()
                rows.append(self._classifier(torch.stack(batch)).cpu().numpy())
                self.seconds["classifier"] += perf_counter() - began
                if progress is not None:
                    progress((sum(map(len, rows)) + len(lost)) / len(clips))
            if reader.decode_failures:
                self.warnings = (f"{reader.decode_failures} packets of the chosen clips were broken",)
        if not rows:
            raise next(iter(lost.values()))
        if not lost:
            return np.concatenate(rows)
        self.lost = frozenset(lost)
        self.warnings += (f"{len(lost)} of {len(clips)} chosen clips cannot be decoded and were left out",)
        said = np.full((len(clips), rows[0].shape[1]), np.nan, np.float32)
        said[[place for place in range(len(clips)) if place not in lost]] = np.concatenate(rows)
        return said

    def _decoded(
        self, reader: FrameReader, clips: Sequence[Span], lost: dict[int, SeekMismatchError] | None
    ) -> Iterator[torch.Tensor]:
        """What f is shown of each clip; which cannot be decoded, and why, is put into ``lost`` where it is given."""
        for place, clip in enumerate(clips):
            try:
                tensor = self._clip(reader, clip)
            except SeekMismatchError as error:
                if lost is None:
                    raise
                lost[place] = error
                continue
            yield tensor

    def _clip(self, reader: FrameReader, clip: Span) -> torch.Tensor:
        began, wanted = perf_counter(), self._classifier.input
        times = iter(clip_frame_times(clip, self._times, wanted))
        # A few large frames at a time: a clip of 64 frames of 4K would fill 1.6 GB.
        parts: list[npt.NDArray[np.uint8]] = []
        size: tuple[int, int] | None = None
        while some := list(islice(times, _FRAMES_AT_ONCE)):
            frames = stacked([frame.rgb for frame in reader.frames_at(some)], size)
            size = frames.shape[1], frames.shape[2]
            decoded = perf_counter()
            parts.append(shrink_frames(frames, wanted))
            self.seconds["prepare"] += perf_counter() - decoded
        decoded = perf_counter()
        tensor = prepare_clip(np.concatenate(parts), wanted)
        self.seconds["prepare"] += perf_counter() - decoded
        self.seconds["decode"] += perf_counter() - began
        return tensor


def clip_frame_times(
    clip: Span, shown: Sequence[Fraction], wanted: ClipInput | ClipSpec
) -> tuple[Fraction, ...]:
    """The times of the frames of a clip that a classifier is shown.

    T frames at the classifier's step, centred in the clip. A clip that is too short for that (a scene, fixed
    seconds, the end of a video) has its frames spread evenly over T places, repeating some, so nothing outside
    the clip is ever looked at; a clip without any frame shows the one before it.

    Args:
        clip: Where to look.
        shown: Display times of all frames of the video, increasing, seconds on the timeline.
        wanted: How many frames, and at what step of the video's own.

    Returns:
        ``wanted.frames`` times from ``shown``, not decreasing.
    """
    first, stop = frames_within(clip, shown)
    count, step = wanted.frames, wanted.frame_step
    spare = (stop - first) - ((count - 1) * step + 1)
    if spare >= 0:
        begin = first + spare // 2
        return tuple(shown[begin + j * step] for j in range(count))
    return tuple(shown[first + (2 * j + 1) * (stop - first) // (2 * count)] for j in range(count))
