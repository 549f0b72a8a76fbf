"""The light audio network: what a layer on the MEL bands of a clip learns, on both engines, through all commands."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import CLIP_FRAMES, RATE_HZ, ActionVideo, ColourClassifier, make_action_videos  # noqa: E402
from learned_samplers import Kept, make_card, make_learned, random_clips  # noqa: E402
from salientclips import SamplerPlan, fit, make_sampler, score  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.datasets.manifest import Entry, Split, write_manifest  # noqa: E402
from salientclips.errors import CardError, InputError, UnknownNameError  # noqa: E402
from salientclips.samplers.card import Objective  # noqa: E402
from salientclips.samplers.card_file import card_from_json, card_to_json, check_card  # noqa: E402
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.samplers.nets import BandLayer  # noqa: E402
from salientclips.samplers.plain_networks import PlainNetworks  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402

SPEC = ClipSpec(CLIP_FRAMES, 1)
FRAME_S = Fraction(1, RATE_HZ)
SPLITS: list[Split] = ["train"] * 6 + ["validation"] * 2 + ["test"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[ActionVideo]:
    """Videos in which a tone is heard in the salient clips, and a noise as loud in others."""
    return make_action_videos(tmp_path_factory.mktemp("videos"), "together", len(SPLITS))


@pytest.fixture(scope="module")
def entries(made: list[ActionVideo]) -> list[Entry]:
    """The same as a manifest has them, the clips with the tone marked."""
    found = []
    for video, split in zip(made, SPLITS, strict=True):
        begin, end = min(video.heard) * CLIP_FRAMES, (max(video.heard) + 1) * CLIP_FRAMES
        found.append(replace(video.entry(split), spans=((FRAME_S * begin, FRAME_S * end),)))
    return found


def test_the_figures_are_mean_deviation_and_maximum_of_each_band() -> None:
    window = torch.from_numpy(np.random.default_rng(0).normal(-6, 3, (2, 1, 40, 200)))
    found = BandLayer.figures(window).numpy()
    bands = window.numpy()[:, 0]
    expected = np.concatenate([bands.mean(axis=2), bands.std(axis=2), bands.max(axis=2)], axis=1)
    assert found.shape == (2, 120)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("objective", ["ac", "sal-cl", "sal-rank"])
def test_it_finds_the_tone(
    made: list[ActionVideo], entries: list[Entry], tmp_path: Path, objective: Objective
) -> None:
    plan = SamplerPlan(("audio",), objective=objective, audio_architecture="bands", neighbours=0)
    fitted = fit(
        entries,
        ColourClassifier(),
        plan=plan,
        clip=SPEC,
        output=tmp_path / "s",
        cache=tmp_path / "c",
        device="cpu",
    )
    (stream,) = fitted.card.streams
    assert stream.architecture == "bands"
    assert stream.parameters == (2 if objective == "ac" else 1) * 121
    assert fitted.history["audio"][0].keys() >= {"penalty", "surety"}
    assert "penalty_audio" in fitted.card.options
    unseen = made[-1]
    scores = score(unseen.path, str(fitted.folder))
    chosen = {clip.index for clip in scores.select(len(unseen.heard)).clips}
    # A window of sound reaches beyond its clip; what class it is of is harder to say than whether it counts.
    assert len(chosen & unseen.heard) >= (2 if objective == "ac" else 3)


def test_beside_pictures_each_has_its_say(entries: list[Entry], tmp_path: Path) -> None:
    plan = SamplerPlan(
        ("stats", "audio"), audio_architecture="bands", combination="av-convex-score", neighbours=0
    )
    fitted = fit(
        entries, None, plan=plan, clip=SPEC, output=tmp_path / "s", cache=tmp_path / "c", device="cpu"
    )
    assert [s.architecture for s in fitted.card.streams] == ["linear", "bands"]
    assert {"visual_accuracy_at_4", "audio_accuracy_at_4"} <= set(fitted.card.validation)
    scores = score(entries[-1].path, str(fitted.folder))
    assert set(scores.streams) == {"stats", "visual", "audio"}


def test_both_engines_and_the_folder_say_the_same(tmp_path: Path) -> None:
    clips = random_clips(6)
    card = make_card(("stats", "audio"), audio_architecture="bands")
    sampler = make_learned(card)
    weights = {s.stream: sampler.networks.tensors(s.stream) for s in card.networks}
    plain = LearnedSampler(card, PlainNetworks(card, weights))
    again = make_sampler(str(sampler.save_pretrained(tmp_path / "s")))
    said = [one.judge_features(Kept(clips)) for one in (sampler, plain, again)]  # type: ignore[union-attr]
    assert np.ptp(said[0].streams["audio"]) > 0
    for one in said[1:]:
        assert one.streams["audio"] == pytest.approx(said[0].streams["audio"], abs=1e-4)


def test_a_card_says_the_truth_of_it() -> None:
    good = make_card(("md", "audio"), audio_architecture="bands")
    assert card_from_json(card_to_json(good), "x") == good
    with pytest.raises(CardError, match="only sound has bands"):
        check_card(replace(good, streams=(replace(good.streams[0], architecture="bands"), good.streams[1])))


def test_what_cannot_be_planned() -> None:
    with pytest.raises(UnknownNameError, match="audio architecture"):
        SamplerPlan(("audio",), audio_architecture="resnet18")
    with pytest.raises(InputError, match="of bands are solved alone"):
        SamplerPlan(("md", "audio"), audio_architecture="bands", combination="av-joint-training")


def test_the_command_makes_one(
    entries: list[Entry],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def call(*words: object) -> Any:
        assert run([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    write_manifest(entries, tmp_path / "set.csv")
    mine = tmp_path / "mine"
    words = ["fit", tmp_path / "set.csv", "-o", mine, "--cache", tmp_path / "cache", "--from-spans"]
    words += ["--streams", "audio", "--audio-architecture", "bands", "--clip-frames", CLIP_FRAMES]
    card = call(*words, "--frame-step", "1", "--device", "cpu")["card"]
    assert [(s["stream"], s["architecture"]) for s in card["streams"]] == [("audio", "bands")]
    said = call("score", entries[-1].path, "--sampler", mine)
    assert len(said["clips"]) == 16
    assert "bands" in call("list")["architectures"]
    assert "bands" in (mine / "README.md").read_text()
