"""Metrics on numbers that were worked out by hand, and the bootstrap's properties."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_cases import grid_of
from salientclips.datasets.spans import salient_clips
from salientclips.evaluation.metrics import (
    METRICS,
    area_under_roc,
    group_weights,
    interval,
    measure,
)

ONCE = np.ones((1, 4))
# Videos of classes 0, 0, 0, 1; the third is taken for class 1.
TRUTH = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=bool)
SAID = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])


def test_accuracies_by_hand() -> None:
    assert measure("top-1", SAID, TRUTH, ONCE) == pytest.approx([0.75])
    # class 0: two of three, class 1: one of one
    assert measure("mean-class", SAID, TRUTH, ONCE) == pytest.approx([(2 / 3 + 1) / 2])
    assert measure("map", SAID, TRUTH, ONCE) == pytest.approx([1.0])


def test_average_precision_by_hand() -> None:
    said = np.array([[0.9], [0.8], [0.7], [0.6]])
    truth = np.array([[1], [0], [1], [0]], dtype=bool)
    # precision 1/1 at the first hit, 2/3 at the second
    assert measure("map", said, truth, ONCE) == pytest.approx([(1 + 2 / 3) / 2])
    # all equal: they pass one threshold together, at precision 2/4
    assert measure("map", np.full((4, 1), 0.5), truth, ONCE) == pytest.approx([0.5])


def test_a_video_of_several_classes_is_right_with_any() -> None:
    both = np.array([[1, 1], [1, 1], [1, 1], [1, 1]], dtype=bool)
    assert measure("top-1", SAID, both, ONCE) == pytest.approx([1.0])


@st.composite
def sets(draw: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    videos, classes = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    numbers = st.lists(st.integers(0, 5), min_size=classes, max_size=classes)
    said = np.array([draw(numbers) for _ in range(videos)], dtype=float)
    truth = np.array([draw(numbers) for _ in range(videos)]) > 2
    truth[~truth.any(axis=1), 0] = True
    weights = np.array([draw(st.lists(st.integers(0, 3), min_size=videos, max_size=videos))], dtype=float)
    return said, truth, weights


@pytest.mark.parametrize("metric", METRICS)
@given(made=sets())
def test_a_weight_is_as_good_as_a_copy(metric: Any, made: Any) -> None:
    said, truth, weights = made
    copies = np.repeat(np.arange(len(said)), weights[0].astype(int))
    weighted = measure(metric, said, truth, weights)
    if len(copies) == 0:
        assert np.isnan(weighted).all()
        return
    copied = measure(metric, said[copies], truth[copies], np.ones((1, len(copies))))
    np.testing.assert_allclose(weighted, copied)
    assert 0 <= weighted[0] <= 1


def test_groups_are_drawn_whole() -> None:
    weights = group_weights(["a", "a", "b", "c"], resamples=200, seed=1)
    assert weights.shape == (200, 4)
    assert (weights[:, 0] == weights[:, 1]).all()
    # three draws a resample, whatever the size of a group
    assert (weights[:, 1:].sum(axis=1) == 3).all()
    np.testing.assert_array_equal(weights, group_weights(["a", "a", "b", "c"], resamples=200, seed=1))


def test_grouping_widens_the_interval() -> None:
    random = np.random.default_rng(0)
    right = np.repeat(random.random(20) < 0.5, 5).astype(float)  # five alike of each source
    alone = group_weights([str(i) for i in range(100)])
    grouped = group_weights([str(i // 5) for i in range(100)])
    widths = [np.subtract(*interval(w @ right / w.sum(axis=1))) for w in (alone, grouped)]
    assert widths[1] < 1.5 * widths[0] < 0


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        sample = (random.random(60) < 0.7).astype(float)
        weights = group_weights([str(i) for i in range(60)], resamples=300, seed=seed)
        low, high = interval(weights @ sample / 60)
        hits += low <= 0.7 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_area_under_roc_by_hand_and_by_pairs() -> None:
    assert area_under_roc(np.array([3.0, 2, 1, 0]), np.array([1, 1, 0, 0], dtype=bool)) == 1.0
    assert area_under_roc(np.array([0.0, 1, 2, 3]), np.array([1, 1, 0, 0], dtype=bool)) == 0.0
    assert area_under_roc(np.zeros(4), np.array([1, 0, 0, 0], dtype=bool)) == 0.5
    assert np.isnan(area_under_roc(np.zeros(3), np.ones(3, dtype=bool)))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_area_under_roc_counts_pairs(clips: list[tuple[int, bool]]) -> None:
    good, bad = [s for s, g in clips if g], [s for s, g in clips if not g]
    found = area_under_roc(np.array([s for s, _ in clips], dtype=float), np.array([g for _, g in clips]))
    if not good or not bad:
        assert np.isnan(found)
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in good for b in bad]
    assert found == pytest.approx(np.mean(pairs))


def test_a_clip_is_salient_if_half_of_it_is() -> None:
    half, less = Fraction(1, 2), Fraction(2, 5)
    assert salient_clips(grid_of(4), [(1 + half, Fraction(3) + less)]).tolist() == [False, True, True, False]
    # two overlapping spans do not count twice
    spans = [(Fraction(0), less), (Fraction(0), less)]
    assert salient_clips(grid_of(2), spans).tolist() == [False, False]
