"""The MEL spectrogram of every clip, streamed: 40 bands by 200 steps over twice the clip (paper, section 3.3).

The paper says: 40 MEL bands, 200 time steps, a window of twice the clip, a stride of one clip. The rest is
said here:

- **Sound**: mono at 16 kHz on the timeline, as :mod:`salientclips.media.audio` gives it. What lies outside
  it, before the first sample and after the last, is silence (zeros).
- **Window**: ``[c - L, c + L)`` for a clip of length L with its middle at c, cut into 200 equal steps.
- **Step**: the mean power spectrum of frames of 512 samples (32 ms) under a periodic Hann window, one frame
  in the middle of each of ``m`` equal parts of the step; m is the least number that leaves no more than 256
  samples between frames, 1 up to clips of 1.6 s. So no sound is skipped however long a clip is.
- **Bands**: 40 triangles from 0 to 8000 Hz, equally spaced on Slaney's scale (linear below 1000 Hz,
  logarithmic above) and scaled to equal area: librosa's defaults, held to its numbers by a test. No librosa
  is needed.
- **Value**: ``ln(power + 1e-6)`` for samples in [-1, 1]; silence is ln(1e-6) = -13.8.

Memory holds one second of sound and one spectrogram a clip under work, however long the file and the clips
are. Numbers do not depend on how the sound comes in blocks, nor on threads (no BLAS).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..media.audio import AudioBlock, read_audio
from ..timeline import ClipGrid

Mel = npt.NDArray[np.float32]
"""Logarithmic MEL power of one window (40, 200)."""

SAMPLE_RATE_HZ = 16000
BANDS = 40
STEPS = 200
FRAME_SAMPLES = 512
FLOOR_POWER = 1e-6
"""Added to the power before the logarithm."""

_MOST_APART = 256
_FRAMES_AT_ONCE = 512
_BLOCK_SAMPLES = SAMPLE_RATE_HZ


def read_mel(
    path: Path, grid: ClipGrid, *, stream_index: int | None = None, warnings: list[str] | None = None
) -> Iterator[Mel | None]:
    """Stream the spectrograms of the clips of a file; its sound is decoded once, its pictures are not.

    Args:
        path: A local file.
        grid: Its clips, of any length each.
        stream_index: Which audio track, counted from 0; None takes FFmpeg's best.
        warnings: A line is added for each kind of damage met.

    Yields:
        One item a clip, in order: float32 (40, 200), or None where no sound lies in the clip's window.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoAudioTrackError: It has no sound.
        InputError: There is no such track.
    """
    blocks = read_audio(path, sample_rate_hz=SAMPLE_RATE_HZ, stream_index=stream_index, warnings=warnings)
    return mel_of_clips(blocks, grid)


def mel_of_clips(blocks: Iterable[AudioBlock], grid: ClipGrid) -> Iterator[Mel | None]:
    """Stream the spectrograms of clips from sound at 16 kHz.

    Args:
        blocks: The sound; each block begins where the one before ends.
        grid: The clips.

    Yields:
        One item a clip, in order: float32 (40, 200), or None where no sound lies in the clip's window.
    """
    sound = _gathered(blocks)
    head = next(sound, None)
    if head is None:
        yield from (None for _ in range(len(grid)))
        return
    windows = [
        _window(i, start, end) for i, (start, end) in enumerate(zip(grid.starts, grid.ends, strict=True))
    ]
    ready: dict[int, Mel | None] = {w.clip: None for w in windows if w.end <= head.start_sample}
    # A long clip's window begins before that of a shorter one ahead of it.
    waiting = sorted((w for w in windows if w.clip not in ready), key=lambda w: w.begin, reverse=True)
    active: list[_Spectrogram] = []
    given = 0
    line = _Line(chain([head], sound), waiting[-1].begin - FRAME_SAMPLES) if waiting else None
    while given < len(grid):
        while given in ready:
            yield ready.pop(given)
            given += 1
        if line is None or given == len(grid):
            continue
        held = line.more()
        while waiting and (waiting[-1].begin - FRAME_SAMPLES < held.end or line.sound_ended_at is not None):
            window = waiting.pop()
            if line.sound_ended_at is not None and window.begin >= line.sound_ended_at:
                ready[window.clip] = None
            else:
                active.append(_Spectrogram(window))
        for spectrogram in active:
            spectrogram.take(held)
        ready.update({s.window.clip: s.result() for s in active if s.is_complete})
        active = [s for s in active if not s.is_complete]


def _gathered(blocks: Iterable[AudioBlock]) -> Iterator[AudioBlock]:
    """The same sound in larger blocks: decoders give 20 ms at a time, and each block costs calls."""
    parts: list[AudioBlock] = []
    for block in blocks:
        parts.append(block)
        if sum(len(part.samples) for part in parts) >= _BLOCK_SAMPLES // 2:
            yield _joined(parts)
            parts = []
    if parts:
        yield _joined(parts)


def _joined(parts: list[AudioBlock]) -> AudioBlock:
    return AudioBlock(parts[0].start_sample, np.concatenate([part.samples for part in parts]))


@dataclass(frozen=True)
class _Window:
    """The span of sound that belongs to a clip."""

    clip: int
    begin: int
    """First sample, rounded down."""
    end: int
    """After the last sample, rounded up."""
    exact_begin: Fraction
    """Begin, samples."""
    exact_length: Fraction
    """Length, samples."""

    @property
    def frames_per_step(self) -> int:
        return max(1, -(-self.exact_length // (STEPS * _MOST_APART)))


def _window(clip: int, start: Fraction, end: Fraction) -> _Window:
    length = 2 * (end - start) * SAMPLE_RATE_HZ
    begin = (start + end) / 2 * SAMPLE_RATE_HZ - length / 2
    return _Window(clip, begin // 1, -(-(begin + length) // 1), begin, length)


@dataclass(frozen=True)
class _Held:
    """The latest samples, those of the last frame's length before them included."""

    start: int
    samples: npt.NDArray[np.float32]

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


class _Line:
    """Sound as an endless line of samples from ``first`` on, with zeros before and after, a second at a time."""

    def __init__(self, blocks: Iterator[AudioBlock], first: int) -> None:
        self._blocks = blocks
        self._at = first
        self._tail = np.zeros(0, dtype=np.float32)
        self._next: AudioBlock | None = next(blocks, None)
        self._end = first if self._next is None else self._next.start_sample
        self.sound_ended_at: int | None = None
        """Where the sound ended; None before that is known."""

    def more(self) -> _Held:
        """The next samples, with a frame's length less one of those before."""
        piece = self._piece()
        samples = np.concatenate([self._tail, piece])
        held = _Held(self._at - len(self._tail), samples)
        self._at += len(piece)
        self._tail = samples[-(FRAME_SAMPLES - 1) :]
        return held

    def _piece(self) -> npt.NDArray[np.float32]:
        while self._next is not None:
            block = self._next
            end = block.start_sample + len(block.samples)
            self._end = end
            if block.start_sample > self._at:
                return np.zeros(min(block.start_sample - self._at, _BLOCK_SAMPLES), dtype=np.float32)
            rest = block.samples[self._at - block.start_sample :][:_BLOCK_SAMPLES]
            if len(rest) > 0:
                return rest
            self._next = next(self._blocks, None)
        self.sound_ended_at = self._end
        return np.zeros(_BLOCK_SAMPLES, dtype=np.float32)


@dataclass
class _Spectrogram:
    """One window under work: takes samples as they come and keeps sums of power."""

    window: _Window
    _starts: npt.NDArray[np.int64] = field(init=False)
    """First sample of each frame, increasing."""
    _power: npt.NDArray[np.float64] = field(init=False)
    _done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        frames = STEPS * self.window.frames_per_step
        spacing = float(self.window.exact_length) / frames
        centres = float(self.window.exact_begin) + (np.arange(frames) + 0.5) * spacing
        self._starts = np.rint(centres).astype(np.int64) - FRAME_SAMPLES // 2
        self._power = np.zeros((STEPS, BANDS))

    @property
    def is_complete(self) -> bool:
        return self._done == len(self._starts)

    def take(self, held: _Held) -> None:
        """Work out the frames that end within what is held; those before are done."""
        stop = int(np.searchsorted(self._starts, held.end - FRAME_SAMPLES, side="right"))
        if stop <= self._done:
            return
        frames = np.lib.stride_tricks.sliding_window_view(held.samples, FRAME_SAMPLES)
        for first in range(self._done, stop, _FRAMES_AT_ONCE):
            some = np.arange(first, min(first + _FRAMES_AT_ONCE, stop))
            power = mel_power(frames[self._starts[some] - held.start])
            np.add.at(self._power, some // self.window.frames_per_step, power)
        self._done = stop

    def result(self) -> Mel:
        mean = self._power.T / self.window.frames_per_step
        mel: Mel = np.log(mean + FLOOR_POWER).astype(np.float32)
        return mel


def mel_power(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """MEL power of frames of sound.

    Args:
        frames: Samples (n, 512) at 16 kHz.

    Returns:
        float64 (n, 40), what ``librosa.feature.melspectrogram(sr=16000, n_fft=512, n_mels=40)`` gives of them.
    """
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    banded = np.empty((len(power), BANDS))
    # A band touches 2 to 40 of the 257 frequencies. Not BLAS: its sums may depend on the number of threads.
    for band, (first, stop) in enumerate(_band_spans()):
        np.einsum("nf,f->n", power[:, first:stop], mel_filters()[band, first:stop], out=banded[:, band])
    return banded


@lru_cache(maxsize=1)
def mel_filters() -> npt.NDArray[np.float64]:
    """The triangles: weight of each of 257 frequencies in each band.

    Returns:
        float64 (40, 257), 1 / Hz (each triangle has the area 1 over Hz); read-only. Source: M. Slaney, "Auditory
        Toolbox", 1998, as librosa has it (``htk=False, norm="slaney"``).
    """
    edges = _slaney_to_hz(np.linspace(0.0, _hz_to_slaney(SAMPLE_RATE_HZ / 2), BANDS + 2))
    frequencies = np.fft.rfftfreq(FRAME_SAMPLES, 1 / SAMPLE_RATE_HZ)
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - low) / (peak - low), (high - frequencies) / (high - peak)
    filters: npt.NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (high - low)
    filters.flags.writeable = False
    return filters


@lru_cache(maxsize=1)
def _band_spans() -> tuple[tuple[int, int], ...]:
    """First and after the last frequency of each band."""
    inside = [np.flatnonzero(band) for band in mel_filters()]
    return tuple((int(some[0]), int(some[-1]) + 1) for some in inside)


_LINEAR_HZ = 200 / 3
_KNEE_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27


def _hz_to_slaney(hz: float) -> float:
    """For frequencies from 1000 Hz up."""
    return float(_KNEE_HZ / _LINEAR_HZ + np.log(hz / _KNEE_HZ) / _LOG_STEP)


def _slaney_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    knee = _KNEE_HZ / _LINEAR_HZ
    return np.where(mel < knee, mel * _LINEAR_HZ, _KNEE_HZ * np.exp(_LOG_STEP * (mel - knee)))


@lru_cache(maxsize=1)
def _hann() -> npt.NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)
