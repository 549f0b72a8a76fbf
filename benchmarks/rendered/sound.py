"""The sound of a video: its noises over a noise floor, mono at 16 kHz.

A noise is a recording of ESC-10 (Piczak 2015; ``esc10`` in ``SALIENTCLIPS_DATA``) where that is at hand, else a
made-up sound of the same kind: crude, but each kind is unlike the others. The recordings' own five folds keep the
splits apart: folds 1 to 3 train, 4 validates, 5 tests. A set says in ``settings.json`` which of the two it has.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..sets.encode import SAMPLE_RATE_HZ
from ..sets.sounds import FULL, Samples, levelled, read, recordings, stretched
from .screenplay import Noise, Screenplay, Settings

FOLDS = {"train": "123", "val": "4", "test": "5"}
"""Which of the recordings each split may use."""


def soundtrack(play: Screenplay, settings: Settings, esc10: Path | None) -> npt.NDArray[np.int16]:
    """The whole sound of a video.

    Args:
        play: The screenplay.
        settings: For the frame rate.
        esc10: The folder of recordings, or nothing.

    Returns:
        (samples,) int16 at 16 kHz, as long as the video to a sample.
    """
    random = np.random.default_rng([play.seed, 4])
    total = round(play.frames / settings.frame_rate * SAMPLE_RATE_HZ)
    mixed = (play.floor * random.standard_normal(total)).astype(np.float32)
    for noise in play.noises:
        start = round(noise.start / settings.frame_rate * SAMPLE_RATE_HZ)
        end = min(total, round(noise.end / settings.frame_rate * SAMPLE_RATE_HZ))
        mixed[start:end] += (
            noise.gain * FULL * stretched(levelled(_one(noise, play.split, esc10)), end - start)
        )
    return (np.clip(mixed, -1, 1) * 32767).astype(np.int16)


def _one(noise: Noise, split: str, esc10: Path | None) -> Samples:
    """The recording of a noise."""
    if esc10 is None:
        return _made_up(noise.kind, np.random.default_rng(noise.seed))
    files = recordings(esc10, noise.kind, FOLDS[split])
    return read(files[noise.seed % len(files)])


def _made_up(kind: str, random: np.random.Generator) -> Samples:
    """Three seconds of a kind, from tones and noise."""
    time_s = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    white = random.standard_normal(len(time_s))
    pitch = random.uniform(0.85, 1.15)

    def beats(every_s: float, decay_s: float) -> npt.NDArray[np.float64]:
        return np.asarray(np.exp(-(time_s % every_s) / decay_s))

    def voice(hertz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
        turns = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, time_s.shape)) / SAMPLE_RATE_HZ * pitch
        return np.asarray(sum(np.sin(n * turns) / n for n in range(1, 6)))

    low = np.convolve(white, np.ones(24) / 24, "same")
    sounds = {
        "dog": lambda: voice(500 * beats(0.5, 0.3)) * beats(0.5, 0.08),
        "baby": lambda: voice(430 + 60 * np.sin(2 * np.pi * 1.2 * time_s)) * beats(1.0, 0.6),
        "sneeze": lambda: white * beats(1.5, 0.12),
        "helicopter": lambda: low * beats(0.07 / pitch, 0.02),
        "chainsaw": lambda: voice(110 + 15 * np.sin(2 * np.pi * 0.7 * time_s)) + 0.3 * white,
        "rooster": lambda: voice(600 + 500 * np.sin(np.pi * (time_s % 1.5) / 1.5)) * beats(1.5, 1.0),
        "rain": lambda: white,
        "sea": lambda: low * (1.2 + np.sin(2 * np.pi * 0.4 * pitch * time_s)),
        "clock": lambda: voice(2500.0) * beats(0.5, 0.004),
        "fire": lambda: white * (random.random(len(time_s)) < 0.002) + 0.05 * low,
    }
    return np.asarray(sounds[kind](), dtype=np.float32)
