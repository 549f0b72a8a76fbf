"""Statistics of a clip as a stream of a learned sampler: what they say, what a layer on them learns, all commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import ColourClassifier, write_video  # noqa: E402
from learned_samplers import Kept, make_card, make_learned, random_clips  # noqa: E402
from salientclips import SamplerPlan, fit, make_sampler, read_corpus, score  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.datasets.manifest import Entry, Split, write_manifest  # noqa: E402
from salientclips.errors import CardError, InputError  # noqa: E402
from salientclips.samplers.card import CHANNELS, STREAMS, features_of  # noqa: E402
from salientclips.samplers.card_file import card_from_json, card_to_json, check_card  # noqa: E402
from salientclips.samplers.inputs import stream_input  # noqa: E402
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.samplers.plain_networks import PlainNetworks  # noqa: E402
from salientclips.samplers.statistics import OF_A_FRAME, STATISTICS, clip_statistics  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402
from salientclips.types import ClipFeatures  # noqa: E402

CLIPS, FRAMES, RATE_HZ = 16, 12, 25
SPEC = ClipSpec(FRAMES, 1)


pytestmark = pytest.mark.usefixtures("one_thread")


def frames(kinds: Sequence[str], seed: int) -> Iterator[npt.NDArray[np.uint8]]:
    """A square in ``low`` clips goes to and fro below, in ``high`` ones just as far above; the ground is still."""
    draw = np.random.default_rng(seed)
    ground = draw.integers(90, 150, (12, 16, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    square = draw.integers(0, 255, (8, 8, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    for number, kind in enumerate(np.repeat(kinds, FRAMES)):
        picture = ground.copy()
        left = 48 + round(40 * np.sin(number / 3))
        top = 0 if kind == "high" else 64
        picture[top : top + 32, left : left + 32] = square
        yield picture


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """Videos in which as much moves everywhere; what is salient moves above."""
    folder = tmp_path_factory.mktemp("videos")
    splits: list[Split] = ["train"] * 4 + ["validation"] * 2 + ["test"]
    entries = []
    for number, split in enumerate(splits):
        first = 1 + 4 * (number % 3)
        kinds = ["low"] * CLIPS
        kinds[first : first + 4] = ["high"] * 4
        write_video(folder / f"{number}.mp4", frames(kinds, number), None)
        begin, end = (Fraction(FRAMES * clip, RATE_HZ) for clip in (first, first + 4))
        entries.append(Entry(folder / f"{number}.mp4", ("across",), split=split, spans=((begin, end),)))
    return entries


def made_clip(rows: int = 12, columns: int = 16, count: int = 3, seed: int = 0) -> ClipFeatures:
    """A clip in which some cells move against a still ground."""
    draw = np.random.default_rng(seed)
    md = np.zeros((count, 2, rows, columns), np.float32)
    md[:, :, rows // 4 : rows // 2, 2:6] = draw.normal(0, 6, (count, 2, 1, 1))
    return ClipFeatures(
        index=0,
        times=tuple(Fraction(i) for i in range(count)),
        md=md,
        md_valid=np.ones((count, rows, columns), np.bool_),
        rgbr=np.zeros((count, 3, rows, columns), np.float32),
        energy=(draw.random((count, rows, columns)) * 50).astype(np.float32),
    )


def named(clip: ClipFeatures) -> dict[str, float]:
    said = clip_statistics(clip)
    assert said is not None
    return dict(zip(STATISTICS, said.tolist(), strict=True))


def test_they_are_as_many_as_the_card_says_and_named() -> None:
    said = clip_statistics(made_clip())
    assert said is not None
    assert said.dtype == np.float32
    assert said.shape == (len(STATISTICS),) == (CHANNELS["stats"],) == (3 * len(OF_A_FRAME),) == (66,)
    assert len(set(STATISTICS)) == len(STATISTICS)
    assert np.isfinite(said).all()


def test_a_clip_without_frames_has_none() -> None:
    empty = replace(
        made_clip(),
        times=(),
        **{n: getattr(made_clip(), n)[:0] for n in ("md", "md_valid", "rgbr", "energy")},
    )
    assert clip_statistics(empty) is None
    assert clip_statistics(replace(made_clip(), md=None, md_valid=None)) is None
    assert stream_input(empty, "stats").shape == (0, 66, 1, 1)


def test_a_still_clip_says_nothing_moves() -> None:
    clip = made_clip()
    assert clip.md is not None
    assert clip.energy is not None
    still = named(replace(clip, md=np.zeros_like(clip.md), energy=np.zeros_like(clip.energy)))
    for name in (
        "camera",
        "motion",
        "share_that_moves",
        "across",
        "energy",
        "share_that_is_new",
        "share_intra",
    ):
        assert still[f"{name}_mean"] == still[f"{name}_most"] == still[f"{name}_deviation"] == 0


def test_a_pan_changes_what_is_said_of_the_camera_alone() -> None:
    clip = made_clip()
    assert clip.md is not None
    moved = replace(clip, md=clip.md + np.array([5.0, -2.0], np.float32)[:, None, None])
    before, after = named(clip), named(moved)
    assert before["camera_mean"] == pytest.approx(0, abs=0.05)
    assert after["camera_mean"] > 2
    for name in STATISTICS:
        if not name.startswith("camera"):
            assert after[name] == pytest.approx(before[name], abs=0.02), name


def test_left_and_right_are_the_same_to_them_and_up_and_down_are_not() -> None:
    clip = made_clip()
    arrays = {name: getattr(clip, name) for name in ("md", "md_valid", "rgbr", "energy")}
    mirrored = {name: array[..., ::-1].copy() for name, array in arrays.items()}
    mirrored["md"][:, 0] *= -1
    assert clip_statistics(replace(clip, **mirrored)) == pytest.approx(clip_statistics(clip), abs=1e-4)
    turned = {name: array[..., ::-1, :].copy() for name, array in arrays.items()}
    turned["md"][:, 1] *= -1
    other = named(replace(clip, **turned))
    assert other["motion_place_down_mean"] > named(clip)["motion_place_down_mean"] + 0.1
    assert other["most_upwards_mean"] == pytest.approx(named(clip)["most_downwards_mean"], abs=1e-4)


def test_resolution_does_not_matter() -> None:
    clip = made_clip()
    arrays = {
        name: getattr(clip, name).repeat(2, -1).repeat(2, -2) for name in ("md", "md_valid", "rgbr", "energy")
    }
    arrays["md"] *= 2
    assert clip_statistics(replace(clip, **arrays)) == pytest.approx(clip_statistics(clip), abs=0.05)


def test_what_is_read_and_planned() -> None:
    assert features_of(("stats",)) == ("md", "rgbr")
    plan = SamplerPlan(("packets", "stats", "md"))
    assert plan.streams == ("md", "stats", "packets")
    assert plan.networks == ("md", "stats")
    assert plan.architecture_of("stats") == "linear"
    with pytest.raises(InputError, match="layers of stats and of bands are solved alone"):
        SamplerPlan(("stats", "audio"), combination="av-joint-training")


@pytest.mark.parametrize("objective", ["sal-rank", "sal-cl"])
def test_a_layer_learns_where_what_matters_moves(videos: list[Entry], tmp_path: Path, objective: Any) -> None:
    plan = SamplerPlan(("stats",), objective=objective, frames_per_clip=0, neighbours=0)
    made = fit(videos, None, plan=plan, clip=SPEC, output=tmp_path / "s", cache=tmp_path / "c", device="cpu")
    assert made.card.validation["surety_at_4"] == 1.0
    assert made.card.streams[0].parameters == 67
    assert "penalty_stats" in made.card.options
    unseen = videos[-1]
    scores = score(unseen.path, str(made.folder))
    first = next(start for start, _ in unseen.spans) * RATE_HZ / FRAMES
    assert {clip.index for clip in scores.select(4).clips} == set(range(int(first), int(first) + 4))
    by_motion = score(unseen.path, "motion", clip=SPEC)
    found = {clip.index for clip in by_motion.select(4).clips}
    assert found != set(range(int(first), int(first) + 4)), "as much moves everywhere"


def test_the_share_in_a_span_can_be_what_sal_cl_learns(
    videos: list[Entry], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Later by three quarters of a clip: the first clip is in its span by a quarter, the one behind by the rest.
    late = Fraction(3 * FRAMES, 4 * RATE_HZ)
    moved = [replace(v, spans=tuple((start + late, end + late) for start, end in v.spans)) for v in videos]
    write_manifest(moved, tmp_path / "set.csv")
    words = ["fit", tmp_path / "set.csv", "--from-spans", "--streams", "stats", "--objective", "sal-cl"]
    words += ["--frames-per-clip", "0", "--neighbours", "0", "--device", "cpu", "--cache", tmp_path / "c"]
    words += ["--clip-frames", FRAMES, "--frame-step", "1", "--json"]
    weights = {}
    for target in ("right", "surety"):
        folder = tmp_path / target
        assert run([*map(str, words), "-o", str(folder), "--sal-cl-target", target]) == 0
        card = json.loads(capsys.readouterr().out)["card"]
        assert card["options"]["sal_cl_target"] == target
        sampler = make_sampler(str(folder))
        assert isinstance(sampler, LearnedSampler)
        weights[target] = np.asarray(sampler.networks.tensors("stats")["fc.weight"])
        scores = score(videos[-1].path, str(folder))
        first = int(next(start for start, _ in videos[-1].spans) * RATE_HZ / FRAMES)
        # the layer sees where things move, so what it finds are the four that move above
        assert {clip.index for clip in scores.select(4).clips} == set(range(first, first + 4))
    assert not np.allclose(weights["right"], weights["surety"])


def test_both_engines_and_the_folder_say_the_same(tmp_path: Path) -> None:
    clips = random_clips(6)
    for streams, objective in (
        (("stats",), "sal-rank"),
        (("md", "stats"), "sal-cl"),
        (("stats", "audio"), "ac"),
    ):
        card = make_card(streams, visual=objective, audio=objective)  # type: ignore[arg-type]
        sampler = make_learned(card)
        weights = {s.stream: sampler.networks.tensors(s.stream) for s in card.networks}
        plain = LearnedSampler(card, PlainNetworks(card, weights))
        sampler.save_pretrained(tmp_path / objective)
        again = make_sampler(str(tmp_path / objective))
        said = [one.judge_features(Kept(clips)) for one in (sampler, plain, again)]  # type: ignore[union-attr]
        for one in said[1:]:
            assert one.streams["stats"] == pytest.approx(said[0].streams["stats"], abs=1e-5)
            assert one.scores == pytest.approx(said[0].scores, abs=5e-3)


def test_beside_a_network_both_are_brought_to_one_scale() -> None:
    clips = random_clips(9)
    judged = make_learned(make_card(("md", "stats"))).judge_features(Kept(clips))
    parts = [judged.streams[name] for name in ("md", "stats")]
    expected = np.mean([(one - one.mean()) / one.std() for one in parts], axis=0)
    assert judged.scores == pytest.approx(expected)


def test_a_card_says_the_truth_of_it() -> None:
    good = make_card(("md", "stats"))
    assert card_from_json(card_to_json(good), "x") == good
    for wrong in (
        replace(good, streams=(replace(good.streams[0], architecture="linear"), good.streams[1])),
        replace(good, streams=(good.streams[0], replace(good.streams[1], architecture="resnet18"))),
    ):
        with pytest.raises(CardError, match="linear layer, and nothing else"):
            check_card(wrong)
    assert STREAMS.index("stats") < STREAMS.index("if")


def test_every_command_knows_it(
    videos: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: object) -> Any:
        assert run([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    monkeypatch.setattr("salientclips.classifiers.load_classifier", lambda *_, **__: ColourClassifier())
    write_manifest(videos, tmp_path / "set.csv")
    mine, video, cache = tmp_path / "mine", videos[-1].path, ("--cache", tmp_path / "cache")
    words = ["fit", tmp_path / "set.csv", "-o", mine, *cache, "--from-spans", "--streams", "stats,packets"]
    words += ["--clip-frames", FRAMES, "--frame-step", "1", "--no-weigh-streams", "--device", "cpu"]
    made = call(*words)
    assert [stream["stream"] for stream in made["card"]["streams"]] == ["stats", "packets"]
    said = call("score", video, "--sampler", mine)
    assert said["streams"] == ["stats", "packets", "visual"]
    assert len(call("classify", video, "-c", "x", "--random-weights", "-k", "2", "-s", mine)["clips"]) == 2
    look = ["evaluate", tmp_path / "set.csv", "-c", "x", "-s", mine, "--k", "1,2", "--no-figures", *cache]
    call(*look, "--out", tmp_path / "out")
    assert "mine,stats" in (tmp_path / "out" / "samplers.csv").read_text()
    call("report", video, "-o", tmp_path / "page.html", "--sampler", mine, "-k", "2")
    assert "statistics" in (tmp_path / "page.html").read_text()
    assert (
        run([*map(str, ("score", videos[0].path, video, "--sampler", mine, "-o", tmp_path / "corpus"))]) == 0
    )
    columns = read_corpus(tmp_path / "corpus").clips
    told = [clip["streams"]["stats"] for clip in said["clips"]]
    rows = columns.select(["video", "stream_stats"]).to_pylist()
    assert [row["stream_stats"] for row in rows if row["video"] == str(video)] == told
