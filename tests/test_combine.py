"""The five combinations: total on ties and on what is missing, deterministic, invariant where they must be."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_scores
from salientclips.errors import InputError, UnknownNameError
from salientclips.ranking import choose
from salientclips.samplers.card import COMBINATIONS, Combination
from salientclips.samplers.combine import Scale, combine, positions, rule_of
from salientclips.timeline import ClipGrid

NAN = float("nan")
values = st.one_of(st.integers(-4, 4).map(float), st.just(NAN))


@st.composite
def pairs(draw: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Visual and audio scores of one video, with ties and with gaps."""
    count = draw(st.integers(1, 30))
    lists = [draw(st.lists(values, min_size=count, max_size=count)) for _ in range(2)]
    return np.array(lists[0]), np.array(lists[1])


def pick(combination: Combination, visual: Any, audio: Any, k: int, **options: Any) -> list[int]:
    """What ``ClipScores.select`` does with the combination."""
    visual, audio = np.array(visual, dtype=float), np.array(audio, dtype=float)
    scores = np.nan_to_num(combine(combination, visual, audio), nan=-99.0)
    grid = ClipGrid.from_spans([(Fraction(i), Fraction(i + 1)) for i in range(len(visual))])
    streams = {"visual": visual, "audio": audio}
    return list(choose(scores, grid, k, rule=rule_of(combination), streams=streams, **options).indices)


@pytest.mark.parametrize("combination", COMBINATIONS)
@given(both=pairs(), k=st.integers(1, 40))
def test_k_different_clips_whatever_is_tied_or_missing(combination: Combination, both: Any, k: int) -> None:
    visual, audio = both
    chosen = pick(combination, visual, audio, k)
    assert len(set(chosen)) == len(chosen)
    known = int((~np.isnan(visual) | ~np.isnan(audio)).sum())
    if combination == "av-union-list" and known:
        # `score` fills clips of which nothing is known with the median; only the union's lists leave them out
        assert len(chosen) == min(k, known)
    else:
        assert len(chosen) == min(k, len(visual))
    assert chosen == pick(combination, visual, audio, k)


@pytest.mark.parametrize("combination", ["av-union-list", "av-convex-list", "av-intersect-list"])
@given(both=pairs(), k=st.integers(1, 10))
def test_lists_know_order_only(combination: Combination, both: Any, k: int) -> None:
    visual, audio = both
    assert pick(combination, visual, audio, k) == pick(combination, np.exp(visual / 2), audio**3 + 5, k)


@given(both=pairs(), scale=st.sampled_from(["standard", "unit"]), weight=st.floats(0, 1))
def test_the_convex_score_does_not_depend_on_unit_and_zero(both: Any, scale: Scale, weight: float) -> None:
    visual, audio = both
    plain = combine("av-convex-score", visual, audio, visual_weight=weight, scale=scale)
    moved = combine("av-convex-score", 3 * visual + 7, 0.5 * audio - 2, visual_weight=weight, scale=scale)
    np.testing.assert_allclose(moved, plain, atol=1e-9)


@given(both=pairs(), shift=st.integers(-3, 3))
def test_joint_training_orders_the_same_on_any_common_scale(both: Any, shift: int) -> None:
    visual, audio = both
    plain = combine("av-joint-training", visual, audio)
    moved = combine("av-joint-training", 2 * visual + shift, 2 * audio + shift)
    np.testing.assert_allclose(moved, 2 * plain + shift)


@pytest.mark.parametrize("combination", COMBINATIONS)
@given(both=pairs(), k=st.integers(1, 10))
def test_silence_and_a_constant_leave_the_pictures_to_decide(
    combination: Combination, both: Any, k: int
) -> None:
    visual, _ = both
    visual = np.nan_to_num(visual)
    alone = [int(i) for i in np.argsort(-visual, kind="stable")[:k]]
    silent = np.full_like(visual, NAN)
    assert set(pick(combination, visual, silent, k)) == set(alone)
    assert set(pick(combination, visual, np.full_like(visual, 0.3), k)) == set(alone)
    assert set(pick(combination, silent, visual, k)) == set(alone)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_no_audio_is_as_all_missing(combination: Combination) -> None:
    visual = np.array([1.0, NAN, 3.0])
    absent, missing = combine(combination, visual, None), combine(combination, visual, np.full(3, NAN))
    np.testing.assert_array_equal(absent, missing)
    assert np.isnan(absent).tolist() == [False, True, False]


def test_union_takes_eight_of_ten_by_picture_then_two_by_sound() -> None:
    visual, audio = np.arange(20.0), np.arange(20.0)[::-1]
    assert pick("av-union-list", visual, audio, 10) == [19, 18, 17, 16, 15, 14, 13, 12, 0, 1]


def test_union_passes_over_what_the_visual_list_has_taken() -> None:
    assert pick("av-union-list", [9, 8, 7, 6, 0, 0], [9, 8, 7, 6, 5, 1], 5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("k", "by_picture"), [(1, 1), (2, 2), (3, 2), (5, 4), (10, 8), (20, 16)])
def test_union_rounds_its_share_half_up(k: int, by_picture: int) -> None:
    visual, audio = np.arange(60.0), np.arange(60.0)[::-1]
    assert sum(i >= 30 for i in pick("av-union-list", visual, audio, k)) == by_picture


@given(both=pairs(), k=st.integers(1, 12), share=st.floats(0, 1))
def test_union_is_made_of_the_heads_of_both_lists(both: Any, k: int, share: float) -> None:
    visual, audio = (np.nan_to_num(x) for x in both)
    chosen = pick("av-union-list", visual, audio, k, visual_share=share)
    first = int(np.floor(share * k + 0.5))
    heads, rest = chosen[:first], chosen[first:]
    assert sorted(visual[heads])[::-1] == sorted(visual)[::-1][: len(heads)]
    left = [i for i in range(len(visual)) if i not in heads]
    assert sorted(audio[rest])[::-1] == sorted(audio[left])[::-1][: len(rest)]


@given(both=pairs(), k=st.integers(1, 12), gap=st.integers(0, 5), coverage=st.floats(0, 1))
def test_union_keeps_gaps_and_thresholds(both: Any, k: int, gap: int, coverage: float) -> None:
    visual, audio = (np.nan_to_num(x) for x in both)
    chosen = pick("av-union-list", visual, audio, k, min_gap_s=gap, coverage=coverage, threshold=0.0)
    assert all(visual[i] >= 0.0 for i in chosen)
    assert all(abs(a - b) >= gap + 1 for a in chosen for b in chosen if a != b)


def test_union_with_coverage_gives_parts_their_best() -> None:
    visual = [9.0, 8, 7, 6, 0, 0, 1, 0]
    assert set(pick("av-union-list", visual, [0.0] * 8, 4, coverage=0.5)) == {0, 6, 1, 2}


def test_intersect_takes_the_shortest_heads_that_share_k_clips() -> None:
    visual, audio = [9, 8, 7, 6, 5, 4], [4, 9, 5, 8, 6, 7]
    # heads of 4: visual {0 1 2 3}, audio {1 3 5 4}; they share 1 and 3, the heads of 3 only clip 1
    assert pick("av-intersect-list", visual, audio, 2) == [1, 3]


@given(both=pairs(), k=st.integers(1, 10))
def test_intersect_is_the_smallest_depth(both: Any, k: int) -> None:
    visual, audio = (np.nan_to_num(x) for x in both)
    places = np.maximum(positions(visual), positions(audio))
    chosen = pick("av-intersect-list", visual, audio, k)
    assert sorted(places[chosen]) == sorted(places)[: len(chosen)]


def test_positions_share_and_stretch() -> None:
    assert positions(np.array([5.0, 9, 5, 1])).tolist() == [1, 0, 1, 3]
    spread = positions(np.array([5.0, NAN, 9, NAN]))
    assert spread[[0, 2]].tolist() == [2, 0]
    assert np.isnan(spread[[1, 3]]).all()


def test_convex_weights() -> None:
    visual, audio = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    mixed = combine("av-convex-score", visual, audio, visual_weight=0.75, scale="none")
    assert mixed.tolist() == [0.25, 0.75]
    assert combine("av-convex-list", visual, audio, visual_weight=0.75).tolist() == [-0.75, -0.25]


@pytest.mark.parametrize("scale", get_args(Scale))
def test_huge_scores_do_not_overflow(scale: Scale) -> None:
    mixed = combine("av-convex-score", np.array([-1e308, 1e308]), np.array([1e-308, 0.0]), scale=scale)
    assert np.isfinite(mixed).all()


def test_what_makes_no_sense_is_refused() -> None:
    one = np.ones(3)
    with pytest.raises(UnknownNameError):
        combine("av-sum", one, one)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        combine("av-convex-score", one, one, scale="log")  # type: ignore[arg-type]
    for weight in (-0.1, 1.1, NAN):
        with pytest.raises(InputError, match="weight"):
            combine("av-convex-score", one, one, visual_weight=weight)
    with pytest.raises(InputError, match="not of the same clips"):
        combine("av-convex-score", one, np.ones(4))
    with pytest.raises(InputError, match="infinite"):
        combine("av-convex-list", one, np.array([0.0, 1.0, np.inf]))
    with pytest.raises(InputError, match="visual_share"):
        pick("av-union-list", one, one, 2, visual_share=1.5)


def test_scores_select_by_their_streams_and_share() -> None:
    streams = {"visual": np.arange(6.0), "audio": np.arange(6.0)[::-1]}
    scores = make_scores(list(range(6)), rule="av-union-list", streams=streams)
    assert [c.index for c in scores.select(5).clips] == [5, 4, 3, 2, 0]
    half = make_scores(
        list(range(6)), rule="av-union-list", streams=streams, sampler_parameters={"visual_share": 0.5}
    )
    assert [c.index for c in half.select(4).clips] == [5, 4, 0, 1]
