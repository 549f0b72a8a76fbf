"""The MEL spectrogram: librosa's numbers, the ends of the sound, clips of any length, blocks of any size."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import GetMade
from make_mel_golden import RATE_HZ, signal
from salientclips.audio.mel import FLOOR_POWER, Mel, mel_filters, mel_of_clips, mel_power, read_mel
from salientclips.errors import FileMissingError, NoAudioTrackError
from salientclips.media.audio import AudioBlock
from salientclips.timeline import ClipGrid

GOLDEN = json.loads((Path(__file__).parent / "golden" / "mel_librosa.json").read_text(encoding="utf-8"))
SILENCE = np.float32(np.log(FLOOR_POWER))


def seconds(*times: float) -> ClipGrid:
    """Clips that touch, with these boundaries."""
    exact = [Fraction(str(t)) for t in times]
    return ClipGrid(tuple(exact[:-1]), tuple(exact[1:]))


def in_blocks(samples: npt.NDArray[np.float32], size: int, start: int = 0) -> Iterator[AudioBlock]:
    for i in range(0, len(samples), size):
        yield AudioBlock(start + i, samples[i : i + size])


def directly(samples: npt.NDArray[np.float32], start_s: float, end_s: float, per_step: int) -> Mel:
    """The definition, without any streaming: sound from sample 0, silence around it."""
    middle, length = (start_s + end_s) / 2 * RATE_HZ, 2 * (end_s - start_s) * RATE_HZ
    count = 200 * per_step
    centres = middle - length / 2 + (np.arange(count) + 0.5) * length / count
    pad = int(length) + 1024
    padded = np.pad(samples, pad)
    frames = np.stack([padded[pad + round(c) - 256 :][:512] for c in centres])
    power = mel_power(frames).reshape(200, per_step, 40).mean(axis=1)
    return np.log(power.T + FLOOR_POWER).astype(np.float32)


def test_power_agrees_with_librosa() -> None:
    (mel,) = mel_of_clips(in_blocks(signal(), 1000), seconds(1, 2))
    assert mel is not None
    assert mel.shape == (40, 200)
    assert mel.dtype == np.float32
    stored = np.log(np.array(GOLDEN["power"]).T + FLOOR_POWER)
    # librosa works in single precision; quiet bands next to the tone differ in the fifth digit
    np.testing.assert_allclose(mel[:, GOLDEN["steps"]], stored, atol=2e-4)


def test_filters_agree_with_librosa() -> None:
    np.testing.assert_allclose(mel_filters().sum(axis=1), GOLDEN["filter_sums"], rtol=1e-6)
    np.testing.assert_allclose(mel_filters().max(axis=1), GOLDEN["filter_peaks"], rtol=1e-6)
    assert mel_filters().argmax(axis=1).tolist() == GOLDEN["filter_peak_bins"]


def test_outside_the_sound_is_silence() -> None:
    first, last = mel_of_clips(in_blocks(signal(), 4096), seconds(0, 1.5, 3))
    assert first is not None
    assert last is not None
    # The window of the first clip begins 0.75 s before the sound: 50 steps of 15 ms.
    assert (first[:, :48] == SILENCE).all()
    assert (first[:, 55:] > SILENCE).all()
    assert (last[:, 152:] == SILENCE).all()
    assert (last[:, :145] > SILENCE).all()


def test_clips_without_sound_around_them_have_none() -> None:
    loud = np.full(2 * RATE_HZ, 0.25, dtype=np.float32)
    found = list(mel_of_clips(in_blocks(loud, 512, start=4 * RATE_HZ), seconds(*range(11))))
    # A window reaches half a clip beyond its clip: the sound of 4 to 6 s is heard from 3 to 7 s.
    assert [mel is not None for mel in found] == [False] * 3 + [True] * 4 + [False] * 3


def test_no_sound_at_all_gives_nothing() -> None:
    assert list(mel_of_clips(iter(()), seconds(0, 1, 2))) == [None, None]
    assert list(mel_of_clips(in_blocks(signal(), 512), ClipGrid((), ()))) == []


@settings(max_examples=25)
@given(
    st.lists(st.floats(0.05, 4.0).map(lambda x: round(x, 3)), min_size=1, max_size=6),
    st.integers(100, 30000),
    st.integers(0, 20000),
)
def test_streaming_is_the_definition(lengths: list[float], block: int, cut: int) -> None:
    samples = signal()[cut:]
    bounds = np.round(np.cumsum([0.0, *lengths]), 3).tolist()
    found = list(mel_of_clips(in_blocks(samples, block), seconds(*bounds)))
    for mel, start, end in zip(found, bounds[:-1], bounds[1:], strict=True):
        if mel is None:
            assert start - (end - start) / 2 >= len(samples) / RATE_HZ - 1e-9
            continue
        per_step = max(1, int(np.ceil(2 * round(end - start, 6) * RATE_HZ / (200 * 256) - 1e-9)))
        # A centre that falls between two samples may be rounded either way.
        np.testing.assert_allclose(mel, directly(samples, start, end, per_step), atol=0.6)
        assert np.mean(np.abs(mel - directly(samples, start, end, per_step))) < 2e-3


def test_numbers_do_not_depend_on_the_blocks() -> None:
    grid = seconds(0, 0.4, 2.9, 3)
    one, two = (list(mel_of_clips(in_blocks(signal(), n), grid)) for n in (37, 48000))
    for a, b in zip(one, two, strict=True):
        assert a is not None
        assert b is not None
        assert a.tobytes() == b.tobytes()


def test_memory_does_not_grow_with_the_sound() -> None:
    def hour() -> Iterator[AudioBlock]:
        second = signal()[:RATE_HZ]
        for i in range(400):
            yield AudioBlock(i * RATE_HZ, second)

    tracemalloc.start()
    try:
        # one long clip among short ones: its window alone would be 40 MB
        for mel in mel_of_clips(hour(), seconds(0, 1, 330, *range(331, 400))):
            assert mel is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12e6


def test_a_file_with_sound(made: GetMade) -> None:
    file = made("stereo_aac")
    found = list(read_mel(file.path, seconds(0, 1, 2)))
    assert all(mel is not None and mel.shape == (40, 200) for mel in found)
    assert found[0] is not None
    # clicks at 1.0 and 1.5 s are the loudest steps of their windows in the highest bands
    assert found[0].max() > SILENCE + 3


def test_a_file_without_sound(made: GetMade) -> None:
    with pytest.raises(NoAudioTrackError):
        next(read_mel(made("h264_mkv").path, seconds(0, 1)))
    with pytest.raises(FileMissingError):
        next(read_mel(Path("/nowhere.mp4"), seconds(0, 1)))
