"""Cut clips and summaries begin and end on the right frames, and their sound stays in step."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from chosen import EVERY_TRAP, choose
from made_files import MadeFile
from media_files import AudioSpec, make_video, read_counter
from salientclips import ClipGrid, score
from salientclips.errors import InputError
from salientclips.media.demux import read_packets
from salientclips.media.frame_numbers import number_frames
from salientclips.media.orientation import rotation_deg, turn
from salientclips.media.probe import probe
from salientclips.types import Selection
from salientclips.verbs.cut import cut, summary

GetMade = Callable[[str], MadeFile]
MORE = (
    "h264_444_odd",
    "h264_10bit",
    "hevc_mp4",
    "ts",
    "edit_list",
    "mpeg4_bframes_avi",
    "vp9_webm",
    "mpeg2_ts",
)


def pictures(path: Path) -> list[tuple[int, Fraction]]:
    """Counter and time of every frame, the pictures upright."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            rgb = turn(frame.to_ndarray(format="rgb24"), rotation_deg(frame))
            found.append((read_counter(rgb), frame.pts * frame.time_base))
    return found


def truth(
    made: MadeFile, selection: Selection, ranks: list[int] | None = None
) -> list[list[tuple[int, Fraction]]]:
    """For each clip the counters and times, from the clip's own start, that its file must show."""
    frames = number_frames(read_packets(made.path))
    found = []
    for clip in selection.clips:
        first, stop = frames.span(clip)
        times = frames.times[first:stop]
        found.append([(c, t - times[0]) for c, t in zip(made.counters[first:stop], times, strict=True)])
    return found


@pytest.mark.parametrize("name", [*EVERY_TRAP, *MORE])
def test_a_cut_clip_has_its_frames_at_their_times_and_no_other(
    name: str, made: GetMade, tmp_path: Path
) -> None:
    file = made(name)
    selection = choose(file.path, 2)
    result = cut(selection, tmp_path / "clips")
    assert [c.clip.rank for c in result.clips] == [1, 2]
    for piece, wanted in zip(result.clips, truth(file, selection), strict=True):
        assert pictures(piece.path) == wanted
        assert (piece.starts_early_s, piece.ends_late_s) == (0, 0)
        info = probe(piece.path).video
        assert info.rotation_deg == file.rotation_deg
        assert info.duration_s == pytest.approx(float(piece.end - piece.start), abs=0.0015)


@pytest.mark.parametrize(
    "name", [*EVERY_TRAP, "ts", "edit_list", "h264_open_gop", "hevc_open_gop_ts", "vp9_webm", "av1_mp4"]
)
def test_a_copied_clip_is_off_by_what_it_says(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    selection = choose(file.path, 3)
    frames = number_frames(read_packets(file.path))
    for piece, wanted in zip(cut(selection, tmp_path, copy=True).clips, truth(file, selection), strict=True):
        shown = [c for c, _ in pictures(piece.path)]
        begin = next(i for i, t in enumerate(frames.times) if t >= piece.start)
        assert shown[0] == file.counters[begin] or piece.start < frames.times[0]
        assert [c for c in shown if c in dict(wanted)] == [c for c, _ in wanted]
        assert piece.starts_early_s == pytest.approx(float(piece.clip.start - piece.start), abs=0.002)
        last = max(i for i, t in enumerate(frames.times) if t < piece.end)
        assert shown[-1] == file.counters[last]
        assert piece.starts_early_s >= 0
        assert piece.ends_late_s >= 0


def test_a_copy_keeps_the_turn(made: GetMade, tmp_path: Path) -> None:
    selection = choose(made("rotated_90").path, 1)
    (piece,) = cut(selection, tmp_path, copy=True).clips
    assert probe(piece.path).video.rotation_deg == 90


def test_a_file_without_display_times_is_not_copied(made: GetMade, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="keeps no display times"):
        cut(choose(made("h264_bframes_avi").path, 1), tmp_path / "x", copy=True)
    assert not list((tmp_path / "x").iterdir())


@pytest.mark.parametrize("name", [*EVERY_TRAP, "edit_list"])
def test_a_summary_shows_the_clips_in_order_of_time(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    selection = choose(file.path)
    result = summary(selection, tmp_path / "short.mp4")
    pieces = sorted(zip(selection.clips, truth(file, selection), strict=True), key=lambda p: p[0].start)
    wanted = [
        (c, part.at + t) for part, (_, frames) in zip(result.parts, pieces, strict=True) for c, t in frames
    ]
    assert pictures(result.path) == wanted
    assert float(result.duration) == pytest.approx(probe(result.path).video.duration_s, abs=0.001)
    with av.open(str(result.path)) as container:
        keys = {p.pts * p.time_base for p in container.demux(video=0) if p.size and p.is_keyframe}
    assert {part.at for part in result.parts} <= keys


def loud_s(path: Path, level: float = 0.5) -> list[float]:
    """When sound gets loud, seconds on the player's axis."""
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        zero = min(s.start_time * s.time_base for s in container.streams if s.start_time is not None)
        pieces, times = [], []
        for frame in container.decode(track):
            wave = np.abs(frame.to_ndarray()).max(axis=0)
            start = float(frame.pts * frame.time_base - zero)
            pieces.append(wave)
            times.append(start + np.arange(len(wave)) / frame.sample_rate)
    wave, when = np.concatenate(pieces), np.concatenate(times)
    starts = when[wave > level]
    return [float(t) for i, t in enumerate(starts) if i == 0 or t - starts[i - 1] > 0.05]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_sound_stays_in_step_with_the_pictures(suffix: str, tmp_path: Path) -> None:
    """A click at the first frame of each clip is at the start of the clip in the summary, too."""
    clicks = (0.5, 2.1, 3.7, 5.3)
    video = make_video(
        tmp_path / f"v{suffix}",
        frames=180,
        gop=60,
        bframes=2,
        audio=AudioSpec(clicks_s=clicks, sample_rate_hz=44100, layout="stereo"),
        start=Fraction(22, 15) if suffix == ".ts" else Fraction(0),
    )
    spans = [
        (Fraction(c).limit_denominator(30), Fraction(c).limit_denominator(30) + Fraction(1, 2))
        for c in clicks
    ]
    selection = score(video, "uniform", grid=ClipGrid.from_spans(spans)).select(4)
    result = summary(selection, tmp_path / "short.mp4")
    assert result.has_sound
    assert loud_s(result.path) == pytest.approx([float(p.at) for p in result.parts], abs=0.012)
    with av.open(str(result.path)) as container:
        assert container.streams.audio[0].layout.name == "stereo"
    for piece in cut(selection, tmp_path / "clips").clips:
        assert loud_s(piece.path) == pytest.approx([0.0], abs=0.012)


def test_sound_that_starts_late_stays_late(made: GetMade, tmp_path: Path) -> None:
    """The click at 2.0 s is half a second into a clip that begins before the sound does."""
    spans = [(Fraction(1), Fraction(11, 5))]
    selection = score(made("late_audio").path, "uniform", grid=ClipGrid.from_spans(spans)).select(1)
    assert loud_s(summary(selection, tmp_path / "short.mp4").path) == pytest.approx([1.0], abs=0.012)


def test_a_span_between_two_frames_is_the_frame_on_show(made: GetMade, tmp_path: Path) -> None:
    spans = [(Fraction(51, 100), Fraction(52, 100)), (Fraction(1), Fraction(2))]
    selection = score(made("h264_mkv").path, "uniform", grid=ClipGrid.from_spans(spans)).select(2)
    counts = {c.clip.index: [n for n, _ in pictures(c.path)] for c in cut(selection, tmp_path).clips}
    assert counts == {0: [15], 1: list(range(30, 60))}


def test_broken_packets_are_told(made: GetMade, tmp_path: Path) -> None:
    selection = score(made("flipped_bytes").path, "uniform").select(4)
    result = summary(selection, tmp_path / "short.mp4")
    assert len(pictures(result.path)) > 60


def test_what_cannot_be_written_is_one_error(made: GetMade, tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", frames=30)
    selection = choose(video, 1)
    for call in (
        lambda: summary(selection, video),
        lambda: summary(selection, tmp_path / "x.avi"),
        lambda: summary(selection, tmp_path / "absent" / "x.mp4"),
        lambda: cut(selection, tmp_path / "absent" / "x"),
        lambda: cut(selection, video),
        lambda: cut(selection.scores.select(1, threshold=1e9), tmp_path),
    ):
        with pytest.raises(InputError):
            call()
    assert probe(video).video.frames["P"] > 0
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]
