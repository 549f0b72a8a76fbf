"""From what a verb returns to the rows of a data set: one place, so that every engine writes the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..corpus.item import Item
from ..corpus.rows import ClipRows, Outcome, VideoRow
from ..types import ClipScores, SelectedClip, Selection, VideoPrediction


@dataclass(frozen=True, eq=False)
class Scored:
    """A video that was scored and whose clips are still to be looked at."""

    item: Item
    scores: ClipScores
    """``path`` is where it lay on that machine, at that time; it means nothing elsewhere."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent so far by part."""


def scored_outcome(done: Scored) -> Outcome:
    """The rows of ``score``: every clip, in order of time, without ranks.

    Args:
        done: The scores of a video.

    Returns:
        Its rows.
    """
    scores = done.scores
    everything = np.arange(len(scores), dtype=np.int32)
    clips = ClipRows(
        index=everything,
        starts=scores.grid.starts,
        ends=scores.grid.ends,
        score=scores.scores,
        rank=np.zeros(len(scores), np.int32),
        streams=scores.streams,
    )
    return Outcome(_row(done, len(clips)), clips, done.seconds)


def selected_outcome(done: Scored, selection: Selection) -> Outcome:
    """The rows of ``select``: the chosen clips, in rank order.

    Args:
        done: The scores of a video.
        selection: The clips chosen by them.

    Returns:
        Its rows.
    """
    clips = _chosen(selection.clips, done.scores)
    return Outcome(replace(_row(done, len(clips)), note=selection.note), clips, done.seconds)


def classified_outcome(done: Scored, prediction: VideoPrediction, top: int, sampler: str) -> Outcome:
    """The rows of ``classify``: the label, and the clips that were looked at.

    Args:
        done: The scores of a video, or of ``uniform`` where the strategy needs none.
        prediction: What the classifier said.
        top: Classes that are kept.
        sampler: Who chose the clips: the sampler, or the strategy.

    Returns:
        Its rows.
    """
    best = prediction.predictions[0]
    clips = _chosen(prediction.clips, done.scores)
    row = replace(
        _row(done, len(clips)),
        sampler=sampler,
        label=best.label,
        probability=best.probability,
        predictions=tuple((said.label, said.probability) for said in prediction.predictions[:top]),
        gflops=prediction.gflops,
        note=prediction.note,
        # What went wrong in scoring is said by both.
        warnings=tuple(dict.fromkeys((*done.scores.warnings, *prediction.warnings))),
    )
    return Outcome(row, clips, done.seconds)


def _row(done: Scored, clip_rows: int) -> VideoRow:
    scores, item = done.scores, done.item
    grid = scores.grid
    return VideoRow(
        video=item.name,
        true_labels=item.labels,
        group=item.group,
        split=item.split,
        size_bytes=scores.fingerprint.size_bytes,
        sha256=scores.fingerprint.sha256,
        duration_s=float(grid.ends[-1] - grid.starts[0]) if len(scores) else 0.0,
        num_clips=len(scores),
        clip_rows=clip_rows,
        sampler=scores.sampler,
        features_used=scores.features_used,
        warnings=scores.warnings,
    )


def _chosen(clips: Sequence[SelectedClip], scores: ClipScores) -> ClipRows:
    index = np.array([clip.index for clip in clips], dtype=np.int32)
    return ClipRows(
        index=index,
        starts=tuple(clip.start for clip in clips),
        ends=tuple(clip.end for clip in clips),
        score=np.array([clip.score for clip in clips], dtype=np.float64),
        rank=np.array([clip.rank for clip in clips], dtype=np.int32),
        streams={name: values[index] for name, values in scores.streams.items()},
    )
