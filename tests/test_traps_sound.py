"""Traps of sound: none, several tracks, odd layouts and rates, too short or long, late (traps.md, rows 11, 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from made_files import MadeFile
from salientclips import ClipGrid, probe, score
from salientclips.audio.mel import FLOOR_POWER, mel_filters
from salientclips.samplers import VideoEvidence
from salientclips.types import FeatureParameters
from trap_verbs import Command, check_every_verb, pictures_of

GetMade = Callable[[str], MadeFile]
SOUND = FeatureParameters(1, ("audio",))
BOTH = FeatureParameters(1, ("md", "audio"))
CLIP_S = Fraction(1, 2)
# What clicks are made of (media_files.AudioSpec), and no tone is.
CLICK_BAND = int(mel_filters()[:, round(2000 / 16000 * 512)].argmax())


@dataclass
class SeenSound:
    """A sampler that keeps the spectrograms it is shown."""

    feature_parameters: FeatureParameters = SOUND
    name: str = "seen-sound"
    rule: Any = "top"
    parameters: dict[str, float | int | str] = field(default_factory=dict)
    mels: list[npt.NDArray[np.float32] | None] = field(default_factory=list)
    grid: ClipGrid | None = None

    def __call__(self, evidence: VideoEvidence) -> npt.NDArray[np.float64]:
        self.grid = evidence.grid
        self.mels = [clip.mel for clip in evidence.features(self.feature_parameters)]
        return np.array([np.nan if mel is None else float(mel.max()) for mel in self.mels])

    def clicks_s(self) -> list[float]:
        """When clicks are heard, seconds on the timeline: the loudest step of each clip that holds one."""
        assert self.grid is not None
        found: list[float] = []
        for mel, start, end in zip(self.mels, self.grid.starts, self.grid.ends, strict=True):
            if mel is None:
                continue
            inside = mel[CLICK_BAND, 50:150]  # the window is twice the clip
            time = float(start) + (int(inside.argmax()) + 0.5) / 100 * float(end - start)
            # One on the border of two clips is heard in both.
            if inside.max() > np.log(FLOOR_POWER) + 9 and (not found or time - found[-1] > 0.02):
                found.append(time)
        return found


def listen(path: Path, parameters: FeatureParameters = SOUND) -> tuple[SeenSound, Any]:
    """What a sampler is shown of half seconds, and the scores."""
    sampler = SeenSound(parameters)
    length = Fraction(probe(path).video.duration_s).limit_denominator(1000)
    first = Fraction(probe(path).video.start_s).limit_denominator(90000)
    spans = [(first + i * CLIP_S, first + (i + 1) * CLIP_S) for i in range(int(length / CLIP_S))]
    return sampler, score(path, sampler, grid=ClipGrid.from_spans(spans))  # type: ignore[arg-type]


# file: when clicks are heard beside the pictures, seconds; channels and rate of each track
TRACKS = {
    "stereo_aac": ([1.0, 1.5], [(2, 48000)]),
    "surround_aac": ([1.0, 1.5], [(6, 48000)]),
    "surround": ([1.0, 2.5], [(6, 48000)]),
    "aac_44100": ([1.0, 1.5], [(1, 44100)]),
    "rate_11025": ([1.0, 2.5], [(2, 11025)]),
    "pcm_mkv": ([1.0, 1.5], [(1, 22050)]),
    "mp3_mkv": ([1.0, 1.5], [(1, 44100)]),
    "opus_mkv": ([1.0, 1.5], [(1, 48000)]),
    "aac_ts": ([1.0, 1.5], [(1, 48000)]),
    "late_audio": ([2.0, 2.75], [(1, 48000)]),
    "short_audio": ([1.0], [(1, 48000)]),
    "long_audio": ([1.0], [(1, 48000)]),
    "two_tracks": ([1.0], [(1, 48000), (6, 48000)]),
}


@pytest.mark.parametrize("name", TRACKS)
def test_a_click_is_heard_when_its_frame_is_shown(name: str, made: GetMade) -> None:
    path = made(name).path
    clicks_s, tracks = TRACKS[name]
    found = probe(path)
    assert [(track.channels, track.sample_rate_hz) for track in found.audio] == tracks
    sampler, scores = listen(path)
    heard = [time - found.video.start_s for time in sampler.clicks_s()]
    assert heard == pytest.approx(clicks_s, abs=0.011)  # two of the spectrogram's steps
    assert scores.features_used == ("audio (decoded)",)
    assert scores.warnings == () or name in ("short_audio", "late_audio")


def test_of_several_tracks_the_default_one_is_heard_and_probe_says_which(made: GetMade) -> None:
    support = probe(made("two_tracks").path).features["audio"]
    assert "(track 1 of 2, counted from 0)" in support.why
    assert "track" not in probe(made("stereo_aac").path).features["audio"].why


def test_where_the_sound_has_ended_or_not_begun_there_is_none(made: GetMade) -> None:
    """1.5 s of sound under 4 s of pictures, and sound from 1.5 s on: those clips have the median score."""
    for name, silent in (("short_audio", range(4, 8)), ("late_audio", range(2))):
        sampler, scores = listen(made(name).path)
        assert [i for i, mel in enumerate(sampler.mels) if mel is None] == list(silent)[: len(sampler.mels)]
        assert any("gave no features and have the median score" in line for line in scores.warnings)


def test_sound_that_is_longer_makes_no_clips(made: GetMade) -> None:
    """4 s of sound over 2 s of pictures, and the padding of AAC."""
    for name in ("long_audio", "stereo_aac"):
        file = made(name)
        scores = score(file.path, "uniform")
        assert scores.grid.end_s[-1] == pytest.approx(len(file.counters) / 30, abs=0.002)


def test_no_audio_track_is_neutral_and_said(made: GetMade) -> None:
    path = made("h264_mkv").path
    sampler, alone = listen(path)
    assert set(sampler.mels) == {None}
    assert alone.scores.tolist() == [0.0] * len(alone)
    assert "the file has no audio track" in alone.warnings
    assert any("all have the score 0" in line for line in alone.warnings)
    _, both = listen(path, BOTH)
    assert both.features_used == ("md (bitstream)", "audio (none)")
    assert "the file has no audio track" in both.warnings
    assert probe(path).features["audio"].backend == "none"


def test_a_learned_sampler_of_sound_and_pictures_sees_a_silent_file(made: GetMade, tmp_path: Path) -> None:
    """Through its folder, as a user has it; it judges by what there is."""
    pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
    from learned_samplers import make_card, make_learned

    make_learned(make_card(("md", "audio"))).save_pretrained(tmp_path / "s")
    silent, heard = (score(made(name).path, str(tmp_path / "s")) for name in ("h264_mkv", "stereo_aac"))
    assert np.isfinite(silent.scores).all()
    assert np.unique(silent.scores).size > 1
    assert any("nothing of audio" in line for line in silent.warnings)
    assert silent.features_used == ("md (bitstream)", "audio (none)")
    assert heard.features_used == ("md (bitstream)", "audio (decoded)")
    assert not any("audio" in line for line in heard.warnings)


@pytest.mark.parametrize("name", ["two_tracks", "surround", "long_audio", "short_audio"])
def test_pictures_do_not_care_what_the_sound_is_like(
    name: str, made: GetMade, command: Command, tmp_path: Path
) -> None:
    check_every_verb(made(name), command, tmp_path, vectors=True, priming_s=0.025)


@pytest.mark.parametrize(
    ("name", "has_sound"), [("two_tracks", True), ("late_audio", True), ("h264_mkv", False)]
)
def test_a_summary_has_sound_where_there_is_some(
    name: str, has_sound: bool, made: GetMade, command: Command, tmp_path: Path
) -> None:
    found = command.ok("summary", made(name).path, "-k", "2", "-s", "uniform", "-o", tmp_path / "s.mp4")
    assert found["has_sound"] == has_sound == bool(probe(tmp_path / "s.mp4").audio)
    shown = pictures_of(tmp_path / "s.mp4")
    assert shown == sorted(shown)
