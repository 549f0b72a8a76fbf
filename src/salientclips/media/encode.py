"""Writes pictures and sound to an mp4 file, each at its exact time: H.264 by x264 and AAC.

Pictures keep the file's own ticks, so a variable frame rate stays as it is; they keep their pixel format where x264
has it, their colour description, their pixel aspect ratio and their turn.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.audio.stream
import av.container
import av.error
import av.video.frame
import av.video.stream
import numpy as np

from ..errors import InputError
from .output import output_container
from .sound import Samples, SoundForm

_CODEC = "libx264"
_OPTIONS = {"preset": "veryfast", "crf": "18"}
"""Visually lossless, at a few times real time on one core."""


@dataclass(frozen=True)
class PictureForm:
    """What all pictures of a file have in common."""

    time_base: Fraction
    """Seconds per tick; every time handed over must be a multiple."""
    rate: Fraction
    """Frames per second, a hint for the encoder."""
    aspect_ratio: Fraction | None
    """Width of a pixel over its height; None for square or unknown."""


class VideoWriter:
    """An mp4 file in the making; a context manager.

    Args:
        path: Where to.
        pictures: What the pictures have in common.
        sound: The form of the sound; None for none.
        threads: Threads of the encoder.

    Raises:
        InputError: This FFmpeg has no x264.
        OSError: The file cannot be opened; later, it cannot be written.
    """

    def __init__(self, path: Path, pictures: PictureForm, sound: SoundForm | None, threads: int = 1) -> None:
        if _CODEC not in av.codecs_available:
            raise InputError(f"this FFmpeg cannot encode with {_CODEC}", "pip install --force-reinstall av")
        self._form, self._sound_form, self._threads = pictures, sound, threads
        self._opened = ExitStack()
        self._container = self._opened.enter_context(output_container(path, "mp4"))
        self._video: av.video.stream.VideoStream | None = None
        self._sound: av.audio.stream.AudioStream | None = None
        self._durations: dict[int, int] = {}
        self._samples = 0
        """Samples written so far."""

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._video is not None:
                self._mux_video(None)
                if self._sound is not None:
                    self._container.mux(self._sound.encode(None))
        finally:
            self._opened.close()

    @property
    def sound_until(self) -> Fraction:
        """How far the sound is written, seconds."""
        return Fraction(self._samples, self._sound_form.sample_rate_hz) if self._sound_form else Fraction(0)

    def add_picture(
        self, frame: av.video.frame.VideoFrame, time: Fraction, duration: Fraction, is_key: bool
    ) -> None:
        """Encode one picture.

        Args:
            frame: As it was decoded.
            time: When it is shown, seconds from the start of the new file; later than the one before.
            duration: How long it is shown, seconds.
            is_key: Whether it is to be a key frame, where a player can jump to.
        """
        video = self._video or self._open(frame)
        assert video.pix_fmt is not None
        fitting = frame.reformat(width=video.width, height=video.height, format=video.pix_fmt)
        fitting.pts, fitting.time_base = round(time / self._form.time_base), self._form.time_base
        # Else the encoder repeats the frame types of the source.
        kinds = av.video.frame.PictureType
        fitting.pict_type = kinds.I if is_key else kinds.NONE
        self._durations[fitting.pts] = max(1, round(duration / self._form.time_base))
        self._mux_video(fitting)

    def add_sound(self, samples: Samples) -> None:
        """Encode sound that follows what was there so far; call it after the first picture.

        Args:
            samples: (channels, n).
        """
        assert self._sound is not None
        assert self._sound_form is not None
        layout, rate = self._sound_form.layout, self._sound_form.sample_rate_hz
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = self._samples, Fraction(1, rate)
        self._samples += samples.shape[1]
        self._container.mux(self._sound.encode(frame))

    def _open(self, frame: av.video.frame.VideoFrame) -> av.video.stream.VideoStream:
        """Add the streams, now that the first picture says what they are like."""
        video = self._container.add_stream(_CODEC, rate=self._form.rate, options=_OPTIONS)
        assert isinstance(video, av.video.stream.VideoStream)
        video.width, video.height = frame.width, frame.height
        video.pix_fmt = _pixel_format(frame)
        context = video.codec_context
        context.time_base = self._form.time_base
        context.thread_count = self._threads
        if self._form.aspect_ratio:
            context.sample_aspect_ratio = self._form.aspect_ratio
        context.color_range, context.colorspace = int(frame.color_range), int(frame.colorspace)
        context.color_primaries, context.color_trc = int(frame.color_primaries), int(frame.color_trc)
        if frame.rotation:
            video.set_display_rotation(frame.rotation)
        if self._sound_form is not None:
            sound = self._container.add_stream("aac", rate=self._sound_form.sample_rate_hz)
            assert isinstance(sound, av.audio.stream.AudioStream)
            sound.layout = self._sound_form.layout
            self._sound = sound
        self._video = video
        return video

    def _mux_video(self, frame: av.video.frame.VideoFrame | None) -> None:
        assert self._video is not None
        for packet in self._video.encode(frame):
            if packet.pts is not None:
                # The encoder would say 1 / rate for each; only the true length keeps the file's end in place.
                packet.duration = self._durations.pop(packet.pts, packet.duration or 0)
            self._container.mux(packet)


def _pixel_format(frame: av.video.frame.VideoFrame) -> str:
    """The frame's own format where x264 has it and the size suits it, else the nearest common one."""
    known = {f.name for f in av.codec.Codec(_CODEC, "w").video_formats or ()}
    is_odd = bool(frame.width % 2 or frame.height % 2)
    name = frame.format.name
    if name in known and not (is_odd and "444" not in name):
        return name
    return "yuv444p" if is_odd else "yuv420p"
