"""Selections of made-up files, and the truth that every hand-over is held to."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from made_files import MadeFile
from salientclips import ClipSpec, Selection, score

EVERY_TRAP = ("h264_bframes_mp4", "vfr", "rotated_90", "late_video", "ntsc_mkv")
"""Constant rate with B-frames, variable rate, rotation, a non-zero start, times rounded by the container."""


def choose(path: Path, k: int = 3, *, frames: int = 12, sampler: str = "packet-cost") -> Selection:
    """K clips of 12 frames, by a sampler that decodes nothing."""
    return score(path, sampler, clip=ClipSpec(frames, 1)).select(k)


def counter_at(made: MadeFile, time_s: float, slack_s: float = 0.002) -> int:
    """The counter that is on show at a time on the timeline; a time just short of a frame means that frame."""
    since = Fraction(time_s).limit_denominator(10**6) - Fraction(made.start_s).limit_denominator(1000)
    shown = [c for c, t in zip(made.counters, made.times, strict=True) if float(t) <= float(since) + slack_s]
    return shown[-1]
