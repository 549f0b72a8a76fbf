"""The clips of a labelled video that a new last layer learns from (``frame_sampler.py``).

Those that lie at least half in a true span have the video's label; those that touch none have the label given for
what is outside. Clips that touch a span by less than half are neither. Of a video without spans all clips are
outside. A long video gives its clips in spans, and so many of the others, evenly spread, that there are ``most`` in
all.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from salientclips.datasets.manifest import Entry
from salientclips.datasets.spans import share_in_spans
from salientclips.timeline import ClipGrid


@dataclass(frozen=True)
class LabelledClip:
    """One clip and what it shows."""

    start: Fraction
    """Seconds on the timeline."""
    end: Fraction
    """Seconds on the timeline, not included."""
    label: str


def labelled_clips(
    entry: Entry, grid: ClipGrid, outside: str | None = None, most: int = 12
) -> list[LabelledClip]:
    """The clips of a video that are learned from.

    Args:
        entry: The video, its label and its spans.
        grid: Its clips.
        outside: Label of clips outside all spans; None where they are not used.
        most: Clips at most, but for those in spans.

    Returns:
        In order of time.
    """
    shares = share_in_spans(grid, entry.spans)
    inside = [i for i, share in enumerate(shares) if 2 * share >= 1]
    others = [i for i, share in enumerate(shares) if share == 0] if outside is not None else []
    room = max(0, most - len(inside))
    kept = {others[(2 * j + 1) * len(others) // (2 * room)] for j in range(room)} if others else set()
    label = {**dict.fromkeys(kept, outside), **dict.fromkeys(inside, entry.labels[0])}
    return [LabelledClip(grid.starts[i], grid.ends[i], str(label[i])) for i in sorted(label)]
