"""The frame asked for is the frame that is given, on every made-up file, by its burnt-in counter."""

from __future__ import annotations

import resource
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from conftest import GetMade
from made_files import MAKERS, MadeFile
from media_files import loop_video, make_video, read_counter
from salientclips.errors import FileMissingError, InputError, SeekMismatchError
from salientclips.media.decode import FrameReader
from salientclips.media.demux import end_time, read_packets, shown_times


def expected_counters(file: MadeFile, times: list[Fraction]) -> list[int]:
    """By the file's truth alone: the last counter whose frame begins no later; rounding of 1 ms allowed."""
    start = Fraction(file.start_s).limit_denominator(1000)
    shown = [start + t for t in file.times]
    return [
        file.counters[max(i for i, s in enumerate(shown) if s <= time + Fraction(2, 1000))] for time in times
    ]


@pytest.mark.parametrize("name", [n for n in MAKERS if n != "flipped_bytes"])
def test_every_counter_in_random_order(made: GetMade, name: str) -> None:
    file = made(name)
    table = read_packets(file.path)
    times = shown_times(table)
    order = np.random.default_rng(1).permutation(len(times))[:12]
    with FrameReader(file.path, table) as reader:
        for i in order:
            (frame,) = reader.frames_at([times[i]])
            assert frame.time == times[i]
            assert read_counter(frame.rgb) == file.counters[i]
        assert reader.decode_failures == 0


@pytest.mark.parametrize(
    "name", ["vfr", "ntsc_mkv", "ts", "edit_list", "late_video", "rotated_90", "mpeg4_avi"]
)
def test_times_between_frames_give_the_frame_on_show(made: GetMade, name: str) -> None:
    file = made(name)
    times = shown_times(read_packets(file.path))
    offsets = (Fraction(1, 100), Fraction(1, 60), Fraction(3, 100))
    asked = [times[i] + offset for i in (3, 40, 41, 55, 17) for offset in offsets]
    with FrameReader(file.path) as reader:
        got = [read_counter(f.rgb) for f in reader.frames_at(asked)]
    zero_based = [t - times[0] + Fraction(file.start_s).limit_denominator(1000) for t in asked]
    assert got == expected_counters(file, zero_based)


def test_clips_ahead_behind_and_overlapping(made: GetMade) -> None:
    file = made("h264_bframes_mp4")
    times = shown_times(read_packets(file.path))
    with FrameReader(file.path) as reader:
        for first in (100, 110, 150, 5, 5, 60, 59):
            clip = times[first : first + 8]
            assert [read_counter(f.rgb) for f in reader.frames_at(clip)] == list(range(first, first + 8))


def test_past_the_end_repeats_the_last_frame(made: GetMade) -> None:
    file = made("vfr")
    table = read_packets(file.path)
    with FrameReader(file.path, table) as reader:
        frames = reader.frames_at([shown_times(table)[-1], end_time(table), end_time(table) + 100])
    assert [read_counter(f.rgb) for f in frames] == [149, 149, 149]


def test_before_the_first_frame(made: GetMade) -> None:
    file = made("late_video")
    times = shown_times(read_packets(file.path))
    with FrameReader(file.path) as reader:
        assert read_counter(reader.frames_at([times[0] - Fraction(1, 100)])[0].rgb) == 0
        with pytest.raises(SeekMismatchError, match=r"0\.200 s"):
            reader.frames_at([Fraction(1, 5)])


@pytest.mark.parametrize("name", ["rotated_90", "rotated_180", "rotated_270"])
def test_pictures_are_upright(made: GetMade, name: str) -> None:
    file = made(name)
    with FrameReader(file.path) as reader:
        rgb = reader.frames_at([Fraction(0)])[0].rgb
    assert rgb.shape == ((240, 320, 3) if file.rotation_deg == 180 else (320, 240, 3))


@pytest.mark.parametrize(
    ("name", "size", "shape"),
    [
        ("h264_mkv", 120, (120, 160, 3)),
        ("rotated_90", 120, (160, 120, 3)),
        ("rotated_90", (64, 48), (64, 48, 3)),
        ("h264_444_odd", 128, (128, 170, 3)),
        ("h264_mkv", (112, 112), (112, 112, 3)),
    ],
)
def test_sizes(made: GetMade, name: str, size: int | tuple[int, int], shape: tuple[int, ...]) -> None:
    file = made(name)
    times = shown_times(read_packets(file.path))
    with FrameReader(file.path, size=size) as reader:
        frame = reader.frames_at([times[33]])[0]
    assert frame.rgb.shape == shape
    assert frame.rgb.dtype == np.uint8
    assert read_counter(frame.rgb) == 33


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "hevc_mp4", "vp9_webm", "mpeg2_ts"])
def test_threads_and_order_do_not_change_a_bit(made: GetMade, name: str) -> None:
    file = made(name)
    times = shown_times(read_packets(file.path))
    asked = [times[i] for i in (2, 30, 31, 50)]
    pictures = []
    for threads, order in ((1, 1), (1, -1), (3, 1), (4, -1)):
        with FrameReader(file.path, threads=threads) as reader:
            single = [reader.frames_at([time])[0].rgb for time in asked[::order]]
        pictures.append(np.stack(single[::order]))
    assert all(np.array_equal(pictures[0], other) for other in pictures[1:])


def test_flipped_bytes_cost_a_few_frames_not_the_clip(made: GetMade) -> None:
    file = made("flipped_bytes")
    times = shown_times(read_packets(file.path))
    with FrameReader(file.path) as reader:
        counters = [read_counter(f.rgb) for f in reader.frames_at(times)]
    right = sum(a == b for a, b in zip(counters, file.counters, strict=True))
    assert right > 80
    assert counters[:30] == list(range(30))


def test_lost_picture_is_replaced_and_counted(data_dir: Path) -> None:
    path = data_dir / "originals" / "corrupted.mp4"
    times = shown_times(read_packets(path))
    with FrameReader(path) as reader:
        frames = reader.frames_at(times)
        assert reader.decode_failures == 1
    lost = [i for i, f in enumerate(frames) if f.time != times[i]]
    assert len(lost) == 1
    assert frames[lost[0]].time == times[lost[0] - 1]


def test_raw_stream_is_decoded_from_its_start(tmp_path: Path) -> None:
    path = make_video(tmp_path / "raw.h264", bframes=2, container="h264")
    times = shown_times(read_packets(path))
    with FrameReader(path) as reader:
        for i in (50, 3, 31, 32):
            assert read_counter(reader.frames_at([times[i]])[0].rgb) == i


@pytest.mark.parametrize("name", ["bt709_full_range.mp4", "bryanyzhu__abseiling_k400.mp4"])
def test_colours_follow_the_stream(data_dir: Path, name: str) -> None:
    """Against the conversion written out: ITU-R BT.601 and BT.709, limited and full range."""
    path = data_dir / "originals" / name
    with FrameReader(path) as reader:
        rgb = reader.frames_at([Fraction(0)])[0].rgb.astype(float)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    is_full, is_709 = "full" in name, "709" in name
    planes = [
        np.frombuffer(p, np.uint8).reshape(p.height, p.line_size)[:, : p.width].astype(float)
        for p in frame.planes
    ]
    y, u, v = planes[0], *(np.kron(p, np.ones((2, 2)))[: rgb.shape[0], : rgb.shape[1]] for p in planes[1:])
    y, scale = (y, 1.0) if is_full else ((y - 16) * 255 / 219, 255 / 224)
    kr, kb = (0.2126, 0.0722) if is_709 else (0.299, 0.114)
    u, v = (u - 128) * scale, (v - 128) * scale
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    expected = np.stack([red, green, blue], axis=-1).clip(0, 255)
    assert np.abs(rgb - expected).mean() < 1.5


def test_memory_is_flat(made: GetMade, tmp_path: Path) -> None:
    long = loop_video(made("h264_bframes_mp4").path, tmp_path / "long.mp4", 30)
    table = read_packets(long)
    times = shown_times(table)
    rng = np.random.default_rng(0)
    with FrameReader(long, table) as reader:
        peaks_kib = []
        for _ in range(2):
            for first in rng.integers(0, len(times) - 8, 15):
                reader.frames_at(times[first : first + 8])
            peaks_kib.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks_kib[1] - peaks_kib[0] < 20_000


def test_bad_arguments(made: GetMade, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        FrameReader(made("h264_mkv").path, threads=0)
    with pytest.raises(InputError):
        FrameReader(made("h264_mkv").path, size=(0, 3))
    with pytest.raises(FileMissingError):
        FrameReader(tmp_path / "absent.mp4")
