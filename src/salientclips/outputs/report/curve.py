"""Scores as an SVG path: a step a clip, and for long videos no more points than a screen can show.

Three hours have 8,000 clips and a screen has 2,000 columns. Where there are more clips than columns, each column
keeps four values, its first, least, greatest and last (the M4 aggregation of Jugel et al., VLDB 2014, section
4): what is drawn at that width is the same as if all had been, so no peak is ever lost. Coordinates are whole
numbers and relative, which halves the text. Pixels, colours and axes are the page's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WIDTH = 10_000
"""The paths' coordinates run from 0 to this, from the begin to the end of the time line ..."""
HEIGHT = 1_000
"""... and from 0 at the top (the greatest score) to this at the bottom (the least)."""
COLUMNS = 2_500
"""Most columns that a curve is drawn with."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One curve, ready to be drawn in a box of ``WIDTH`` x ``HEIGHT``."""

    line: str
    """Path of the curve itself; empty where there is no value."""
    area: str
    """The same, closed along the bottom, to be filled."""
    low: float
    """The value at the bottom."""
    high: float
    """The value at the top."""


def curve(starts_s: Values, ends_s: Values, values: Values, begin_s: float, end_s: float) -> Curve:
    """Draw one value a clip over time.

    Args:
        starts_s: Start of each clip (num_clips,), seconds, not decreasing.
        ends_s: End of each clip (num_clips,), seconds.
        values: One value a clip (num_clips,); NaN leaves a gap.
        begin_s: Time at the left edge, seconds.
        end_s: Time at the right edge, seconds; after ``begin_s``.

    Returns:
        The paths. Values that are all equal lie half way up.
    """
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    lefts, rights = _across(starts_s, begin_s, end_s), _across(ends_s, begin_s, end_s)
    levels = np.full(values.shape, HEIGHT // 2, dtype=np.float64)
    # Halved before they are subtracted: two scores at the far ends of float64 are more than float64 apart.
    spread = high / 2 - low / 2
    if spread > 0:
        levels = HEIGHT * ((high / 2 - values / 2) / spread)
    levels[~np.isfinite(values)] = np.nan
    runs = _runs(lefts, rights, levels)
    line, area = [], []
    for xs, ys in runs:
        drawn = _relative(xs, ys)
        line.append(f"M{xs[0]} {ys[0]}{drawn}")
        area.append(f"M{xs[0]} {HEIGHT}V{ys[0]}{drawn}V{HEIGHT}z")
    return Curve("".join(line), "".join(area), low, high)


def ticks(times_s: Values, begin_s: float, end_s: float) -> str:
    """Draw moments as upright strokes over the whole height, at most one a column.

    Args:
        times_s: Moments (n,), seconds.
        begin_s: Time at the left edge, seconds.
        end_s: Time at the right edge, seconds.

    Returns:
        A path; empty without moments.
    """
    step = WIDTH // COLUMNS
    places = np.unique(_across(times_s, begin_s, end_s) // step * step)
    return "".join(f"M{x} 0V{HEIGHT}" for x in places)


def _across(times_s: Values, begin_s: float, end_s: float) -> npt.NDArray[np.int64]:
    share = (times_s - begin_s) / (end_s - begin_s)
    return np.rint(np.clip(share, 0.0, 1.0) * WIDTH).astype(np.int64)


_Run = tuple[list[int], list[int]]


def _runs(lefts: npt.NDArray[np.int64], rights: npt.NDArray[np.int64], levels: Values) -> list[_Run]:
    """The corners of each unbroken stretch of clips."""
    if len(levels) > COLUMNS:
        lefts, rights, levels = _thinned(lefts, rights, levels)
    runs: list[_Run] = []
    last = -1
    for left, right, level in zip(lefts.tolist(), rights.tolist(), levels.tolist(), strict=True):
        if np.isnan(level):
            last = -1
            continue
        # Rounding can part or overlap neighbours by a unit, which no eye can see.
        if last < 0 or left > last + 1:
            runs.append(([], []))
        xs, ys = runs[-1]
        xs += [left, right]
        ys += [round(level)] * 2
        last = right
    return runs


def _thinned(
    lefts: npt.NDArray[np.int64], rights: npt.NDArray[np.int64], levels: Values
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Values]:
    """At most four levels a column: first, least, greatest and last, in order of time."""
    step = WIDTH // COLUMNS
    columns = np.minimum(lefts // step, COLUMNS - 1)
    kept: list[int] = []
    borders = np.flatnonzero(np.diff(columns)) + 1
    for part in np.split(np.arange(len(levels)), borders):
        there = part[np.isfinite(levels[part])]
        if len(there) == 0:
            kept.append(int(part[0]))
            continue
        ends = (there[0], there[np.argmin(levels[there])], there[np.argmax(levels[there])], there[-1])
        kept += sorted({int(i) for i in ends})
    index = np.array(kept)
    x = columns[index] * step
    # A level reaches to where the next that is kept begins; where that is further than a column there is a gap.
    following, reach = np.append(x[1:], WIDTH), np.maximum(x, rights[index])
    return x, np.where(following - reach <= step, following, reach), levels[index]


def _relative(xs: list[int], ys: list[int]) -> str:
    """Strokes from corner to corner, relative, upright and level ones in short."""
    parts: list[str] = []
    for x0, x1, y0, y1 in zip(xs, xs[1:], ys, ys[1:], strict=False):
        dx, dy = x1 - x0, y1 - y0
        if dx and dy:
            parts.append(f"l{dx} {dy}")
        elif dx:
            parts.append(f"h{dx}")
        elif dy:
            parts.append(f"v{dy}")
    return "".join(parts)
