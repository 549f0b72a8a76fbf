"""The layer on I-frames: it scores alike in the benchmark and as a sampler, and its figures are what they say."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
models = pytest.importorskip(
    "torchvision.models", reason="torchvision is not installed: pip install 'salientclips[torch]'"
)

from builders import make_table  # noqa: E402
from learned_samplers import Kept, random_clips  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.frame_sampler import MobileNet  # noqa: E402
from benchmarks.iframes import (  # noqa: E402
    BLOCKS,
    CLIP,
    RELEASED_BLOCK,
    SHORT_SIDE_CELLS,
    Layer,
    Seen,
    assembled,
    look_at,
    result,
    stills_at_middles,
    table_of,
)
from benchmarks.logistic import Linear  # noqa: E402

from salientclips.samplers.card import SamplerCard  # noqa: E402
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.timeline import ClipGrid  # noqa: E402
from salientclips.types import FeatureParameters  # noqa: E402


def test_a_layer_scores_alike_here_and_as_a_sampler(tmp_path: Path) -> None:
    torch.manual_seed(0)
    front = {f"features.{n}": t for n, t in models.mobilenet_v2().features.state_dict().items()}
    blocks = MobileNet(front, "random").features
    draw = np.random.default_rng(0)
    # pictures of different colours, for means over noise are alike
    stills = [
        (draw.random((3, 224, 300)) * draw.integers(40, 255, (3, 1, 1))).astype(np.uint8) for _ in range(3)
    ]
    clips = tuple(
        replace(clip, iframes=np.stack([stills[i] for i in shown]))
        for clip, shown in zip(random_clips(4), ((0,), (0,), (1, 2), (2,)), strict=True)
    )
    shares = np.array([[1, 0, 0], [1, 0, 0], [0, 0.5, 0.5], [0, 0, 1]], np.float32)
    features = np.stack([look_at(blocks, one) for one in stills])
    assert features.shape == (3, sum(BLOCKS.values()))
    video = Seen("v", "g", {"features": features, "own": shares})
    seen = video.stills(RELEASED_BLOCK)
    # a layer to whom the pictures are as different as can be
    weight = draw.normal(size=(2, seen.shape[1])) / seen.std(axis=0).clip(1e-9)
    layer = Layer(Linear(weight / 20, -(weight / 20) @ seen.mean(axis=0)), RELEASED_BLOCK, "own", 1.0, 1)
    expected = layer(video)
    assert np.ptp(expected) > 0.05

    about = SamplerCard("stills", (), CLIP, 4, short_side_cells=SHORT_SIDE_CELLS, classifier="spans")
    sampler = assembled(layer, front, about)
    parameters = FeatureParameters(4, ("if",))
    assert sampler.judge_features(Kept(clips, parameters)).scores == pytest.approx(expected, abs=1e-4)
    sampler.save_pretrained(tmp_path)
    again = LearnedSampler.from_pretrained(tmp_path)
    assert again.judge_features(Kept(clips, parameters)).scores == pytest.approx(expected, abs=1e-4)


def test_the_i_frame_at_the_middle_of_a_clip() -> None:
    def rows(types: str, *spans: tuple[int, int]) -> list[list[int]]:
        table = make_table(types, [1] * 10, time_base=Fraction(1, 25))
        grid = ClipGrid.from_spans([(Fraction(a, 25), Fraction(b, 25)) for a, b in spans])
        return [found.tolist() for found in stills_at_middles(table, grid)]

    # its own I-frame comes in the last third of the second clip here, and in the first there
    assert rows("IPPPPPIPPP", (0, 2), (2, 8)) == [[0], [0]]
    assert rows("IPPPPPIPPP", (0, 5), (5, 10)) == [[0], [6]]
    assert rows("PPPPPPIPPP", (0, 5), (5, 10)) == [[6], [6]]
    assert rows("PPPPPPPPPP", (0, 5)) == [[]]


def test_figures_of_one_video() -> None:
    salient = np.zeros(40, dtype=np.bool_)
    salient[[3, 4, 5, 30]] = True
    scores = np.linspace(1, 0, 40)
    found = result(scores, salient)
    assert (found.hits, found.found) == (0.3, 0.75)
    chosen = np.zeros(40, dtype=np.bool_)
    chosen[30] = True
    told = result(scores, salient, chosen)
    assert (told.hits, told.found) == (1.0, 1.0)


def test_differences_to_motion_are_of_the_same_draws() -> None:
    # the sampler is better by 0.1 in each group, though groups differ by much more
    motion = np.array([0.1, 0.2, 0.8, 0.9])
    values = {"motion": {"auc": motion}, "if": {"auc": motion + 0.1}}
    rows = table_of(values, ["a", "a", "b", "b"])
    assert [row["sampler"] for row in rows] == ["motion", "if"]
    assert float(rows[1]["auc_high"]) - float(rows[1]["auc_low"]) > 0.5
    assert (rows[1]["auc_over_motion_low"], rows[1]["auc_over_motion_high"]) == ("0.100", "0.100")
    assert (rows[0]["videos"], rows[0]["groups"]) == (4, 2)
