"""Neighbours in a clip's score: against a plain loop, and what must hold for any scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.errors import InputError
from salientclips.samplers.context import with_neighbours

SCORES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), max_size=40).map(np.array)


def by_hand(scores: np.ndarray, neighbours: int) -> list[float]:
    found = []
    for i, own in enumerate(scores):
        near = [
            (neighbours + 1 - abs(i - j), scores[j])
            for j in range(max(0, i - neighbours), min(len(scores), i + neighbours + 1))
            if not np.isnan(scores[j])
        ]
        found.append(own if np.isnan(own) else sum(w * s for w, s in near) / sum(w for w, _ in near))
    return found


@given(SCORES, st.integers(0, 5))
def test_it_is_the_weighted_mean_of_what_is_there(scores: np.ndarray, neighbours: int) -> None:
    expected = by_hand(scores, neighbours)
    np.testing.assert_allclose(with_neighbours(scores, neighbours), expected, rtol=1e-9, atol=1e-6)


@given(st.floats(-100, 100), st.integers(1, 40), st.integers(0, 5))
def test_equal_scores_stay(score: float, count: int, neighbours: int) -> None:
    np.testing.assert_allclose(with_neighbours(np.full(count, score), neighbours), score, atol=1e-9)


def test_a_lone_outlier_loses_to_a_run() -> None:
    scores = np.array([0, 0, 1.2, 0, 0, 0, 1, 1, 1, 0.0])
    assert np.argmax(scores) == 2
    assert np.argmax(with_neighbours(scores, 1)) == 7


@pytest.mark.parametrize("neighbours", [-1, 17])
def test_impossible_numbers(neighbours: int) -> None:
    with pytest.raises(InputError, match="neighbours"):
        with_neighbours(np.zeros(3), neighbours)
