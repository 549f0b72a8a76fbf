"""The learned sampler: its saliency is the paper's, the same bits every time, on whatever streams there are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from builders import make_table
from conftest import GetMade
from learned_samplers import CLASSES, Kept, make_card, make_learned, modules, random_clips
from salientclips import score
from salientclips.errors import CardError, WeightsError
from salientclips.samplers import VideoEvidence
from salientclips.samplers.card import Objective, Stream
from salientclips.samplers.combine import combine
from salientclips.samplers.inputs import normalise, stream_input
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.torch_networks import TorchNetworks
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import ClipFeatures, FeatureParameters


def logits(sampler: LearnedSampler, stream: Stream, clip: ClipFeatures) -> np.ndarray[Any, Any]:
    """Frame by frame, as simply as can be."""
    card = next(s for s in sampler.card.streams if s.stream == stream)
    frames = normalise(stream_input(clip, stream), card.mean, card.std)
    with torch.inference_mode():
        return np.stack(
            [modules(sampler)[stream](torch.from_numpy(f[None]))[0].double().numpy() for f in frames]
        )


def softmax(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("objective", ["ac", "sal-cl", "sal-rank"])
def test_saliency_is_the_papers(objective: Objective) -> None:
    sampler = make_learned(make_card(("md", "rgbr", "audio"), visual=objective, audio=objective))
    clips = random_clips(5)
    judged = sampler.judge_features(Kept(clips))
    for i, clip in enumerate(clips):
        said = {s: logits(sampler, s, clip) for s in ("md", "rgbr", "audio")}  # type: ignore[arg-type]
        if objective == "ac":
            mean = {s: softmax(x).mean(axis=0) for s, x in said.items()}
            expected = {s: m.max() for s, m in mean.items()}
            expected["visual"] = ((mean["md"] + mean["rgbr"]) / 2).max()
        else:
            once = (lambda x: 1 / (1 + np.exp(-x))) if objective == "sal-cl" else (lambda x: x)
            expected = {s: once(x).mean() for s, x in said.items()}
            expected["visual"] = (expected["md"] + expected["rgbr"]) / 2
        for stream, value in expected.items():
            assert judged.streams[stream][i] == pytest.approx(value, abs=1e-6), stream
    assert set(judged.streams) == {"md", "rgbr", "audio", "visual"}
    assert judged.warnings == ()
    assert len({float(s) for s in judged.streams["visual"]}) == 5


def test_an_i_frame_that_stands_for_several_clips_is_judged_once() -> None:
    sampler = make_learned(make_card(("if",)))
    made = random_clips(3)
    # scenes of one, three and two clips; the last looks like the first and is another picture all the same
    order = (0, 1, 1, 1, 2, 2, 0)
    clips = tuple(replace(made[0], index=i, iframes=made[scene].iframes) for i, scene in enumerate(order))
    looked: list[int] = []
    hook = modules(sampler)["if"].register_forward_hook(lambda _m, args, _o: looked.append(len(args[0])))
    judged = sampler.judge_features(Kept(clips))
    hook.remove()
    assert sum(looked) == 4
    expected = [logits(sampler, "if", made[scene]).mean() for scene in order]
    assert judged.streams["if"] == pytest.approx(expected, abs=1e-5)
    assert len(set(expected)) == 3


def test_a_clip_with_two_i_frames_shares_the_second_with_the_next() -> None:
    sampler = make_learned(make_card(("if",)))
    first, second = random_clips(2)
    assert first.iframes is not None
    assert second.iframes is not None
    both = np.concatenate([first.iframes, second.iframes])
    judged = sampler.judge_features(Kept((replace(first, iframes=both), second)))
    one, two = (float(logits(sampler, "if", clip)[0, 0]) for clip in (first, second))
    assert judged.streams["if"] == pytest.approx([(one + two) / 2, two], abs=1e-5)


@pytest.mark.parametrize(
    "combination",
    ["av-union-list", "av-convex-score", "av-convex-list", "av-intersect-list", "av-joint-training"],
)
def test_sound_and_picture_are_combined_as_the_card_says(combination: Any) -> None:
    card = make_card(
        ("rgbr", "audio"), visual="ac", combination=combination, visual_weight=0.7, score_scale="unit"
    )
    sampler = make_learned(card)
    judged = sampler.judge_features(Kept(random_clips(6)))
    expected = combine(
        combination, judged.streams["visual"], judged.streams["audio"], visual_weight=0.7, scale="unit"
    )
    assert np.array_equal(judged.scores, expected)
    assert sampler.rule == ("av-union-list" if combination == "av-union-list" else "top")
    assert sampler.parameters["combination"] == combination


def test_audio_alone_and_pictures_alone() -> None:
    clips = random_clips(4)
    heard = make_learned(make_card(("audio",), audio="sal-cl")).judge_features(Kept(clips))
    assert np.array_equal(heard.scores, heard.streams["audio"])
    assert ((heard.scores > 0) & (heard.scores < 1)).all()
    seen = make_learned(make_card(("if",))).judge_features(Kept(clips))
    assert np.array_equal(seen.scores, seen.streams["visual"])
    assert np.array_equal(seen.scores, seen.streams["if"])


def test_what_a_video_does_not_have_is_left_out_and_said() -> None:
    sampler = make_learned(make_card(("md", "rgbr", "audio")))
    silent = sampler.judge_features(Kept(random_clips(4, sound=False)))
    assert np.array_equal(silent.scores, silent.streams["visual"])
    assert np.isnan(silent.streams["audio"]).all()
    assert silent.warnings == ("the video gives nothing of audio: the sampler judged without it",)

    clips = list(random_clips(4))
    clips[2] = ClipFeatures(2, (), None, None, None, None)
    partly = sampler.judge_features(Kept(tuple(clips)))
    assert np.isnan(partly.scores).tolist() == [False, False, True, False]
    assert [w.split(" give")[0] for w in partly.warnings] == ["1 of 4 clips"] * 3

    still = [replace(c, md=None, md_valid=None) for c in random_clips(4)]
    without = sampler.judge_features(Kept(tuple(still)))
    assert np.array_equal(without.streams["visual"], without.streams["rgbr"])


def test_no_clips() -> None:
    judged = make_learned().judge_features(Kept(()))
    assert judged.scores.shape == (0,)


@pytest.mark.parametrize("streams", [("md", "rgbr", "audio"), ("if",)])
def test_threads_change_no_bit(streams: Sequence[Stream]) -> None:
    card = make_card(streams, visual="ac")
    clips = random_clips(37 if streams != ("if",) else 18)
    found = [make_learned(card, threads=n).judge_features(Kept(clips)) for n in (1, 2, 3, 7)]
    before = torch.get_num_threads()
    assert len({f.scores.tobytes() for f in found}) == 1
    assert len({tuple(v.tobytes() for v in f.streams.values()) for f in found}) == 1
    assert torch.get_num_threads() == before


def test_processes_with_other_threads_give_the_same_bits() -> None:
    script = (
        "from learned_samplers import *; import sys;"
        "j = make_learned(make_card(('md','audio'))).judge_features(Kept(random_clips(19, rows=135, columns=240)));"
        "sys.stdout.write(j.streams['md'].tobytes().hex() + j.streams['audio'].tobytes().hex())"
    )
    said = set()
    for threads in ("1", "4"):
        environment = {
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
        }
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **environment, "PYTHONPATH": paths},
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert len(said.pop()) == 2 * 2 * 19 * 8


def test_a_change_of_size_within_a_video() -> None:
    sampler = make_learned()
    wide, tall = random_clips(3), random_clips(3, rows=30, columns=14)
    mixed = sampler.judge_features(Kept((wide[0], tall[1], wide[2])))
    assert mixed.scores[1] == pytest.approx(sampler.judge_features(Kept(tall)).scores[1], abs=1e-6)
    assert np.isfinite(mixed.scores).all()


def evidence(grid: ClipGrid, frames: int) -> tuple[VideoEvidence, list[FeatureParameters]]:
    asked: list[FeatureParameters] = []

    def read(parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        asked.append(parameters)
        return iter(random_clips(len(grid)))

    return VideoEvidence(make_table("I" + "P" * (frames - 1), [100] * frames), grid, read), asked


def test_reading_and_kept_features_give_the_same_bits() -> None:
    step = Fraction(32 * 1001, 30000)
    grid = ClipGrid(tuple(i * step for i in range(6)), tuple((i + 1) * step for i in range(6)))
    video, asked = evidence(grid, 192)
    sampler = make_learned(make_card(("md", "audio"), frames_per_clip=2))
    judged = sampler(video)
    assert asked == [FeatureParameters(2, ("md", "audio"))]
    assert judged.scores.tobytes() == sampler.judge_features(Kept(random_clips(6))).scores.tobytes()
    assert judged.warnings == ()


def test_clips_of_another_length_are_worth_a_warning() -> None:
    grid = ClipGrid(tuple(Fraction(5 * i) for i in range(3)), tuple(Fraction(5 * i + 5) for i in range(3)))
    video, _ = evidence(grid, 450)
    (warning,) = make_learned()(video).warnings
    assert warning == "the clips are 5.00 s long, those that the sampler was trained on 1.07 s"


def test_a_sampler_for_any_length_warns_beyond_five_times() -> None:
    free = replace(make_learned(), any_length=True)
    for length, warned in ((Fraction(1, 4), False), (Fraction(5), False), (Fraction(6), True)):
        grid = ClipGrid(tuple(i * length for i in range(3)), tuple((i + 1) * length for i in range(3)))
        video, _ = evidence(grid, 600)
        assert [w for w in free(video).warnings if "trained on" in w] == (
            ["the clips are 6.00 s long, those that the sampler was trained on 1.07 s"] if warned else []
        )


def test_features_that_do_not_match_the_card_are_refused() -> None:
    sampler = make_learned(make_card(("md", "audio")))
    with pytest.raises(CardError, match="lack audio"):
        sampler.judge_features(Kept(random_clips(2), FeatureParameters(2, ("md", "rgbr"))))
    with pytest.raises(CardError, match="4 frames a clip, 'tiny' looks at 2"):
        sampler.judge_features(Kept(random_clips(2), FeatureParameters(4, ("md", "audio"))))
    # frames mean nothing to the ear
    make_learned(make_card(("audio",))).judge_features(
        Kept(random_clips(2), FeatureParameters(9, ("audio",)))
    )


def test_networks_that_do_not_match_the_card_are_refused() -> None:
    sampler = make_learned(make_card(("md",)))
    with pytest.raises(WeightsError, match="no network for rgbr"):
        LearnedSampler(make_card(("md", "rgbr")), sampler.networks)
    with pytest.raises(WeightsError, match=r"not the resnet18 of its card"):
        LearnedSampler(make_card(("md",), architecture="resnet18"), sampler.networks)
    with pytest.raises(WeightsError, match=r"fc\.bias, fc\.weight differ"):
        LearnedSampler(make_card(("md",), visual="ac"), sampler.networks)


def test_numbers_that_are_none_are_an_error() -> None:
    sampler = make_learned(make_card(("md",)))
    with torch.no_grad():
        modules(sampler)["md"].fc.weight.fill_(3e38)  # type: ignore[union-attr, operator]
    with pytest.raises(WeightsError, match="md network of 'tiny'"):
        sampler.judge_features(Kept(random_clips(2)))


def test_the_callers_networks_stay_as_they_are() -> None:
    network = modules(make_learned(make_card(("md",))))["md"].train().requires_grad_(True)
    sampler = LearnedSampler(make_card(("md",)), TorchNetworks({"md": network}))
    assert network.training
    assert not modules(sampler)["md"].training
    before = sampler.weights_hash
    with torch.no_grad():
        next(network.parameters()).add_(1)
    again = LearnedSampler(make_card(("md",)), TorchNetworks({"md": network}))
    assert sampler.weights_hash == before != again.weights_hash
    assert not any(p.requires_grad for p in modules(sampler)["md"].parameters())


def test_parameters_tell_samplers_apart() -> None:
    one = make_learned(make_card(("md", "audio")))
    same = make_learned(make_card(("md", "audio"), data="other words"))
    other = make_learned(make_card(("md", "audio")), seed=1)
    third = make_learned(make_card(("md", "audio"), visual_share=0.5))
    assert one.parameters == same.parameters
    assert len({str(s.parameters) for s in (one, other, third)}) == 3


def test_ac_needs_its_classes() -> None:
    for card in (make_card(("md",), visual="ac", classes=()), make_card(("md",), classes=CLASSES)):
        with pytest.raises(CardError, match="classes belong to the objective ac"):
            LearnedSampler(card, TorchNetworks({}))


def test_a_video_end_to_end_with_the_clips_of_the_card(made: GetMade) -> None:
    card = make_card(("md", "rgbr", "audio"), clip=ClipSpec(8, 2))
    scores = score(made("stereo_aac").path, make_learned(card))
    assert scores.clip_spec == ClipSpec(8, 2)
    assert scores.warnings == ()
    assert scores.rule == "av-union-list"
    assert [u.split()[0] for u in scores.features_used] == ["md", "rgbr", "audio"]
    assert np.isfinite(scores.streams["audio"]).all()
    other = score(made("stereo_aac").path, make_learned(card), clip=ClipSpec(16, 2))
    assert "trained on" in other.warnings[0]


def test_a_video_without_sound(made: GetMade) -> None:
    scores = score(made("h264_mkv").path, make_learned(make_card(("md", "rgbr", "audio"))))
    assert "the file has no audio track" in scores.warnings
    assert scores.features_used[-1] == "audio (none)"
    assert np.array_equal(scores.scores, scores.streams["visual"])
    assert len(scores.select(2).clips) == 2
