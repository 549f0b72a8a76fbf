"""The benchmarks' figure: what it reads of a table, which samplers it shows, and that it draws them."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_figure import draw, read, shown  # noqa: E402

HEADING = "benchmark,split,classifier,strategy,sampler,k,videos,accuracy"


def table(folder: Path, classifiers: dict[str, dict[str, float]]) -> Path:
    """A result file of K = 1 and 10; each sampler with its accuracy at 10, and a tenth less at 1."""
    lines = [HEADING]
    for classifier, samplers in classifiers.items():
        of = f"a-set,test,{classifier}"
        lines.append(f"{of},dense,,,9,0.1")
        for strategy in ("oracle", "uniform"):
            lines += [f"{of},{strategy},,{k},9,0.5" for k in (1, 10)]
        for name, accuracy in samplers.items():
            lines += [f"{of},sampler,{name},1,9,{accuracy - 0.1}", f"{of},sampler,{name},10,9,{accuracy}"]
    path = folder / "a-set-strategies.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


RULES = {"motion": 0.2, "packet-cost": 0.3}
TWO = {
    "r3d_18@aa": RULES | {"a": 0.5, "b": 0.6, "c": 0.3, "d": 0.2, "only-here": 0.9},
    "i3d_rgb@bb@cc": RULES | {"a": 0.5, "b": 0.3, "c": 0.4, "d": 0.2},
}


def test_curves_are_by_classifier_and_name(tmp_path: Path) -> None:
    found = read(table(tmp_path, TWO))
    assert list(found) == ["r3d_18", "i3d_rgb"]
    assert found["i3d_rgb"]["a"] == [(1, pytest.approx(40)), (10, pytest.approx(50))]
    assert found["r3d_18"]["dense"] == [(0, pytest.approx(10))]


def test_the_best_that_all_classifiers_judged_and_the_rules_are_shown(tmp_path: Path) -> None:
    assert shown(read(table(tmp_path, TWO))) == ["a", "b", "c", "motion", "packet-cost"]
    assert shown(read(table(tmp_path, {"i3d_rgb": {"motion": 0.2}}))) == ["motion"]


def test_it_is_drawn_the_same_each_time_with_a_panel_for_each_classifier(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'salientclips[plots]'")
    source = table(tmp_path, TWO)
    draw(source, tmp_path / "one.svg")
    draw(source, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    texts = {
        "".join(one.itertext())
        for one in ElementTree.parse(tmp_path / "one.svg").iter("{http://www.w3.org/2000/svg}text")
    }
    assert {"R3D-18", "I3D", "a", "b", "c", "motion", "packet-cost", "uniform", "all clips"} <= texts
    assert not {"d", "only-here"} & texts


@pytest.mark.parametrize("name", ["rendered", "composed", "composed-224px", "cctv-fight"])
def test_the_committed_figures_are_of_the_committed_tables(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'salientclips[plots]'")
    results = ROOT / "benchmarks" / "results"
    draw(results / f"{name}-strategies.csv", tmp_path / "again.svg")

    def texts(path: Path) -> list[str]:
        root = ElementTree.parse(path).getroot()
        return sorted("".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text"))

    assert texts(tmp_path / "again.svg") == texts(results / f"{name}-accuracy_over_k.svg")
