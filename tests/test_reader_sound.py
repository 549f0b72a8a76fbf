"""The feature reader brings the sound beside the pictures, and a file without sound is no error."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conftest import GetMade
from learned_samplers import make_card, make_learned
from salientclips import probe
from salientclips.audio.mel import read_mel
from salientclips.cli.run import run
from salientclips.compressed.reader import Backend, FeatureReader
from salientclips.media.audio import read_audio
from salientclips.media.demux import clip_grid, read_packets
from salientclips.timeline import ClipSpec
from salientclips.types import Feature, FeatureParameters


def reader(path: Path, backend: Backend = "auto") -> tuple[FeatureReader, list[float]]:
    table = read_packets(path)
    done: list[float] = []
    grid = clip_grid(table, ClipSpec(8, 1))
    return FeatureReader(path, table, grid, backend=backend, progress=done.append), done


@pytest.mark.parametrize("backend", ["auto", "decoded"])
@pytest.mark.parametrize("features", [("audio",), ("md", "audio"), ("md", "rgbr", "if", "audio")])
def test_sound_comes_clip_by_clip(made: GetMade, features: tuple[Feature, ...], backend: Backend) -> None:
    path = made("stereo_aac").path
    read, done = reader(path, backend)
    clips = list(read.read(FeatureParameters(1, features)))
    alone = list(read_mel(path, read.grid))
    assert [clip.index for clip in clips] == list(range(len(read.grid)))
    assert len(clips) > 3
    for clip, mel in zip(clips, alone, strict=True):
        assert clip.mel is not None
        assert mel is not None
        assert clip.mel.tobytes() == mel.tobytes()
        assert (clip.md is not None) == ("md" in features)
        assert (clip.iframes is not None) == ("if" in features)
    assert read.used["audio"] == "decoded"
    assert read.warnings == ()
    assert done[-1] == 1
    # what is read of the pictures is not changed by the sound beside them
    silent, _ = reader(path, backend)
    for clip, other in zip(
        clips, silent.read(FeatureParameters(1, tuple(f for f in features if f != "audio"))), strict=True
    ):
        assert clip.times == other.times
        assert (clip.md is None) == (other.md is None)
        assert clip.md is None or np.array_equal(clip.md, other.md)  # type: ignore[arg-type]


@pytest.mark.parametrize("features", [("audio",), ("md", "audio")])
def test_no_audio_track(made: GetMade, features: tuple[Feature, ...]) -> None:
    path = made("h264_mkv").path
    read, done = reader(path)
    clips = list(read.read(FeatureParameters(1, features)))
    assert len(clips) == len(read.grid)
    assert all(clip.mel is None for clip in clips)
    assert read.used["audio"] == "none"
    assert read.warnings == ("the file has no audio track",)
    assert done[-1] == 1


def test_sound_that_begins_late(made: GetMade) -> None:
    path = made("late_audio").path
    read, _ = reader(path)
    clips = list(read.read(FeatureParameters(1, ("audio",))))
    blocks = list(read_audio(path))
    begin, end = (
        Fraction(b.start_sample + n, 16000)
        for b, n in ((blocks[0], 0), (blocks[-1], len(blocks[-1].samples)))
    )
    assert float(begin) == pytest.approx(1.5, abs=0.03)
    # windows reach half a clip beyond their clip
    windows = [
        ((3 * a - b) / 2, (3 * b - a) / 2) for a, b in zip(read.grid.starts, read.grid.ends, strict=True)
    ]
    assert [clip.mel is not None for clip in clips] == [b > begin and a < end for a, b in windows]
    assert clips[0].mel is clips[-1].mel is None
    assert read.warnings == ()


def test_probe_says_whether_there_is_sound(made: GetMade) -> None:
    assert probe(made("stereo_aac").path).features["audio"].backend == "decoded"
    assert probe(made("h264_mkv").path).features["audio"].backend == "none"


def test_sound_that_nothing_decodes(made: GetMade, tmp_path: Path) -> None:
    odd = tmp_path / "odd.mkv"
    odd.write_bytes(made("pcm_mkv").path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT"))
    found = probe(odd)
    assert found.features["audio"].backend == "none"
    assert (found.audio[0].codec, found.audio[0].sample_rate_hz) == ("unknown", 0)
    read, _ = reader(odd)
    assert all(clip.mel is None for clip in read.read(FeatureParameters(1, ("md", "audio"))))
    assert "cannot be decoded" in read.warnings[0]


@pytest.mark.parametrize(
    ("name", "sound", "backend"),
    [
        ("akshay-op__cricket.mp4", True, "bitstream"),
        ("flipping_a_pancake.mkv", True, "bitstream"),
        ("nasa_13013.mp4", True, "bitstream"),
        ("street_mpeg4_part2.mp4", False, "bitstream"),
        ("av1_video.mkv", None, "decoded"),
    ],
)
def test_real_files(
    data_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    sound: bool | None,
    backend: str,
) -> None:
    card = make_card(("md", "rgbr", "audio"), visual="ac", frames_per_clip=2)
    folder = make_learned(card).save_pretrained(tmp_path / "sampler")
    assert (
        run(["select", str(data_dir / "originals" / name), "-k", "3", "--sampler", str(folder), "--json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert len(found["clips"]) == 3 or found["note"]
    assert found["features_used"][:2] == [f"md ({backend})", f"rgbr ({backend})"]
    if sound is not None:
        assert found["features_used"][2] == f"audio ({'decoded' if sound else 'none'})"
        assert ("the file has no audio track" in found["warnings"]) == (not sound)
