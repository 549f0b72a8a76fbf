"""The verb and the command ``evaluate``, end to end on made-up videos whose telling part is known."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media_files import AudioSpec, make_video, read_counter
from salientclips.classifiers import ClipInput
from salientclips.cli.evaluate import parse_k
from salientclips.cli.run import run
from salientclips.datasets.manifest import Entry, write_manifest
from salientclips.errors import InputError, UnknownNameError
from salientclips.evaluation.case import PARTS
from salientclips.evaluation.tables import STRATEGY_COLUMNS, card_facts
from salientclips.outputs.evaluation_json import evaluation_json
from salientclips.ranking import Rule
from salientclips.samplers import VideoEvidence
from salientclips.samplers.card import COMBINATIONS
from salientclips.timeline import ClipSpec
from salientclips.types import FeatureParameters
from salientclips.verbs.classify import VideoClassifier
from salientclips.verbs.evaluate import evaluate, tabulate
from salientclips.verbs.gather import Gathered, gather

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")

FRAMES, CLIP = 160, 8
TELLING = (8, 12)  # clips in which the counter tells the class


class PartReader:
    """Reads the burnt-in counter; sure of "even" in the telling part, misled by little everywhere else."""

    name = "part-reader"
    labels = ("odd", "even")
    input = ClipInput(4, 2, 96, 96, (0.0,) * 3, (1.0,) * 3, gflops=2.0)

    def __init__(self) -> None:
        self.clips_seen = 0

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Probabilities (B, 2) from clips (B, 3, T, H, W)."""
        rows = []
        for clip in (clips * 255).round().byte().permute(0, 2, 3, 4, 1).numpy():
            self.clips_seen += 1
            counter = read_counter(clip[0])
            assert counter >= 0
            rows.append([0.1, 0.9] if TELLING[0] <= counter // CLIP < TELLING[1] else [0.7, 0.3])
        return torch.tensor(rows, dtype=torch.float32)


class Knowing:
    """A sampler that knows the telling part of these videos."""

    name = "knowing"
    rule: Rule = "top"
    feature_parameters = FeatureParameters(0, ())
    parameters: dict[str, float | int | str] = {}  # noqa: RUF012 - as a sampler of a user's own would have it

    def __call__(self, evidence: VideoEvidence) -> np.ndarray:
        places = np.arange(len(evidence.grid))
        return ((places >= TELLING[0]) & (places < TELLING[1])).astype(float)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    span = (Fraction(TELLING[0] * CLIP, 30), Fraction(TELLING[1] * CLIP, 30))
    entries = []
    for i in range(3):
        video = make_video(folder / f"{i}.mp4", frames=FRAMES, size=(96, 96), bframes=2, gop=30 + 10 * i)
        entries.append(Entry(video, ("even",), f"g{i}", "test", (span,)))
    entries.append(Entry(folder / "gone.mp4", ("even",), "", "test"))
    (folder / "text.mp4").write_text("this is no video")
    entries.append(Entry(folder / "text.mp4", ("even",), "", "test"))
    entries.append(Entry(make_video(folder / "x.mp4", frames=16, size=(96, 96)), ("sometimes",), "", "test"))
    entries.append(Entry(make_video(folder / "y.mp4", frames=16, size=(96, 96)), (), "", "test"))
    entries.append(Entry(folder / "0_train.mp4", ("odd",), "", "train"))
    write_manifest(entries, folder / "set.csv")
    return folder / "set.csv"


def test_every_strategy_is_a_look_up(manifest: Path, tmp_path: Path) -> None:
    reader = PartReader()
    reports: list[tuple[str, float]] = []
    found = evaluate(
        manifest,
        reader,
        [Knowing(), "packet-cost"],
        k=[1, 4, 20],
        cache=tmp_path,
        progress=lambda part, share: reports.append((part, share)),
    )
    assert reader.clips_seen == 3 * FRAMES // CLIP, "each clip once, for all strategies and K"
    rows = {(row.strategy.title, row.k): row for row in found.rows}
    assert rows["knowing", 1].accuracy == rows["knowing", 4].accuracy == rows["oracle", 4].accuracy == 1.0
    assert rows["dense", None].accuracy == 0.0
    assert rows["knowing", 20].accuracy == 0.0
    assert rows["knowing", 4].gflops == 8.0
    assert rows["dense", None].gflops == rows["oracle", 1].gflops == 40.0
    assert (found.benchmark, found.split, found.k) == ("set", "test", 4)
    assert found.samplers[0].finding.auc == 1.0
    assert found.samplers[0].finding.hit_rate == 1.0
    assert {part for part, _ in reports} == {"labels", "scores", "tables"}
    assert all(0 <= share <= 1 for _, share in reports)
    for part in ("demux", "decode", "classifier"):
        assert 0 < rows["knowing", 1].seconds[part] <= rows["dense", None].seconds[part]


def test_what_cannot_be_used_is_left_out_and_listed(manifest: Path, tmp_path: Path) -> None:
    found = evaluate(manifest, PartReader(), k=[2], cache=tmp_path)
    reasons = {video.path.name: video.reason for video in found.left_out}
    assert set(reasons) == {"gone.mp4", "text.mp4", "x.mp4", "y.mp4"}
    assert "does not exist" in reasons["gone.mp4"]
    assert "cannot be opened as a video" in reasons["text.mp4"]
    assert "'sometimes' is none of part-reader's" in reasons["x.mp4"]
    assert "no label" in reasons["y.mp4"]


def test_a_second_run_looks_at_nothing_and_says_the_same(manifest: Path, tmp_path: Path) -> None:
    reader = PartReader()
    first = evaluate(manifest, reader, ["motion"], k=[1, 2], cache=tmp_path)
    seen = reader.clips_seen
    again = evaluate(manifest, reader, ["motion", "packet-cost"], k=[1, 2], cache=tmp_path)
    assert reader.clips_seen == seen
    accuracy = {(row.strategy, row.k): row.accuracy for row in again.rows}
    assert all(accuracy[row.strategy, row.k] == row.accuracy for row in first.rows)
    for file in (tmp_path / "scores").iterdir():
        file.write_text("{")
    mended = evaluate(manifest, reader, ["motion"], k=[1, 2], cache=tmp_path)
    assert [row.accuracy for row in mended.rows] == [row.accuracy for row in first.rows]
    assert any("is made again" in warning for warning in mended.warnings)


@pytest.mark.parametrize("strategy", ["sampler", "uniform", "dense", "oracle"])
def test_the_look_up_says_what_classify_says(strategy: str, manifest: Path, tmp_path: Path) -> None:
    video = manifest.parent / "0.mp4"
    real = VideoClassifier(PartReader(), "packet-cost", 3, strategy)(video, label="even")
    found = evaluate([Entry(video, ("even",))], PartReader(), ["packet-cost"], k=[3], cache=tmp_path)
    (outcome,) = (o for o in found.outcomes if o.row.strategy.name == strategy)
    assert sorted(outcome.choices[0].clips[0]) == sorted(clip.index for clip in real.clips)
    assert outcome.choices[0].label == real.predictions[0].label


def test_what_makes_no_sense_is_refused_before_any_work(manifest: Path, tmp_path: Path) -> None:
    reader = PartReader()
    for wrong, error in (
        ({"k": []}, InputError),
        ({"k": [0]}, InputError),
        ({"table_k": 7, "k": [1]}, InputError),
        ({"metric": "f1"}, UnknownNameError),
        ({"split": "exam"}, UnknownNameError),
        ({"split": "validation"}, InputError),
        ({"draws": 0}, InputError),
        ({"samplers": ["motion", "motion"]}, InputError),
        ({"samplers": ["emotion"]}, UnknownNameError),
    ):
        with pytest.raises(error):
            evaluate(manifest, reader, cache=tmp_path, **wrong)  # type: ignore[arg-type]
    assert reader.clips_seen == 0


def test_nothing_to_evaluate_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of 1 videos can be evaluated; .*'gone.mp4' does not exist"):
        evaluate([Entry(Path("gone.mp4"), ("even",))], PartReader(), cache=tmp_path)


@pytest.mark.parametrize(
    ("text", "numbers"), [("10", (10,)), ("1..4", (1, 2, 3, 4)), ("10,1..3,2", (1, 2, 3, 10))]
)
def test_numbers_of_clips(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_k(text) == numbers


@pytest.mark.parametrize("text", ["", "0", "3..1", "x", "1..", "..3", "1...3", "1..99999999", "-1"])
def test_numbers_of_clips_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="--k"):
        parse_k(text)


def test_a_learned_sampler_brings_its_parts_its_cost_and_its_histogram(tmp_path: Path) -> None:
    """Streams alone and all combinations are rows for nothing, and its card makes ``empirical`` possible."""
    pytest.importorskip(
        "torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'"
    )
    from learned_samplers import make_card, make_learned

    card = make_card(("md", "audio"), combination="av-union-list", histogram=(0.0, 1.0), clip=ClipSpec(4, 2))
    folder = make_learned(card).save_pretrained(tmp_path / "mine")
    sound = AudioSpec(duration_s=2.0)
    video = make_video(tmp_path / "v.mp4", frames=48, size=(96, 96), audio=sound)
    found = evaluate(
        [Entry(video, ("even",))], PartReader(), [str(folder), "motion"], k=[1, 2], cache=tmp_path
    )
    rows = {(row.strategy.title, row.k): row for row in found.rows}
    assert ("empirical", 2) in rows
    parts = [row.part for row in found.samplers if row.sampler == "mine"]
    assert set(parts) == {"", "md", "visual", "audio", *COMBINATIONS}
    whole = found.samplers[0]
    by_rule = next(row for row in found.samplers if row.part == "av-union-list")
    assert (whole.row.accuracy, by_rule.row.accuracy) == (rows["mine", 2].accuracy,) * 2
    # f at 2.0 a look; the networks on top
    networks = sum(s.mmacs * (12 if s.stream == "md" else 6) for s in card.streams) / 1000
    assert rows["mine", 1].gflops == pytest.approx(2.0 + networks)
    assert rows["motion", 1].gflops == 2.0
    placed = {
        c for o in found.outcomes if o.row.strategy.name == "empirical" for d in o.choices[0].clips for c in d
    }
    assert placed <= {3, 4, 5}
    assert card_facts(whole)[3] == "av-union-list"


def test_json_is_finite_and_whole(manifest: Path, tmp_path: Path) -> None:
    found = evaluate([Entry(manifest.parent / "0.mp4", ("even",))], PartReader(), k=[1, 2], cache=tmp_path)
    printed = json.loads(json.dumps(evaluation_json(found), allow_nan=False))
    page = (Path(__file__).resolve().parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    keys = {*printed, *printed["rows"][0], *printed["samplers"][0], *STRATEGY_COLUMNS}
    assert sorted(key for key in keys if key not in page) == []
    assert printed["rows"][0]["accuracy_low"] is None
    assert set(printed["rows"][0]["seconds"]) == set(PARTS)


def test_the_command_end_to_end(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels.txt").write_text("odd\neven\n")
    words = ("evaluate", manifest, "-c", "r3d_18", "--random-weights", "--labels", tmp_path / "labels.txt")
    shape = ("--clip-frames", "4", "--frame-step", "20", "--k", "1..2", "-s", "motion", "-s", "packet-cost")
    where = ("--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert run([*map(str, (*words, *shape, *where))]) == 0
    done = capsys.readouterr()
    for word in (
        "top-1 at K = 2",
        "random",
        "uniform",
        "motion",
        "packet-cost",
        "dense",
        "oracle",
        "seconds a video",
    ):
        assert word in done.out
    assert "4 videos left out" in done.err
    assert "gone.mp4" in done.err
    rows = list(csv.DictReader((tmp_path / "out" / "strategies.csv").read_text().splitlines()))
    assert tuple(rows[0]) == STRATEGY_COLUMNS
    assert len(rows) == 5 * 2 + 1
    assert {row["videos"] for row in rows} == {"3"}
    assert (tmp_path / "out" / "accuracy_over_k.svg").exists() == (
        tmp_path / "out" / "accuracy_over_k.png"
    ).exists()
    assert run([*map(str, (*words, *shape, "--cache", tmp_path / "cache", "--json"))]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == 1
    assert [row["accuracy"] for row in printed["rows"]] == pytest.approx(
        [float(row["accuracy"]) for row in rows], rel=1e-5
    )


def test_the_command_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("evaluate", tmp_path / "none.csv", "-c", "r3d_18", "--random-weights"),
        ("evaluate", tmp_path, "--k", "0"),
        ("evaluate", tmp_path, "--out", "/proc/none"),
    ):
        assert run([*map(str, words)]) == 1
        said = capsys.readouterr()
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1


def test_folds_make_one_table(manifest: Path, tmp_path: Path) -> None:
    def fold(group: int, judge: object) -> Gathered:
        video = Entry(manifest.parent / f"{group}.mp4", ("even",), f"g{group}")
        return gather([video], PartReader(), {"mine": judge}, cache=tmp_path)  # type: ignore[dict-item]

    found = tabulate([fold(0, Knowing()), fold(1, "packet-cost")], benchmark="two", k=[4])
    rows = {(row.strategy.title, row.k): row for row in found.rows}
    assert (found.split, rows["mine", 4].videos, found.bench.groups) == ("2 folds", 2, 2)
    alone = evaluate(
        [Entry(manifest.parent / "1.mp4", ("even",))], PartReader(), ["packet-cost"], k=[4], cache=tmp_path
    )
    of_second = {row.strategy.title: row for row in alone.rows}["packet-cost"]
    assert rows["mine", 4].accuracy == (1.0 + of_second.accuracy) / 2, "each fold by its own sampler"
    with pytest.raises(InputError, match="the folds have other"):
        tabulate(
            [
                fold(0, Knowing()),
                gather(
                    [Entry(manifest.parent / "1.mp4", ("even",))], PartReader(), ["motion"], cache=tmp_path
                ),
            ],
            benchmark="two",
        )
