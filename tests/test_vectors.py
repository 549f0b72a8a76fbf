"""motion_vectors() and residuals(): both back ends agree, times are true, memory is flat, failures are said."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("salientclips.compressed._native._core", reason="the native extension is not built")

import h264_media
from builders import make_table
from made_files import MadeFile
from salientclips import motion_vectors, residuals
from salientclips.compressed.frame_by_frame import in_display_order
from salientclips.compressed.frame_vectors import FrameVectors
from salientclips.compressed.reader import FeatureReader
from salientclips.errors import FeatureUnavailableError, FileMissingError, InputError, UnknownNameError
from salientclips.media.demux import end_time, read_packets, shown_times
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import FeatureParameters
from vector_encodes import H264, MPEG4, encode_of


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``video("cavlc")`` is the encode of that name."""
    folder = tmp_path_factory.mktemp("vectors")
    return lambda name: encode_of(name, folder)


def sorted_by_place(vectors: np.ndarray) -> np.ndarray:
    return vectors[np.lexsort((vectors["dst_x"], vectors["dst_y"]))]


def assert_equal_records(path: Path, *, whole: bool = True) -> tuple[int, int]:
    """Frames and blocks on which the back ends agree."""
    parsed = list(motion_vectors(path, "bitstream"))
    decoded = {f.time: f for f in motion_vectors(path, "decoded")}
    assert {f.backend for f in parsed} <= {"bitstream"}
    assert {f.backend for f in decoded.values()} <= {"decoded"}
    if whole:
        assert [f.time for f in parsed] == list(decoded)
    blocks = 0
    for frame in parsed:
        if frame.time in decoded:
            theirs = decoded[frame.time].vectors
            assert (sorted_by_place(frame.vectors) == sorted_by_place(theirs)).all(), frame.time_s
            assert (frame.vectors == theirs).all()
            blocks += len(theirs)
    return len(parsed), blocks


# --- vectors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*H264, *MPEG4])
def test_back_ends_agree_block_for_block(name: str, video: Callable[[str], Path]) -> None:
    # FFmpeg hands out the last frame of an MPEG-4 file with B-frames without its vectors.
    frames, blocks = assert_equal_records(video(name), whole=not name.startswith("mpeg4"))
    assert frames > 4
    assert blocks > 200


@pytest.mark.parametrize(
    "name",
    [
        *("originals/flipping_a_pancake.mkv", "originals/nasa_13013.mp4", "originals/h264_10bits.mp4"),
        *("originals/PaddlePaddle__paddle_example.avi", "originals/street_mpeg4_part2.mp4"),
        *("originals/cctv_720p_f124and.avi", "conformance/MR1_BT_A.h264", "conformance/SVA_FM1_E.264"),
    ],
)
def test_back_ends_agree_on_real_files(name: str, data_dir: Path) -> None:
    frames, blocks = assert_equal_records(data_dir / name)
    assert frames > 5
    assert blocks > 1000


@pytest.mark.parametrize("name", ["cabac B", "cavlc", "mpeg4 4MV qpel B"])
def test_times_are_those_of_the_decoded_p_frames(name: str, video: Callable[[str], Path]) -> None:
    with av.open(str(video(name))) as container:
        shown = [(f.pts * f.time_base, f.pict_type) for f in container.decode(video=0)]
    first = shown[0][0]
    truth = [t - first for t, kind in shown if int(kind) == 2]
    found = list(motion_vectors(video(name)))
    assert [f.time for f in found] == truth
    assert [f.time_s for f in found] == [float(t) for t in truth]
    assert {f.frame_type for f in found} == {"P"}


def test_all_frames_without_b_frames_are_parsed(video: Callable[[str], Path]) -> None:
    parsed = list(motion_vectors(video("cabac short"), frames="all"))
    decoded = list(motion_vectors(video("cabac short"), "decoded", "all"))
    assert {f.backend for f in parsed} == {"bitstream"}
    assert [(f.time, f.frame_type) for f in parsed] == [(f.time, f.frame_type) for f in decoded]
    assert [f.frame_type for f in parsed].count("I") == 4
    assert all((a.vectors == b.vectors).all() for a, b in zip(parsed, decoded, strict=True))
    intra = next(f for f in parsed if f.frame_type == "I")
    assert len(intra.vectors) == len(intra.reference_time_s) == 0
    assert intra.vectors.dtype == parsed[1].vectors.dtype


def test_b_frames_are_read_by_the_decoder_only(video: Callable[[str], Path]) -> None:
    path = video("cabac B")
    found = list(motion_vectors(path, frames="all"))
    assert {f.backend for f in found} == {"decoded"}
    assert {f.frame_type for f in found} == {"I", "P", "B"}
    assert [f.time for f in found] == shown_times(read_packets(path))
    assert any((f.vectors["source"] > 0).any() for f in found if f.frame_type == "B")
    with pytest.raises(FeatureUnavailableError, match="B-frames"):
        motion_vectors(path, "bitstream", "all")


def test_real_partitions(video: Callable[[str], Path]) -> None:
    path = video("cavlc")
    small = 0
    for usual, real in zip(motion_vectors(path), motion_vectors(path, sub_8x8=True), strict=True):
        assert usual.vectors["w"].min() >= 8
        assert len(real.reference_time_s) == len(real.vectors)
        small += int(((real.vectors["w"] < 8) | (real.vectors["h"] < 8)).sum())
        area = [int((v["w"].astype(int) * v["h"]).sum()) for v in (usual.vectors, real.vectors)]
        assert area[0] == area[1]
    assert small > 0
    for words in ((path, "decoded"), (video("mpeg4"),), (video("cabac B"), "auto", "all")):
        with pytest.raises(FeatureUnavailableError, match="sub_8x8"):
            motion_vectors(*words, sub_8x8=True)


@pytest.mark.parametrize("name", ["cabac B", "cabac short", "mpeg4 4MV qpel B"])
def test_references_are_frames_shown_before(name: str, video: Callable[[str], Path]) -> None:
    path = video(name)
    times = {float(t) for t in shown_times(read_packets(path))}
    distinct = set()
    for frame in motion_vectors(path):
        assert set(frame.reference_time_s) <= {t for t in times if t < frame.time_s}
        distinct |= {round(frame.time_s - t, 6) for t in frame.reference_time_s}
    assert len(distinct) > (1 if name in H264 else 0)
    for frame in motion_vectors(path, "decoded"):
        assert np.isnan(frame.reference_time_s).all() == (name in H264)


def test_decoded_references_of_mpeg4_are_the_parsed_ones(video: Callable[[str], Path]) -> None:
    path = video("mpeg4 B")
    parsed = {f.time: f.reference_time_s for f in motion_vectors(path, "bitstream")}
    for frame in motion_vectors(path, "decoded"):
        assert np.array_equal(frame.reference_time_s, parsed[frame.time])


def test_arrays_outlive_the_reader(video: Callable[[str], Path]) -> None:
    for backend in ("bitstream", "decoded"):
        kept = list(motion_vectors(video("cabac B"), backend))
        sums = [int(f.vectors["dst_x"].astype(int).sum()) for f in kept]
        again = [int(f.vectors["dst_x"].astype(int).sum()) for f in motion_vectors(video("cabac B"), backend)]
        assert sums == again
        kept[0].vectors["motion_x"] = 7  # the caller's own


def alive_at_once(items: Iterator[FrameVectors]) -> int:
    """The most arrays that anyone but the loop keeps alive."""
    seen: list[weakref.ref[Any]] = []
    most = 0
    for item in items:
        seen.append(weakref.ref(item))
        most = max(most, sum(r() is not None for r in seen))
    return most


@pytest.mark.parametrize("backend", ["bitstream", "decoded"])
def test_memory_does_not_grow(backend: str, made: Callable[[str], MadeFile]) -> None:
    path = made("h264_bframes_mp4").path
    assert sum(1 for _ in motion_vectors(path, backend)) > 40
    assert alive_at_once(motion_vectors(path, backend)) <= 4


# --- what cannot be read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["auto", "bitstream", "decoded"])
def test_codecs_without_vectors_say_so(backend: str, made: Callable[[str], MadeFile]) -> None:
    with pytest.raises(FeatureUnavailableError, match="FFmpeg exports none for hevc"):
        motion_vectors(made("hevc_mp4").path, backend)


def test_mpeg2_is_decoded(made: Callable[[str], MadeFile]) -> None:
    path = made("mpeg2_mpg").path
    warnings: list[str] = []
    found = list(motion_vectors(path, warnings=warnings))
    assert {f.backend for f in found} == {"decoded"}
    assert sum(len(f.vectors) for f in found) > 0
    with pytest.raises(FeatureUnavailableError, match="no bitstream reader for mpeg2video"):
        motion_vectors(path, "bitstream")


def test_broken_frames_are_left_out_and_counted(tmp_path: Path, video: Callable[[str], Path]) -> None:
    path = tmp_path / "broken.mkv"
    data = bytearray(video("cabac short").read_bytes())
    with av.open(str(video("cabac short"))) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    at, size = packets[7]
    payload_begins = data.index(bytes(data[at : at + 1]), at)
    for i in range(size // 3, size - 8):
        data[payload_begins + i] ^= 0x5A
    path.write_bytes(data)
    warnings: list[str] = []
    found = list(motion_vectors(path, "bitstream", warnings=warnings))
    whole = list(motion_vectors(video("cabac short"), "bitstream"))
    assert len(found) == len(whole) - 1
    assert warnings == ["frames that could not be read and were left out: 1"]
    kept = {f.time: f for f in found}
    assert sum(f.time in kept and bool((f.vectors == kept[f.time].vectors).all()) for f in whole) == len(
        found
    )


def test_flipped_bytes_cost_what_they_hit(made: Callable[[str], MadeFile]) -> None:
    table = read_packets(made("flipped_bytes").path)
    is_p = table.is_shown & (table.frame_type == ord("P"))
    truth = sorted(float(table.timeline.time(int(pts))) for pts in table.pts[is_p])
    p_frames = len(truth)
    for backend in ("auto", "decoded"):
        warnings: list[str] = []
        times = [f.time_s for f in motion_vectors(made("flipped_bytes").path, backend, warnings=warnings)]
        found = len(times)
        failed = sum(int(w.rsplit(" ", 1)[1]) for w in warnings if w.startswith("frames that could not"))
        assert found + failed == p_frames
        # The bytes are wrong from 1.7 to 2.4 s; from the next key frame on nothing is lost.
        assert [t for t in times if not 1.75 < t < 2.35] == [t for t in truth if not 1.75 < t < 2.35]
        assert 0 < p_frames - found < 8


def test_the_decoder_takes_over_half_way(tmp_path: Path) -> None:
    pictures = h264_media.moving_picture(21)
    plain = h264_media.encode(
        pictures * 5, "yuv420p", "bframes=0:keyint=250:scenecut=0", annex_b=True
    ).getvalue()
    fields = h264_media.encode(pictures[:8], "yuv420p", "bframes=0:interlaced=1", annex_b=True).getvalue()
    path = tmp_path / "both.264"
    path.write_bytes(plain + fields)
    warnings: list[str] = []
    found = list(motion_vectors(path, warnings=warnings))
    readers = [f.backend for f in found]
    assert readers == ["bitstream"] * 104 + ["decoded"] * 7
    assert any("part of the video was decoded: it holds mbaff pictures" in line for line in warnings)
    alone = list(motion_vectors(path, "decoded"))
    assert [f.time for f in alone] == [f.time for f in found]
    assert all((a.vectors == b.vectors).all() for a, b in zip(alone, found, strict=True))
    with pytest.raises(FeatureUnavailableError, match="mbaff"):
        list(motion_vectors(path, "bitstream"))
    assert [f.backend for f in residuals(path)] == readers


def test_wrong_arguments_are_errors_at_once(video: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="back end 'gpu'"):
        motion_vectors(video("cavlc"), "gpu")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="frames 'B'"):
        motion_vectors(video("cavlc"), frames="B")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 threads"):
        residuals(video("cavlc"), threads=0)
    with pytest.raises(FileMissingError):
        motion_vectors(tmp_path / "none.mp4")


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_display_order(pts: list[int], lost: set[int]) -> None:
    table = make_table("P" * 12, [9] * 12, pts=pts)
    items = ((row, None if row in lost else pts[row]) for row in range(12))
    found = list(in_display_order(items, table, np.ones(12, dtype=np.bool_)))
    assert found == sorted(pts[row] for row in range(12) if row not in lost)


# --- residuals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["bitstream", "decoded"])
@pytest.mark.parametrize("name", ["cabac B", "mpeg4"])
def test_residuals_are_the_features_of_every_p_frame(
    name: str, backend: Any, video: Callable[[str], Path]
) -> None:
    path = video(name)
    found = list(residuals(path, backend))
    table = read_packets(path)
    grid = ClipGrid.from_frame_times(shown_times(table), end_time(table), ClipSpec(5, 1))
    reader = FeatureReader(path, table, grid, backend=backend)
    clips = list(reader.read(FeatureParameters(0, ("md", "rgbr"))))
    rgbr = np.concatenate([c.rgbr for c in clips if c.rgbr is not None and len(c.rgbr)])
    energy = np.concatenate([c.energy for c in clips if c.energy is not None and len(c.energy)])
    assert np.array_equal(np.stack([f.rgb for f in found]), rgbr)
    assert np.array_equal(np.stack([f.energy for f in found]), energy)
    assert {f.backend for f in found} == {backend}
    assert found[0].valid.shape == found[0].energy.shape == found[0].rgb.shape[1:]
    assert found[0].valid.dtype == np.bool_


def test_both_back_ends_see_the_same_residual(tmp_path: Path) -> None:
    """Without loop filter and with one reference, frame minus prediction is what was coded, to rounding."""
    path = tmp_path / "plain.mkv"
    parameters = "cabac=1:8x8dct=1:ref=1:bframes=0:no-deblock=1:weightp=0"
    path.write_bytes(h264_media.encode(h264_media.moving_picture(10), "yuv420p", parameters).getvalue())
    pairs = list(zip(residuals(path, "bitstream"), residuals(path, "decoded"), strict=True))
    assert len(pairs) == 9
    for parsed, decoded in pairs:
        assert parsed.time == decoded.time
        assert (parsed.valid == decoded.valid).all()
        inter = parsed.valid
        assert np.abs(parsed.rgb - decoded.rgb)[:, inter].max() < 1.5
    ours = np.concatenate([p.energy[p.valid] for p, _ in pairs])
    theirs = np.concatenate([d.energy[d.valid] for _, d in pairs])
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98


def test_residuals_without_exported_vectors(made: Callable[[str], MadeFile]) -> None:
    found = list(residuals(made("hevc_mp4").path))
    assert {f.backend for f in found} == {"decoded"}
    with pytest.raises(FeatureUnavailableError, match="no bitstream reader for hevc"):
        residuals(made("hevc_mp4").path, "bitstream")
