"""The benchmarks of I-frames: their figures are what they say, and so is what they look at."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
models = pytest.importorskip(
    "torchvision.models", reason="torchvision is not installed: pip install 'salientclips[torch]'"
)

from builders import make_table  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.frame_sampler import MobileNet  # noqa: E402
from benchmarks.iframe_blocks import BLOCKS, Layer, Seen, look_at, stills_at_middles  # noqa: E402
from benchmarks.logistic import Linear  # noqa: E402
from benchmarks.span_figures import UNTRAINED, Result, result, table_of  # noqa: E402
from benchmarks.span_samplers import Video, fold  # noqa: E402

from salientclips import SamplerPlan  # noqa: E402
from salientclips.samplers.front import CHANNELS, read_front  # noqa: E402
from salientclips.timeline import ClipGrid  # noqa: E402
from salientclips.training.targets import SPAN_CLASSES, make_targets, say_spans  # noqa: E402
from salientclips.training.videos import Held, TrainingVideo  # noqa: E402
from salientclips.types import Fingerprint  # noqa: E402


def test_the_package_hears_of_a_picture_what_the_benchmark_hears(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(models.mobilenet_v2().state_dict(), tmp_path / "random.pt")
    picture = np.random.default_rng(0).integers(0, 255, (3, 224, 300), dtype=np.uint8)
    said = look_at(MobileNet.read(tmp_path / "random.pt").features, picture)
    assert said.shape == (sum(BLOCKS.values()),)
    video = Seen("v", "g", {"features": said[None], "own": np.ones((3, 1), np.float32)})
    ours = read_front(tmp_path / "random.pt").look([picture], 7, torch.device("cpu"))
    assert ours[0] == pytest.approx(video.stills(16)[0], rel=1e-4, abs=1e-8)


def test_a_clip_is_judged_by_its_pictures() -> None:
    shares = np.array([[1, 0], [0.5, 0.5]], np.float32)
    features = np.zeros((2, sum(BLOCKS.values())), np.float32)
    features[1] = 1.0
    video = Seen("v", "g", {"features": features, "own": shares})
    weight = np.zeros((2, BLOCKS[16]))
    weight[1, 0] = 50.0
    layer = Layer(Linear(weight, np.zeros(2)), 16, "own", 1.0)
    assert layer(video) == pytest.approx([0.5, 0.75])


def test_what_spans_teach_is_judged_on_other_videos(tmp_path: Path) -> None:
    """Pictures tell, motion misleads: validation gives all weight to the layer, which finds what it never saw."""
    torch.manual_seed(0)
    torch.save(models.mobilenet_v2().state_dict(), tmp_path / "random.pt")
    front = read_front(tmp_path / "random.pt")
    draw = np.random.default_rng(1)
    grid = ClipGrid.from_spans([(Fraction(i), Fraction(i + 1)) for i in range(40)])

    def video(number: int) -> Video:
        salient = np.zeros(40, dtype=np.bool_)
        begin = int(draw.integers(0, 30))
        salient[begin : begin + 10] = True
        said = np.zeros((40, CHANNELS, 1, 1), np.float32)
        said[:, 0, 0, 0] = draw.normal(size=40) + 6 * salient
        spans = say_spans(Fingerprint(1, str(number)), grid, [(Fraction(begin), Fraction(begin + 10))])
        targets = make_targets(spans, SPAN_CLASSES[:1])
        held = {"if": Held(np.ones(40, dtype=np.int64), said)}
        ready = TrainingVideo(
            Path(f"{number}.mp4"), str(number), targets, np.zeros(40), spans.probabilities, held
        )
        untrained = dict.fromkeys(UNTRAINED, Result(0.5, 0.25, 0.25))
        return Video("g", grid, salient, ready, -1.0 * salient, -1.0 * salient, untrained)  # type: ignore[arg-type]

    videos = [video(number) for number in range(20)]
    plan = SamplerPlan(("if", "motion"), objective="sal-cl", front_weights=tmp_path / "random.pt")
    found = fold("f", plan, front, videos[:12], videos[12:16], videos[16:])
    chosen = ["if+motion chosen", "if+motion+packets chosen"]
    assert list(found) == [*UNTRAINED, "if", "if+motion alike", *chosen]
    assert [one.auc for one in found["if"]] == pytest.approx([1.0] * 4, abs=0.02)
    for row in chosen:
        assert [one.auc for one in found[row]] == pytest.approx([1.0] * 4, abs=0.02)
    assert max(one.auc for one in found["motion"]) == 0.5


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
    told = result(scores, salient, [30])
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
