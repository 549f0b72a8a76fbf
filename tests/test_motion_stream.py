"""The untrained score of ``motion`` as a stream of a learned sampler: its scale, its weight, what is read for it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from learned_samplers import Kept, make_card, make_learned, random_clips
from salientclips.errors import CardError
from salientclips.samplers.baselines import motion_of
from salientclips.samplers.card import MOTION, STREAMS, Objective, SamplerCard, Stream, features_of
from salientclips.samplers.card_file import card_from_json, card_to_json, check_card
from salientclips.samplers.combine import put_together
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.plain_networks import PlainNetworks
from salientclips.timeline import ClipGrid
from salientclips.training.targets import Targets
from salientclips.training.tune import Opinion, tuned


def with_motion(streams: tuple[Stream, ...] = ("md",), weight: float = 1.0, **how: object) -> SamplerCard:
    card = make_card(streams, **how)  # type: ignore[arg-type]
    named = {s.stream: s for s in (*card.streams, replace(MOTION, weight=weight))}
    both = "audio" in named
    return replace(
        card,
        streams=tuple(named[s] for s in STREAMS if s in named),
        combination="av-union-list" if both else None,
    )


def test_what_is_read_for_it() -> None:
    assert features_of(("motion",)) == ("md", "rgbr")
    assert features_of(("if", "motion", "audio")) == ("md", "rgbr", "if", "audio")
    sampler = make_learned(with_motion(("if",)))
    assert sampler.feature_parameters.features == ("md", "rgbr", "if")
    assert sampler.feature_parameters.frames_per_clip == 2


@pytest.mark.parametrize("objective", ["sal-rank", "sal-cl", "ac"])
def test_it_is_added_on_one_scale(objective: Objective) -> None:
    clips = random_clips(9)
    card = with_motion(("md",), 0.5, visual=objective)
    judged = make_learned(card).judge_features(Kept(clips))
    motion = np.array([motion_of(clip) for clip in clips])
    np.testing.assert_array_equal(judged.streams["motion"], motion)
    alone = make_learned(make_card(("md",), visual=objective)).judge_features(Kept(clips))
    np.testing.assert_array_equal(judged.streams["md"], alone.scores)
    parts = [(one - one.mean()) / one.std() for one in (alone.scores, motion)]
    assert judged.scores == pytest.approx((parts[0] + 0.5 * parts[1]) / 1.5)


def test_without_a_network_it_is_the_untrained_sampler() -> None:
    clips = random_clips(5)
    sampler = make_learned(replace(make_card(("md",)), streams=(MOTION,)))
    expected = [motion_of(clip) for clip in clips]
    np.testing.assert_array_equal(sampler.judge_features(Kept(clips)).scores, expected)


def test_a_clip_that_lacks_one_is_judged_by_the_other() -> None:
    card = with_motion(("if",))
    still = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
    motion = np.array([np.nan, 1.0, 2.0, 3.0, np.nan])
    scores, _ = put_together(card, {"if": still, "motion": motion, "visual": still})
    assert np.isfinite(scores[:4]).all()
    assert np.isnan(scores[4])
    assert scores[0] < scores[1] < scores[2], "each within its own deviation"


def test_both_engines_and_the_folder_keep_it(tmp_path: Path) -> None:
    clips = random_clips(6)
    card = with_motion(("md", "audio"), 0.25)
    sampler = make_learned(card)
    weights = {stream.stream: sampler.networks.tensors(stream.stream) for stream in card.networks}
    plain = LearnedSampler(card, PlainNetworks(card, weights))
    sampler.save_pretrained(tmp_path / "s")
    again = LearnedSampler.from_pretrained(tmp_path / "s")
    assert again.card == card
    said = [one.judge_features(Kept(clips)) for one in (sampler, plain, again)]
    for one in said[1:]:
        assert one.scores == pytest.approx(said[0].scores, abs=5e-3)
    assert sampler.parameters == plain.parameters == again.parameters
    assert sampler.parameters != make_learned(with_motion(("md", "audio"), 0.5)).parameters


def test_a_card_says_the_truth_of_it() -> None:
    good = with_motion()
    assert card_from_json(card_to_json(good), "x") == good
    for wrong in (
        replace(MOTION, architecture="shufflenet26"),
        replace(MOTION, objective="sal-rank"),
        replace(MOTION, parameters=7),
        replace(MOTION, mean=(0.0,), std=(1.0,)),
        replace(good.streams[0], architecture="none"),
        replace(good.streams[0], parameters=0),
    ):
        streams = (wrong,) if wrong.stream == "md" else (good.streams[0], wrong)
        with pytest.raises(CardError, match=r"motion|network|mean"):
            check_card(replace(good, streams=streams))


CLIPS = 40
TRUTH = np.isin(np.arange(CLIPS), range(20, 26)).astype(np.float64)


def choose(card: SamplerCard, **streams: np.ndarray) -> dict[str, float]:
    grid = ClipGrid.from_spans([(Fraction(i), Fraction(i + 1)) for i in range(CLIPS)])
    chances = np.stack([TRUTH, 1 - TRUTH], axis=1).astype(np.float32)
    targets = Targets(("yes",), (0,), TRUTH, TRUTH > 0, True)
    networks = [said for name, said in streams.items() if name != "motion"]
    said = Opinion({**streams, "visual": np.mean(networks, axis=0)}, grid, chances, targets)
    kept = tuned(card, [said], 6, neighbours=0, weighs_streams=True)
    return {stream.stream: stream.weight for stream in kept.streams}


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(CLIPS)


@pytest.mark.parametrize("objective", ["sal-rank", "ac"])
def test_validation_chooses_what_it_counts(objective: Objective) -> None:
    card = with_motion(("md",), visual=objective)
    # its scale does not matter
    assert choose(card, md=TRUTH + 0.1 * noise(3), motion=-1000 * TRUTH) == {"md": 1.0}
    assert choose(card, md=-TRUTH, motion=1e-3 * (TRUTH + 0.1 * noise(0))) == {"motion": 1.0}
    halves = [np.where(np.arange(CLIPS) < 23, TRUTH, 0), np.where(np.arange(CLIPS) >= 23, TRUTH, 0)]
    both = choose(card, md=halves[0] + 1e-3 * noise(1), motion=100 * (halves[1] + 1e-3 * noise(2)))
    assert set(both) == {"md", "motion"}


def test_networks_of_the_objective_ac_go_together() -> None:
    card = with_motion(("md", "rgbr"), visual="ac")
    found = choose(card, md=TRUTH, rgbr=-TRUTH + 0.1 * noise(1), motion=TRUTH + noise(2))
    assert found == {"motion": 1.0} or found["md"] == found["rgbr"]
    assert choose(card, md=-TRUTH, rgbr=-TRUTH, motion=TRUTH) == {"motion": 1.0}


def test_motion_alone_is_a_folder_too(tmp_path: Path) -> None:
    """Where validation leaves out every network, there are no weights to write."""
    sampler = make_learned(replace(make_card(("md",)), streams=(MOTION,), neighbours=1))
    sampler.save_pretrained(tmp_path / "s")
    again = LearnedSampler.from_pretrained(tmp_path / "s")
    clips = random_clips(4)
    first, second = (one.judge_features(Kept(clips)).scores for one in (sampler, again))
    np.testing.assert_array_equal(first, second)
