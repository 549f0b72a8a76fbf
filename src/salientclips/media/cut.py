"""Spans of a video as a file of their own, encoded again so that they begin and end on the very frames.

One span makes a clip, several in order of time make a summary: pictures and sound of each follow those of the one
before. The sound of a span is cut where its pictures are, to the sample, so the two never drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.video.frame

from ..errors import NoFramesError
from ..types import PacketTable
from .container import open_container, video_stream
from .decode import FrameReader
from .encode import PictureForm, VideoWriter
from .frame_numbers import FrameNumbers, Span, number_frames
from .sound import SoundForm, read_sound, sound_form


@dataclass(frozen=True)
class FrameSpan:
    """Where a span really lies: on the frames that begin in it."""

    start: Fraction
    """When its first frame is shown, seconds on the timeline."""
    end: Fraction
    """When the frame after its last one is shown, or the video ends; seconds on the timeline."""


def on_frames(span: Span, frames: FrameNumbers) -> FrameSpan:
    """Move the ends of a span to the frames.

    Args:
        span: Any span of the video.
        frames: The video's frames.

    Returns:
        From its first frame to the one after its last; a span in which no frame begins has the one on show.
    """
    first, stop = frames.span(span)
    return FrameSpan(frames.bound(first), frames.bound(stop))


class Cutter:
    """Cuts spans out of one video; a context manager.

    Args:
        path: A local video file.
        table: Its packet table.
        threads: Threads of the decoder and the encoder.

    Raises:
        MediaError: The video cannot be read; see :mod:`salientclips.errors`.
    """

    def __init__(self, path: Path, table: PacketTable, *, threads: int = 1) -> None:
        self._path, self._threads = path, threads
        self.frames = number_frames(table)
        """The video's frames."""
        self._sound = sound_form(path)
        with open_container(path) as container:
            aspect = video_stream(container, path).sample_aspect_ratio
        self._form = PictureForm(table.timeline.time_base, self.frames.rate.limit_denominator(1001), aspect)
        self._reader = FrameReader(path, table, threads=threads)

    def __enter__(self) -> Cutter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._reader.close()

    @property
    def has_sound(self) -> bool:
        """Whether the video has sound."""
        return self._sound is not None

    @property
    def decode_failures(self) -> int:
        """How many packets could not be decoded so far."""
        return self._reader.decode_failures

    def write(
        self, spans: Sequence[FrameSpan], path: Path, progress: Callable[[float], None] | None = None
    ) -> Fraction:
        """Write spans one after another to an mp4 file.

        Args:
            spans: In the order in which they are to follow, each on frames.
            path: Where to; replaced.
            progress: Called with the share of spans done, 0 to 1.

        Returns:
            How long the file is, seconds.

        Raises:
            NoFramesError: No frame of the spans can be decoded.
            SeekMismatchError: The first frame of a span cannot be had.
        """
        at = Fraction(0)
        has_pictures = False
        with VideoWriter(path, self._form, self._sound, self._threads) as writer:
            for number, span in enumerate(spans, start=1):
                has_pictures |= self._write_span(writer, span, at)
                at += span.end - span.start
                if progress is not None:
                    progress(number / len(spans))
        if not has_pictures:
            raise NoFramesError(self._path, "none of the clips' frames can be decoded")
        return at

    def _write_span(self, writer: VideoWriter, span: FrameSpan, at: Fraction) -> bool:
        sound = None if self._sound is None else self._sound_of(span, at, writer, self._sound)
        is_first = True
        for frame, time, duration in self._pictures(span):
            out_time = at + time - span.start
            writer.add_picture(frame, out_time, duration, is_first)
            is_first = False
            # Sound goes along with the pictures, so that the file can be played while it is read.
            while sound is not None and writer.sound_until <= out_time and next(sound, None):
                pass
        if is_first:
            return False
        for _ in sound or ():
            pass
        return True

    def _sound_of(
        self, span: FrameSpan, at: Fraction, writer: VideoWriter, form: SoundForm
    ) -> Iterator[bool]:
        """Writes a block of sound each time it is asked."""
        # Counted from the start of the new file, so that rounding to samples does not add up.
        count = round((at + span.end - span.start - writer.sound_until) * form.sample_rate_hz)
        for block in read_sound(self._path, span.start, count, form):
            if block.shape[1]:
                writer.add_sound(block)
            yield True

    def _pictures(self, span: FrameSpan) -> Iterator[tuple[av.video.frame.VideoFrame, Fraction, Fraction]]:
        """Each frame with its time and how long it is on show."""
        held: tuple[av.video.frame.VideoFrame, Fraction] | None = None
        for time, frame in self._reader.frames_between(span.start, span.end):
            if held is not None:
                yield *held, time - held[1]
            held = frame, time
        if held is not None:
            yield *held, span.end - held[1]
