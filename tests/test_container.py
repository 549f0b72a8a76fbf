"""Files of which nothing can be read give one typed error that names the file and a remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import GetMade
from media_files import audio_only
from salientclips.errors import (
    FileMissingError,
    MediaError,
    NoFramesError,
    NotAVideoError,
    NoVideoStreamError,
    SalientClipsError,
)
from salientclips.media.container import open_container, timeline_of, video_stream
from salientclips.media.probe import probe


@pytest.fixture
def bad_files(made: GetMade, tmp_path: Path) -> dict[str, Path]:
    whole = made("h264_bframes_mp4").path.read_bytes()
    texts = {
        "text.mp4": b"This is not a video.\n" * 40,
        "empty.mp4": b"",
        "cut.mp4": whole[: len(whole) // 2],
    }
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.mp4").mkdir()
    audio_only(tmp_path / "sound.m4a")
    return {name: tmp_path / name for name in (*texts, "folder.mp4", "sound.m4a", "absent.mp4")}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("text.mp4", NotAVideoError),
        ("empty.mp4", NotAVideoError),
        ("cut.mp4", NotAVideoError),
        ("folder.mp4", FileMissingError),
        ("absent.mp4", FileMissingError),
        ("sound.m4a", NoVideoStreamError),
    ],
)
def test_typed_errors(bad_files: dict[str, Path], name: str, error: type[SalientClipsError]) -> None:
    with pytest.raises(error) as caught:
        probe(bad_files[name])
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, MediaError)


def test_cut_transport_stream_gives_what_there_is(made: GetMade, tmp_path: Path) -> None:
    data = made("ts").path.read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(data[: len(data) // 2])
    assert 60 <= sum(probe(path).video.frames.values()) < 180


def test_a_codec_that_ffmpeg_does_not_know(made: GetMade, tmp_path: Path) -> None:
    path = tmp_path / "damaged.mov"
    path.write_bytes(made("h264_bframes_mp4").path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(NotAVideoError, match="does not know the codec"):
        probe(path)


def test_header_without_pictures(made: GetMade, tmp_path: Path) -> None:
    data = made("h264_mkv").path.read_bytes()
    path = tmp_path / "head.mkv"
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])  # up to Matroska's first cluster
    with pytest.raises((NoFramesError, NotAVideoError), match=r"head\.mkv"):
        probe(path)


def test_names_that_are_not_ascii(made: GetMade, tmp_path: Path) -> None:
    path = tmp_path / "vidéo 視頻 'q'.mkv"
    path.write_bytes(made("h264_mkv").path.read_bytes())
    assert sum(probe(path).video.frames.values()) == 60


def test_zero_is_the_earliest_start_of_sound_and_pictures(made: GetMade) -> None:
    path = made("late_video").path
    with open_container(path) as container:
        stream = video_stream(container, path)
        assert stream.start_time is not None
        assert float(timeline_of(container, stream).time(stream.start_time)) == pytest.approx(0.5, abs=0.023)


def test_files_are_closed(made: GetMade) -> None:
    path = made("h264_mkv").path
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        with open_container(path) as container:
            video_stream(container, path)
    assert len(os.listdir("/proc/self/fd")) == before
