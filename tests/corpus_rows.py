"""Made-up outcomes of a corpus run, for tests that need no video."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from builders import NTSC
from salientclips.corpus.rows import ClipRows, Outcome, VideoRow
from salientclips.outputs.corpus_dataset import DatasetWriter, canonical

FACTS = {"verb": "score", "sampler": "motion", "clip": {"frames": 16, "frame_step": 2, "seconds": None}}


def make_outcome(video: str, scores: Sequence[float] = (0.5, 2.0, 1.0), **changes: Any) -> Outcome:
    """What came of a video with clips of 32 NTSC frames; ``changes`` are fields of its rows."""
    count = len(scores)
    clips: dict[str, Any] = {
        "index": np.arange(count, dtype=np.int32),
        "starts": tuple(32 * i * NTSC for i in range(count)),
        "ends": tuple(32 * (i + 1) * NTSC for i in range(count)),
        "score": np.array(scores, np.float64),
        "rank": np.zeros(count, np.int32),
        "streams": {},
    }
    row: dict[str, Any] = {
        "num_clips": count,
        "clip_rows": count,
        "size_bytes": 1234,
        "sha256": "ab" * 32,
        "duration_s": float(32 * count * NTSC),
        "sampler": "motion",
        "features_used": ("md (bitstream)",),
    }
    clips |= {key: value for key, value in changes.items() if key in clips}
    row |= {key: value for key, value in changes.items() if key not in clips}
    return Outcome(VideoRow(video, **row), ClipRows(**clips), {"features": 0.5})


def make_selection(video: str, order: Sequence[int] = (2, 0)) -> Outcome:
    """What came of a video of which clips were selected, best first."""
    return make_outcome(
        video,
        [float(len(order) - i) for i in range(len(order))],
        index=np.array(order, np.int32),
        starts=tuple(32 * i * NTSC for i in order),
        ends=tuple(32 * (i + 1) * NTSC for i in order),
        rank=np.arange(1, len(order) + 1, dtype=np.int32),
        num_clips=max(order, default=0) + 1,
    )


def make_failure(video: str) -> Outcome:
    """What came of a video that FFmpeg cannot open."""
    row = VideoRow(
        video, "failed", "NotAVideoError", f"'{video}' cannot be opened", "check that it is complete"
    )
    return Outcome(row)


def write(folder: Path, outcomes: list[Outcome], **options: Any) -> None:
    """A run over some videos, from its beginning to its end."""
    with DatasetWriter(folder, FACTS, **options) as writer:
        for outcome in outcomes:
            writer.add(outcome)


def assert_same(a: Path, b: Path) -> None:
    """Two data sets hold the same, in whatever order and parts."""
    ours, theirs = canonical(a), canonical(b)
    assert ours.job == theirs.job
    assert ours.videos.equals(theirs.videos)
    assert ours.clips.equals(theirs.clips)


def names(folder: Path) -> list[str]:
    """All files of a folder."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


class CrashError(BaseException):
    """The power went: nothing catches it."""


def ticks_of(row: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Exact start and end of a row of the table of clips."""
    per_second = row["ticks_per_second"]
    return Fraction(row["start_ticks"], per_second), Fraction(row["end_ticks"], per_second)
