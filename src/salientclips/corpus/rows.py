"""What a corpus run says of one video: one row on it, a row a clip, and what it took.

Rows hold nothing that differs from run to run (no times taken, no host), so that a data set made in ten attempts by
one engine equals one made at once by another, row for row. A video that failed has a row that says so, and no clips.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..errors import SalientClipsError
from .item import Item

STREAMS = ("md", "rgbr", "stats", "if", "motion", "packets", "visual", "audio")
"""Streams of a learned sampler whose scores have a column each, in this order (see ``ClipScores.streams``)."""


@dataclass(frozen=True)
class VideoRow:
    """What is known of a video after the work."""

    video: str
    """Its name (:attr:`~salientclips.corpus.item.Item.name`)."""
    status: Literal["ok", "failed"] = "ok"
    """Whether it was done."""
    error_type: str | None = None
    """Class of the error, as in :mod:`salientclips.errors`; None where all went well, as the next two."""
    message: str | None = None
    """What happened, in one line."""
    remedy: str | None = None
    """What to do about it, in one line; may be empty."""
    true_labels: tuple[str, ...] = ()
    """What the manifest said, as the next two."""
    group: str = ""
    """Videos of one source share it."""
    split: str | None = None
    """``train``, ``validation`` or ``test``; None where nobody says."""
    size_bytes: int | None = None
    """Length of the file."""
    sha256: str | None = None
    """Recognises the file with ``size_bytes``: hash of its first and its last MiB."""
    duration_s: float | None = None
    """From the start of the first clip to the end of the last, seconds."""
    num_clips: int = 0
    """Clips that the video was divided into; the table of clips may hold fewer of them."""
    clip_rows: int = 0
    """Rows that the table of clips has of this video."""
    sampler: str | None = None
    """Who scored."""
    features_used: tuple[str, ...] = ()
    """What was read and by which back end, for example ``"md (bitstream)"``."""
    label: str | None = None
    """The predicted class, where a classifier looked; None else, as the next three."""
    probability: float | None = None
    """Its probability, 0 to 1."""
    predictions: tuple[tuple[str, float], ...] = ()
    """The most probable classes with their probabilities, first first."""
    gflops: float | None = None
    """Cost of the classifier, 10^9 multiply-adds, where it says it."""
    note: str = ""
    """Why fewer than K clips were selected, or empty."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""


@dataclass(frozen=True, eq=False)
class ClipRows:
    """Clips of one video, in order of time, or in rank order where clips were selected."""

    index: npt.NDArray[np.int32]
    """Which clip of the video (n,)."""
    starts: tuple[Fraction, ...]
    """Exact start of each, seconds on the timeline (n,)."""
    ends: tuple[Fraction, ...]
    """Exact end of each (n,)."""
    score: npt.NDArray[np.float64]
    """Saliency (n,)."""
    rank: npt.NDArray[np.int32]
    """1 for the most salient (n,); 0 where nothing was selected."""
    streams: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """Saliency by stream (n,), keys of ``STREAMS``; NaN where a clip had nothing of it."""

    def __len__(self) -> int:
        return len(self.index)


def no_clips() -> ClipRows:
    """The clips of a video that failed."""
    nothing = np.zeros(0, np.int32)
    return ClipRows(nothing, (), (), np.zeros(0), nothing)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one video."""

    row: VideoRow
    clips: ClipRows = field(default_factory=no_clips)
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent by part (``fetch``, ``demux``, ``features``, ``sampler``, ``decode``, ``classifier``); no column."""

    @property
    def failed(self) -> bool:
        """Whether the video failed."""
        return self.row.status == "failed"


def failure(item: Item, error: SalientClipsError, kind: str | None = None) -> Outcome:
    """What comes of a video that cannot be worked on.

    Args:
        item: The video.
        error: Why.
        kind: The error's type for the row, where it is not that of ``error``.

    Returns:
        A row that says so.
    """
    return Outcome(
        VideoRow(
            item.name,
            "failed",
            error_type=kind or type(error).__name__,
            message=" ".join(error.message.split()),
            remedy=" ".join(error.remedy.split()),
            true_labels=item.labels,
            group=item.group,
            split=item.split,
        )
    )
