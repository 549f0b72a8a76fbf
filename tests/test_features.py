"""The definitions of MD, RGB-R and energy, against answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salientclips.compressed.compensate import predict
from salientclips.compressed.features import (
    VECTOR_DTYPE,
    cell_mean,
    flatten_intra,
    grid_shape,
    rasterise_vectors,
    remove_camera_motion,
    residual_cells,
    turn_grid,
    turn_vectors,
    ycbcr_to_rgb,
)
from salientclips.errors import InputError


def vectors(*blocks):
    """Blocks (left, top, w, h, dx, dy, source): content moved by (dx, dy) pixels, stored in quarters."""
    rows = np.zeros(len(blocks), dtype=VECTOR_DTYPE)
    for row, (left, top, w, h, dx, dy, source) in zip(rows, blocks, strict=True):
        row["w"], row["h"], row["source"] = w, h, source
        row["dst_x"], row["dst_y"] = left + w // 2, top + h // 2
        row["src_x"], row["src_y"] = row["dst_x"] - round(dx), row["dst_y"] - round(dy)
        row["motion_x"], row["motion_y"], row["motion_scale"] = round(-4 * dx), round(-4 * dy), 4
    return rows


def test_one_macroblock_fills_its_cell():
    md, valid = rasterise_vectors(vectors((16, 0, 16, 16, 3.25, -2.0, -1)), 48, 32, 1.0)
    assert md.dtype == np.float32
    assert md.shape == (2, 2, 3)
    assert valid.tolist() == [[False, True, False], [False, False, False]]
    assert md[:, 0, 1].tolist() == [3.25, -2.0]
    assert np.count_nonzero(md) == 2


def test_parts_of_a_cell_count_by_area():
    parts = vectors((0, 0, 16, 8, 4, 0, -1), (0, 8, 8, 8, 0, 8, -1), (8, 8, 8, 8, -4, 0, -1))
    md, valid = rasterise_vectors(parts, 16, 16, 1.0)
    assert valid.all()
    assert md[:, 0, 0].tolist() == [4 * 0.5 - 4 * 0.25, 8 * 0.25]


def test_sub_blocks_of_4_by_4():
    parts = vectors(*[(4 * (i % 4), 4 * (i // 4), 4, 4, i, 0, -1) for i in range(16)])
    md, _ = rasterise_vectors(parts, 16, 16, 1.0)
    assert md[0, 0, 0] == np.mean(range(16))


def test_temporal_distance_divides():
    md, _ = rasterise_vectors(vectors((0, 0, 16, 16, 9, 3, -1)), 16, 16, 3.0)
    assert md[:, 0, 0].tolist() == [3, 1]
    with pytest.raises(InputError, match="temporal distance"):
        rasterise_vectors(vectors(), 16, 16, 0.0)


def test_future_references_do_not_count():
    md, valid = rasterise_vectors(
        vectors((0, 0, 16, 16, 9, 3, 1), (16, 0, 16, 16, 2, 0, -1), (16, 0, 16, 16, 8, 0, 1)), 32, 16, 1.0
    )
    assert valid.tolist() == [[False, True]]
    assert md[0].tolist() == [[0, 2]]


def test_half_covered_is_valid_and_averages_over_the_covered_part():
    md, valid = rasterise_vectors(vectors((0, 0, 8, 16, 6, 0, -1), (16, 0, 8, 8, 6, 0, -1)), 32, 16, 1.0)
    assert valid.tolist() == [[True, False]]
    assert md[0].tolist() == [[6, 0]]


def test_cells_at_the_edge_count_existing_pixels():
    # 20 x 20: the second column has 4 pixels; a block that sticks out covers all of them.
    md, valid = rasterise_vectors(vectors((16, 0, 16, 16, 5, 0, -1)), 20, 20, 1.0)
    assert valid.tolist() == [[False, True], [False, False]]
    assert md[0, 0, 1] == 5


def test_blocks_off_the_grid_and_wide_blocks():
    md, valid = rasterise_vectors(vectors((8, 0, 16, 16, 8, 0, -1), (24, 0, 24, 16, 4, 0, -1)), 48, 16, 1.0)
    assert valid.tolist() == [[True, True, True]]
    assert md[0].tolist() == [[8, 6, 4]]


def test_no_vectors_at_all():
    md, valid = rasterise_vectors(vectors(), 33, 17, 1.0)
    assert md.shape == (2, 2, 3)
    assert not md.any()
    assert not valid.any()


block = st.tuples(
    st.integers(-20, 70),
    st.integers(-20, 50),
    st.sampled_from([4, 8, 16, 32]),
    st.sampled_from([4, 8, 16]),
    st.integers(-9, 9),
    st.integers(-9, 9),
    st.sampled_from([-1, 1]),
)


@given(st.lists(block, max_size=12), st.integers(1, 70), st.integers(1, 50))
@settings(max_examples=80, deadline=None)
def test_rasterising_agrees_with_painting_pixels(blocks, width, height):
    total = np.zeros((3, height, width))
    for left, top, w, h, dx, dy, source in blocks:
        if source < 0:
            ys, xs = slice(max(top, 0), max(top + h, 0)), slice(max(left, 0), max(left + w, 0))
            total[:, ys, xs] += np.array([1, dx, dy])[:, None, None]
    md, valid = rasterise_vectors(vectors(*blocks), width, height, 1.0)
    assert md.shape[1:] == grid_shape(width, height)
    for row, column in np.ndindex(valid.shape):
        part = total[:, row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        covered, area = part[0].sum(), part[0].size
        assert valid[row, column] == (covered >= area / 2)
        expected = part[1:].sum(axis=(1, 2)) / covered if covered >= area / 2 else np.zeros(2)
        np.testing.assert_allclose(md[:, row, column], expected, atol=1e-5)


def test_grey_residual_is_grey_in_every_matrix():
    for matrix in ("bt601", "bt709", "bt2020"):
        luma, chroma = np.full((16, 32), 219.0, np.float32), np.zeros((8, 16), np.float32)
        rgbr, energy = residual_cells((luma, chroma, chroma), ycbcr_to_rgb(matrix, False, 8), 8)
        np.testing.assert_allclose(rgbr, 255.0, rtol=1e-6)
        np.testing.assert_allclose(energy, 219.0**2)


def test_colour_matrix_inverts_the_standard():
    # H.273: full-range BT.709 red is Y = 0.2126, Cb = -0.2126 / 1.8556, Cr = 0.5 of 255.
    red = 255 * np.array([0.2126, -0.2126 / 1.8556, 0.5])
    np.testing.assert_allclose(ycbcr_to_rgb("bt709", True, 8) @ red, [255, 0, 0], atol=1e-3)
    deep = ycbcr_to_rgb("bt709", False, 10) @ (4 * np.array([219, 0, 0]))
    np.testing.assert_allclose(deep, 255, rtol=1e-6)


def test_depth_does_not_change_energy():
    levels = np.random.default_rng(0).integers(-50, 50, (32, 32)).astype(np.float32)
    _, shallow = residual_cells((levels,), ycbcr_to_rgb("bt601", False, 8), 8)
    _, deep = residual_cells((levels * 4,), ycbcr_to_rgb("bt601", False, 10), 10)
    np.testing.assert_allclose(shallow, deep, rtol=1e-6)


@pytest.mark.parametrize(("down", "across"), [(1, 1), (1, 2), (2, 2), (1, 4)])
def test_chroma_of_any_subsampling_lands_in_its_cell(down, across):
    luma = np.zeros((37, 53), np.float32)
    chroma = np.zeros((-(-37 // down), -(-53 // across)), np.float32)
    chroma[16 // down : 32 // down, 32 // across : 48 // across] = 10
    rgbr, _ = residual_cells((luma, chroma, chroma * 0), ycbcr_to_rgb("bt601", True, 8), 8)
    assert rgbr.shape == (3, 3, 4)
    assert np.argwhere(np.abs(rgbr[2]) > 1e-6).tolist() == [[1, 2]]
    assert rgbr[2, 1, 2] == pytest.approx(17.72)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_cell_means_conserve_the_sum(height, width, seed):
    plane = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    mean = cell_mean(plane, 16, 16)
    areas = cell_mean(np.ones_like(plane), 16, 16)
    np.testing.assert_allclose(areas, 1)
    rows = np.minimum(16, height - 16 * np.arange(mean.shape[0]))
    columns = np.minimum(16, width - 16 * np.arange(mean.shape[1]))
    assert (mean * np.outer(rows, columns)).sum() == pytest.approx(plane.sum(), abs=1e-2)


def test_intra_cells_have_the_variance_of_their_picture():
    rng = np.random.default_rng(0)
    luma = rng.integers(0, 256, (20, 40)).astype(np.uint8)
    valid = np.ones((2, 3), dtype=bool)
    valid[0, 1] = valid[1, 2] = False
    rgbr, energy = flatten_intra(
        np.ones((3, 2, 3), np.float32), np.full((2, 3), 7, np.float32), valid, luma, 8
    )
    assert energy[0, 1] == pytest.approx(luma[:16, 16:32].var(), rel=1e-5)
    assert energy[1, 2] == pytest.approx(luma[16:, 32:].var(), rel=1e-5)
    assert (energy[valid] == 7).all()
    assert (rgbr == valid).all()


def test_a_quarter_turn_takes_right_to_down():
    md = np.zeros((2, 2, 3), np.float32)
    md[0, 0, 0] = 5  # top left moves right
    turned = turn_vectors(md, 90)
    assert turned.shape == (2, 3, 2)
    assert turned[:, 0, 1].tolist() == [0, 5]  # top right moves down
    assert turn_vectors(md, 180)[:, 1, 2].tolist() == [-5, 0]
    assert turn_vectors(md, 270)[:, 2, 0].tolist() == [0, -5]
    with pytest.raises(InputError, match="multiple of 90"):
        turn_vectors(md, 45)


@given(st.sampled_from([0, 90, 180, 270]), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_turning_there_and_back(angle, seed):
    md = np.random.default_rng(seed).normal(size=(4, 2, 3, 5)).astype(np.float32)
    np.testing.assert_array_equal(turn_vectors(turn_vectors(md, angle), (360 - angle) % 360), md)
    np.testing.assert_array_equal(turn_grid(turn_grid(md, angle), (360 - angle) % 360), md)
    length = np.hypot(md[:, 0], md[:, 1])
    turned = turn_vectors(md, angle)
    np.testing.assert_array_equal(np.hypot(turned[:, 0], turned[:, 1]), turn_grid(length, angle))


def affine(height, width, zoom, roll, dx, dy):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x - width / 2, y - height / 2
    return np.stack([dx + zoom * x - roll * y, dy + roll * x + zoom * y])


def test_pan_zoom_and_roll_vanish_and_the_object_stays():
    md = affine(20, 30, 0.1, -0.05, 6, -3)
    moving = np.zeros((20, 30), dtype=bool)
    moving[5:11, 8:16] = True
    md[:, moving] += np.array([[7.0], [-4.0]], np.float32)
    left = remove_camera_motion(md, np.ones((20, 30), dtype=bool))
    assert np.abs(left[:, ~moving]).max() < 0.02
    np.testing.assert_allclose(left[0, moving], 7, atol=0.02)
    np.testing.assert_allclose(left[1, moving], -4, atol=0.02)


@given(st.floats(-40, 40), st.floats(-40, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_camera_removal_does_not_see_translation(dx, dy, seed):
    rng = np.random.default_rng(seed)
    md = np.round(rng.normal(scale=3, size=(2, 9, 12)) * 4) / 4
    valid = rng.random((9, 12)) < 0.8
    offset = np.array([dx, dy])[:, None, None]
    np.testing.assert_allclose(
        remove_camera_motion((md + offset).astype(np.float32), valid),
        remove_camera_motion(md.astype(np.float32), valid),
        atol=2e-3,
    )


def test_few_cells_lose_their_median_and_none_is_no_error():
    md = np.full((2, 3, 4), 5, np.float32)
    md[:, 0, 0] = 9
    valid = np.ones((3, 4), dtype=bool)
    left = remove_camera_motion(md, valid)
    assert left[0, 0, 0] == 4
    assert np.count_nonzero(left) == 2
    assert not remove_camera_motion(md, ~valid).any()
    assert remove_camera_motion(np.stack([md, md]), np.stack([valid, ~valid])).shape == (2, 2, 3, 4)
    assert remove_camera_motion(np.zeros((0, 2, 3, 4), np.float32), np.zeros((0, 3, 4), bool)).shape[0] == 0


def test_invalid_cells_stay_zero_and_have_no_say():
    md = np.full((2, 8, 8), 2, np.float32)
    valid = np.ones((8, 8), dtype=bool)
    valid[:3] = False
    md[:, :3] = 0
    assert np.abs(remove_camera_motion(md, valid)).max() < 1e-6


def test_prediction_by_whole_pixels_is_a_shift():
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (60, 80)).astype(np.uint8)
    here, there = whole[10:43, 10:63], whole[7:40, 15:68]  # content moved by (+5, -3) to `here`
    way = np.zeros((2, 5, 7), np.float32)
    way[0], way[1] = 5, -3
    predicted = predict(there, way, 8, 8)
    assert predicted.dtype == np.uint8
    np.testing.assert_array_equal(predicted[:-3, 5:], here[:-3, 5:])
    # beyond the picture, its edge goes on
    np.testing.assert_array_equal(predicted[:-3, :5], np.repeat(there[3:, :1], 5, axis=1))


def test_prediction_between_pixels_is_linear():
    ramp = np.tile(np.arange(0, 160, 4, dtype=np.uint16), (16, 1))
    way = np.zeros((2, 2, 5), np.float32)
    way[0] = 0.25
    predicted = predict(ramp, way, 8, 8)
    assert predicted.dtype == np.uint16
    np.testing.assert_array_equal(predicted[:, 1:], ramp[:, 1:] - 1)


@given(st.floats(-300, 300), st.floats(-300, 300))
@settings(max_examples=30, deadline=None)
def test_prediction_from_far_outside_is_the_edge(dx, dy):
    plane = np.full((20, 24), 77, np.uint8)
    way = np.zeros((2, 3, 3), np.float32)
    way[0], way[1] = dx, dy
    assert (predict(plane, way, 8, 8) == 77).all()
