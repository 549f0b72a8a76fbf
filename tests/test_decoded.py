"""The decoded back end on made-up videos whose motion is known, and on real ones."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from moving_pictures import HEIGHT_PX, WIDTH_PX, shifting, with_square, write_video
from salientclips.compressed.choose import evenly_spread, frames_to_read, stills_to_read
from salientclips.compressed.compensate import predict
from salientclips.compressed.decoded import read_features
from salientclips.compressed.features import VECTOR_DTYPE
from salientclips.compressed.past import displacement_of, guess_references, label_blocks
from salientclips.errors import InputError, SalientClipsError
from salientclips.media.demux import end_time, read_packets, shown_times
from salientclips.media.motion import MotionFrame, StillPicture, read_motion
from salientclips.media.references import find_references, rows_to_feed
from salientclips.timeline import ClipGrid, ClipSpec, Timeline
from salientclips.types import FeatureParameters, PacketTable

WITH_VECTORS = {
    "h264": ("a.mp4", "libx264", {"crf": "18"}, 0),
    "h264_b": ("a.mp4", "libx264", {"crf": "18", "x264-params": "b-pyramid=none"}, 3),
    "mpeg4": ("a.avi", "mpeg4", {"qmin": "2", "qmax": "4"}, 0),
    "mpeg4_b": ("a.mp4", "mpeg4", {"qmin": "2", "qmax": "4"}, 2),
    "mpeg2": ("a.mpg", "mpeg2video", {"qmin": "2", "qmax": "4"}, 0),
    "mpeg2_b": ("a.ts", "mpeg2video", {"qmin": "2", "qmax": "4"}, 2),
}
MATCHED = {
    "hevc": ("a.mp4", "libx265", {"crf": "18", "preset": "ultrafast", "x265-params": "log-level=none"}, 3),
    "vp9": ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, None),
    "mjpeg": ("a.avi", "mjpeg", {"qmin": "2", "qmax": "2"}, None),
}


def make(tmp_path: Path, how, pictures, **more) -> Path:
    name, codec, options, b_frames = how
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return write_video(
        tmp_path / name,
        pictures,
        codec,
        options=options,
        b_frames=b_frames,
        **{"pixel_format": pixel_format, **more},
    )


def read(path: Path, *, frames=1, features=("md", "rgbr"), clip=8, threads=1):
    table = read_packets(path)
    grid = ClipGrid.from_frame_times(shown_times(table), end_time(table), ClipSpec(clip, 1))
    return list(read_features(path, table, grid, FeatureParameters(frames, features), threads=threads))


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        for part in fields(a):
            x, y = getattr(a, part.name), getattr(b, part.name)
            if isinstance(x, np.ndarray):
                np.testing.assert_array_equal(x, y)
            else:
                assert x == y


@pytest.mark.parametrize("how", [*WITH_VECTORS, *MATCHED])
def test_a_shifting_scene_has_its_shift(tmp_path, how):
    path = make(tmp_path, {**WITH_VECTORS, **MATCHED}[how], shifting(3, -2, 24))
    clips = read(path)
    assert [clip.index for clip in clips] == [0, 1, 2]
    for clip in clips:
        assert clip.failures == 0
        assert clip.md.shape == (1, 2, HEIGHT_PX // 16, WIDTH_PX // 16)
        inner = clip.md[0][:, 1:-1, 1:-1]
        np.testing.assert_allclose(np.median(inner, axis=(1, 2)), [3, -2], atol=0.3)
        assert clip.md_valid.mean() > 0.7
        assert np.abs(clip.rgbr[0][:, 1:-1, 1:-1]).mean() < (1.5 if how in WITH_VECTORS else 5)


@pytest.mark.parametrize("how", ["h264", "h264_b", "mpeg4", "mpeg2_b", "hevc", "vp9", "mjpeg"])
def test_a_scene_at_rest_has_neither_motion_nor_residual(tmp_path, how):
    for clip in read(make(tmp_path, {**WITH_VECTORS, **MATCHED}[how], shifting(0, 0, 16))):
        assert len(clip.times) == 1
        assert np.abs(clip.md).mean() < 0.02
        assert np.abs(clip.rgbr).mean() < 0.5
        assert clip.energy.mean() < 4


def test_vectors_to_older_pictures_are_told_apart():
    rng = np.random.default_rng(0)
    nearest, older = (rng.integers(0, 256, (64, 64)).astype(np.uint8) for _ in range(2))
    vectors = np.zeros(3, dtype=VECTOR_DTYPE)
    vectors["source"], vectors["motion_scale"], vectors["motion_x"] = -1, 4, -4 * 5
    vectors["w"], vectors["h"] = [16, 16, 8], [16, 8, 8]
    vectors["dst_x"], vectors["dst_y"] = [24, 40, 52], [24, 20, 20]
    frame = np.roll(nearest, 5, axis=1)
    frame[16:24, 32:48] = np.roll(older, 5, axis=1)[16:24, 32:48]
    labels = label_blocks(vectors, 64, 64)
    assert labels[2:4, 2:4].tolist() == [[0, 0], [0, 0]]
    assert labels[2, 4:7].tolist() == [1, 1, 2]
    assert (labels >= 0).sum() == 7
    way = displacement_of(vectors, labels)
    assert way[:, 2, 2].tolist() == [5, 0]
    difference = np.subtract(frame, predict(nearest, way, 8, 8), dtype=np.float32)
    chosen = guess_references(frame, [nearest, older], difference, way, labels, 3, 8)
    assert chosen.tolist() == [0, 1, 0]
    assert guess_references(frame, [nearest], difference, way, labels, 3, 8).tolist() == [0, 0, 0]


@pytest.mark.parametrize("how", ["h264", "mpeg4", "hevc"])
def test_a_moving_square_stands_out(tmp_path, how):
    clips = read(make(tmp_path, {**WITH_VECTORS, **MATCHED}[how], with_square(16, 4), gop=30))
    clip = clips[0]
    frame = round(float(clip.times[0]) * 25)
    left = 16 + 4 * frame
    inside = clip.md[0, 0, 3:5, -(-left // 16) : (left + 48) // 16]
    # On the small pictures, cells at the rim of the square see its surroundings too.
    np.testing.assert_allclose(inside, 4, atol=0.8 if how in WITH_VECTORS else 1.9)
    assert np.abs(clip.md[0, :, 7:]).max() < 0.3


def test_residual_is_what_the_reference_lacks(tmp_path):
    # Brightness rises by 6 levels a frame on a flat picture: nothing moves, the residual is the step.
    pictures = (np.full((HEIGHT_PX, WIDTH_PX, 3), 60 + 6 * i, np.uint8) for i in range(8))
    how = ("a.mp4", "libx264", {"crf": "1", "x264-params": "weightp=0"}, 0)
    clip = read(make(tmp_path, how, pictures), frames=0)[0]
    assert len(clip.times) == 7
    covered = np.broadcast_to(clip.md_valid[:, None], clip.rgbr.shape)
    assert covered.any()
    np.testing.assert_allclose(clip.rgbr[covered], 6, atol=1.7)
    np.testing.assert_allclose(clip.energy[clip.md_valid].mean(), (6 * 219 / 255) ** 2, rtol=0.2)


def test_depth_and_odd_sizes(tmp_path):
    pictures = [p[:101, :161] for p in shifting(2, 1, 8)]
    how = ("a.mkv", "libx264", {"crf": "14"}, 0)
    shallow = read(make(tmp_path, how, pictures, pixel_format="yuv444p"))[0]
    deep = read(make(tmp_path, ("b.mkv", *how[1:]), pictures, pixel_format="yuv444p10le"))[0]
    assert shallow.md.shape == deep.md.shape == (1, 2, 7, 11)
    for clip in (shallow, deep):
        np.testing.assert_allclose(np.median(clip.md[0, :, 1:-1, 1:-1], axis=(1, 2)), [2, 1], atol=0.3)
    assert deep.energy.mean() == pytest.approx(shallow.energy.mean(), rel=0.5)


def test_rotation_turns_cells_and_directions(tmp_path, monkeypatch):
    path = make(tmp_path, WITH_VECTORS["h264"], shifting(3, 0, 8))
    plain = read(path, features=("md", "rgbr", "if"))[0]
    monkeypatch.setattr("salientclips.media.motion.rotation_deg", lambda _frame: 90)
    turned = read(path, features=("md", "rgbr", "if"))[0]
    assert turned.md.shape == (1, 2, 12, 8)
    np.testing.assert_array_equal(turned.md[0, 1], np.rot90(plain.md[0, 0], -1))
    np.testing.assert_array_equal(turned.energy[0], np.rot90(plain.energy[0], -1))
    np.testing.assert_array_equal(turned.iframes[0, 0], np.rot90(plain.iframes[0, 0], -1))


def test_i_frames_are_those_of_the_clip_or_the_last_before(tmp_path):
    path = make(tmp_path, WITH_VECTORS["h264_b"], shifting(1, 0, 48), gop=24)
    clips = read(path, features=("if",))
    assert [c.iframes.shape for c in clips] == [(1, 3, 224, 336)] * 6
    assert all(c.md is None and c.rgbr is None and c.failures == 0 for c in clips)
    np.testing.assert_array_equal(clips[0].iframes, clips[2].iframes)
    assert (clips[2].iframes != clips[3].iframes).any()


@pytest.mark.parametrize("how", ["h264_b", "mpeg4_b", "hevc", "vp9"])
def test_threads_and_repetition_change_nothing(tmp_path, how):
    path = make(tmp_path, {**WITH_VECTORS, **MATCHED}[how], with_square(24, 3))
    first = read(path, features=("md", "rgbr", "if"))
    for threads in (1, 2, 4):
        assert_same(first, read(path, features=("md", "rgbr", "if"), threads=threads))


def reference_pass(path, rows):
    """Vectors and luma of some rows by a plain full decode, without skipping anything."""
    found = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        context.options = {"flags2": "+export_mvs", "skip_loop_filter": "all"}
        context.thread_type, context.thread_count = "SLICE", 1
        row = 0
        for packet in container.demux(stream):
            if packet.size:
                packet.pts, row = row, row + 1
            for frame in packet.decode():
                if frame.pts in rows:
                    vectors = frame.side_data.get("MOTION_VECTORS")
                    plane = frame.planes[0]
                    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                    luma = lines[: plane.height, : plane.width].copy()
                    found[frame.pts] = (None if vectors is None else vectors.to_ndarray().copy(), luma)
    return found


@pytest.mark.parametrize("options", [{}, {"x264-params": "open-gop=1"}, {"x264-params": "intra-refresh=1"}])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_skipping_gives_what_a_full_decode_gives(tmp_path, options, b_frames):
    how = ("a.mkv", "libx264", {"crf": "26", **options}, b_frames)
    path = make(tmp_path, how, with_square(70, 1), gop=16)
    table = read_packets(path)
    references = find_references(table)
    rows = {int(r) for r in np.flatnonzero(references.anchor >= 0)[::5]}
    assert len(rows) > 3
    full = reference_pass(path, rows)
    seen = set()
    for item in read_motion(path, table, rows):
        assert isinstance(item, MotionFrame)
        vectors, luma = full[item.row]
        np.testing.assert_array_equal(item.vectors, vectors)
        np.testing.assert_array_equal(item.planes[0], luma)
        seen.add(item.row)
    assert seen == rows


def test_only_what_is_needed_is_decoded(tmp_path):
    path = make(tmp_path, WITH_VECTORS["h264"], shifting(1, 0, 48), gop=12)
    table = read_packets(path)
    feed = rows_to_feed(table, frozenset({2, 24}))
    assert np.flatnonzero(feed).tolist() == [0, 1, 2, 24]
    items = list(read_motion(path, table, [2], stills=[24]))
    assert [type(i) for i in items] == [MotionFrame, StillPicture]
    assert not rows_to_feed(table, frozenset()).any()


def test_flipped_bytes_cost_frames_and_nothing_else(tmp_path):
    path = make(tmp_path, WITH_VECTORS["h264"], shifting(1, 1, 96), gop=12)
    clean = read(path, frames=0)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(len(data) // 4, len(data) // 2, 200):
        data[at] ^= 0xFF
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    clips = read(broken, frames=0)
    assert len(clips) == len(clean)
    assert sum(c.failures for c in clips) > 0
    assert sum(len(c.times) for c in clips) + sum(c.failures for c in clips) == sum(
        len(c.times) for c in clean
    )
    np.testing.assert_array_equal(clips[-1].md, clean[-1].md)


def test_progress_ends_at_one_and_bad_counts_are_refused(tmp_path):
    path = make(tmp_path, WITH_VECTORS["h264"], shifting(0, 0, 16))
    table = read_packets(path)
    grid = ClipGrid.from_frame_times(shown_times(table), end_time(table), ClipSpec(8, 1))
    seen = []
    list(read_features(path, table, grid, FeatureParameters(1), progress=seen.append))
    assert seen == [0.5, 1.0]
    with pytest.raises(InputError, match="frames per clip"):
        list(read_features(path, table, grid, FeatureParameters(-1)))


def table_of(types: str, pts=None) -> PacketTable:
    n = len(types)
    stamps = np.arange(n) if pts is None else np.array(pts)
    return PacketTable(
        Timeline(Fraction(1, 10), Fraction(0)),
        stamps.astype(np.int64),
        np.ones(n, np.int32),
        np.ones(n, np.int32),
        np.array([c == "I" for c in types]),
        np.ones(n, np.bool_),
        np.frombuffer(types.encode(), np.uint8),
    )


def spans(*ends: int) -> ClipGrid:
    return ClipGrid.from_spans((Fraction(a, 10), Fraction(b, 10)) for a, b in pairwise(ends))


@pytest.mark.parametrize(
    ("types", "pts", "count", "expected"),
    [
        ("IPPPPPPP", None, 1, [[2], [6]]),
        ("IPPPPPPP", None, 2, [[1, 3], [5, 7]]),
        ("IPPPPPPP", None, 0, [[1, 2, 3], [4, 5, 6, 7]]),
        ("IPBBPBBB", [0, 3, 1, 2, 7, 4, 5, 6], 0, [[1], [4]]),
        ("IIIIIIII", None, 2, [[1, 3], [5, 7]]),
        ("????????", None, 1, [[2], [6]]),
        ("IBBBBBBB", None, 1, [[2], [6]]),
        ("IPPPBBBB", None, 1, [[2], []]),
        ("IPPPIBBB", None, 1, [[2], [4]]),
    ],
)
def test_which_frames_are_read(types, pts, count, expected):
    rows = frames_to_read(table_of(types, pts), spans(0, 4, 8), count)
    assert [r.tolist() for r in rows] == expected


def test_which_still_pictures_are_read():
    rows = stills_to_read(table_of("IPPPPPIP"), spans(0, 3, 5, 8), 1)
    assert [r.tolist() for r in rows] == [[0], [0], [6]]
    rows = stills_to_read(table_of("PPPPPPIP"), spans(0, 3, 5, 8), 1)
    assert [r.tolist() for r in rows] == [[], [], [6]]


def test_still_pictures_are_key_frames_where_there_are_any():
    table = table_of("IPPPIPPP")
    key = replace(table, is_key=np.arange(8) == 0)
    assert [r.tolist() for r in stills_to_read(key, spans(0, 3, 8), 1)] == [[0], [0]]
    # nothing else is decoded for them then
    assert np.flatnonzero(rows_to_feed(key, frozenset({0}))).tolist() == [0]
    none = replace(table, is_key=np.zeros(8, dtype=np.bool_))
    assert [r.tolist() for r in stills_to_read(none, spans(0, 3, 8), 1)] == [[0], [4]]


def test_evenly_spread_takes_centres():
    rows = np.arange(10, dtype=np.int64)
    assert evenly_spread(rows, 1).tolist() == [5]
    assert evenly_spread(rows, 2).tolist() == [2, 7]
    assert evenly_spread(rows, 5).tolist() == [1, 3, 5, 7, 9]
    assert evenly_spread(rows, 99).tolist() == rows.tolist()


ORIGINALS = (
    Path(os.environ.get("SALIENTCLIPS_DATA", Path(__file__).parents[2] / "shared" / "data")) / "originals"
)
NAMES = sorted(p.name for p in ORIGINALS.glob("*")) if ORIGINALS.is_dir() else ["(absent)"]


@pytest.mark.parametrize("name", NAMES)
def test_real_files(name):
    if not ORIGINALS.is_dir():
        pytest.skip(f"the real videos are not at {ORIGINALS}")
    clips = read(ORIGINALS / name, clip=32)
    assert clips
    assert sum(len(c.times) for c in clips) >= 0.9 * len(clips)
    assert sum(c.failures for c in clips) == 0
    for clip in clips:
        assert np.isfinite(clip.md).all()
        assert np.abs(clip.md).max(initial=0) < 300
        assert np.abs(clip.rgbr).max(initial=0) <= 400
        assert (clip.energy >= 0).all()


@pytest.mark.parametrize("name", ["nothing.mp4", "."])
def test_a_missing_file_is_a_typed_error(tmp_path, name):
    table = table_of("IPPP")
    with pytest.raises(SalientClipsError, match=r"directory|not exist"):
        list(read_features(tmp_path / name, table, spans(0, 4), FeatureParameters(1)))
