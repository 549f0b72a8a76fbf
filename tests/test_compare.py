"""Strategies side by side: what each chooses, what they share, and the page that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from made_files import MadeFile
from salientclips.errors import InputError, StoredScoresError, UnknownNameError
from salientclips.outputs.score_files import save_scores
from salientclips.timeline import ClipSpec
from salientclips.verbs.compare import compare
from salientclips.verbs.score import score

SPEC = ClipSpec(8, 1)


def test_samplers_and_score_files(made: Callable[[str], MadeFile], tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    video = made("h264_bframes_mp4").path
    stored = tmp_path / "mine.parquet"
    save_scores(score(video, "packet-cost", clip=SPEC), stored)
    names = ["uniform", "packet-cost", str(stored)]
    found = compare(video, names, k=4, clip=SPEC, output=tmp_path / "page.html")
    assert found.strategies == ("uniform", "packet-cost", "mine.parquet")
    assert [s.scores.sampler for s in found.selections] == ["uniform", "packet-cost", "packet-cost"]
    for selection, name in zip(found.selections, ("uniform", "packet-cost", "packet-cost"), strict=True):
        assert selection.clips == score(video, name, clip=SPEC).select(4).clips
    sets = [{clip.index for clip in selection.clips} for selection in found.selections]
    assert found.shared == tuple(tuple(len(a & b) for b in sets) for a in sets)
    assert found.shared[1][2] == 4
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)[0])
    assert [[clip["index"] for clip in lane] for lane in data["lanes"]] == [
        [clip.index for clip in selection.clips] for selection in found.selections
    ]
    assert data["top"] == []


def test_other_grids_share_what_overlaps(made: Callable[[str], MadeFile], tmp_path: Path) -> None:
    video = made("h264_bframes_mp4").path
    stored = tmp_path / "long.json"
    save_scores(score(video, "packet-cost", clip=ClipSpec(180, 1)), stored)  # one clip, the whole video
    found = compare(video, ["uniform", str(stored)], k=3, clip=SPEC)
    assert found.output is None
    assert found.shared == ((3, 3), (1, 1))


@pytest.mark.parametrize("names", [[], ["uniform"], ["uniform", "uniform"]])
def test_one_strategy_is_nothing_to_compare(names: list[str], made: Callable[[str], MadeFile]) -> None:
    with pytest.raises(InputError, match="two different strategies"):
        compare(made("h264_mkv").path, names)


def test_unknown_strategies_are_errors(made: Callable[[str], MadeFile], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        compare(made("h264_mkv").path, ["uniform", "nobody"])
    with pytest.raises(StoredScoresError):
        compare(made("h264_mkv").path, ["uniform", str(tmp_path / "none.csv")])
