"""Sound lands where the timeline says: clicks at known times, late starts, gaps, odd rates and layouts."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from conftest import GetMade
from media_files import AudioSpec, make_video
from salientclips.errors import InputError, NoAudioTrackError
from salientclips.media.audio import read_audio
from salientclips.media.demux import end_time, read_packets, shown_times

RATE_HZ = 16000


def whole(path: Path, **options: int | None) -> tuple[int, npt.NDArray[np.float32]]:
    """Start sample and all samples; asserts that the blocks touch."""
    blocks = list(read_audio(path, **options))  # type: ignore[arg-type]
    for before, after in pairwise(blocks):
        assert before.start_sample + len(before.samples) == after.start_sample
    samples = np.concatenate([b.samples for b in blocks])
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    return blocks[0].start_sample, samples


def click_times_s(start: int, samples: npt.NDArray[np.float32], rate_hz: int = RATE_HZ) -> list[float]:
    """Onsets of the bursts that stand out from the tone."""
    loud = np.flatnonzero(np.abs(samples) > 0.6 * np.abs(samples).max()) + start
    onsets = loud[np.diff(loud, prepend=-rate_hz) > rate_hz // 10]
    return [float(onset) / rate_hz for onset in onsets]


@pytest.mark.parametrize(
    "name", ["stereo_aac", "surround_aac", "aac_44100", "aac_ts", "opus_mkv", "pcm_mkv", "mp3_mkv"]
)
def test_clicks_are_in_time_with_the_pictures(made: GetMade, name: str) -> None:
    file = made(name)
    first_picture_s = float(shown_times(read_packets(file.path))[0])
    start, samples = whole(file.path)
    assert click_times_s(start, samples) == pytest.approx(
        [first_picture_s + t for t in (1.0, 1.5)], abs=0.001
    )


def test_late_start_stays_late(made: GetMade) -> None:
    start, samples = whole(made("late_audio").path)
    # AAC's priming samples come up to 1024 + 32 samples at 48 kHz early.
    assert start / RATE_HZ == pytest.approx(1.5, abs=0.023)
    assert click_times_s(start, samples) == pytest.approx([2.0, 2.75], abs=0.001)


def test_sound_before_the_pictures(made: GetMade) -> None:
    start, samples = whole(made("late_video").path)
    assert start / RATE_HZ == pytest.approx(0, abs=0.023)
    assert click_times_s(start, samples) == pytest.approx([1.0], abs=0.001)


def test_codec_padding_can_be_cut_at_the_end_of_the_pictures(made: GetMade) -> None:
    file = made("stereo_aac")
    start, samples = whole(file.path)
    end = round(end_time(read_packets(file.path)) * RATE_HZ)
    assert end == 96000
    assert 0 <= start + len(samples) - end < 0.025 * RATE_HZ


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000])
def test_other_rates(made: GetMade, rate_hz: int) -> None:
    start, samples = whole(made("aac_44100").path, sample_rate_hz=rate_hz)
    assert click_times_s(start, samples, rate_hz) == pytest.approx([1.0, 1.5], abs=0.001)


def write_sound(path: Path, starts_s: tuple[float, ...], rate_hz: int = 16000) -> Path:
    """Blocks of 0.5 s of constant level 0.5, at the given times, as PCM."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=rate_hz)
        stream.layout = "mono"
        for start_s in starts_s:
            frame = av.AudioFrame.from_ndarray(np.full((1, rate_hz // 2), 16384, np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
            frame.pts = round(start_s * rate_hz)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def test_gaps_are_silent(tmp_path: Path) -> None:
    start, samples = whole(write_sound(tmp_path / "gap.mkv", (0.0, 3.0)))
    assert start == 0
    assert len(samples) == 3.5 * RATE_HZ
    assert np.all(samples[8000:48000] == 0)
    assert np.all(samples[:8000] == 0.5)
    assert np.all(samples[48000:] == 0.5)


def test_overlaps_are_cut(tmp_path: Path) -> None:
    start, samples = whole(write_sound(tmp_path / "overlap.mkv", (0.0, 0.25, 0.75)))
    assert start == 0
    assert len(samples) == 1.25 * RATE_HZ
    assert np.all(samples == 0.5)


def test_jitter_of_the_container_leaves_no_holes(made: GetMade) -> None:
    """Matroska rounds to 1 ms; 1024 samples at 22.05 kHz are 46.44 ms."""
    _, samples = whole(made("pcm_mkv").path)
    assert len(samples) == pytest.approx(6 * RATE_HZ, abs=2)


def test_channels_are_mixed(tmp_path: Path, made: GetMade) -> None:
    """A tone that is the same in both channels keeps its level."""
    _, samples = whole(made("stereo_aac").path)
    level = float(np.sqrt(np.mean(samples[48000:80000].astype(float) ** 2)))
    assert level == pytest.approx(0.2 / np.sqrt(2), rel=0.01)


def test_tracks_are_chosen_by_number(data_dir: Path) -> None:
    path = data_dir / "originals" / "nasa_13013.mp4"
    _, best = whole(path)
    _, second = whole(path, stream_index=1)
    assert len(best) == pytest.approx(13 * RATE_HZ, rel=0.1)
    assert len(second) > 0
    with pytest.raises(InputError, match="audio track 2"):
        whole(path, stream_index=2)


def test_no_sound(made: GetMade) -> None:
    with pytest.raises(NoAudioTrackError, match=r"video\.mkv"):
        next(read_audio(made("h264_mkv").path))


def test_damage_is_reported(made: GetMade, tmp_path: Path) -> None:
    data = bytearray(made("stereo_aac").path.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(len(data) // 4, len(data) * 3 // 4, 3000):
        data[int(at)] ^= 0xFF
    path = tmp_path / "damaged.mp4"
    path.write_bytes(bytes(data))
    warnings: list[str] = []
    blocks = list(read_audio(path, warnings=warnings))
    assert sum(len(b.samples) for b in blocks) > 5 * RATE_HZ
    assert len(warnings) == 1
    assert "cannot be decoded" in warnings[0]


def test_memory_is_flat(tmp_path: Path) -> None:
    peaks = []
    for duration_s in (20.0, 200.0):
        audio = AudioSpec(codec="pcm_s16le", sample_rate_hz=16000, duration_s=duration_s)
        path = make_video(tmp_path / f"{duration_s}.mkv", frames=2, size=(64, 64), audio=audio)
        tracemalloc.start()
        count = sum(len(block.samples) for block in read_audio(path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == duration_s * RATE_HZ
    assert peaks[1] < peaks[0] + 100_000
