"""Packet cost as a stream of a learned sampler: what is read for it, its scale, its weight, every command with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import ColourClassifier, write_video  # noqa: E402
from builders import make_table  # noqa: E402
from conftest import GetMade  # noqa: E402
from learned_samplers import (  # noqa: E402
    Kept,
    make_card,
    make_learned,
    random_clips,
    write_random_front,
)
from salientclips import Fitted, SamplerPlan, fit, make_sampler, read_corpus, score  # noqa: E402
from salientclips.cache.features import load_or_read  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.compressed.packet_cost import packet_cost, tells_of_change  # noqa: E402
from salientclips.compressed.reader import FeatureReader  # noqa: E402
from salientclips.datasets.manifest import Entry, Split, write_manifest  # noqa: E402
from salientclips.errors import CardError, InputError  # noqa: E402
from salientclips.media.demux import clip_grid, read_packets  # noqa: E402
from salientclips.samplers.baselines import motion_of  # noqa: E402
from salientclips.samplers.card import MOTION, PACKETS, RULES, STREAMS, SamplerCard, features_of  # noqa: E402
from salientclips.samplers.card_file import card_from_json, card_to_json, check_card  # noqa: E402
from salientclips.samplers.combine import put_together  # noqa: E402
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.samplers.model_card import model_card  # noqa: E402
from salientclips.samplers.plain_networks import PlainNetworks  # noqa: E402
from salientclips.timeline import ClipGrid, ClipSpec  # noqa: E402
from salientclips.training.targets import Targets  # noqa: E402
from salientclips.training.tune import Opinion, tuned  # noqa: E402
from salientclips.types import Feature, FeatureParameters  # noqa: E402

Kind = str
"""Of a clip: ``still``, ``red`` (key frame and all), or ``noisy`` (all frames but the key frame)."""

CLIPS, FRAMES, RATE_HZ = 16, 12, 25
SPEC = ClipSpec(FRAMES, 1)
"""A clip begins with a key frame: ``write_video`` has one in 12 frames."""


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_front(tmp_path_factory.mktemp("front") / "mobilenet.pt")


def frames(kinds: Sequence[Kind], seed: int) -> Iterator[npt.NDArray[np.uint8]]:
    draw = np.random.default_rng(seed)
    coarse = draw.integers(90, 150, (24, 32, 1))
    ground = coarse.repeat(4, 0).repeat(4, 1).repeat(3, 2).astype(np.uint8)
    for kind in kinds:
        for number in range(FRAMES):
            picture = ground.copy()
            if kind == "red":
                picture[..., 0] += 100
                picture[..., 1:] -= 60
            elif kind == "noisy" and number > 0:
                picture = draw.integers(0, 255, ground.shape, dtype=np.uint8)
            yield picture


def make_videos(folder: Path, salient: Kind, other: Kind, count: int = 7) -> list[Entry]:
    """Videos of which four clips in a row are salient, and two or three elsewhere are otherwise than the rest."""
    folder.mkdir()
    splits: list[Split] = ["train"] * (count - 3) + ["validation"] * 2 + ["test"]
    entries = []
    for number, split in enumerate(splits):
        first = 1 + 4 * (number % 3)
        kinds = ["still"] * CLIPS
        kinds[first : first + 4] = [salient] * 4
        kinds[(first + 7) % 14 + 1] = kinds[(first + 9) % 14 + 1] = other
        write_video(folder / f"{number}.mp4", frames(kinds, number), None)
        begin, end = (Fraction(FRAMES * clip, RATE_HZ) for clip in (first, first + 4))
        entries.append(Entry(folder / f"{number}.mp4", ("across",), split=split, spans=((begin, end),)))
    return entries


@pytest.fixture(scope="module")
def dear(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """Videos whose salient clips no key frame tells from others: their packets do."""
    return make_videos(tmp_path_factory.mktemp("dear") / "v", "noisy", "red")


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """Videos whose salient clips are red and cheap, and others are dear."""
    return make_videos(tmp_path_factory.mktemp("cheap") / "v", "red", "noisy")


def made_of(
    entries: list[Entry], folder: Path, weights: Path, streams: tuple[Any, ...], **how: Any
) -> Fitted:
    plan = SamplerPlan(streams, objective="sal-cl", front_weights=weights, neighbours=0, **how)
    return fit(entries, None, plan=plan, clip=SPEC, output=folder / "s", cache=folder / "c", device="cpu")


def test_where_packets_alone_tell_validation_gives_them_the_weight(
    dear: list[Entry], tmp_path: Path, weights: Path
) -> None:
    alone = made_of(dear, tmp_path / "1", weights, ("if",))
    assert alone.card.validation["surety_at_4"] < 0.7
    made = made_of(dear, tmp_path / "2", weights, ("packets", "if"))
    assert {s.stream: s.weight for s in made.card.streams}["packets"] == 1.0
    assert made.card.validation["surety_at_4"] == 1.0
    # on a video that it has not seen, and from its folder
    unseen, grid = dear[-1], clip_grid(read_packets(dear[-1].path), SPEC)
    scores = score(unseen.path, str(made.folder))
    ((begin, _),) = unseen.spans
    first = grid.starts.index(begin)
    assert {clip.index for clip in scores.select(4).clips} == set(range(first, first + 4))
    assert "packets (demux)" in scores.features_used


def test_where_packets_mislead_they_count_nothing(cheap: list[Entry], tmp_path: Path, weights: Path) -> None:
    alike = made_of(cheap, tmp_path / "1", weights, ("if", "packets"), weighs_streams=False)
    assert {s.stream: s.weight for s in alike.card.streams} == {"if": 1.0, "packets": 1.0}
    assert alike.card.validation["surety_at_4"] < 0.9
    made = made_of(cheap, tmp_path / "2", weights, ("if", "packets"))
    assert [s.stream for s in made.card.streams] == ["if"]
    assert made.card.options["left_out"] == "packets"
    assert made.card.validation["surety_at_4"] == 1.0
    assert made.sampler.feature_parameters.features == ("if",), "nobody pays for what does not count"


@pytest.mark.parametrize("streams", ["if,motion,packets", "md,rgbr,motion,packets"])
def test_every_command_knows_it(
    streams: str,
    dear: list[Entry],
    tmp_path: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def call(*words: object) -> Any:
        assert run([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    monkeypatch.setattr("salientclips.classifiers.load_classifier", lambda *_, **__: ColourClassifier())
    write_manifest(dear, tmp_path / "set.csv")
    mine, video, cache = tmp_path / "mine", dear[-1].path, ("--cache", tmp_path / "cache")
    words = ["fit", tmp_path / "set.csv", "-o", mine, *cache, "--from-spans", "--streams", streams]
    words += ["--clip-frames", FRAMES, "--frame-step", "1", "--epochs", "1", "--no-weigh-streams"]
    words += ["--frames-per-clip", "1", "--neighbours", "0", "--device", "cpu"]
    words += ["--front-weights", weights] if streams.startswith("if") else []
    made = call(*words)
    assert [stream["stream"] for stream in made["card"]["streams"]] == streams.split(",")
    said = call("score", video, "--sampler", mine)
    assert said["streams"] == [*streams.split(","), "visual"]
    alone = score(video, "packet-cost", clip=SPEC)
    assert [clip["streams"]["packets"] for clip in said["clips"]] == alone.scores.tolist()
    assert "packets (demux)" in said["features_used"]
    assert len(call("classify", video, "-c", "x", "--random-weights", "-k", "2", "-s", mine)["clips"]) == 2
    look = ["evaluate", tmp_path / "set.csv", "-c", "x", "-s", mine, "--k", "1,2", "--no-figures", *cache]
    call(*look, "--out", tmp_path / "out")
    table = (tmp_path / "out" / "samplers.csv").read_text()
    assert "mine,packets" in table
    call("report", video, "-o", tmp_path / "page.html", "--sampler", mine, "-k", "2")
    assert "packet cost" in (tmp_path / "page.html").read_text()
    assert run([*map(str, ("score", dear[0].path, video, "--sampler", mine, "-o", tmp_path / "corpus"))]) == 0
    columns = read_corpus(tmp_path / "corpus").clips
    rows = columns.select(["video", "stream_packets"]).to_pylist()
    assert [row["stream_packets"] for row in rows if row["video"] == str(video)] == alone.scores.tolist()


def with_rules(streams: tuple[Any, ...] = ("md",), **how: Any) -> SamplerCard:
    """A card with ``motion`` and ``packets`` beside some networks; numbers named as they are their weights."""
    weights = {name: how.pop(name, 1.0) for name in RULES}
    card = make_card(streams, **how)
    named = {s.stream: s for s in card.streams} | {
        name: replace(RULES[name], weight=weight) for name, weight in weights.items()
    }
    both = "audio" in named
    return replace(
        card,
        streams=tuple(named[s] for s in STREAMS if s in named),
        combination="av-union-list" if both else None,
    )


def test_what_is_read_for_it() -> None:
    assert features_of(("packets",)) == ("packets",)
    assert features_of(("if", "motion", "packets", "audio")) == ("md", "rgbr", "if", "audio", "packets")
    sampler = make_learned(replace(make_card(("md",)), streams=(PACKETS,)))
    assert sampler.feature_parameters.features == ("packets",)


@pytest.mark.parametrize("features", [("packets",), ("md", "rgbr", "packets"), ("if", "audio", "packets")])
def test_a_reader_gives_each_clip_its_cost(
    features: tuple[Feature, ...], dear: list[Entry], tmp_path: Path
) -> None:
    path = dear[0].path
    table = read_packets(path)
    # the second clip has no frame but an I-frame, the last lies behind the end
    ends = [Fraction(0), Fraction(12, 25), Fraction(13, 25), Fraction(2), Fraction(50), Fraction(51)]
    grid = ClipGrid.from_spans(list(pairwise(ends)))
    expected = score(path, "packet-cost", grid=grid)
    costs = packet_cost(table, grid)
    assert np.isnan(costs).tolist() == [False, True, False, False, True]
    np.testing.assert_array_equal(costs[[0, 2, 3]], expected.scores[[0, 2, 3]])
    reader = FeatureReader(path, table, grid)
    found = list(reader.read(FeatureParameters(1, features)))
    np.testing.assert_array_equal([clip.packet_cost for clip in found], costs)
    assert reader.used["packets"] == "demux"
    others = tuple(name for name in features if name != "packets")
    if others:
        for clip, plain in zip(
            found, FeatureReader(path, table, grid).read(FeatureParameters(1, others)), strict=True
        ):
            assert plain.packet_cost is None
            for name in ("md", "rgbr", "iframes", "mel"):
                np.testing.assert_array_equal(getattr(clip, name), getattr(plain, name))
    kept = [load_or_read(path, FeatureParameters(1, features), grid, folder=tmp_path) for _ in range(2)]
    for one in kept:
        np.testing.assert_array_equal([clip.packet_cost for clip in one.clips], costs)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


@pytest.mark.parametrize("name", ["mjpeg_avi", "prores_mov"])
def test_where_all_frames_are_key_frames_it_is_left_out(name: str, made: GetMade) -> None:
    path = made(name).path
    table = read_packets(path)
    grid = clip_grid(table, ClipSpec(4, 1))
    assert not tells_of_change(table)
    read = FeatureReader(path, table, grid).read(FeatureParameters(1, ("packets",)))
    assert np.isnan([clip.packet_cost for clip in read]).all()
    assert np.isfinite(packet_cost(table, grid)).all(), "packet-cost itself goes on, and says what it can"
    card = make_card(("md",))
    sampler = make_learned(replace(card, streams=(*card.streams, PACKETS)))
    scores = score(path, sampler, clip=ClipSpec(4, 1))
    alone = score(path, make_learned(card), clip=ClipSpec(4, 1))
    assert np.array_equal(np.argsort(-scores.scores, kind="stable"), np.argsort(-alone.scores, kind="stable"))
    assert any("nothing of packets" in warning for warning in scores.warnings)


@pytest.mark.parametrize("objective", ["sal-rank", "sal-cl", "ac"])
def test_it_is_added_on_one_scale(objective: Any) -> None:
    clips = random_clips(9)
    card = with_rules(("md",), visual=objective, motion=0.5, packets=0.25)
    judged = make_learned(card).judge_features(Kept(clips))
    costs = np.array([clip.packet_cost for clip in clips])
    np.testing.assert_array_equal(judged.streams["packets"], costs)
    motion = np.array([motion_of(clip) for clip in clips])
    alone = make_learned(make_card(("md",), visual=objective)).judge_features(Kept(clips))
    parts = [(one - one.mean()) / one.std() for one in (alone.scores, motion, costs)]
    assert judged.scores == pytest.approx((parts[0] + 0.5 * parts[1] + 0.25 * parts[2]) / 1.75)


def test_without_a_network_it_is_the_untrained_sampler(dear: list[Entry], tmp_path: Path) -> None:
    sampler = make_learned(replace(make_card(("md",)), streams=(PACKETS,), clip=SPEC))
    sampler.save_pretrained(tmp_path / "s")
    found = score(dear[0].path, str(tmp_path / "s"))
    np.testing.assert_array_equal(found.scores, score(dear[0].path, "packet-cost", clip=SPEC).scores)
    assert found.features_used == ("packets (demux)",)
    # frames of a clip are nothing to it
    kept = Kept(random_clips(5), FeatureParameters(7, ("packets",)))
    assert sampler.judge_features(kept).scores.tolist() == [clip.packet_cost for clip in kept.clips]
    both = replace(make_card(("md",)), streams=(MOTION, PACKETS))
    judged = make_learned(both).judge_features(Kept(random_clips(5)))
    parts = [(one - one.mean()) / one.std() for one in (judged.streams["motion"], judged.streams["packets"])]
    assert judged.scores == pytest.approx(np.mean(parts, axis=0))


def test_a_clip_that_lacks_one_is_judged_by_the_others() -> None:
    card = with_rules(("if",), motion=0.0)
    still = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
    costs = np.array([np.nan, 1.0, 2.0, 3.0, np.nan])
    scores, _ = put_together(card, {"if": still, "motion": still, "packets": costs, "visual": still})
    assert np.isfinite(scores[:4]).all()
    assert np.isnan(scores[4])
    clips = tuple(replace(clip, packet_cost=None) for clip in random_clips(4))
    judged = make_learned(with_rules(("md",))).judge_features(Kept(clips))
    assert np.isfinite(judged.scores).all()
    assert judged.warnings == ("the video gives nothing of packets: the sampler judged without it",)


def test_features_without_packet_costs_are_refused() -> None:
    with pytest.raises(CardError, match="lack packets"):
        make_learned(with_rules(("md",))).judge_features(
            Kept(random_clips(2), FeatureParameters(2, ("md", "rgbr")))
        )


def test_both_engines_and_the_folder_keep_it(tmp_path: Path) -> None:
    clips = random_clips(6)
    card = with_rules(("md", "audio"), packets=0.25)
    sampler = make_learned(card)
    weights = {stream.stream: sampler.networks.tensors(stream.stream) for stream in card.networks}
    plain = LearnedSampler(card, PlainNetworks(card, weights))
    sampler.save_pretrained(tmp_path / "s")
    again = make_sampler(str(tmp_path / "s"))
    assert isinstance(again, LearnedSampler)
    assert again.card == card
    said = [one.judge_features(Kept(clips)) for one in (sampler, plain, again)]
    for one in said[1:]:
        assert one.scores == pytest.approx(said[0].scores, abs=5e-3)
        np.testing.assert_array_equal(one.streams["packets"], said[0].streams["packets"])
    assert sampler.parameters == plain.parameters == again.parameters
    assert sampler.parameters != make_learned(with_rules(("md", "audio"), packets=0.5)).parameters
    assert "`packets` is no network but the untrained sampler `packet-cost`" in model_card(card)


def test_a_card_says_the_truth_of_it() -> None:
    good = with_rules()
    assert card_from_json(card_to_json(good), "x") == good
    for wrong in (
        replace(PACKETS, architecture="shufflenet26"),
        replace(PACKETS, objective="sal-rank"),
        replace(PACKETS, parameters=7),
        replace(PACKETS, mean=(0.0,), std=(1.0,)),
    ):
        with pytest.raises(CardError, match=r"network|mean"):
            check_card(replace(good, streams=(good.streams[0], wrong)))
    with pytest.raises(CardError, match="out of order"):
        check_card(replace(good, streams=(good.streams[0], PACKETS, MOTION)))


def test_a_sampler_from_before_loads_as_it_was(tmp_path: Path) -> None:
    """Its card is told nothing of packets: the fields, the schema and the features' version stayed as they were."""
    folder = make_learned(replace(make_card(("md",)), streams=(MOTION,))).save_pretrained(tmp_path / "s")
    config = json.loads((folder / "config.json").read_text())
    assert (config["schema"], config["feature_version"]) == (1, 2)
    assert sorted(config["streams"][0]) == [
        *("architecture", "mean", "mmacs", "objective", "parameters", "std", "stream", "weight")
    ]
    assert [stream["stream"] for stream in config["streams"]] == ["motion"]
    assert make_sampler(str(folder)).feature_parameters.features == ("md", "rgbr")


TRUTH = np.isin(np.arange(40), range(20, 26)).astype(np.float64)


def choose(card: SamplerCard, **streams: np.ndarray) -> dict[str, float]:
    grid = ClipGrid.from_spans([(Fraction(i), Fraction(i + 1)) for i in range(len(TRUTH))])
    chances = np.stack([TRUTH, 1 - TRUTH], axis=1).astype(np.float32)
    targets = Targets(("yes",), (0,), TRUTH, TRUTH > 0, True)
    networks = [said for name, said in streams.items() if name not in RULES]
    said = Opinion({**streams, "visual": np.mean(networks, axis=0)}, grid, chances, targets)
    kept = tuned(card, [said], 6, neighbours=0, weighs_streams=True)
    return {stream.stream: stream.weight for stream in kept.streams}


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(len(TRUTH))


@pytest.mark.parametrize("objective", ["sal-rank", "ac"])
def test_validation_chooses_what_each_rule_counts(objective: Any) -> None:
    card = with_rules(("md",), visual=objective)
    # their scales do not matter
    assert choose(card, md=-TRUTH, motion=-1e3 * TRUTH, packets=1e-3 * TRUTH) == {"packets": 1.0}
    assert choose(card, md=-TRUTH, motion=1e-3 * TRUTH, packets=-1e3 * TRUTH) == {"motion": 1.0}
    told = TRUTH + 0.1 * noise(3)
    assert choose(card, md=told, motion=-1000 * TRUTH, packets=-TRUTH) == {"md": 1.0}
    parts = [np.where(np.arange(40) // 2 == part, TRUTH, 0) + 1e-3 * noise(part) for part in (10, 11, 12)]
    assert set(choose(card, md=parts[0], motion=parts[1], packets=100 * parts[2])) == {
        "md",
        "motion",
        "packets",
    }


@pytest.mark.parametrize("streams", [("packets",), ("motion", "packets"), ("packets", "packets")])
def test_rules_alone_have_nothing_to_learn(streams: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match=r"nothing to learn.*name a stream with a network.*md"):
        SamplerPlan(streams)


def test_plans_with_it() -> None:
    plan = SamplerPlan(("packets", "md", "motion", "rgbr"))
    assert plan.streams == ("md", "rgbr", "motion", "packets")
    assert plan.networks == ("md", "rgbr")
    assert plan.feature_parameters.features == ("md", "rgbr", "packets")
    with pytest.raises(InputError, match="another combination"):
        SamplerPlan(("md", "packets", "audio"), combination="av-joint-training")


def test_cost_is_of_the_whole_video_not_of_the_clips_asked_for() -> None:
    """A reader that takes over in the middle of a video must not begin the average anew."""
    table = make_table("PPPPPPPP", [100] * 4 + [300] * 4)
    step = 4 * table.timeline.time_base * int(table.duration[0])
    late = packet_cost(table, ClipGrid.from_spans([(step, 2 * step)]))
    assert late == pytest.approx([1.5])
