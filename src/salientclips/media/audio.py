"""The sound of a file as one stream of mono samples, placed on the timeline that the pictures are on.

Each frame of sound is put where its pts says: a late start stays late, gaps become zeros, what overlaps or
lies before the timeline's zero is cut. Runs without a gap are resampled as one (FFmpeg's resampler keeps
their first sample in place, and FFmpeg's decoders cut the codec's delay where the container tells it), so a
click lands within 1 ms. It does not cut at the end of the pictures: the caller knows where the video ends;
codec padding may make the sound some 20 ms longer. Memory does not grow with the length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.audio.frame
import av.audio.resampler
import av.audio.stream
import av.container
import av.error
import numpy as np
import numpy.typing as npt

from ..errors import InputError, NoAudioTrackError
from .container import open_container, timeline_of

_JITTER = Fraction(20, 1000)
"""Containers round the pts (Matroska to 1 ms); only a jump beyond this is a gap or an overlap, seconds."""
_ZEROS_AT_ONCE_S = 1
_MOST_SILENCE_S = 86_400
"""A day, all gaps together. Filled sample by sample, they would go on for ever where a time stamp is damaged."""


@dataclass(frozen=True)
class AudioBlock:
    """Some consecutive samples of sound."""

    start_sample: int
    """Place of the first sample: its timeline time times the sample rate."""
    samples: npt.NDArray[np.float32]
    """Mono (n,), in [-1, 1], n > 0; (channels, n) where :class:`SamplePlacer` is asked for a layout."""


def read_audio(
    path: Path,
    *,
    sample_rate_hz: int = 16000,
    stream_index: int | None = None,
    warnings: list[str] | None = None,
) -> Iterator[AudioBlock]:
    """Stream a file's sound as mono; each block begins where the one before ends.

    Args:
        path: A local file.
        sample_rate_hz: Samples per second wanted.
        stream_index: Which audio track, counted from 0 as in ``Probe.audio``; None takes FFmpeg's best.
        warnings: A line is added for each kind of damage met.

    Yields:
        Blocks in order of time. Mono is the mean of all channels. Undecodable packets become zeros.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoAudioTrackError: It has no sound.
        InputError: The rate is not positive, or there is no such track.
    """
    if sample_rate_hz < 1:
        raise InputError(f"a sample rate of {sample_rate_hz} Hz is impossible", "give a positive rate")
    with open_container(path) as container:
        stream = audio_stream(container, path, stream_index)
        zero = timeline_of(container, stream).zero
        placer = SamplePlacer(sample_rate_hz)
        for frame in sound_frames(container, stream, warnings):
            yield from placer.add(frame, zero)
        yield from placer.flush()
        if placer.stray and warnings is not None:
            warnings.append(f"{placer.stray} pieces of sound lie more than a day apart; they are silent here")


def audio_stream(
    container: av.container.InputContainer, path: Path, stream_index: int | None
) -> av.audio.stream.AudioStream:
    """The audio track that this package listens to.

    Args:
        container: An open container.
        path: Its path, for the error.
        stream_index: Which track, counted from 0; None takes FFmpeg's best.

    Returns:
        The stream.

    Raises:
        NoAudioTrackError: The file has no sound.
        InputError: There is no such track.
    """
    tracks = container.streams.audio
    if not tracks:
        raise NoAudioTrackError(path)
    if stream_index is None:
        best = container.streams.best("audio")
        return next((s for s in tracks if best is not None and s.index == best.index), tracks[0])
    if not 0 <= stream_index < len(tracks):
        raise InputError(
            f"'{path}' has no audio track {stream_index}",
            f"it has {len(tracks)}, counted from 0: see `probe`",
        )
    return tracks[stream_index]


def sound_frames(
    container: av.container.InputContainer,
    stream: av.audio.stream.AudioStream,
    warnings: list[str] | None = None,
) -> Iterator[av.audio.frame.AudioFrame]:
    """Decode a track from where the container stands, to its end or to where reading fails.

    Args:
        container: An open container.
        stream: Its track.
        warnings: Is told of what could not be decoded.

    Yields:
        The frames that could be.
    """
    failures = 0
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except (av.error.FFmpegError, OSError):
                failures += 1
    except (av.error.FFmpegError, OSError) as error:
        if warnings is not None:
            warnings.append(f"reading the sound stopped early ({error})")
    if failures and warnings is not None:
        warnings.append(f"{failures} audio packets cannot be decoded; they are silent here")


class SamplePlacer:
    """Resamples runs of sound and lays them on the axis without a hole or an overlap.

    Args:
        sample_rate_hz: Samples per second wanted.
        layout: FFmpeg's name of the channel layout wanted; None gives mono, the mean of all channels.
        begin_sample: What lies before this place is cut.
    """

    def __init__(self, sample_rate_hz: int, layout: str | None = None, begin_sample: int = 0) -> None:
        self._rate_hz, self._layout, self._begin = sample_rate_hz, layout, begin_sample
        self._resampler: av.audio.resampler.AudioResampler | None = None
        self._kind: tuple[object, ...] = ()
        self._expected: Fraction | None = None
        self._at = 0
        """Place of the resampler's next sample."""
        self._end: int | None = None
        """End of all that was given out."""
        self._silence_s = Fraction(0)
        self.stray = 0
        """Frames that were left out because a day of silence would not lead up to them."""

    def add(self, frame: av.audio.frame.AudioFrame, zero: Fraction) -> Iterator[AudioBlock]:
        """Take the next decoded frame.

        Args:
            frame: The frame; its pts is taken away.
            zero: The timeline's zero, seconds on the stream's own axis.

        Yields:
            Blocks that follow one another without a gap; mono (n,), or (channels, n) with a layout.
        """
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base - zero
        else:
            time = self._expected or Fraction(0)
        before = Fraction(self._begin, self._rate_hz) if self._expected is None else self._expected
        if time > before and self._silence_s + time - before > _MOST_SILENCE_S:
            self.stray += 1
            return
        self._silence_s += max(Fraction(0), time - before)
        jumps = self._expected is None or abs(time - self._expected) > _JITTER
        if jumps or kind != self._kind:
            yield from self.flush()
            self._kind, self._at = kind, round(time * self._rate_hz)
            layout = self._layout or frame.layout
            self._resampler = av.audio.resampler.AudioResampler("fltp", layout, self._rate_hz)
            self._expected = time
        assert self._expected is not None
        assert self._resampler is not None
        self._expected += Fraction(frame.samples, frame.sample_rate)
        # The resampler counts by itself; pts that jitter would make it stretch.
        frame.pts = None
        for piece in self._resampler.resample(frame):
            yield from self._place(piece)

    def flush(self) -> Iterator[AudioBlock]:
        """Give out what the resampler still holds.

        Yields:
            Blocks, as :meth:`add`.
        """
        if self._resampler is not None:
            for piece in self._resampler.resample(None):
                yield from self._place(piece)
        self._resampler = None

    def _place(self, piece: av.audio.frame.AudioFrame) -> Iterator[AudioBlock]:
        samples = np.asarray(piece.to_ndarray(), dtype=np.float32)
        if self._layout is None:
            # FFmpeg's own mix to mono keeps the power, not the level, and would clip.
            samples = samples.mean(axis=0, dtype=np.float32).clip(-1, 1)
        start, self._at = self._at, self._at + samples.shape[-1]
        begin = max(self._begin, start) if self._end is None else self._end
        if start < begin:
            samples, start = samples[..., begin - start :], begin
        if samples.shape[-1] == 0:
            return
        while self._end is not None and self._end < start:
            count = min(start - self._end, _ZEROS_AT_ONCE_S * self._rate_hz)
            yield AudioBlock(self._end, np.zeros((*samples.shape[:-1], count), dtype=np.float32))
            self._end += count
        self._end = start + samples.shape[-1]
        yield AudioBlock(start, samples)
