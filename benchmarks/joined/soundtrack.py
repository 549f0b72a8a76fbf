"""The sound of a joined video: each clip's own, as loud as it is, and elsewhere misleading ones, over a faint floor.

Most surveillance footage has no sound. So recordings of ESC-10 are laid over it, of any kind and as loud as the
clips' own, or loudness alone would point at the target. Clips whose sound a network made are shown in silence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..sets.encode import SAMPLE_RATE_HZ
from ..sets.sounds import FOLDERS, FULL, levelled, read, recordings, stretched
from .clips import FRAME_RATE, Clip, Row

FOLDS = {"fold0": "12", "fold1": "34", "fold2": "5", "train": "123", "val": "4", "test": "5"}
"""Which of ESC-10's own folds each split may use."""
_FLOOR = 10 ** (-60 / 20)
_SILENT_DBFS = -90.0
_MADE_UP = ("cello", "violin", "xylo", "guitar", "conga", "chips")


def soundtrack(row: Row, data: Path) -> npt.NDArray[np.int16]:
    """The whole sound of a video.

    Args:
        row: The video.
        data: The folder with ``clips256`` and ``esc10``.

    Returns:
        (samples,) int16 at 16 kHz, as long as the video to a sample.
    """
    random = np.random.default_rng([row.seed, 4])
    total = round(row.frames / FRAME_RATE * SAMPLE_RATE_HZ)
    mixed = (_FLOOR * random.standard_normal(total)).astype(np.float32)
    at = 0
    for part in row.parts:
        start, end = (round(edge / FRAME_RATE * SAMPLE_RATE_HZ) for edge in (at, at + part.frames))
        at += part.frames
        if is_heard(part.clip):
            begin = round(part.start_s * SAMPLE_RATE_HZ)
            own = read(data / "clips256" / part.clip.file)[begin : begin + end - start]
            if len(own):  # a track may be shorter than its pictures
                mixed[start : start + len(own)] += stretched(own, len(own))
    _add_misleading(mixed, row, data / "esc10", random)
    return (np.clip(mixed, -1, 1) * 32767).astype(np.int16)


def _add_misleading(
    mixed: npt.NDArray[np.float32], row: Row, esc10: Path, random: np.random.Generator
) -> None:
    """Lay recordings over stretches of a video that hold nothing salient and no sound of their own."""
    taken = np.zeros(row.frames, dtype=bool)
    at = 0
    for part in row.parts:
        taken[at : at + part.frames] = part.salient or is_heard(part.clip)
        at += part.frames
    kinds = sorted(FOLDERS)
    at = round(random.exponential(6.0) * FRAME_RATE)
    while at < row.frames:
        until = min(row.frames, at + round(random.uniform(1.5, 8.0) * FRAME_RATE))
        gain = float(random.uniform(0.2, 1.0))
        files = recordings(esc10, kinds[int(random.integers(len(kinds)))], FOLDS[row.split])
        file = files[int(random.integers(len(files)))]
        if not taken[at:until].any():
            start, end = (round(edge / FRAME_RATE * SAMPLE_RATE_HZ) for edge in (at, until))
            end = min(end, len(mixed))
            mixed[start:end] += gain * FULL * stretched(levelled(read(file)), end - start)
        at = until + round(random.exponential(5.0) * FRAME_RATE)


def is_heard(clip: Clip) -> bool:
    """Whether a clip has a sound of its own.

    Args:
        clip: The clip.

    Returns:
        False for silent ones, and for those of MaskVAT whose sound a network made: it is evidence of nothing.
    """
    made_up = clip.group.startswith("MaskVAT") and any(f"_{name}" in clip.file for name in _MADE_UP)
    return clip.sound_dbfs is not None and clip.sound_dbfs > _SILENT_DBFS and not made_up
