"""The selection rule: top K, ties, gaps, coverage, thresholds, and the cumulative rule."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.errors import InputError
from salientclips.ranking import choose, mean_of_those_there
from salientclips.timeline import ClipGrid

scores_lists = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60)


def grid_of(count: int, length: int = 1) -> ClipGrid:
    return ClipGrid.from_spans([(F(i * length), F((i + 1) * length)) for i in range(count)])


def pick(scores: list[float], k: int, **options: Any) -> list[int]:
    return list(choose(np.array(scores, dtype=float), grid_of(len(scores)), k, **options).indices)


def test_top_k_in_rank_order_with_ties_by_time() -> None:
    assert pick([1, 3, 2, 3, 0], 4) == [1, 3, 2, 0]


@given(scores_lists, st.integers(1, 80), st.sampled_from(["top", "cumulative"]), st.floats(0, 1))
def test_k_different_clips_or_all(scores: list[float], k: int, rule: Any, coverage: float) -> None:
    chosen = pick(scores, k, rule=rule, coverage=coverage)
    assert len(chosen) == len(set(chosen)) == min(k, len(scores))
    assert chosen == sorted(chosen, key=lambda i: (-scores[i], i))


@given(scores_lists, st.integers(1, 20))
def test_top_k_does_not_depend_on_the_scale(scores: list[float], k: int) -> None:
    assert pick(scores, k) == pick([np.exp(s / 3) - 7 for s in scores], k)


@given(scores_lists, st.integers(1, 20), st.integers(0, 9))
def test_gaps_are_kept(scores: list[float], k: int, gap: int) -> None:
    chosen = sorted(pick(scores, k, min_gap_s=gap))
    assert all(b - (a + 1) >= gap for a, b in pairwise(chosen))


def test_a_gap_suppresses_the_neighbours_of_a_peak() -> None:
    assert pick([0, 8, 9, 8, 0, 5], 2, min_gap_s=1) == [2, 5]


def test_half_coverage_gives_half_the_places_to_parts() -> None:
    scores = [9.0, 8, 7, 6, 0, 0, 1, 0]
    assert pick(scores, 4) == [0, 1, 2, 3]
    assert sorted(pick(scores, 4, coverage=0.5)) == [0, 1, 2, 6]


@given(st.integers(1, 200), st.integers(1, 200))
def test_equal_scores_under_the_cumulative_rule_are_uniform_sampling(clips: int, k: int) -> None:
    if k > clips:
        return
    chosen = sorted(pick([1.0] * clips, k, rule="cumulative"))
    middles = [(j + 0.5) * clips / k for j in range(k)]
    assert all(abs(c + 0.5 - m) <= 1.0 for c, m in zip(chosen, middles, strict=True))


def test_the_cumulative_rule_follows_the_mass() -> None:
    assert sorted(pick([0, 0, 1, 1, 1, 1, 0, 0], 4, rule="cumulative")) == [2, 3, 4, 5]


def test_all_scores_zero_is_uniform() -> None:
    assert sorted(pick([0.0] * 10, 2, rule="cumulative")) == [2, 7]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"k": 9}, "the video has 5 clips"),
        ({"k": 4, "threshold": 3.0}, "3 of 5 clips reach the threshold"),
        ({"k": 4, "min_gap_s": 1.0}, "no other clip keeps the minimum gap"),
    ],
)
def test_fewer_than_k_says_why(options: dict[str, Any], reason: str) -> None:
    chosen = choose(np.array([1.0, 2, 3, 4, 5]), grid_of(5), **options)
    assert len(chosen.indices) == (5 if options["k"] == 9 else 3)
    assert reason in chosen.note


def test_enough_clips_need_no_note() -> None:
    assert choose(np.arange(5.0), grid_of(5), 5).note == ""


@pytest.mark.parametrize(
    "options",
    [
        {"k": 0},
        {"k": 1, "min_gap_s": -1.0},
        {"k": 1, "min_gap_s": float("nan")},
        {"k": 1, "coverage": 1.5},
        {"k": 1, "threshold": float("nan")},
    ],
)
def test_impossible_arguments_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        choose(np.arange(3.0), grid_of(3), **options)


def test_no_clips_no_selection() -> None:
    chosen = choose(np.zeros(0), ClipGrid((), ()), 3, rule="cumulative", coverage=1.0)
    assert chosen.indices == ()
    assert "0 clips" in chosen.note


def test_the_mean_is_of_those_that_are_there() -> None:
    nan = np.nan
    values = np.array([[1.0, nan, nan, 4.0], [3.0, 5.0, nan, 8.0]])
    assert_equal = np.testing.assert_array_equal
    assert_equal(mean_of_those_there(values), [2.0, 5.0, nan, 6.0])
    assert_equal(mean_of_those_there(values, np.array([3.0, 1.0])), [1.5, 5.0, nan, 5.0])
    # The one that counts is missing: the other is better than nothing.
    assert_equal(mean_of_those_there(values, np.array([1.0, 0.0])), [1.0, 5.0, nan, 4.0])
    assert_equal(mean_of_those_there(values[:, :, None], np.array([3.0, 1.0]))[:, 0], [1.5, 5.0, nan, 5.0])
