"""Traps of time: rates, seeks, edit lists, GOPs, rotation (traps.md, rows 1 to 8 and section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, overload

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chosen import choose
from made_files import MadeFile
from media_files import make_video
from salientclips import ClipGrid, ClipSpec, cut, motion_vectors, probe, residuals, save_scores, score
from salientclips.compressed.reader import Backend
from salientclips.samplers import VideoEvidence
from salientclips.types import FeatureParameters
from trap_verbs import Command, pictures_of

GetMade = Callable[[str], MadeFile]


# --- 1, 2: rates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "wrong_by_s"), [("vfr", 0.4), ("vfr_swing", 0.6)])
def test_index_over_mean_rate_would_be_wrong(name: str, wrong_by_s: float, made: GetMade) -> None:
    """The trap is real: a clip that is taken by ``index / mean rate`` begins somewhere else."""
    file = made(name)
    rate = probe(file.path).video.frame_rate
    ours = score(file.path, "uniform", clip=ClipSpec(1, 1)).grid.start_s
    naive = np.arange(len(file.times)) / rate
    assert ours == pytest.approx([float(t) for t in file.times], abs=0.001)
    assert np.abs(naive - ours).max() > wrong_by_s


class EvenTimes(Sequence[Fraction]):
    """Times of a constant rate, rounded to a container's ticks, each made when it is asked for."""

    def __init__(self, count: int, rate: Fraction, tick: Fraction) -> None:
        self.count, self.rate, self.tick = count, rate, tick

    def __len__(self) -> int:
        return self.count

    @overload
    def __getitem__(self, index: int) -> Fraction: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Fraction]: ...
    def __getitem__(self, index: int | slice) -> Fraction | Sequence[Fraction]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.count))]
        return round(index / self.rate / self.tick) * self.tick


@settings(max_examples=15)
@given(
    rate=st.sampled_from([Fraction(n, 1001) for n in (24000, 30000, 48000, 60000, 120000)]),
    tick=st.sampled_from([Fraction(1, n) for n in (1000, 90000, 12800, 30000)]),
    frames=st.integers(16, 64),
    step=st.integers(4, 8),
)
def test_three_hours_do_not_drift_by_a_frame(rate: Fraction, tick: Fraction, frames: int, step: int) -> None:
    """As counted in frames, so with the rate in whole numbers it would: by ten seconds and more."""
    count = round(3 * 3600 * rate)
    spec = ClipSpec(frames, step)
    times = EvenTimes(count, rate, tick)
    starts = ClipGrid.from_frame_times(times, count / rate, spec).starts
    drift = max(abs(start - i * spec.source_frames / rate) for i, start in enumerate(starts))
    assert drift <= tick / 2 < 1 / rate
    last = (len(starts) - 1) * spec.source_frames
    assert abs(starts[-1] - Fraction(last, round(rate))) > 5


# --- 3: B-frames -------------------------------------------------------------------------------------------------


def test_vectors_come_in_order_of_display_with_both_signs(made: GetMade) -> None:
    file = made("h264_bframes_mp4")
    frames = list(motion_vectors(file.path, frames="all"))
    assert [f.time for f in frames] == list(file.times)
    signs = {
        kind: {int(s) for f in frames if f.frame_type == kind for s in np.unique(f.vectors["source"])}
        for kind in "IPB"
    }
    assert {kind: {s > 0 for s in seen} for kind, seen in signs.items()} == {
        "I": set(),
        "P": {False},
        "B": {False, True},
    }
    forwards = [f.time for f in motion_vectors(file.path)]
    assert forwards == sorted(forwards) == [f.time for f in frames if f.frame_type == "P"]


# --- 4, 3.3: seeking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["ts", "short_gop_ts", "mpeg2_ts", "mpeg2_mpg", "hevc_open_gop_ts", "aac_ts"]
)
def test_files_that_seek_late_give_the_frame_that_was_asked_for(
    name: str, made: GetMade, command: Command, tmp_path: Path
) -> None:
    """Each second as a clip of its own, cut from the end to the beginning, so that every clip needs a seek."""
    file = made(name)
    first = Fraction(probe(file.path).video.start_s).limit_denominator(90000)
    whole = int(file.times[-1])
    for at in range(whole - 1, 0, -1):
        grid = ClipGrid.from_spans([(first + at, first + at + Fraction(1, 5))])
        save_scores(score(file.path, "uniform", grid=grid), tmp_path / "one.csv")
        (piece,) = command.ok("cut", file.path, "--scores", tmp_path / "one.csv", "-o", tmp_path / name)[
            "clips"
        ]
        expected = [
            c for c, t in zip(file.counters, file.times, strict=True) if at <= t < at + Fraction(1, 5)
        ]
        assert pictures_of(Path(piece["output"])) == expected


def test_a_seek_by_time_lands_late_in_a_transport_stream(made: GetMade) -> None:
    """The trap is real: the first picture after FFmpeg's own seek is a later one than was asked for."""
    with av.open(str(made("ts").path)) as container:
        stream = container.streams.video[0]
        assert float(stream.start_time * stream.time_base) == pytest.approx(22 / 15, abs=0.2)
        asked = 3.6
        container.seek(round(asked / stream.time_base), stream=stream)
        frame = next(container.decode(stream))
        assert frame.pts * frame.time_base > asked + 0.5


# --- 6: edit lists, starts ---------------------------------------------------------------------------------------


def test_what_an_edit_list_hides_is_no_clip(made: GetMade) -> None:
    file = made("edit_list")
    with av.open(str(file.path)) as container:
        packets = sum(1 for p in container.demux(video=0) if p.size)
    assert packets > len(file.counters) == sum(probe(file.path).video.frames.values())
    scores = score(file.path, "uniform", clip=ClipSpec(1, 1))
    assert len(scores) == len(file.counters)


@pytest.mark.parametrize("name", ["ts", "late_audio", "late_video", "edit_list"])
def test_zero_is_the_start_of_the_container(name: str, made: GetMade) -> None:
    """Not pts 0, and the same for sound and pictures."""
    file = made(name)
    found = probe(file.path)
    assert found.video.start_s == pytest.approx(file.start_s, abs=0.002)
    starts = [found.video.start_s, *(track.start_s for track in found.audio)]
    assert min(starts) == pytest.approx(0, abs=0.002)


# --- 7: GOPs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["one_gop_of_300", "h264_open_gop", "h264_open_gop_cut", "mid_gop_mkv", "mid_gop_ts"]
)
def test_every_clip_of_a_strange_gop_is_scored(name: str, made: GetMade, command: Command) -> None:
    file = made(name)
    found = command.ok("score", file.path, "-s", "motion")
    assert found["features_used"] == ["md (bitstream)", "rgbr (bitstream)"]
    assert all(clip["score"] > 0 for clip in found["clips"])
    # What is missing at the start is counted, and nothing else is.
    is_cut = name in ("h264_open_gop_cut", "mid_gop_mkv", "mid_gop_ts")
    assert ["frames before the first key frame" in line for line in found["warnings"]] == [True] * is_cut


# --- 8: rotation -------------------------------------------------------------------------------------------------


EVERY_P_FRAME = FeatureParameters(0, ("md",))


@dataclass
class SeenMotion:
    """A sampler that keeps the motion it is shown: the public way to the features."""

    name: str = "seen-motion"
    rule: Any = "top"
    feature_parameters: FeatureParameters = EVERY_P_FRAME
    parameters: dict[str, float | int | str] = field(default_factory=dict)
    fields: list[npt.NDArray[np.float32]] = field(default_factory=list)
    masks: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    def __call__(self, evidence: VideoEvidence) -> npt.NDArray[np.float64]:
        for clip in evidence.features(self.feature_parameters):
            assert clip.md is not None
            assert clip.md_valid is not None
            self.fields.append(clip.md)
            self.masks.append(clip.md_valid)
        return np.zeros(len(evidence.grid))

    def mean(self) -> npt.NDArray[np.float64]:
        """Mean motion (2, h, w) of each cell, pixels per frame: x right, y down, on the screen."""
        md, valid = np.concatenate(self.fields), np.concatenate(self.masks)[:, None]
        total: npt.NDArray[np.float64] = (md * valid).sum(axis=0) / np.maximum(1, valid.sum(axis=0))
        return total


@pytest.mark.parametrize("backend", ["bitstream", "decoded"])
@pytest.mark.parametrize("name", ["rotated_90", "rotated_180", "rotated_270"])
def test_motion_is_turned_to_what_is_seen(name: str, backend: Backend, made: GetMade, tmp_path: Path) -> None:
    """The same pictures, encoded upright and encoded lying with a note to turn them, move in the same direction."""
    file = made(name)
    size = (320, 240) if file.rotation_deg == 180 else (240, 320)
    upright = make_video(tmp_path / "upright.mp4", size=size, bframes=2)
    seen = []
    for path in (file.path, upright):
        sampler = SeenMotion()
        score(path, sampler, backend=backend)  # type: ignore[arg-type]
        seen.append(sampler.mean())
    assert seen[0].shape == seen[1].shape == (2, size[1] // 16, size[0] // 16)
    # The texture pans by (-2, -1) pixels a frame; the square goes right in the middle of the picture.
    for one in seen:
        assert np.median(one, axis=(1, 2)) == pytest.approx([-2, -1], abs=0.3)
    assert np.abs(seen[0] - seen[1]).mean() < 0.5
    shapes = {frame.rgb.shape for frame in residuals(file.path, backend)}
    assert shapes == {(3, size[1] // 16, size[0] // 16)}


def test_a_turned_clip_stays_upright(made: GetMade, tmp_path: Path) -> None:
    """Coded as it lay, with the note to turn it; its counters can be read on the screen."""
    selection = choose(made("rotated_90").path, 1)
    (piece,) = cut(selection, tmp_path).clips
    info = probe(piece.path).video
    assert (info.width_px, info.height_px, info.rotation_deg) == (320, 240, 90)
    frames: list[int] = pictures_of(piece.path)
    assert frames == list(range(frames[0], frames[0] + 12))
