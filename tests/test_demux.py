"""The packet table against what libavcodec shows, on made-up and on real files."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from conftest import GetMade
from made_files import MAKERS
from media_files import AudioSpec, loop_video, make_video, remux
from salientclips.errors import NoFramesError
from salientclips.media.container import open_container, video_stream
from salientclips.media.demux import codec_name, end_time, read_packets, shown_times
from salientclips.timeline import Timeline
from salientclips.types import PacketTable

GUESSED = {"h264_bframes_avi", "mpeg4_packed_avi"}
ORIGINALS = [
    "MaskVAT__videos_axe_gt.mp4",
    "PaddlePaddle__paddle_example.avi",
    "QwenLM__qwen-vl-finetune_demo_videos_v_rBMQFpHspmo.mp4",
    "akshay-op__cricket.mp4",
    "av1_video.mkv",
    "book.mkv",
    "bryanyzhu__abseiling_k400.mp4",
    "bryanyzhu__v_Basketball_g01_c01.avi",
    "bt709_full_range.mp4",
    "flipping_a_pancake.mkv",
    "h264_10bits.mp4",
    "h265_10bits.mp4",
    "h265_video.mp4",
    "nasa_13013.mp4",
    "open-mmlab__mma_test.mp4",
    "open-mmlab__mmaction_demo.mp4",
    "street_mpeg4_part2.mp4",
    "unordered.mov",
    "video_0.mov",
    "video_90.mov",
    "video_180.mov",
    "video_270.mov",
]


def decoded_types(path: Path) -> dict[int, str]:
    """Every frame that libavcodec shows: its pts, and its type in this package's reading."""
    letters = {1: "I", 2: "P", 3: "B", 4: "P", 5: "I", 6: "P"}
    frames = {}
    with open_container(path) as container:
        stream = video_stream(container, path)
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            try:
                frames.update({f.pts: letters.get(int(f.pict_type), "?") for f in packet.decode()})
            except av.FFmpegError:
                continue
    return frames


def table_types(table: PacketTable) -> dict[int, str]:
    rows = zip(table.pts, table.frame_type, table.is_shown, strict=True)
    return {int(pts): chr(kind) for pts, kind, is_shown in rows if is_shown}


@pytest.mark.parametrize("name", MAKERS)
def test_table_is_what_the_decoder_shows(made: GetMade, name: str) -> None:
    file = made(name)
    table = read_packets(file.path)
    if not table.pts_is_guessed:
        assert table_types(table) == decoded_types(file.path)
    else:
        assert name in GUESSED
        assert Counter(table_types(table).values()) == Counter(decoded_types(file.path).values())


@pytest.mark.parametrize("name", ORIGINALS)
def test_table_is_what_the_decoder_shows_of_real_files(data_dir: Path, name: str) -> None:
    path = data_dir / "originals" / name
    table = read_packets(path)
    assert table_types(table) == decoded_types(path)
    assert table.warnings == ()


def test_avi_with_bframes_keeps_no_times(data_dir: Path) -> None:
    path = data_dir / "originals" / "cctv_720p_f124and.avi"
    table = read_packets(path)
    assert table.pts_is_guessed
    assert sorted(table_types(table)) == sorted(decoded_types(path))
    assert Counter(table_types(table).values()) == Counter(decoded_types(path).values())


def test_damaged_picture_stays_in_the_table(data_dir: Path) -> None:
    path = data_dir / "originals" / "corrupted.mp4"
    shown, decoded = table_types(read_packets(path)), decoded_types(path)
    lost = set(shown) - set(decoded)
    assert len(lost) == 1
    assert not set(decoded) - set(shown)
    assert shown[lost.pop()] == "?"


@pytest.mark.parametrize("name", MAKERS)
def test_times_are_those_that_were_encoded(made: GetMade, name: str) -> None:
    file = made(name)
    table = read_packets(file.path)
    times = shown_times(table)
    assert len(times) == len(file.times)
    # Matroska and FLV round to milliseconds; MPEG-TS to 1/90000 s.
    assert max(abs(t - times[0] - true) for t, true in zip(times, file.times, strict=True)) <= Fraction(
        1, 1000
    )
    assert float(times[0]) == pytest.approx(file.start_s, abs=0.06)
    assert all(b > a for a, b in pairwise(times))
    assert end_time(table) - times[-1] == pytest.approx(file.times[-1] - file.times[-2], abs=0.0015)


def test_codec_names_are_canonical(made: GetMade) -> None:
    for name in ("av1_mkv", "hevc_mp4", "vp9_webm", "h264_mkv", "mpeg4_avi"):
        file = made(name)
        with open_container(file.path) as container:
            assert codec_name(video_stream(container, file.path)) == file.codec


def test_edit_list_hides_what_was_cut_off(made: GetMade) -> None:
    table = read_packets(made("edit_list").path)
    assert int((~table.is_shown).sum()) == 30
    assert shown_times(table)[0] == 0


def test_ts_does_not_start_at_zero_but_the_timeline_does(made: GetMade) -> None:
    table = read_packets(made("ts").path)
    assert float(table.pts.min() * table.timeline.time_base) > 1.4
    assert shown_times(table)[0] == 0


def test_cut_recordings_say_what_is_lost(made: GetMade) -> None:
    table = read_packets(made("mid_gop_ts").path)
    assert int((~table.is_shown).sum()) == 40
    assert table.warnings == ("frames before the first key frame cannot be decoded: 40",)


@pytest.mark.parametrize("name", ["vp9_webm", "vp8_webm", "hevc_mp4", "h264_bframes_mp4"])
def test_start_without_key_frame(made: GetMade, tmp_path: Path, name: str) -> None:
    path = remux(made(name).path, tmp_path / "cut.mkv", keep=lambda index, packet: index >= 10)
    assert table_types(read_packets(path)) == decoded_types(path)


def test_raw_stream_without_pts_warns_and_keeps_its_order(tmp_path: Path) -> None:
    path = make_video(tmp_path / "raw.h264", bframes=2, container="h264")
    table = read_packets(path)
    assert len(shown_times(table)) == 60
    assert table.warnings == ("the container keeps no display times; single frames may be off by a few",)
    assert table.pts_is_guessed


def test_nothing_to_show(tmp_path: Path) -> None:
    path = make_video(tmp_path / "none.mkv", frames=0, audio=AudioSpec(duration_s=1.0))
    with pytest.raises(NoFramesError, match=r"none\.mkv"):
        read_packets(path)


def test_equal_times_count_once_and_missing_durations_are_guessed() -> None:
    pts = np.array([0, 20, 10, 10, 30], np.int64)
    table = PacketTable(
        Timeline(Fraction(1, 10), Fraction(0)),
        pts,
        np.zeros(5, np.int32),
        np.ones(5, np.int32),
        np.ones(5, np.bool_),
        np.array([True, True, True, True, False]),
        np.full(5, ord("I"), np.uint8),
    )
    assert shown_times(table) == [0, 1, 2]
    assert end_time(table) == 3


def test_progress_rises_to_one(made: GetMade, tmp_path: Path) -> None:
    long = loop_video(made("h264_bframes_mp4").path, tmp_path / "long.mp4", 20)
    shares: list[float] = []
    read_packets(long, progress=shares.append)
    assert len(shares) == 4
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_memory_is_a_few_bytes_a_packet(made: GetMade, tmp_path: Path) -> None:
    long = loop_video(made("h264_bframes_mp4").path, tmp_path / "long.mp4", 100)
    tracemalloc.start()
    table = read_packets(long)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) == 18000
    assert peak_bytes < 100 * len(table)
