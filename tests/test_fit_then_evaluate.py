"""The whole chain by its commands: videos, ``fit``, then ``evaluate`` on videos that training has not seen.

Only f is not the command's own: what no untrained network can judge, the colour classifier of ``action_videos`` can.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import CLIP_FRAMES, RATE_HZ, ActionVideo, ColourClassifier, make_action_videos  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.datasets.manifest import Entry, Split, write_manifest  # noqa: E402

TRAINING, UNSEEN = 12, 8


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small convolutions on a busy machine: threads would wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def entry(video: ActionVideo, split: Split) -> Entry:
    """A row of the manifest that names where the action is, as few data sets do."""
    first, last = min(video.salient), max(video.salient)
    span = (Fraction(first * CLIP_FRAMES, RATE_HZ), Fraction((last + 1) * CLIP_FRAMES, RATE_HZ))
    return replace(video.entry(split), spans=(span,))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_fitted_sampler_beats_uniform_on_unseen_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("salientclips.classifiers.load_classifier", lambda *_, **__: ColourClassifier())
    videos = make_action_videos(tmp_path / "videos", "together", TRAINING + UNSEEN)
    known, unseen = videos[:TRAINING], videos[TRAINING:]
    rows = [*(entry(v, "train") for v in known[:-2]), *(entry(v, "validation") for v in known[-2:])]
    write_manifest([*rows, *(entry(v, "test") for v in unseen)], tmp_path / "set.csv")

    fit = ["fit", tmp_path / "set.csv", "-o", tmp_path / "mine", "--cache", tmp_path / "cache"]
    fit += [
        "--streams",
        "md",
        "--frames-per-clip",
        "2",
        "--epochs",
        "10",
        "--videos-per-batch",
        "4",
        "-k",
        "2",
    ]
    assert run([*map(str, fit), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["videos"] == {"train": TRAINING - 2, "validation": 2}, (
        "the videos of the test are not touched"
    )

    look = ["evaluate", tmp_path / "set.csv", "--sampler", tmp_path / "mine", "--k", "1,2", "--no-figures"]
    assert run([*map(str, look), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]) == 0
    found = {(row["strategy"], row["k"]): row for row in read(tmp_path / "out" / "strategies.csv")}
    assert {row["split"] for row in found.values()} == {"test"}
    assert {row["videos"] for row in found.values()} == {str(UNSEEN)}
    for k in ("1", "2"):
        by_sampler, by_uniform = (float(found[name, k]["accuracy"]) for name in ("sampler", "uniform"))
        assert by_sampler > by_uniform, f"at K = {k}"
        assert by_sampler <= float(found["oracle", k]["accuracy"])
        assert float(found["sampler", k]["gflops_per_video"]) < float(found["dense", ""]["gflops_per_video"])
    assert float(found["dense", ""]["accuracy"]) == 1.0

    whole = read(tmp_path / "out" / "samplers.csv")[0]
    assert whole["sampler"] == "mine"
    assert float(whole["auc"]) > 0.9


def test_marked_spans_teach_without_a_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("salientclips.classifiers.load_classifier", lambda *_, **__: ColourClassifier())
    videos = make_action_videos(tmp_path / "videos", "together", TRAINING + UNSEEN)
    known, unseen = videos[:TRAINING], videos[TRAINING:]
    rows = [*(entry(v, "train") for v in known[:-2]), *(entry(v, "validation") for v in known[-2:])]
    write_manifest([*rows, *(entry(v, "test") for v in unseen)], tmp_path / "set.csv")

    fit = [
        "fit",
        tmp_path / "set.csv",
        "-o",
        tmp_path / "mine",
        "--cache",
        tmp_path / "cache",
        "--from-spans",
    ]
    fit += ["--streams", "md", "--clip-frames", CLIP_FRAMES, "--frame-step", "1", "--frames-per-clip", "2"]
    fit += ["--epochs", "10", "--videos-per-batch", "4", "-k", "2"]
    assert run([*map(str, fit), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)["card"]
    assert card["classifier"] == "spans"
    assert card["data"] == f"{TRAINING - 2} videos of 'set.csv', with salient spans marked"
    assert not (tmp_path / "cache" / "predictions").exists(), "nobody looked"

    look = ["evaluate", tmp_path / "set.csv", "--sampler", tmp_path / "mine", "--k", "1", "--no-figures"]
    assert run([*map(str, look), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]) == 0
    found = next(row for row in read(tmp_path / "out" / "samplers.csv") if not row["part"])
    assert float(found["auc"]) > 0.9

    write_manifest([replace(row, spans=()) for row in rows], tmp_path / "unmarked.csv")
    assert run(["fit", str(tmp_path / "unmarked.csv"), "--from-spans", "-o", str(tmp_path / "none")]) == 1
    assert "no video has a salient span" in capsys.readouterr().err
    assert run([*map(str, fit), "--crop-px", "64"]) == 1
    assert "no classifier is asked" in capsys.readouterr().err
