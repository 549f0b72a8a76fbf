"""The JSON of every verb has the keys that docs/json.md promises, whatever else is added to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import make_scores
from made_files import MadeFile
from salientclips.errors import InputError
from salientclips.media.probe import probe
from salientclips.outputs.contract import (
    comparison_json,
    error_json,
    prediction_json,
    probe_json,
    report_json,
    scores_json,
    selection_json,
)
from salientclips.samplers import RELEASED
from salientclips.types import BUDGETS, Prediction, VideoPrediction
from salientclips.verbs.names import names

PAGE = Path(__file__).resolve().parents[1] / "docs" / "json.md"


def test_probe(made: Callable[[str], MadeFile]) -> None:
    found = json.loads(json.dumps(probe_json(probe(made("stereo_aac").path)), allow_nan=False))
    assert {"schema", "path", "container", "video", "audio", "features"} <= set(found)
    promised = (
        "codec profile width_px height_px duration_s frame_rate variable_frame_rate rotation_deg frames"
    )
    assert set(promised.split()) <= set(found["video"])
    assert set("IPB") <= set(found["video"]["frames"])
    assert {"codec", "sample_rate_hz", "channels", "start_s"} <= set(found["audio"][0])
    assert set(found["features"]) == {"md", "rgbr", "if", "audio", "packets"}
    assert all({"backend", "why"} == set(f) for f in found["features"].values())


def test_score_and_select() -> None:
    scores = make_scores([1.0, 3.0, 2.0])
    found = json.loads(json.dumps(scores_json(scores), allow_nan=False))
    assert {"schema", "path", "sampler", "clips"} <= set(found)
    assert [set(c) for c in found["clips"]] == [{"index", "start_s", "end_s", "score"}] * 3
    chosen = json.loads(json.dumps(selection_json(scores.select(2)), allow_nan=False))
    assert [(c["rank"], c["index"]) for c in chosen["clips"]] == [(1, 1), (2, 2)]
    assert set(chosen["clips"][0]) == {"rank", "index", "start_s", "end_s", "score"}


def test_classify() -> None:
    selection = make_scores([1.0, 3.0]).select(1)
    prediction = VideoPrediction(
        Path("v.mp4"),
        "sampler",
        1,
        "mc3_18",
        (Prediction("a", 0.75), Prediction("b", 0.25)),
        selection.clips,
        {"demux": 0.1, "features": 0.2, "sampler": 0.0, "decode": 0.3, "classifier": 0.4},
        43.3,
    )
    found = json.loads(json.dumps(prediction_json(prediction, top=1), allow_nan=False))
    assert {"strategy", "k", "predictions", "clips", "seconds"} <= set(found)
    assert found["predictions"] == [{"label": "a", "probability": 0.75}]
    assert set(found["seconds"]) == {"demux", "features", "sampler", "decode", "classifier"}


def test_what_was_read_is_said_with_its_budget() -> None:
    found = scores_json(make_scores([1.0]))["feature_parameters"]
    assert found == {"frames_per_clip": 4, "features": ["md", "rgbr"], "budget": "full"}
    page = PAGE.read_text(encoding="utf-8")
    assert all(key in page for key in (*found, *BUDGETS))


def test_error() -> None:
    assert error_json(InputError("what", "do")) == {
        "schema": 1,
        "error": {"type": "InputError", "message": "what", "remedy": "do"},
    }


@pytest.mark.parametrize("verb", ["probe", "score", "select", "classify", "report", "compare"])
def test_the_page_names_every_key(verb: str, made: Callable[[str], MadeFile]) -> None:
    scores = make_scores([1.0])
    printed = {
        "probe": lambda: probe_json(probe(made("stereo_aac").path)),
        "score": lambda: scores_json(scores),
        "select": lambda: selection_json(scores.select(1)),
        "classify": lambda: prediction_json(VideoPrediction(Path("v"), "dense", 1, "f", (), ())),
        "report": lambda: report_json(Path("v"), Path("p"), 1, 1, ()),
        "compare": lambda: comparison_json(Path("v"), None, ("a",), (scores.select(1),), ((1,),)),
    }[verb]()
    page = PAGE.read_text(encoding="utf-8")
    keys = set(printed) | set(printed.get("video", {}))
    assert sorted(key for key in keys if key not in page) == []


NAMES = {
    "samplers": " ".join((*RELEASED, "motion cumulative-motion packet-cost uniform random")),
    "streams": "md rgbr stats if motion packets audio",
    "architectures": "resnet18 shufflenet26 mobilenetv2 vgg18 bands",
    "objectives": "ac sal-cl sal-rank",
    "combinations": "av-union-list av-convex-score av-convex-list av-intersect-list av-joint-training",
    "strategies": "random uniform empirical dense oracle sampler",
    "classifiers": "r3d_18 mc3_18 r2plus1d_18 r2plus1d_34 ir_csn_152 i3d_rgb",
    "features": "md rgbr if audio packets",
    "engines": "local ray",
}


def test_the_page_names_every_key_of_every_event() -> None:
    from salientclips.corpus.item import Item
    from salientclips.corpus.rows import failure
    from salientclips.outputs.corpus_json import end_json, progress_json, start_json, video_json

    lines = PAGE.read_text(encoding="utf-8").split("## score, select and classify of many videos")[1]
    rows = {
        line.split("|")[1].split(",")[0].strip(): line
        for line in lines.split("##")[0].splitlines()
        if "|" in line
    }
    failed = failure(Item("v.mp4"), InputError("what", "do"))
    folder = Path("out")
    events = (
        start_json(folder, videos=2, before=1, failed_before=0),
        video_json(failed),
        progress_json(done=1, failed=1, video_s=5.0, elapsed_s=2.0, left_s=None),
        end_json(folder, done=1, failed=1, stopped=False, seconds={}),
    )
    for event in events:
        found = json.loads(json.dumps(event, allow_nan=False))
        row = rows[found.pop("event")]
        assert [key for key in found if key not in row] == []
    assert video_json(failed)["error"] == {"type": "InputError", "message": "what", "remedy": "do"}


def test_list_names_all_of_them() -> None:
    assert {kind: set(found) for kind, found in names().items()} == {
        kind: set(words.split()) for kind, words in NAMES.items()
    }
    page = PAGE.read_text(encoding="utf-8").split("## list")[1].split("## ")[0]
    assert [kind for kind in NAMES if f"| {kind} |" not in page] == []
    # what the page names one by one is what there is
    rows = {row.split(" | ")[0].strip("| "): row for row in page.splitlines() if row.startswith("| ")}
    assert all(word in rows[kind] for kind in NAMES if kind != "samplers" for word in NAMES[kind].split())
