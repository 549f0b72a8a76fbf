"""Classify: the right frames of the right clips reach the classifier, and their probabilities are averaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_files import make_video, read_counter
from salientclips.classifiers import ClipInput
from salientclips.classifiers.look import clip_frame_times
from salientclips.errors import InputError, SeekMismatchError, StoredScoresError, UnknownNameError
from salientclips.media.demux import read_packets
from salientclips.samplers.card import SamplerCard
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import ClipScores, SelectedClip
from salientclips.verbs.classify import STRATEGIES, VideoClassifier
from salientclips.verbs.score import score

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")

FRAMES = 200


class CounterReader:
    """A classifier that reads the burnt-in counter: sure of "late" in proportion to it."""

    name = "counter-reader"
    labels = ("early", "late")
    input = ClipInput(4, 2, 128, 128, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), gflops=2.0)

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Probabilities (B, 2) from clips (B, 3, T, H, W)."""
        rows = []
        for clip in (clips * 255).round().byte().permute(0, 2, 3, 4, 1).numpy():
            counters = [read_counter(frame) for frame in clip]
            self.seen.append(counters)
            late = float(np.mean(counters)) / FRAMES
            rows.append([1 - late, late])
        return torch.tensor(rows, dtype=torch.float32)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(
        tmp_path_factory.mktemp("v") / "v.mp4", frames=FRAMES, size=(128, 128), bframes=2, gop=50
    )


def test_dense_looks_at_every_clip_once(video: Path) -> None:
    reader = CounterReader()
    found = VideoClassifier(reader, strategy="dense")(video)
    assert found.k == len(found.clips) == FRAMES // 8
    # clips of 8 frames, 4 frames at step 2: 7 frames span the clip, one is spare at the end
    assert reader.seen == [[8 * i, 8 * i + 2, 8 * i + 4, 8 * i + 6] for i in range(FRAMES // 8)]
    assert found.gflops == 2.0 * len(found.clips)


def test_the_video_is_the_mean_of_its_clips(video: Path) -> None:
    reader = CounterReader()
    found = VideoClassifier(reader, strategy="uniform", k=5)(video)
    late = np.mean([np.mean(c) / FRAMES for c in reader.seen])
    assert {p.label: p.probability for p in found.predictions}["late"] == pytest.approx(late, abs=1e-6)
    assert sum(p.probability for p in found.predictions) == pytest.approx(1.0)


def test_the_sampler_decides_and_only_its_clips_are_looked_at(video: Path) -> None:
    reader = CounterReader()
    found = VideoClassifier(reader, "packet-cost", k=3)(video)
    expected = score(video, "packet-cost", clip=found_spec(reader)).select(3)
    assert [c.index for c in found.clips] == [c.index for c in expected.clips]
    assert sorted(c[0] // 8 for c in reader.seen) == sorted(c.index for c in expected.clips)


def found_spec(reader: CounterReader):  # type: ignore[no-untyped-def]
    from salientclips.timeline import ClipSpec

    return ClipSpec(reader.input.frames, reader.input.frame_step)


def test_the_oracle_takes_the_clips_surest_of_the_true_class(video: Path) -> None:
    late = VideoClassifier(CounterReader(), strategy="oracle", k=3)(video, label="late")
    assert [c.index for c in late.clips] == [24, 23, 22]
    assert [c.rank for c in late.clips] == [1, 2, 3]
    early = VideoClassifier(CounterReader(), strategy="oracle", k=3)(video, label="early")
    assert [c.index for c in early.clips] == [0, 1, 2]
    assert early.predictions[0].label == "early"
    assert early.gflops == 2.0 * (FRAMES // 8), "the oracle has looked at every clip"


@pytest.mark.parametrize("label", [None, "sometime"])
def test_the_oracle_needs_a_label_it_knows(video: Path, label: str | None) -> None:
    with pytest.raises(InputError, match="true class"):
        VideoClassifier(CounterReader(), strategy="oracle")(video, label=label)


def test_random_is_seeded(video: Path) -> None:
    def clips(seed: int) -> list[int]:
        found = VideoClassifier(CounterReader(), strategy="random", k=4, seed=seed)(video)
        return [c.index for c in found.clips]

    assert clips(1) == clips(1)
    assert clips(1) != clips(2)


def test_empirical_draws_where_the_card_says(video: Path) -> None:
    card = SamplerCard("learned", (), ClipSpec(), 1, histogram=(0.0, 0.0, 0.0, 0.0, 1.0))
    learned = SimpleNamespace(name="learned", card=card)

    def clips(seed: int) -> list[int]:
        found = VideoClassifier(CounterReader(), learned, strategy="empirical", k=3, seed=seed)(video)  # type: ignore[arg-type]
        return [c.index for c in found.clips]

    assert clips(1) == clips(1)
    assert clips(1) != clips(2)
    assert all(20 <= i < 25 for seed in range(5) for i in clips(seed))


def test_empirical_needs_a_histogram() -> None:
    with pytest.raises(InputError, match="'motion' has none"):
        VideoClassifier(CounterReader(), "motion", strategy="empirical")
    VideoClassifier(CounterReader(), strategy="empirical")  # the default's card has one


def test_fewer_clips_than_k_says_so(video: Path) -> None:
    found = VideoClassifier(CounterReader(), strategy="uniform", k=99)(video)
    assert len(found.clips) == FRAMES // 8
    assert "the video has 25 clips" in found.note


def test_stored_scores_cost_no_features(video: Path) -> None:
    ready: ClipScores = score(video, "motion")
    found = VideoClassifier(CounterReader(), k=2)(video, scores=ready)
    assert found.seconds["features"] == 0.0
    assert [c.index for c in found.clips] == [c.index for c in ready.select(2).clips]


def test_where_the_time_went(video: Path) -> None:
    found = VideoClassifier(CounterReader(), k=2)(video)
    assert set(found.seconds) == {"demux", "features", "sampler", "decode", "classifier"}
    assert all(value > 0 for value in found.seconds.values())


def test_twice_the_same_and_with_any_threads(video: Path) -> None:
    runs = [VideoClassifier(CounterReader(), k=4, threads=t)(video) for t in (1, 1, 2, 4)]
    assert all(run == runs[0] for run in runs)


@pytest.mark.parametrize("bad", [{"strategy": "guess"}, {"k": 0}])
def test_impossible_arguments_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises((UnknownNameError, InputError)):
        VideoClassifier(CounterReader(), **bad)  # type: ignore[arg-type]


def test_the_strategies_of_the_poster() -> None:
    assert set(STRATEGIES) >= {"sampler", "dense", "uniform", "random", "empirical", "oracle"}


def clip_between(start: int, end: int) -> SelectedClip:
    return SelectedClip(1, 0, Fraction(start), Fraction(end), 0.0)


def shape(frames: int, step: int) -> ClipInput:
    return ClipInput(frames, step, 1, 1, (0, 0, 0), (1, 1, 1), None)


@given(st.integers(0, 90), st.integers(1, 40), st.integers(1, 20), st.integers(1, 5))
def test_frames_come_from_inside_the_clip(start: int, length: int, frames: int, step: int) -> None:
    shown = [Fraction(i) for i in range(100)]
    end = min(100, start + length)
    times = clip_frame_times(clip_between(start, end), shown, shape(frames, step))
    assert len(times) == frames
    assert list(times) == sorted(times)
    assert start <= times[0]
    assert times[-1] < end
    if (frames - 1) * step + 1 <= end - start:
        assert {b - a for a, b in pairwise(times)} <= {step}
        before, after = times[0] - start, end - 1 - times[-1]
        assert 0 <= after - before <= 1, "the frames lie in the middle"


def test_a_clip_without_frames_shows_the_one_before() -> None:
    shown = [Fraction(0), Fraction(10)]
    assert clip_frame_times(clip_between(4, 6), shown, shape(2, 1)) == (0, 0)


def test_scores_of_another_video_do_not_pass_unseen(
    video: Path, tmp_path: Path, made: Callable[[str], object]
) -> None:
    from salientclips.outputs.score_files import load_scores, save_scores

    other = make_video(tmp_path / "o.mp4", frames=64, size=(128, 128))
    save_scores(score(other, "uniform"), tmp_path / "s.json")
    with pytest.raises(StoredScoresError):
        load_scores(tmp_path / "s.json", video)


@pytest.fixture(scope="module")
def half_lost(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video with frames 50 to 149, two GOPs of 3.3 s in all, overwritten."""
    table = read_packets(video)
    assert table.file_offset is not None
    content = bytearray(video.read_bytes())
    for pts, begin, size in zip(table.pts, table.file_offset, table.size_bytes, strict=True):
        if 50 <= table.timeline.time(int(pts)) * 30 < 150:
            content[begin : begin + size] = bytes(size)
    path = tmp_path_factory.mktemp("lost") / "lost.mp4"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("strategy", ["dense", "uniform", "oracle"])
def test_a_clip_that_cannot_be_decoded_is_left_out(half_lost: Path, strategy: str) -> None:
    reader = CounterReader()
    prediction = VideoClassifier(reader, "packet-cost", k=25, strategy=strategy)(half_lost, label="late")
    firsts = [counters[0] for counters in reader.seen]
    assert firsts
    assert all(first < 80 or first >= 150 for first in firsts)  # up to a second after the last good frame
    assert len(prediction.clips) == len(firsts) < 25
    late = sum(float(np.mean(counters)) for counters in reader.seen) / len(reader.seen) / FRAMES
    assert {p.label: p.probability for p in prediction.predictions}["late"] == pytest.approx(late, abs=1e-6)
    assert prediction.gflops == 2.0 * len(firsts)
    assert any("cannot be decoded and were left out" in line for line in prediction.warnings)


def test_a_video_of_which_no_clip_can_be_decoded_is_an_error(half_lost: Path) -> None:
    scores = score(half_lost, "uniform", clip=ClipSpec(4, 2))
    lost = next(c for c in scores.select(len(scores)).clips if 90 <= c.start * 30 < 140)
    only = replace(scores, grid=ClipGrid((lost.start,), (lost.end,)), scores=scores.scores[:1])
    with pytest.raises(SeekMismatchError):
        VideoClassifier(CounterReader(), k=1)(half_lost, scores=only)
