"""The sound of a span of a file, sample by sample, with all its channels: for cutting, not for listening machines.

Whatever the file has not (a late start, a gap, an early end) is silence, so a span always has its full number of
samples and stays in step with the pictures. See audio.py for how samples are placed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.audio.frame
import av.audio.stream
import av.container
import av.error
import numpy as np
import numpy.typing as npt

from .audio import SamplePlacer, audio_stream, sound_frames
from .container import open_container, timeline_of

Samples = npt.NDArray[np.float32]
"""(channels, n), in [-1, 1]."""

_BEFORE_S = (1, 4, 16)
"""How far ahead of a span decoding begins: a codec needs some frames to be right, and seeking may land late."""
_AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}


@dataclass(frozen=True)
class SoundForm:
    """How sound is handed over."""

    sample_rate_hz: int
    """The file's own where AAC has it, else 48000."""
    layout: str
    """FFmpeg's name of the channel layout: the file's channels up to six, else stereo."""

    @property
    def channels(self) -> int:
        """Number of channels."""
        return next(count for count, name in _LAYOUTS.items() if name == self.layout)


def sound_form(path: Path) -> SoundForm | None:
    """The form in which a file's main audio track can be handed over without loss.

    Args:
        path: A local file.

    Returns:
        The form; None where the file has no sound.

    Raises:
        MediaError: The file cannot be read; see :mod:`salientclips.errors`.
    """
    with open_container(path) as container:
        if not container.streams.audio:
            return None
        context = audio_stream(container, path, None).codec_context
        rate = context.sample_rate
        layout = _LAYOUTS.get(len(context.layout.channels), "stereo")
        return SoundForm(rate if rate in _AAC_RATES_HZ else 48000, layout)


def read_sound(path: Path, start: Fraction, count: int, form: SoundForm) -> Iterator[Samples]:
    """The sound from a time on.

    Args:
        path: A local file with an audio track.
        start: Seconds on the timeline.
        count: How many samples are wanted.
        form: Sample rate and channels.

    Yields:
        Consecutive blocks (channels, n), ``count`` samples in all. What cannot be decoded is silence.

    Raises:
        MediaError: The file cannot be opened, or has no audio track.
    """
    first = round(start * form.sample_rate_hz)
    stop = first + count
    at = first
    with open_container(path) as container:
        stream = audio_stream(container, path, None)
        zero = timeline_of(container, stream).zero
        placer = SamplePlacer(form.sample_rate_hz, form.layout, first)
        for frame in _frames_from(container, stream, start, zero):
            for block in placer.add(frame, zero):
                yield from _silence(block.start_sample - at, stop - at, form)
                at = max(at, block.start_sample)
                if at >= stop:
                    return
                yield block.samples[:, : stop - at]
                at += block.samples.shape[1]
            if at >= stop:
                return
        for block in placer.flush():
            yield block.samples[:, : max(0, stop - at)]
            at += block.samples.shape[1]
    yield from _silence(stop - at, stop - at, form)


def _silence(count: int, at_most: int, form: SoundForm) -> Iterator[Samples]:
    left = min(count, at_most)
    while left > 0:
        some = min(left, form.sample_rate_hz)
        yield np.zeros((form.channels, some), np.float32)
        left -= some


def _frames_from(
    container: av.container.InputContainer,
    stream: av.audio.stream.AudioStream,
    start: Fraction,
    zero: Fraction,
) -> Iterator[av.audio.frame.AudioFrame]:
    """Frames from some way before a time on; from the start of the file where no seek leads there."""
    assert stream.time_base is not None
    for back_s in (*_BEFORE_S, None):
        target = None if back_s is None else start + zero - back_s
        if target is None or target <= zero:
            break
        try:
            container.seek(int(target / stream.time_base), stream=stream)
        except (av.error.FFmpegError, OSError):
            break
        frames = sound_frames(container, stream)
        head = next(frames, None)
        if head is not None and head.pts is not None and head.pts * stream.time_base - zero < start:
            yield head
            yield from frames
            return
    container.seek(0)
    yield from sound_frames(container, stream)
