"""The native forms of cells and camera motion, held against the numpy ones that define them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

_core = pytest.importorskip(
    "salientclips.compressed._native._core", reason="the native extension is not built"
)

import vector_encodes  # noqa: E402
from salientclips.compressed import bitstream, block_matching, camera, features  # noqa: E402
from salientclips.media.demux import read_packets  # noqa: E402
from salientclips.media.payloads import read_facts, read_payloads  # noqa: E402
from salientclips.media.vectors import VECTOR_DTYPE  # noqa: E402
from salientclips.samplers.baselines import Motion  # noqa: E402
from salientclips.verbs.score import score  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encodes")


# --- cells ----------------------------------------------------------------------------------------------------

inside_a_cell = st.sampled_from([(16, 16), (16, 8), (8, 16), (8, 8), (4, 8), (8, 4), (4, 4)])
anywhere = st.tuples(st.sampled_from([4, 8, 16, 32, 255]), st.sampled_from([4, 8, 16, 48]))


@st.composite
def records(draw: st.DrawFn, aligned: bool) -> npt.NDArray[np.void]:
    count = draw(st.integers(0, 30))
    found = np.zeros(count, dtype=VECTOR_DTYPE)
    for record in found:
        w, h = draw(inside_a_cell if aligned else anywhere)
        if aligned:
            left = 16 * draw(st.integers(-1, 5)) + w * draw(st.integers(0, 16 // w - 1))
            top = 16 * draw(st.integers(-1, 4)) + h * draw(st.integers(0, 16 // h - 1))
        else:
            left, top = draw(st.integers(-40, 90)), draw(st.integers(-40, 70))
        record["source"] = draw(st.sampled_from([-1, -1, -1, 1]))
        record["w"], record["h"] = w, h
        record["dst_x"], record["dst_y"] = left + w // 2, top + h // 2
        record["motion_x"], record["motion_y"] = draw(st.integers(-999, 999)), draw(st.integers(-999, 999))
        record["motion_scale"] = draw(st.sampled_from([0, 1, 2, 4]))
    return found


@given(records(aligned=True), st.integers(1, 80), st.integers(1, 66), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_blocks_of_a_codec_give_the_same_bits(
    vectors: npt.NDArray[np.void], width: int, height: int, most: int
) -> None:
    distances = 1 + np.arange(len(vectors), dtype=np.int64) % most
    md, valid = features.rasterise_vectors(vectors, width, height, distances)
    expected, covered = features.rasterise_in_numpy(vectors, width, height, distances)
    assert md.dtype == expected.dtype
    assert valid.dtype == covered.dtype
    assert np.array_equal(valid, covered)
    assert np.array_equal(md, expected)


@given(records(aligned=False), st.integers(1, 80), st.integers(1, 66))
@settings(max_examples=150, deadline=None)
def test_blocks_that_straddle_cells_agree_to_rounding(
    vectors: npt.NDArray[np.void], width: int, height: int
) -> None:
    md, valid = features.rasterise_vectors(vectors, width, height, 2)
    expected, covered = features.rasterise_in_numpy(vectors, width, height, 2)
    assert np.array_equal(valid, covered)
    assert np.allclose(md, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", [*vector_encodes.H264, *vector_encodes.MPEG4])
def test_a_reader_that_reduces_gives_what_numpy_makes_of_its_pictures(
    name: str, threads: int, folder: Path
) -> None:
    path = vector_encodes.encode_of(name, folder)
    facts, table = read_facts(path), read_packets(path)
    wanted = table.frame_type == ord("P")
    maker = bitstream.FeatureMaker(facts, table)
    pairs = zip(
        bitstream.read_frames(path, facts, table, wanted, threads),
        bitstream.read_pictures(path, facts, wanted),
        strict=True,
    )
    compared = 0
    for (row, found), (same_row, picture) in pairs:
        assert row == same_row
        assert found is not None
        assert picture is not None
        expected = maker.features(picture)
        for plane in ("md", "valid", "rgbr", "energy"):
            assert np.array_equal(getattr(found, plane), getattr(expected, plane)), plane
        compared += 1
    assert compared == wanted.sum() > 4


def test_a_picture_smaller_than_the_grid_is_left_out(folder: Path) -> None:
    path = vector_encodes.encode_of("cavlc", folder)
    facts = read_facts(path)
    packets = list(read_payloads(path))
    positions, to_rgb = np.arange(len(packets)), np.eye(3, dtype=np.float32)
    wanted = np.ones(len(packets), dtype=np.bool_)
    grid = _core.CellGrid(facts.width_px + 16, facts.height_px, positions, to_rgb)
    results = _core.H264Reader(facts.extradata).features(packets, wanted, grid)
    assert len(results) == len(packets)
    assert all(result.md is None for result in results)
    with pytest.raises(ValueError, match="length"):
        _core.H264Reader(facts.extradata).features(packets, wanted[1:], grid)
    with pytest.raises(ValueError, match="size"):
        _core.CellGrid(0, 16, positions, to_rgb)


@pytest.mark.parametrize("name", ["cabac B", "mpeg4 4MV qpel B"])
def test_scores_do_not_depend_on_threads(name: str, folder: Path) -> None:
    path = vector_encodes.encode_of(name, folder)
    one, three = (score(path, Motion(0), threads=threads, backend="bitstream") for threads in (1, 3))
    assert np.array_equal(one.scores, three.scores)


# --- the camera -----------------------------------------------------------------------------------------------

AGREEMENT_PX = 1e-4
"""The sums of the two forms are taken in other orders; what is left differs by the rounding of float32."""


@given(
    st.integers(1, 12),
    st.integers(1, 16),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    st.sampled_from([0.0, 0.25, 3.0]),
)
@settings(max_examples=200, deadline=None)
def test_both_fits_find_the_same_camera(
    height: int, width: int, seed: int, share_valid: float, noise_px: float
) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    pan, zoom, turn = rng.normal(0, 4, 2), rng.normal(0, 3), rng.normal(0, 1)
    field = np.stack([pan[0] + zoom * columns - turn * rows, pan[1] + zoom * rows + turn * columns])
    field += rng.normal(0, 1, field.shape) * noise_px
    field[:, : height // 3, : width // 3] += 7  # something that moves by itself
    md = (np.round(field * 4) / 4).astype(np.float32)
    valid = rng.random((height, width)) < share_valid
    found, expected = camera.remove_camera_motion(md, valid), camera.remove_in_numpy(md, valid)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert np.abs(found - expected).max(initial=0) < AGREEMENT_PX
    assert not found[:, ~valid].any()


def test_several_fields_at_once_give_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    md = rng.normal(0, 3, (5, 2, 9, 12)).astype(np.float32)
    valid = rng.random((5, 9, 12)) < 0.8
    together = camera.remove_camera_motion(md, valid)
    for i in range(5):
        assert np.array_equal(together[i], camera.remove_camera_motion(md[i], valid[i]))
    turned = np.rot90(md, axes=(-2, -1))  # not contiguous
    assert np.array_equal(
        camera.remove_camera_motion(turned, np.rot90(valid, axes=(-2, -1))),
        camera.remove_camera_motion(np.ascontiguousarray(turned), np.rot90(valid, axes=(-2, -1)).copy()),
    )
    with pytest.raises(ValueError, match="valid"):
        _core.remove_camera_motion(md, valid[:4])


def test_numpy_takes_over_where_the_extension_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    md, valid = rng.normal(0, 3, (2, 9, 12)).astype(np.float32), rng.random((9, 12)) < 0.8
    vectors = np.zeros(1, dtype=VECTOR_DTYPE)
    vectors["source"], vectors["w"], vectors["h"], vectors["motion_x"] = -1, 16, 16, 12
    vectors["dst_x"], vectors["dst_y"] = 8, 8
    with_extension = features.rasterise_vectors(vectors, 16, 16, 3)
    for module in (camera, features):
        monkeypatch.setattr(module, "extension", lambda: None)
    assert np.array_equal(camera.remove_camera_motion(md, valid), camera.remove_in_numpy(md, valid))
    without = features.rasterise_vectors(vectors, 16, 16, 3)
    assert [a.tolist() for a in without] == [a.tolist() for a in with_extension]
    assert without[0][0, 0, 0] == -4  # 12 pixels in 3 frames


# --- block matching -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 3), (33, 47), (64, 84), (8, 400)])
@pytest.mark.parametrize("how", ["apart", "shifted", "flat"])
def test_block_matching_gives_the_same_bits(
    shape: tuple[int, int], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, shape).astype(np.uint8)
    reference = rng.integers(0, 256, shape).astype(np.uint8)
    if how == "shifted":
        reference = np.roll(frame, (1, -2), (0, 1))
    elif how == "flat":  # all ways cost the same: the bias and the order decide
        frame[:], reference[:] = 9, 9
    native = block_matching.match_blocks(frame, reference)
    monkeypatch.setattr(block_matching, "extension", lambda: None)
    for one, other in zip(native, block_matching.match_blocks(frame, reference), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_pictures_that_do_not_fit_together_are_refused() -> None:
    frame, bias = np.zeros((8, 8), np.uint8), np.zeros((13, 13), np.float32)
    with pytest.raises(ValueError, match="whole cells"):
        _core.match_cells(frame, np.zeros((8, 8), np.uint8), bias)
    with pytest.raises(ValueError, match="whole cells"):
        _core.match_cells(frame, np.zeros((20, 20), np.uint8), bias[:5])
