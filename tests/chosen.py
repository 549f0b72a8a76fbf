"""Selections of made-up files, and the truth that every hand-over is held to."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from made_files import MadeFile
from media_files import read_counter
from salientclips import ClipSpec, Selection, score

EVERY_TRAP = ("h264_bframes_mp4", "vfr", "rotated_90", "late_video", "ntsc_mkv")
"""Constant rate with B-frames, variable rate, rotation, a non-zero start, times rounded by the container."""

every_trap = pytest.mark.parametrize("name", [*EVERY_TRAP, "edit_list", "ts"])


def choose(path: Path, k: int = 3, *, frames: int = 12, sampler: str = "packet-cost") -> Selection:
    """K clips of 12 frames, by a sampler that decodes nothing."""
    return score(path, sampler, clip=ClipSpec(frames, 1)).select(k)


def counter_at(made: MadeFile, time_s: float, slack_s: float = 0.002) -> int:
    """The counter that is on show at a time on the timeline; a time just short of a frame means that frame."""
    since = Fraction(time_s).limit_denominator(10**6) - Fraction(made.start_s).limit_denominator(1000)
    shown = [c for c, t in zip(made.counters, made.times, strict=True) if float(t) <= float(since) + slack_s]
    return shown[-1]


def counters(pictures: npt.NDArray[np.uint8]) -> list[int]:
    """Counters of pictures (..., 3, H, W)."""
    flat = pictures.reshape(-1, *pictures.shape[-3:])
    return [read_counter(picture.transpose(1, 2, 0)) for picture in flat]


def in_clips(selection: Selection, time_s: float) -> bool:
    return any(c.start_s - 0.002 <= time_s < c.end_s + 0.002 for c in selection.clips)


def torchcodec_decoder(path: Path, **options: Any) -> Any:
    decoders = pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    try:
        return decoders.VideoDecoder(str(path), **options)
    except RuntimeError as error:
        if "libtorchcodec" in str(error):
            pytest.skip("torchcodec finds no FFmpeg libraries: see tools/ffmpeg_of_pyav.py")
        raise
