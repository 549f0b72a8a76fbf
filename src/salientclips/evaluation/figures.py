"""The figures of an evaluation, as SVG and PNG, each drawn from a CSV of the same name beside it.

Accuracy over K, accuracy over seconds, where the chosen clips lie, and time lines of some videos (poster, figure of
the most salient clips). Colours are Okabe and Ito's, which colour-blind people can tell apart; lines differ in
marker and dash as well, and carry their names. matplotlib is an extra (``plots``) and loaded when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..networks.extras import require
from ..whole_file import whole_file
from .figure_data import Table, accuracy_over_k, accuracy_over_seconds, timelines, where_clips_lie
from .report import FEW_GROUPS, Evaluation
from .tables import Cell, write_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRIC_TITLES = {
    "top-1": "top-1 accuracy",
    "mean-class": "mean class accuracy",
    "map": "mean average precision",
}
_SAMPLER_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = "osD^vP"
_LABELLED_K = (1, 5, 10, 20)
_MOST_BANDS = len(_SAMPLER_COLOURS)
_LEADER = {"arrowstyle": "-", "lw": 0.5, "alpha": 0.5, "relpos": (0, 0.5)}
"""Of the line that leads to a name. It begins at its left side: from its middle it would cross the names between."""


@dataclass(frozen=True)
class _Look:
    colour: str
    dash: str = "-"
    marker: str = ""
    width: float = 1.6


_LOOKS = {
    "random": _Look("#8A8A8A", ":"),
    "uniform": _Look("#6A6A6A", "--"),
    "empirical": _Look("#8A8A8A", "-."),
    "dense": _Look("#000000", (0, (6, 2))),  # type: ignore[arg-type]
    "oracle": _Look("#000000", (0, (1, 1))),  # type: ignore[arg-type]
    "spans": _Look("#8A8A8A", "-", width=4.0),
}


def check_can_draw() -> None:
    """Find out before long work whether figures can be drawn.

    Raises:
        MissingExtraError: matplotlib is absent or does not load.
    """
    require("matplotlib", "plots")


def draw_figures(found: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Draw all figures.

    Args:
        found: The evaluation.
        folder: Where; made where it is missing. Files of these names are replaced.

    Returns:
        The files: a CSV, an SVG and a PNG for each figure.

    Raises:
        MissingExtraError: matplotlib is absent or does not load.
    """
    check_can_draw()
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "accuracy_over_k": (accuracy_over_k(found), _draw_over_k),
        "accuracy_over_seconds": (accuracy_over_seconds(found), _draw_over_seconds),
        "where_clips_lie": (where_clips_lie(found), _draw_places),
        "timelines": (timelines(found), _draw_timelines),
    }
    files: list[Path] = []
    for name, (table, draw) in drawn.items():
        files.append(write_csv(folder / f"{name}.csv", table.heading, table.rows))
        figure = draw(found, table)
        files += _save(figure, folder / name)
    return tuple(files)


def _save(figure: Figure, stem: Path) -> list[Path]:
    import matplotlib as mpl

    # Ids in an SVG are random and its date is now, unless one says otherwise: the same data, the same file.
    with mpl.rc_context({"svg.hashsalt": "salientclips", "svg.fonttype": "none"}):
        svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
        with whole_file(svg) as beside:
            figure.savefig(beside, metadata={"Date": None}, bbox_inches="tight")
        with whole_file(png) as beside:
            figure.savefig(beside, dpi=150, bbox_inches="tight")
    return [svg, png]


def _new(found: Evaluation, title: str, width: float = 8.0, height: float = 4.8) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    _heading(axes, found, title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _heading(axes: Axes, found: Evaluation, title: str) -> None:
    of = f"{found.benchmark} ({found.split}), {len(found.bench.cases)} videos, {found.classifier.split('@')[0]}"
    axes.set_title(f"{title}\n", loc="left", fontsize=12)
    axes.annotate(
        of,
        (0, 1),
        xytext=(0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        color="#555555",
    )


def _looks(table: Table) -> dict[tuple[str, str], _Look]:
    """A look for each (strategy, sampler) of a table, the same in every figure."""
    names = list(dict.fromkeys((str(row[0]), str(row[1])) for row in table.rows))
    samplers = [name for name in names if name[0] == "sampler"]
    looks = {}
    for name in names:
        if name[0] != "sampler":
            looks[name] = _LOOKS[name[0]]
            continue
        place = samplers.index(name)
        colour = _SAMPLER_COLOURS[place % len(_SAMPLER_COLOURS)]
        dash = "-" if place < len(_SAMPLER_COLOURS) else "--"
        looks[name] = _Look(colour, dash, _MARKERS[place % len(_MARKERS)], 2.0)
    return looks


def _of(table: Table, name: tuple[str, str]) -> list[list[Cell]]:
    return [row for row in table.rows if (row[0], row[1]) == name]


def _title_of(name: tuple[str, str]) -> str:
    return name[1] or name[0]


def _draw_over_k(found: Evaluation, table: Table) -> Figure:
    metric = _METRIC_TITLES[found.metric]
    figure, axes = _new(found, f"{metric.capitalize()} over clips looked at")
    # With few groups an interval says little and would fill the picture, as those of many samplers would.
    has_bands = found.bench.groups >= FEW_GROUPS and 0 < len(found.samplers) <= _MOST_BANDS
    ks = sorted({_number(row[2]) for row in table.rows if row[2] is not None})
    ends = []
    for name, look in _looks(table).items():
        rows = _of(table, name)
        x = ks if name[0] == "dense" else [_number(row[2]) for row in rows]
        y = [_number(row[3]) for row in rows] * (len(ks) if name[0] == "dense" else 1)
        axes.plot(x, y, ls=look.dash, color=look.colour, marker=look.marker, ms=4, lw=look.width)
        if name[0] == "sampler" and has_bands:
            low, high = ([_number(row[i]) for row in rows] for i in (4, 5))
            axes.fill_between(x, low, high, color=look.colour, alpha=0.12, lw=0)
        ends.append((y[-1], _title_of(name) + (" (all clips)" if name[0] == "dense" else ""), look.colour))
    axes.set_xlabel("K, clips looked at in each video")
    axes.set_ylabel(f"{metric} (%)")
    axes.set_xticks(ks if len(ks) <= 20 else [k for k in ks if k % 5 == 0])
    axes.margins(x=0.02)
    _name_ends(axes, ends)
    if has_bands:
        _note(axes, "Bands: 95 % intervals of the samplers, bootstrap over groups of videos")
    return figure


def _draw_over_seconds(found: Evaluation, table: Table) -> Figure:
    metric = _METRIC_TITLES[found.metric]
    figure, axes = _new(found, f"{metric.capitalize()} over time")
    axes.set_xscale("log")
    axes.grid(axis="x", color="#EEEEEE", linewidth=0.6)
    ends = []
    for name, look in _looks(table).items():
        rows = _of(table, name)
        x, y = [_number(row[3]) for row in rows], [_number(row[4]) for row in rows]
        marker = "*" if name[0] == "dense" else look.marker or "."
        axes.plot(
            x, y, ls=look.dash, color=look.colour, marker=marker, ms=10 if marker == "*" else 4, lw=look.width
        )
        ends.append(
            (x[-1], y[-1], _title_of(name) + (" (all clips)" if name[0] == "dense" else ""), look.colour)
        )
        if name[0] == "sampler" and name == next(n for n in _looks(table) if n[0] == "sampler"):
            for row in rows:
                if row[2] in _LABELLED_K:
                    axes.annotate(
                        f"K = {row[2]}",
                        (_number(row[3]), _number(row[4])),
                        xytext=(0, 7),
                        textcoords="offset points",
                        fontsize=7.5,
                        color=look.colour,
                        ha="center",
                    )
    axes.set_xlabel("mean time for a video, all steps (s, logarithmic scale)")
    axes.set_ylabel(f"{metric} (%)")
    _plain_log_ticks(axes)
    _name_ends(axes, [(y, text, colour) for _, y, text, colour in ends], anchors=[x for x, *_ in ends])
    return figure


def _draw_places(found: Evaluation, table: Table) -> Figure:
    figure, axes = _new(found, f"Where the top {found.k} clips lie in their videos", height=4.2)
    ends = []
    for name, look in _looks(table).items():
        rows = _of(table, name)
        edges = [_number(row[2]) for row in rows] + [_number(rows[-1][3])]
        shares = [_number(row[4]) for row in rows]
        axes.stairs(
            shares,
            edges,
            color=look.colour,
            ls=look.dash,
            lw=look.width,
            baseline=None,
            alpha=0.5 if name[0] == "spans" else 1,
        )
        title = {"spans": "true spans", "oracle": "f's best clips (oracle)"}.get(name[0], _title_of(name))
        ends.append((shares[-1], title, look.colour))
    even = 100 / len({row[2] for row in table.rows})
    axes.axhline(even, color="#999999", lw=0.8, ls=":")
    axes.annotate(
        "evenly spread", (0, even), xytext=(2, 3), textcoords="offset points", fontsize=7.5, color="#777777"
    )
    axes.set_xlim(0, 100)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("place in the video (% of its length)")
    axes.set_ylabel("share of the clips (%)")
    _name_ends(axes, ends)
    return figure


def _draw_timelines(found: Evaluation, table: Table) -> Figure:
    from matplotlib.figure import Figure

    videos = list(dict.fromkeys(str(row[0]) for row in table.rows))
    figure = Figure(figsize=(8.0, 1.0 + 0.95 * max(1, len(videos))), layout="constrained")
    panels = figure.subplots(max(1, len(videos)), 1, squeeze=False)[:, 0]
    for axes, video in zip(panels, videos, strict=False):
        _draw_timeline(axes, [row for row in table.rows if row[0] == video], Path(video).name)
    if videos:
        sampler = next(row.sampler for row in found.samplers)
        panels[0].set_title(
            f"Saliency by {sampler} along the first {len(videos)} videos\n"
            f"filled: the {found.k} clips it takes;  circles: f's best clips (oracle);  grey: true spans",
            loc="left",
            fontsize=10,
        )
        panels[-1].set_xlabel("time in the video (s)")
    else:
        panels[0].set_axis_off()
        panels[0].text(0, 0.5, "no sampler was given")
    return figure


def _draw_timeline(axes: Axes, rows: Sequence[Sequence[Cell]], name: str) -> None:
    starts, ends, level = ([_number(row[i]) for row in rows] for i in (2, 3, 4))
    for row in rows:
        begin, end = _number(row[2]), _number(row[3])
        if row[7]:
            axes.axvspan(begin, end, color="#CCCCCC", alpha=0.55, lw=0)
        if row[5]:
            axes.fill_between(
                [begin, end], [_number(row[4])] * 2, color=_SAMPLER_COLOURS[0], alpha=0.75, lw=0
            )
    axes.stairs(level, [*starts, ends[-1]], color=_SAMPLER_COLOURS[0], lw=1.0)
    best = [(_number(row[2]) + _number(row[3])) / 2 for row in rows if row[6]]
    axes.plot(best, [1.18] * len(best), "o", ms=3.5, mfc="none", mec="black", mew=0.8, clip_on=False)
    axes.set_xlim(starts[0], ends[-1])
    axes.set_ylim(0, 1.3)
    axes.set_yticks([0, 1], ["least", "most"], fontsize=7)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    short = name if len(name) <= 28 else f"{name[:25]}..."
    axes.annotate(
        short,
        (1, 0.5),
        xytext=(6, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        va="center",
    )


def _name_ends(
    axes: Axes, ends: Sequence[tuple[float, str, str]], anchors: Sequence[float] | None = None
) -> None:
    """Write each line's name to the right of its end, moved apart where ends lie close."""
    low, high = axes.get_ylim()
    gap = 0.052 * (high - low)
    order = sorted(range(len(ends)), key=lambda i: ends[i][0])
    places = _apart([ends[i][0] for i in order], gap)
    right = axes.get_xlim()[1]
    for i, place in zip(order, places, strict=True):
        value, text, colour = ends[i]
        end = right if anchors is None else anchors[i]
        # A thin line leads from the line's end to its name where they are not side by side.
        moved = abs(place - value) > gap / 4 or end != right
        axes.annotate(
            text,
            (end, value),
            xytext=(1.03, place),
            textcoords=axes.get_yaxis_transform(),
            fontsize=9,
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops=_LEADER | {"color": colour} if moved else None,
        )
    axes.set_ylim(low, high)


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """Increasing values moved as little as is needed to be ``gap`` apart, clusters about their middles."""
    clusters: list[list[float]] = []  # [sum of values, count]
    for value in values:
        clusters.append([value, 1])
        while len(clusters) > 1 and _top(clusters[-2], gap) + gap > _bottom(clusters[-1], gap):
            total, count = clusters.pop()
            clusters[-1] = [clusters[-1][0] + total, clusters[-1][1] + count]
    return [_bottom(cluster, gap) + i * gap for cluster in clusters for i in range(int(cluster[1]))]


def _bottom(cluster: Sequence[float], gap: float) -> float:
    total, count = cluster
    return total / count - gap * (count - 1) / 2


def _top(cluster: Sequence[float], gap: float) -> float:
    return _bottom(cluster, gap) + gap * (cluster[1] - 1)


def _plain_log_ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def _note(axes: Axes, text: str) -> None:
    axes.annotate(
        text,
        (0, 0),
        xytext=(0, -40),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=7.5,
        color="#777777",
    )


def _number(value: Cell) -> float:
    assert isinstance(value, int | float)
    return value
