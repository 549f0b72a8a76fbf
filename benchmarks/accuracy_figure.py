"""Accuracy over K of one set, a panel for each classifier, drawn from ``results/SET-strategies.csv`` alone.

    PYTHONPATH=src:. python -m benchmarks.accuracy_figure benchmarks/results/rendered-strategies.csv

writes ``benchmarks/results/rendered-accuracy_over_k.svg``. Of the samplers, it shows the rules that need no training
and the best learned ones that every classifier of the table has judged; all others stand in the table. Colours are
Okabe and Ito's.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from salientclips.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RULES = ("motion", "packet-cost")
LEARNED = 3
"""How many of the learned samplers are drawn."""
_RANKED_BY_K = 10
_TITLES = {
    "r3d_18": "R3D-18",
    "mc3_18": "MC3-18",
    "r2plus1d_18": "R(2+1)D-18",
    "r2plus1d_34": "R(2+1)D-34",
    "ir_csn_152": "ir-CSN-152",
    "i3d_rgb": "I3D",
}
_NAMES = {
    "dense": "all clips",
    "oracle": "oracle (f's best clips)",
    "all-spans": "MD + RGB-R + stats, by spans",
    "stats-spans": "stats, by spans",
    "stats-spans-rules": "stats, motion and packets, by spans",
    "if-motion-spans": "I-frames and motion, by spans",
    "stats-spans-4-frames": "stats of 4 frames, by spans",
    "decoded-frames": "AR-Net's stand-in",
}
"""Where the table's own are too short to be understood."""
_STRATEGIES = {
    "oracle": ("#000000", ":", ""),
    "dense": ("#000000", "--", ""),
    "uniform": ("#8A8A8A", "-.", ""),
}
_SAMPLERS = (
    ("#0072B2", "-", "o"),
    ("#D55E00", "-", "s"),
    ("#009E73", "-", "D"),
    ("#CC79A7", "-", "^"),
    ("#E69F00", "-", "v"),
)

Curves = dict[str, dict[str, list[tuple[int, float]]]]
"""By classifier and by strategy or sampler: K and accuracy in per cent, increasing in K; of dense K is 0."""


def read(table: Path) -> Curves:
    """The curves of a table.

    Args:
        table: ``SET-strategies.csv``.

    Returns:
        They; classifiers by name without the hash of their weights, in the order of the table.
    """
    found: Curves = defaultdict(lambda: defaultdict(list))
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            classifier = row["classifier"].split("@")[0]
            point = (int(row["k"] or 0), 100 * float(row["accuracy"]))
            found[classifier][row["sampler"] or row["strategy"]].append(point)
    return {
        classifier: {name: sorted(points) for name, points in of.items()} for classifier, of in found.items()
    }


def shown(curves: Curves) -> list[str]:
    """The samplers that are drawn.

    Args:
        curves: Of a table.

    Returns:
        The best learned ones by their mean accuracy at K = 10 over the classifiers, then the rules, of those that
        every classifier has judged.
    """
    known = set.intersection(*(set(of) for of in curves.values()))
    others = {*_STRATEGIES, "random", "empirical", "cumulative-motion", *RULES}

    def accuracy(name: str) -> float:
        return sum(dict(of[name])[_RANKED_BY_K] for of in curves.values()) / len(curves)

    best = sorted(known - others, key=lambda name: (-accuracy(name), name))[:LEARNED]
    return [*best, *(name for name in RULES if name in known)]


def draw(table: Path, figure: Path) -> None:
    """Draw a table.

    Args:
        table: ``SET-strategies.csv``.
        figure: The SVG.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    curves = read(table)
    looks = dict(zip(shown(curves), _SAMPLERS, strict=False)) | _STRATEGIES
    drawn = Figure(figsize=(2.4 + max(5.0, 3.0 * len(curves)), 3.9), layout="constrained")
    panels = drawn.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (classifier, of) in zip(panels, curves.items(), strict=True):
        draw_panel(axes, _TITLES.get(classifier, classifier), of, looks)
    panels[0].set_ylabel("top-1 accuracy (%)")
    panels[0].set_ylim(0, 100)
    lines = dict(zip(looks, panels[0].get_lines(), strict=True))
    drawn.legend(
        lines.values(), [_NAMES.get(name, name) for name in lines], loc="outside right center", fontsize=9
    )
    # Ids in an SVG are random and its date is now, unless one says otherwise: the same data, the same file.
    with (
        mpl.rc_context({"svg.hashsalt": "salientclips", "svg.fonttype": "none"}),
        whole_file(figure) as beside,
    ):
        drawn.savefig(beside, format="svg", metadata={"Date": None})


def draw_panel(
    axes: Axes,
    title: str,
    of: dict[str, list[tuple[int, float]]],
    looks: dict[str, tuple[str, str, str]],
) -> None:
    """Draw what one classifier said.

    Args:
        axes: Where.
        title: The classifier.
        of: The curves.
        looks: Colour, dash and marker of those that are drawn.
    """
    most = max(k for points in of.values() for k, _ in points)
    for name, (colour, dash, marker) in looks.items():
        points = of[name] if name != "dense" else [(k, of[name][0][1]) for k in (1, most)]
        xs, ys = zip(*points, strict=True)
        axes.plot(xs, ys, color=colour, ls=dash, marker=marker, ms=3.5, lw=1.6)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("K, clips looked at")
    axes.set_xticks([k for k in (1, 5, 10, 15, 20) if k <= most])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="results/SET-strategies.csv")
    asked = parser.parse_args()
    name = asked.table.name.removesuffix("-strategies.csv")
    draw(asked.table, asked.table.with_name(f"{name}-accuracy_over_k.svg"))


if __name__ == "__main__":
    main()
