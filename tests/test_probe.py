"""What probe says against what is known of made-up files, and for every real one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import av.codec.context
import pytest

from conftest import GetMade
from made_files import MAKERS
from media_files import make_video
from salientclips.errors import FileMissingError
from salientclips.media.fingerprint import fingerprint
from salientclips.media.motion_codecs import EXPORTS_MOTION_VECTORS, exports_motion_vectors
from salientclips.media.probe import probe


@pytest.mark.parametrize("name", MAKERS)
def test_made_up_files(made: GetMade, name: str) -> None:
    file = made(name)
    video = probe(file.path).video
    last = float(file.times[-1])
    assert video.codec == file.codec
    assert video.rotation_deg == file.rotation_deg
    assert video.variable_frame_rate == file.variable_frame_rate
    assert sum(video.frames.values()) == len(file.counters)
    assert video.duration_s == pytest.approx(last + float(file.times[-1] - file.times[-2]), abs=0.002)
    assert video.frame_rate == pytest.approx(len(file.counters) / video.duration_s)
    assert video.start_s == pytest.approx(file.start_s, abs=0.06)
    assert set(video.frames) == set(video.mean_packet_bytes) == {"I", "P", "B"}


def test_every_field_of_one_file(made: GetMade) -> None:
    file = made("stereo_aac")
    result = probe(file.path)
    video = result.video
    assert result.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert result.size_bytes == file.path.stat().st_size
    assert (video.width_px, video.height_px, video.pixel_format) == (320, 240, "yuv420p")
    assert video.profile == "Main"
    assert video.frame_rate == pytest.approx(30)
    assert video.duration_s == pytest.approx(6)
    assert video.key_frame_spacing_s == pytest.approx(1)
    assert video.frames == {"I": 6, "P": 60, "B": 114}
    assert video.mean_packet_bytes["I"] > video.mean_packet_bytes["P"] > video.mean_packet_bytes["B"] > 0
    (audio,) = result.audio
    assert (audio.codec, audio.sample_rate_hz, audio.channels, audio.start_s) == ("aac", 48000, 2, 0.0)
    assert audio.duration_s == pytest.approx(6, abs=0.03)
    assert {name: support.backend for name, support in result.features.items()} == {
        "md": "decoded",
        "rgbr": "decoded",
        "if": "decoded",
        "audio": "decoded",
        "packets": "demux",
    }
    assert "exports this codec's" in result.features["md"].why
    assert result.warnings == ()


def test_what_a_file_cannot_give(made: GetMade) -> None:
    features = probe(made("hevc_mp4").path).features
    assert "exports no motion vectors of hevc" in features["md"].why
    assert features["audio"].backend == "none"


def test_one_key_frame_has_no_spacing(made: GetMade) -> None:
    assert probe(made("h264_1gop").path).video.key_frame_spacing_s is None


@pytest.mark.parametrize(("name", "channels"), [("surround_aac", 6), ("late_audio", 1)])
def test_channels(made: GetMade, name: str, channels: int) -> None:
    assert probe(made(name).path).audio[0].channels == channels


def test_late_audio_starts_late(made: GetMade) -> None:
    assert probe(made("late_audio").path).audio[0].start_s == pytest.approx(1.5, abs=0.023)


def test_ntsc_is_exact(made: GetMade) -> None:
    assert probe(made("ntsc_mp4").path).video.frame_rate == pytest.approx(30000 / 1001, rel=1e-9)
    assert probe(made("ntsc_mkv").path).video.frame_rate == pytest.approx(30000 / 1001, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "codec", "duration_s", "rotation_deg", "num_audio"),
    [
        ("nasa_13013.mp4", "h264", 13.0, 0, 2),
        ("QwenLM__qwen-vl-finetune_demo_videos_v_rBMQFpHspmo.mp4", "mpeg4", None, 0, 0),
        ("street_mpeg4_part2.mp4", "mpeg4", 13.5, 0, 0),
        ("book.mkv", "h264", None, 0, None),
        ("av1_video.mkv", "av1", None, 0, 0),
        ("h265_video.mp4", "hevc", None, 0, 0),
        ("video_0.mov", "h264", None, 0, None),
        ("video_90.mov", "h264", None, 90, None),
        ("video_180.mov", "h264", None, 180, None),
        ("video_270.mov", "h264", None, 270, None),
        ("corrupted.mp4", "h264", None, 0, None),
    ],
)
def test_real_files(
    data_dir: Path, name: str, codec: str, duration_s: float | None, rotation_deg: int, num_audio: int | None
) -> None:
    result = probe(data_dir / "originals" / name)
    assert result.video.codec == codec
    assert result.video.rotation_deg == rotation_deg
    assert not result.video.variable_frame_rate
    if duration_s is not None:
        assert result.video.duration_s == pytest.approx(duration_s, abs=0.2)
    if num_audio is not None:
        assert len(result.audio) == num_audio


def test_two_video_streams_are_mentioned(data_dir: Path) -> None:
    assert any("2 video streams" in w for w in probe(data_dir / "originals" / "nasa_13013.mp4").warnings)


def exported(path: Path) -> bool:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        context.thread_count = 1
        context.flags2 |= av.codec.context.Flags2.export_mvs
        return any(frame.side_data.get("MOTION_VECTORS") is not None for frame in container.decode(video=0))


@pytest.mark.parametrize(
    "name",
    [
        "h264_mkv",
        "hevc_mp4",
        "vp8_webm",
        "vp9_webm",
        "av1_mkv",
        "mpeg4_avi",
        "mpeg2_mpg",
        "mpeg1_mpg",
        "flv1_flv",
    ],
)
def test_which_codecs_export_vectors(made: GetMade, name: str) -> None:
    file = made(name)
    assert exported(file.path) == exports_motion_vectors(file.codec)


@pytest.mark.parametrize(
    ("encoder", "codecs"),
    [
        ("h263", {"h263"}),
        ("h263p", {"h263", "h263p"}),
        ("msmpeg4v2", {"msmpeg4v2"}),
        ("msmpeg4", {"msmpeg4v3"}),
        ("wmv1", {"wmv1"}),
        ("wmv2", {"wmv2"}),
    ],
)
def test_old_codecs_that_export_vectors(tmp_path: Path, encoder: str, codecs: set[str]) -> None:
    path = make_video(tmp_path / "old.avi", codec=encoder, frames=10, size=(176, 144))
    found = probe(path).video.codec
    assert found in codecs
    assert exported(path)
    assert exports_motion_vectors(found)


def test_vector_codecs_are_ffmpeg_names() -> None:
    assert all(av.Codec(name).canonical_name == name for name in EXPORTS_MOTION_VECTORS)


def test_fingerprint(tmp_path: Path) -> None:
    mib = 1 << 20
    data = bytes(range(256)) * (3 * mib // 256)
    path = tmp_path / "data.bin"
    path.write_bytes(data)
    first = fingerprint(path)
    assert first.size_bytes == 3 * mib
    assert first.sha256 == hashlib.sha256(data[:mib] + data[-mib:]).hexdigest()
    path.write_bytes(data[:-1] + b"x")
    assert fingerprint(path) != first
    path.write_bytes(b"short")
    assert fingerprint(path).sha256 == hashlib.sha256(b"shortshort").hexdigest()
    with pytest.raises(FileMissingError):
        fingerprint(tmp_path)
