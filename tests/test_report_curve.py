"""Curves as paths: they stay in their box, keep every peak, and stay small."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.outputs.report.curve import COLUMNS, HEIGHT, WIDTH, curve, ticks

Floats = npt.NDArray[np.float64]


def corners(path: str) -> list[list[tuple[int, int]]]:
    """The corners of each stroke of a path, absolute."""
    strokes: list[list[tuple[int, int]]] = []
    x = y = 0
    for command, words in re.findall(r"([MlhvVz])([-\d ]*)", path):
        numbers = [int(word) for word in words.split()]
        match command:
            case "M":
                x, y = numbers
                strokes.append([])
            case "l":
                x, y = x + numbers[0], y + numbers[1]
            case "h":
                x += numbers[0]
            case "v":
                y += numbers[0]
            case "V":
                y = numbers[0]
        if command != "z":
            strokes[-1].append((x, y))
    return strokes


def even(count: int) -> tuple[Floats, Floats]:
    edges = np.arange(count + 1, dtype=np.float64)
    return edges[:-1], edges[1:]


def test_a_step_a_clip() -> None:
    starts, ends = even(4)
    drawn = curve(starts, ends, np.array([0.0, 1.0, 0.5, 0.0]), 0.0, 4.0)
    assert corners(drawn.line) == [
        [(0, 1000), (2500, 1000), (2500, 0), (5000, 0), (5000, 500), (7500, 500), (7500, 1000), (10000, 1000)]
    ]
    assert (drawn.low, drawn.high) == (0.0, 1.0)
    assert corners(drawn.area)[0][0] == (0, HEIGHT)
    assert corners(drawn.area)[0][-1] == (WIDTH, HEIGHT)
    assert drawn.area.endswith("z")


def test_clips_that_do_not_touch_leave_a_gap() -> None:
    drawn = curve(np.array([0.0, 6.0]), np.array([2.0, 10.0]), np.array([1.0, 2.0]), 0.0, 10.0)
    assert corners(drawn.line) == [[(0, 1000), (2000, 1000)], [(6000, 0), (10000, 0)]]


def test_what_is_missing_leaves_a_gap() -> None:
    starts, ends = even(3)
    drawn = curve(starts, ends, np.array([1.0, np.nan, 2.0]), 0.0, 3.0)
    assert [stroke[0][0] for stroke in corners(drawn.line)] == [0, 6667]
    nothing = curve(starts, ends, np.full(3, np.nan), 0.0, 3.0)
    assert (nothing.line, nothing.area, nothing.low, nothing.high) == ("", "", 0.0, 0.0)


def test_equal_values_lie_half_way_up() -> None:
    starts, ends = even(3)
    assert {y for _, y in corners(curve(starts, ends, np.ones(3), 0.0, 3.0).line)[0]} == {HEIGHT // 2}


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=60))
def test_every_path_stays_in_its_box(values: list[float]) -> None:
    starts, ends = even(len(values))
    drawn = curve(starts, ends, np.array(values), 0.0, float(len(values)))
    for path in (drawn.line, drawn.area):
        for stroke in corners(path):
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in stroke)
            assert [x for x, _ in stroke] == sorted(x for x, _ in stroke)


@pytest.mark.parametrize("count", [COLUMNS + 1, 8_000, 100_000])
def test_a_long_video_keeps_every_column_s_extremes(count: int) -> None:
    starts, ends = even(count)
    values = np.random.default_rng(count).normal(size=count)
    values[count // 2] = 50.0  # a peak of one clip
    drawn = curve(starts, ends, values, 0.0, float(count))
    assert len(drawn.line) < 60_000
    seen = np.array([point for stroke in corners(drawn.line) for point in stroke])
    step = WIDTH // COLUMNS
    levels = np.rint(HEIGHT * (values.max() - values) / np.ptp(values)).astype(int)
    columns = np.minimum(np.rint(starts / count * WIDTH).astype(int) // step, COLUMNS - 1)
    for column in np.random.default_rng(1).integers(0, COLUMNS, 200):
        drawn_here = seen[seen[:, 0] == column * step, 1]
        here = levels[columns == column]
        # the level that comes from the column before may be drawn at its left edge, too
        assert {int(here.min()), int(here.max())} <= set(drawn_here.tolist())
    assert seen[:, 1].min() == 0


def test_a_long_video_keeps_its_gaps() -> None:
    starts, ends = even(10_000)
    values = np.ones(10_000)
    values[0] = 2.0
    values[4_000:5_000] = np.nan
    strokes = corners(curve(starts, ends, values, 0.0, 10_000.0).line)
    assert [(stroke[0][0], stroke[-1][0]) for stroke in strokes] == [(0, 4000), (5000, 10000)]
    there = (starts < 4_000) | (starts >= 5_000)
    apart = curve(starts[there], ends[there], values[there], 0.0, 10_000.0)
    assert [(s[0][0], s[-1][0]) for s in corners(apart.line)] == [(0, 4000), (5000, 10000)]


def test_ticks_are_at_most_one_a_column() -> None:
    assert ticks(np.array([0.0, 5.0, 10.0]), 0.0, 10.0) == f"M0 0V{HEIGHT}M5000 0V{HEIGHT}M10000 0V{HEIGHT}"
    assert ticks(np.linspace(0, 10, 100_000), 0.0, 10.0).count("M") == COLUMNS + 1
    assert ticks(np.empty(0), 0.0, 10.0) == ""
