"""What a classifier says under each strategy, and what each costs, with a classifier whose answer is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_files import MadeFile
from salientclips.classifiers import ClipInput
from salientclips.media.demux import read_packets
from salientclips.timeline import ClipSpec
from salientclips.types import Selection
from salientclips.verbs.report import write_report
from salientclips.verbs.score import score
from salientclips.verbs.verdicts import compare_strategies, scoring_cost

torch = pytest.importorskip("torch", reason="torch is not installed")


class Redness:
    """Says how red a clip is: a probability that differs from clip to clip."""

    name = "redness"
    input = ClipInput(4, 2, 32, 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.5)
    labels = ("red", "<script>other</script>", "third", "fourth")

    def __init__(self) -> None:
        self.clips = 0

    def __call__(self, clips: Any) -> Any:
        self.clips += len(clips)
        red = clips[:, 0].mean(dim=(1, 2, 3))
        rest = (1 - red) / 3
        return torch.stack([red, rest * 2, rest * 0.75, rest * 0.25], dim=1)


def chosen(made: Callable[[str], MadeFile]) -> Selection:
    return score(made("h264_bframes_mp4").path, "packet-cost", clip=ClipSpec(4, 2)).select(3)


def test_without_dense_its_cost_is_estimated(made: Callable[[str], MadeFile]) -> None:
    selection, f = chosen(made), Redness()
    found = compare_strategies(selection, f, read_packets(selection.scores.path))
    count = len(selection.scores)
    assert f.clips == 6
    assert [(v.strategy, v.clips) for v in found.verdicts] == [("sampler", 3), ("uniform", 3)]
    assert [(c.strategy, c.clips, c.gflops, c.is_estimated) for c in found.costs] == [
        ("sampler", 3, 4.5, False),
        ("uniform", 3, 4.5, False),
        ("dense", count, 1.5 * count, True),
    ]
    sampler, uniform, dense = found.costs
    for part in ("decode", "classifier"):
        each = (sampler.parts_s[part] + uniform.parts_s[part]) / 6
        assert dense.parts_s[part] == pytest.approx(each * count)
    assert "sampler" in sampler.parts_s
    assert "sampler" not in uniform.parts_s
    assert sampler.total_s == pytest.approx(sum(sampler.parts_s.values()))
    for verdict in found.verdicts:
        said = [guess.probability for guess in verdict.guesses]
        assert said == sorted(said, reverse=True)
        assert len(said) == 3


def test_dense_looks_at_every_clip(made: Callable[[str], MadeFile]) -> None:
    selection, f = chosen(made), Redness()
    found = compare_strategies(selection, f, read_packets(selection.scores.path), dense=True)
    assert f.clips == 6 + len(selection.scores)
    assert [v.strategy for v in found.verdicts] == ["sampler", "uniform", "dense"]
    assert not any(cost.is_estimated for cost in found.costs)
    # the mean over all clips is what dense says
    every = compare_strategies(
        selection.scores.select(len(selection.scores)), Redness(), read_packets(selection.scores.path)
    )
    assert np.allclose(
        [g.probability for g in found.verdicts[2].guesses], [g.probability for g in every.verdicts[0].guesses]
    )


def test_the_page_shows_it(made: Callable[[str], MadeFile], tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    seen = []
    write_report(
        chosen(made),
        tmp_path / "page.html",
        classifier=Redness(),
        progress=lambda part, share: seen.append(part),
    )
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert set(seen) == {"pictures", "classifier"}
    assert "&lt;script&gt;other&lt;/script&gt;" in page
    assert "<script>other" not in page
    assert len(re.findall(r"<meter", page)) == 6
    assert "estimated" in page


def test_scoring_alone_has_a_cost(made: Callable[[str], MadeFile]) -> None:
    cost = scoring_cost(chosen(made))
    assert (cost.strategy, cost.clips, cost.gflops) == ("sampler", 0, None)
    assert set(cost.parts_s) <= {"demux", "features", "sampler"}
