"""Writes the files of one video: pictures and sound, in one codec or in several at once.

H.264 is what x264 does by default (preset medium, crf 23, a key frame in 250 at least, B-frames). MPEG-4 part 2 is
the paper's setting: a key frame every 12, no B-frames. HEVC and VP9 are plain. The copies are encoded from the
pictures, not from the H.264 file. Every encoder runs on one thread: a file then depends on its pictures alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.audio.stream
import av.video.stream
import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000

_AUDIO_FRAME = 1024


@dataclass(frozen=True)
class _Encoder:
    name: str
    options: dict[str, str]


_ENCODERS = {
    "h264": _Encoder("libx264", {}),
    "mpeg4": _Encoder("mpeg4", {"g": "12", "bf": "0", "qmin": "4", "qmax": "4"}),
    "hevc": _Encoder("libx265", {"x265-params": "pools=1:frame-threads=1:log-level=none"}),
    "vp9": _Encoder("libvpx-vp9", {"crf": "32", "b": "0", "deadline": "good", "cpu-used": "4"}),
}


class Writer:
    """One file that is being written."""

    def __init__(self, path: Path, codec: str, width_px: int, height_px: int, frame_rate: Fraction) -> None:
        """Open the file.

        Args:
            path: Where to; MP4 for every codec, so that they share one sound.
            codec: ``h264``, ``mpeg4``, ``hevc`` or ``vp9``.
            width_px: Width, even.
            height_px: Height, even.
            frame_rate: Frames per second.
        """
        encoder = _ENCODERS[codec]
        self._rate = frame_rate
        self._file = av.open(str(path), "w", format="mp4")
        video = self._file.add_stream(encoder.name, rate=frame_rate, options=dict(encoder.options))
        assert isinstance(video, av.video.stream.VideoStream)
        video.width, video.height, video.pix_fmt = width_px, height_px, "yuv420p"
        video.codec_context.time_base = 1 / frame_rate
        video.codec_context.thread_count = 1
        audio = self._file.add_stream("aac", rate=SAMPLE_RATE_HZ, options={"b": "48000"})
        assert isinstance(audio, av.audio.stream.AudioStream)
        audio.layout = "mono"
        self._video, self._audio = video, audio
        self._frames, self._samples = 0, 0

    def write(self, frame: av.VideoFrame, sound: npt.NDArray[np.int16]) -> None:
        """Add a picture, and all the sound up to its end that is not yet written.

        Args:
            frame: The picture, yuv420p.
            sound: The whole sound of the video.
        """
        frame.pts, frame.time_base = self._frames, 1 / self._rate
        frame.pict_type = av.video.frame.PictureType.NONE
        self._file.mux(self._video.encode(frame))
        self._frames += 1
        until = round(self._frames / self._rate * SAMPLE_RATE_HZ)
        while until - self._samples >= _AUDIO_FRAME:
            self._add_sound(sound[self._samples : self._samples + _AUDIO_FRAME])

    def close(self, sound: npt.NDArray[np.int16]) -> None:
        """Write what is left and close the file."""
        if self._samples < len(sound):
            self._add_sound(sound[self._samples :])
        self._file.mux(self._video.encode(None))
        self._file.mux(self._audio.encode(None))
        self._file.close()

    def _add_sound(self, part: npt.NDArray[np.int16]) -> None:
        level = part.astype(np.float32)[None, :] / 32768
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(level), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = (
            SAMPLE_RATE_HZ,
            self._samples,
            Fraction(1, SAMPLE_RATE_HZ),
        )
        self._file.mux(self._audio.encode(frame))
        self._samples += part.shape[0]
