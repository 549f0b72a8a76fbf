"""The benchmarks' own training: which clips count as what, the last layer, and the sampler that decodes frames."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from conftest import GetMade  # noqa: E402
from made_files import MadeFile  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.frame_sampler import Eye, FrameSampler, MobileNet, middles  # noqa: E402
from benchmarks.labelled_clips import labelled_clips  # noqa: E402
from benchmarks.logistic import Linear, fit, fit_best, judge  # noqa: E402

from salientclips import score  # noqa: E402
from salientclips.datasets.manifest import Entry  # noqa: E402
from salientclips.errors import InputError  # noqa: E402
from salientclips.evaluation.cost import gflops_of  # noqa: E402
from salientclips.media.demux import read_packets  # noqa: E402
from salientclips.samplers import Uniform  # noqa: E402
from salientclips.samplers.front import torchvision_name  # noqa: E402
from salientclips.timeline import ClipGrid, ClipSpec  # noqa: E402

GRID = ClipGrid(tuple(map(Fraction, range(20))), tuple(map(Fraction, range(1, 21))))
FIGHT = Entry(
    Path("a.mp4"), ("fight",), spans=((Fraction(5), Fraction(15, 2)), (Fraction(46, 5), Fraction(11)))
)


def test_half_a_clip_in_a_span_counts_and_less_is_neither() -> None:
    inside_alone = labelled_clips(FIGHT, GRID)
    assert [(clip.start, clip.label) for clip in inside_alone] == [(t, "fight") for t in (5, 6, 7, 9, 10)]
    peaceful = labelled_clips(FIGHT, GRID, "peace", most=100)
    assert [clip.start for clip in peaceful if clip.label == "fight"] == [5, 6, 7, 9, 10]
    assert {clip.start for clip in peaceful if clip.label == "peace"} == set(range(20)) - {5, 6, 7, 9, 10}
    barely = replace(FIGHT, spans=((Fraction(5), Fraction(32, 5)),))
    assert {int(clip.start) for clip in labelled_clips(barely, GRID, "peace", most=100)} == set(range(20)) - {
        6
    }


def test_clips_outside_are_thinned_evenly_and_those_inside_are_all_kept() -> None:
    few = labelled_clips(FIGHT, GRID, "peace", most=8)
    assert [clip.label for clip in few].count("fight") == 5
    assert [int(clip.start) for clip in few if clip.label == "peace"] == [2, 12, 17]
    assert len(labelled_clips(FIGHT, GRID, "peace", most=2)) == 5
    assert len(labelled_clips(replace(FIGHT, spans=()), GRID, "peace", most=8)) == 8
    assert labelled_clips(replace(FIGHT, spans=()), GRID) == []


def test_a_layer_separates_what_can_be_and_gives_rare_classes_their_say() -> None:
    draw = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], [300, 30, 10])
    centres = np.array([[0.0, 0, 0, 7], [4, 0, 0, 7], [0, 4, 0, 7]])
    features = (centres[classes] + draw.normal(0, 1, (340, 4)) * [1, 1, 1, 0]).astype(np.float32)
    layer = fit(features, classes, 3, 1e-3)
    assert judge(layer, features, classes).balanced_accuracy > 0.9
    assert np.allclose(layer.weight[:, 3], 0), "a feature that never changes says nothing"
    assert np.allclose(layer.probabilities(features).sum(axis=1), 1)
    with pytest.raises(ValueError, match="class 1"):
        fit(features[classes != 1], classes[classes != 1], 3, 1e-3)


def test_the_penalty_is_the_one_with_the_least_loss_on_validation() -> None:
    draw = np.random.default_rng(1)
    classes = np.arange(40) % 2
    features = draw.normal(0, 1, (40, 60)) + classes[:, None] * 0.2
    layer, penalty, judged = fit_best((features[:20], classes[:20]), (features[20:], classes[20:]), 2)
    assert judged[penalty].log_loss == min(found.log_loss for found in judged.values())
    assert judged[penalty] == judge(layer, features[20:], classes[20:])
    assert judged[penalty].log_loss < judged[1e-3].log_loss, "noise learned by heart is punished"


def test_names_of_mobilenet_map_to_torchvisions() -> None:
    assert torchvision_name("features.0.1.running_mean") == "features.0.1.running_mean"
    assert torchvision_name("features.1.conv.0.weight") == "features.1.conv.0.0.weight"
    assert torchvision_name("features.1.conv.3.weight") == "features.1.conv.1.weight"
    assert torchvision_name("features.1.conv.4.bias") == "features.1.conv.2.bias"
    assert torchvision_name("features.2.conv.3.weight") == "features.2.conv.1.0.weight"
    assert torchvision_name("features.17.conv.7.bias") == "features.17.conv.3.bias"
    wanted = set(MobileNet(None, "").features.state_dict())
    flat = {
        f"features.{block}.conv.{place}.{leaf}"
        for block in range(1, 18)
        for place in ((0, 1, 3, 4) if block == 1 else (0, 1, 3, 4, 6, 7))
        for leaf in ("weight",)
    }
    ours = {torchvision_name(name).removeprefix("features.") for name in flat}
    assert ours == {name for name in wanted if ".conv." in name and name.endswith(".weight")}


@pytest.fixture
def mobilenet(tmp_path: Path) -> Path:
    """Random weights by torchvision's names."""
    from torchvision.models import mobilenet_v2

    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(mobilenet_v2().state_dict(), tmp_path / "mobilenet.pt")
    return tmp_path / "mobilenet.pt"


def test_the_frame_sampler_decodes_one_frame_a_clip_and_pays_for_it(
    made: GetMade, mobilenet: Path, tmp_path: Path
) -> None:
    file: MadeFile = made("h264_mkv")
    eye = Eye.load(mobilenet)
    assert 0.07 < eye.gflops < 0.09
    layer = Linear(np.random.default_rng(0).normal(0, 100, (2, 1280)), np.zeros(2))
    sampler = FrameSampler(eye, layer, "nothing")
    sampler.save(tmp_path / "layer.safetensors")
    again = FrameSampler.load(tmp_path / "layer.safetensors", mobilenet)
    spec = ClipSpec(8, 1)
    first, second = (score(file.path, one, clip=spec) for one in (sampler, again))
    assert first == second
    assert first.sampler_parameters == again.parameters
    assert ((first.scores >= 0) & (first.scores <= 1)).all()
    assert len(set(first.scores.tolist())) > 1, "clips differ"
    table = read_packets(file.path)
    assert gflops_of(sampler, table, 7) == pytest.approx(7 * eye.gflops)
    assert gflops_of(Uniform(), table, 7) == 0.0
    rows = list(eye.look(file.path, table, middles(first.grid.starts, first.grid.ends)))
    assert np.array_equal(layer.probabilities(np.stack(rows))[:, 1], first.scores)


def test_a_layer_and_weights_of_different_origin_are_refused(mobilenet: Path, tmp_path: Path) -> None:
    eye = replace(Eye.load(mobilenet), sha256="of another file")
    FrameSampler(eye, Linear(np.zeros((2, 1280)), np.zeros(2))).save(tmp_path / "layer.safetensors")
    with pytest.raises(InputError, match="not trained on"):
        FrameSampler.load(tmp_path / "layer.safetensors", mobilenet)
