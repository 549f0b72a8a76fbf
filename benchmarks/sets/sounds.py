"""Sounds to mix: the recordings of ESC-10 (Piczak 2015), read, made equally loud, and fitted to a length."""

from __future__ import annotations

import functools
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from .encode import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float32]

FULL = 0.14
"""Root mean square of a sound at gain 1, of full scale."""
FOLDERS = {
    "dog": "001 - Dog bark",
    "rain": "002 - Rain",
    "sea": "003 - Sea waves",
    "baby": "004 - Baby cry",
    "clock": "005 - Clock tick",
    "sneeze": "006 - Person sneeze",
    "helicopter": "007 - Helicopter",
    "chainsaw": "008 - Chainsaw",
    "rooster": "009 - Rooster",
    "fire": "010 - Fire crackling",
}
"""The ten kinds, and where they are in ``esc10``."""
_EDGE_S = 0.05


@functools.cache
def recordings(esc10: Path, kind: str, folds: str) -> tuple[Path, ...]:
    """The recordings of a kind that are in some of ESC-10's five folds.

    Args:
        esc10: The folder.
        kind: One of ``FOLDERS``.
        folds: Digits, for example ``"123"``; what was cut from one source is in one fold.

    Returns:
        The files, sorted.

    Raises:
        FileNotFoundError: There are none.
    """
    files = sorted(file for file in (esc10 / FOLDERS[kind]).glob("*.ogg") if file.name[0] in folds)
    if not files:
        raise FileNotFoundError(f"no recordings of folds {folds} in {esc10 / FOLDERS[kind]}")
    return tuple(files)


@functools.lru_cache(maxsize=64)
def read(file: Path) -> Samples:
    """The first sound track of a file, mono at 16 kHz; float32 (samples,)."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(str(file)) as container:
        parts = [
            part.to_ndarray()[0]
            for frame in [*container.decode(audio=0), None]
            for part in resampler.resample(frame)
        ]
    return np.concatenate(parts).astype(np.float32)


def levelled(sound: Samples) -> Samples:
    """A sound whose silent ends are cut off, at a root mean square of 1."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    return np.asarray(sound / np.sqrt((sound**2).mean()), dtype=np.float32)


def stretched(sound: Samples, samples: int) -> Samples:
    """A sound repeated, or cut, to a length, its ends faded."""
    full = np.tile(sound, -(-samples // len(sound)))[:samples]
    edge = min(round(_EDGE_S * SAMPLE_RATE_HZ), samples // 2)
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    full[:edge] *= ramp
    full[samples - edge :] *= ramp[::-1]
    return full
