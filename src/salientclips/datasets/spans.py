"""How much of each clip lies in the spans that a manifest names: salient stretches that somebody marked.

The paper knows no such marks; benchmarks made of parts and ActivityNet-style annotations have them. ``fit`` learns
from them without any classifier, and ``evaluate`` measures saliency against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..timeline import ClipGrid

Span = tuple[Fraction, Fraction]
"""(start, end), seconds on the timeline."""


def share_in_spans(grid: ClipGrid, spans: Sequence[Span]) -> tuple[Fraction, ...]:
    """Say how much of each clip lies in a span.

    Args:
        grid: The clips.
        spans: They may overlap, and stand in any order.

    Returns:
        Exact shares of each clip's length, 0 to 1 (num_clips,).
    """
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(
        sum((max(Fraction(0), min(end, b) - max(start, a)) for a, b in merged), Fraction(0)) / (end - start)
        for start, end in zip(grid.starts, grid.ends, strict=True)
    )


def salient_clips(grid: ClipGrid, spans: Sequence[Span]) -> npt.NDArray[np.bool_]:
    """Which clips are salient: those of which at least half lies in a span.

    Args:
        grid: The clips.
        spans: They may overlap.

    Returns:
        bool (num_clips,).
    """
    return np.array([share >= Fraction(1, 2) for share in share_in_spans(grid, spans)], dtype=np.bool_)
