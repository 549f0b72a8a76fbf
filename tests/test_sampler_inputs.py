"""What networks are shown: sizes, units, empty clips, and that motion is equally long in every resolution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_features
from learned_samplers import random_clips
from salientclips.errors import InputError
from salientclips.samplers.card import RULES, STREAMS
from salientclips.samplers.inputs import normalise, resize_area, stream_input, without_repeats
from salientclips.types import ClipFeatures

WITH_NETWORKS = tuple(s for s in STREAMS if s not in RULES)


def test_shapes_and_types() -> None:
    (clip,) = random_clips(1, frames=3, rows=68, columns=120)
    shapes = {s: stream_input(clip, s).shape for s in WITH_NETWORKS}
    assert shapes == {
        "md": (3, 2, 14, 25),
        "rgbr": (3, 3, 14, 25),
        "if": (1, 3, 224, 256),
        "stats": (1, 66, 1, 1),
        "audio": (1, 1, 40, 200),
    }
    assert {stream_input(clip, s).dtype for s in WITH_NETWORKS} == {np.dtype(np.float32)}
    assert stream_input(clip, "md", short_side_cells=7).shape == (3, 2, 7, 12)


def test_nothing_read_is_no_frame() -> None:
    empty = ClipFeatures(0, (), None, None, None, None)
    collected = ClipFeatures(
        0,
        (),
        np.zeros((0, 2, 0, 0), np.float32),
        np.zeros((0, 0, 0), np.bool_),
        np.zeros((0, 3, 0, 0), np.float32),
        np.zeros((0, 0, 0), np.float32),
        np.zeros((0, 3, 0, 0), np.uint8),
    )
    for clip in (empty, collected):
        assert {s: stream_input(clip, s).shape for s in WITH_NETWORKS} == {
            "md": (0, 2, 14, 14),
            "rgbr": (0, 3, 14, 14),
            "if": (0, 3, 224, 224),
            "stats": (0, 66, 1, 1),
            "audio": (0, 1, 40, 200),
        }


@pytest.mark.parametrize(("rows", "columns"), [(14, 14), (68, 120), (135, 240), (7, 9), (30, 17), (1, 1)])
def test_motion_across_the_picture_is_equally_long_in_every_resolution(rows: int, columns: int) -> None:
    # everything moves by a tenth of the shorter side of the picture
    field = np.full((1, 2, rows, columns), 0.1 * 16 * min(rows, columns))
    shown = stream_input(make_features(0, field), "md")
    np.testing.assert_allclose(shown, 22.4, rtol=1e-5)


def test_intra_cells_do_not_move() -> None:
    field = np.full((1, 2, 14, 14), 3.0)
    valid = np.zeros((1, 14, 14), dtype=np.bool_)
    valid[0, 2, 5] = True
    shown = stream_input(make_features(0, field, valid=valid), "md")
    assert np.argwhere(shown).tolist() == [[0, 0, 2, 5], [0, 1, 2, 5]]
    assert shown[0, :, 2, 5].tolist() == [3.0, 3.0]


def test_levels_are_kept() -> None:
    (clip,) = random_clips(1)
    assert clip.rgbr is not None
    even = replace(clip, rgbr=np.full_like(clip.rgbr, -3.5), iframes=np.full((2, 3, 224, 300), 200, np.uint8))
    np.testing.assert_allclose(stream_input(even, "rgbr"), -3.5, rtol=1e-6)
    assert (stream_input(even, "if") == 200).all()
    assert np.array_equal(stream_input(clip, "audio")[0, 0], np.asarray(clip.mel))


@settings(max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 30), st.integers(0, 5))
def test_resizing_keeps_the_mean_the_range_and_the_order(
    rows: int, columns: int, side: int, seed: int
) -> None:
    frames = np.random.default_rng(seed).normal(size=(2, 1, rows, columns)).astype(np.float32)
    found = resize_area(frames, side)
    height, width = found.shape[2:]
    assert min(height, width) == side or max(height, width) == 8 * side
    assert (height <= width) == (rows <= columns) or height == width
    np.testing.assert_allclose(found.mean((2, 3)), frames.mean((2, 3)), atol=1e-4)
    assert found.min() >= frames.min() - 1e-5
    assert found.max() <= frames.max() + 1e-5
    # mirrored in, mirrored out: no cell is favoured
    np.testing.assert_allclose(resize_area(frames[..., ::-1], side)[..., ::-1], found, atol=1e-5)


def test_repeats_are_left_out_and_their_places_known() -> None:
    a, b = np.zeros((3, 4, 5), np.float32), np.ones((3, 4, 5), np.float32)
    wide = np.zeros((3, 4, 6), np.float32)
    given = [a, a.copy(), b, b, a, wide, wide]
    kept, places = without_repeats(given)
    assert [one.shape for one in kept] == [(3, 4, 5), (3, 4, 5), (3, 4, 5), (3, 4, 6)]
    assert places.tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert all(np.array_equal(kept[place], one) for place, one in zip(places, given, strict=True))
    nothing, of_nothing = without_repeats([])
    assert nothing == []
    assert of_nothing.shape == (0,)


def test_halving_is_the_mean_of_four() -> None:
    frames = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
    expected = frames.reshape(1, 2, 2, 2, 2, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(resize_area(frames, 2), expected)


def test_a_strip_is_squeezed() -> None:
    assert resize_area(np.zeros((1, 1, 2, 4000), np.float32), 14).shape == (1, 1, 14, 112)


def test_normalising() -> None:
    frames = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    found = normalise(frames, (1.0, 2.0), (2.0, 4.0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0, 0], (frames[0, 0] - 1) / 2)
    np.testing.assert_allclose(found[0, 1], (frames[0, 1] - 2) / 4)


@pytest.mark.parametrize(("mean", "std"), [((0,), (1,)), ((0, 0), (1,)), ((0, 0), (1, 0)), ((0, 0), (1, -1))])
def test_normalising_needs_one_of_each_a_channel(mean: Any, std: Any) -> None:
    with pytest.raises(InputError, match="2 channels"):
        normalise(np.zeros((1, 2, 7, 7), np.float32), mean, std)


def test_a_side_of_nothing() -> None:
    with pytest.raises(InputError, match="0 cells"):
        stream_input(random_clips(1)[0], "md", short_side_cells=0)
