"""The main job on whole files: right times, the same result every time, real videos, flat memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import GetMade
from made_files import MAKERS
from media_files import loop_video, make_video, read_counter
from salientclips import probe, score
from salientclips.cli.run import run
from salientclips.compressed import bitstream
from salientclips.compressed.reader import Backend
from salientclips.errors import FeatureUnavailableError
from salientclips.media.decode import FrameReader
from salientclips.samplers import DEFAULT_SAMPLER, CumulativeMotion, Motion

REAL = (
    "MaskVAT__videos_axe_gt.mp4",
    "QwenLM__qwen-vl-finetune_demo_videos_v_rBMQFpHspmo.mp4",
    "PaddlePaddle__paddle_example.avi",
    "av1_video.mkv",
    "book.mkv",
    "bryanyzhu__v_Basketball_g01_c01.avi",
    "cctv_720p_f124and.avi",
    "corrupted.mp4",
    "flipping_a_pancake.mkv",
    "h264_10bits.mp4",
    "h265_10bits.mp4",
    "h265_video.mp4",
    "nasa_13013.mp4",
    "street_mpeg4_part2.mp4",
    "unordered.mov",
    "video_270.mov",
)
BACK_ENDS: tuple[Backend, ...] = ("bitstream", "decoded")
READABLE = {"h264", "mpeg4"}
WITH_PRIMING = ("aac_ts",)


@pytest.mark.parametrize("name", [n for n in MAKERS if n != "flipped_bytes"])
def test_a_clip_starts_on_the_frame_of_its_start_time(made: GetMade, name: str) -> None:
    """Half a frame of error would show another counter."""
    file = made(name)
    scores = score(file.path, "uniform")
    frames = len(file.counters)
    firsts = list(range(0, frames, 32))
    if len(firsts) > 1 and frames - firsts[-1] < 16:
        firsts.pop()
    assert len(scores) == len(firsts)
    with FrameReader(file.path) as reader:
        shown = [read_counter(f.rgb) for f in reader.frames_at(scores.grid.starts)]
    assert shown == [file.counters[i] for i in firsts]
    times = [float(file.times[i]) for i in firsts]
    # the container's rounding to milliseconds or ticks of 90 kHz, well below half a frame
    assert scores.grid.start_s - scores.grid.start_s[0] == pytest.approx(times, abs=0.002)
    # coded sound may begin a priming block (21 ms of AAC) before the pictures, and the timeline with it
    late = scores.grid.start_s[0] - file.start_s
    assert 0 <= late < 0.03 if name in WITH_PRIMING else late == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("backend", ["bitstream", "decoded"])
@pytest.mark.parametrize("name", ["h264_bframes_mp4", "mpeg4_avi", "ts", "rotated_90", "h264_open_gop"])
def test_the_same_bits_twice_and_with_any_threads(made: GetMade, name: str, backend: Backend) -> None:
    path = made(name).path
    runs = [score(path, threads=threads, backend=backend) for threads in (1, 1, 2, 4)]
    assert all(again == runs[0] for again in runs)


@pytest.mark.parametrize("name", ["hevc_mp4", "vp9_webm", "av1_mkv", "mjpeg_avi", "mpeg2_ts"])
def test_codecs_without_a_bitstream_reader_score_the_same_with_any_threads(made: GetMade, name: str) -> None:
    path = made(name).path
    runs = [score(path, threads=threads) for threads in (1, 2, 4)]
    assert all(again == runs[0] for again in runs)
    assert runs[0].features_used == ("md (decoded)", "rgbr (decoded)", "packets (demux)")
    # Of two clips that are each other's neighbours the default says the same.
    by_motion = score(path, "motion").scores
    assert len(set(by_motion.tolist())) > 1
    assert by_motion.min() > 0


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "mpeg4_avi", "h264_avi", "h264_10bit", "rotated_270"])
def test_both_back_ends_score_alike(made: GetMade, name: str) -> None:
    path = made(name).path
    # By motion: a layer of 66 statistics, as the default is, makes more of what follows.
    fast, slow = (score(path, "motion", backend=backend) for backend in BACK_ENDS)
    assert fast.features_used == ("md (bitstream)", "rgbr (bitstream)")
    # FFmpeg does not say which reference a vector means, and the decoded back end guesses now and then wrong;
    # the residuals meet up to the interpolation filter (six taps or two).
    md_only = [score(path, CumulativeMotion(), backend=backend).scores for backend in BACK_ENDS]
    assert md_only[0] == pytest.approx(md_only[1], rel=0.02)
    assert fast.scores == pytest.approx(slow.scores, rel=0.5)


@pytest.mark.parametrize("name", REAL)
def test_real_files_end_in_a_ranked_table(
    data_dir: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_dir / "originals" / name
    assert run(["select", str(path), "-k", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [c["rank"] for c in found["clips"]] == list(range(1, len(found["clips"]) + 1))
    assert len(found["clips"]) == 3 or found["note"]
    info = probe(path)
    ends = [c["end_s"] for c in found["clips"]]
    assert max(ends) <= info.video.start_s + info.video.duration_s + 1e-9
    who = "bitstream" if info.video.codec in READABLE else "decoded"
    assert info.features["md"].backend == who
    assert found["features_used"] == [f"md ({who})", f"rgbr ({who})", "packets (demux)"]


def test_interlaced_pictures_are_handed_to_the_decoded_back_end(tmp_path: Path) -> None:
    path = make_video(tmp_path / "mbaff.mp4", options={"x264-params": "interlaced=1"}, gop=20)
    found = probe(path).features["md"]
    assert found.backend == "decoded"
    assert "mbaff" in found.why
    scores = score(path)
    assert scores.features_used == ("md (decoded)", "rgbr (decoded)", "packets (demux)")
    with pytest.raises(FeatureUnavailableError, match="mbaff"):
        score(path, backend="bitstream")


def test_a_form_that_turns_up_late_is_handed_over_in_the_middle(
    made: GetMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examination of the first packets is switched off, so that reading meets the form by itself."""
    path = made("h264_bframes_mp4").path
    whole = score(path, "motion", backend="decoded")
    real = bitstream.read_frames

    def read_frames(*arguments: Any) -> Iterator[tuple[int, Any]]:
        for row, features in real(*arguments):
            if row > 90:
                raise bitstream.Unreadable("interlaced")
            yield row, features

    monkeypatch.setattr(bitstream, "read_frames", read_frames)
    # By motion, whose scores of a clip depend on nothing but that clip.
    mixed = score(path, "motion")
    assert "interlaced" in mixed.warnings[0]
    assert mixed.scores[-1] == whole.scores[-1]
    assert len(mixed) == len(whole)


def peak_mib(video: Path, sampler: str) -> float:
    """Peak resident memory of a process that scores a video, MiB."""
    script = (
        "import sys\n"
        "from salientclips import score\n"
        f"score(sys.argv[1], {sampler})\n"
        "print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(video)], capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("sampler", "minutes"),
    [
        ("'packet-cost'", 180),
        ("'motion', backend='decoded'", 9),
        ("'motion'", 45),
        (f"'{DEFAULT_SAMPLER}'", 45),
    ],
)
def test_memory_does_not_grow_with_the_video(
    made: GetMade, tmp_path: Path, sampler: str, minutes: int
) -> None:
    """benchmarks/memory.py does three hours of a real video with every back end."""
    six_seconds = made("h264_bframes_mp4").path
    short = loop_video(six_seconds, tmp_path / "short.mp4", 30)
    long = loop_video(six_seconds, tmp_path / "long.mp4", 10 * minutes)
    assert peak_mib(long, sampler) < peak_mib(short, sampler) + 150


def test_frames_per_clip_is_honoured(made: GetMade) -> None:
    path = made("h264_mkv").path
    one, four = score(path, Motion(1)), score(path, Motion(4))
    assert one.feature_parameters.frames_per_clip == 1
    assert one.scores.tolist() != four.scores.tolist()


def test_a_path_may_be_text_or_a_path(made: GetMade) -> None:
    path = made("h264_mkv").path
    assert score(str(path), "packet-cost") == score(path, "packet-cost")
