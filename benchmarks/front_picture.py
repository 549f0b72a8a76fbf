"""Draws the README's picture: accuracy over seconds a video, from results/composed-224px-strategies.csv.

    python benchmarks/front_picture.py

Nothing is measured here. A line joins K = 1 to 20 of a strategy; bars are the 95 % intervals at K = 1, 5, 10 and
20, drawn over groups of videos (docs/results.md). Plain SVG on a white card: to be read on light and on dark pages.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "benchmarks" / "results" / "composed-224px-strategies.csv"
TARGET = ROOT / "docs" / "pictures" / "accuracy_over_seconds.svg"
WIDTH, HEIGHT = 640, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 600, 76, 352
LEAST_S, MOST_S, MOST = 0.8, 90.0, 0.9
MARKED_K = (1, 5, 10, 20)


@dataclass(frozen=True)
class Curve:
    """One strategy of the table, and how it is drawn."""

    strategy: str
    sampler: str
    name: str
    colour: str
    label: tuple[float, float]
    """Where its name stands, pixels of the drawing."""
    shift: float = 0.0
    """Pixels that its bars are moved by, so that they can be told from others at the same seconds."""


MOTION = Curve("sampler", "motion", "motion, untrained", "#0969da", (430, 204), -2)
DENSE = Curve("dense", "", "dense: all clips", "#1f2328", (494, 244))
CURVES = (
    Curve("random", "", "random", "#8c959f", (436, 312), 2),
    Curve("uniform", "", "uniform", "#57606a", (436, 337), -2),
    Curve("sampler", "stats-spans-rules", "learned by fit", "#1a7f37", (120, 176), 2),
    MOTION,
    DENSE,
)


@dataclass(frozen=True)
class Point:
    """One row of the table."""

    k: int
    seconds: float
    accuracy: float
    low: float
    high: float


def points(curve: Curve) -> list[Point]:
    """What was measured of a strategy, by K; dense has no K and counts as 0."""
    with SOURCE.open(encoding="utf-8", newline="") as file:
        found = [
            Point(
                int(row["k"] or 0),
                *(float(row[c]) for c in ("seconds_per_video", "accuracy", "accuracy_low", "accuracy_high")),
            )
            for row in csv.DictReader(file)
            if (row["strategy"], row["sampler"]) == (curve.strategy, curve.sampler)
        ]
    return sorted(found, key=lambda p: p.k)


def across(seconds: float) -> float:
    """Pixels from the left, on a logarithmic scale."""
    return LEFT + (RIGHT - LEFT) * math.log(seconds / LEAST_S) / math.log(MOST_S / LEAST_S)


def up(accuracy: float) -> float:
    """Pixels from the top."""
    return BOTTOM - (BOTTOM - TOP) * accuracy / MOST


def drawn(curve: Curve) -> Iterator[str]:
    """A strategy: its line, its bars, its points, its name."""
    measured = points(curve)
    if len(measured) > 1:
        way = "L".join(f"{across(p.seconds):.1f} {up(p.accuracy):.1f}" for p in measured)
        yield f"<path d='M{way}' fill='none' stroke='{curve.colour}' stroke-width='2.5' stroke-linejoin='round'/>"
    for p in measured:
        if p.k not in (0, *MARKED_K):
            continue
        x = across(p.seconds)
        yield (
            f"<path d='M{x + curve.shift:.1f} {up(p.low):.1f}V{up(p.high):.1f}' stroke='{curve.colour}' "
            f"stroke-width='1.5' opacity='.55'/>"
        )
        yield f"<circle cx='{x:.1f}' cy='{up(p.accuracy):.1f}' r='4' fill='{curve.colour}'/>"
    x, y = curve.label
    yield f"<text x='{x}' y='{y}' fill='{curve.colour}' font-weight='bold'>{curve.name}</text>"


def axes() -> Iterator[str]:
    """Title, scales and the grid."""
    yield "<text x='20' y='30' font-size='17' font-weight='bold'>Accuracy over seconds a video</text>"
    about = "composed: 40 videos of 1 to 2 minutes, I3D; bars: 95 % over 9 groups"
    yield f"<text x='20' y='52' fill='#57606a'>{about}</text>"
    for percent in (0, 20, 40, 60, 80):
        y = up(percent / 100)
        yield f"<path d='M{LEFT} {y:.1f}H{RIGHT}' stroke='#d8dee4'/>"
        yield f"<text x='{LEFT - 8}' y='{y + 5:.1f}' text-anchor='end'>{percent} %</text>"
    for seconds in (1, 2, 5, 10, 20, 50):
        x = across(seconds)
        yield f"<path d='M{x:.1f} {BOTTOM}v5' stroke='#57606a'/>"
        yield f"<text x='{x:.1f}' y='{BOTTOM + 22}' text-anchor='middle'>{seconds} s</text>"
    under = {p.seconds: f"K = {p.k}" for p in points(MOTION) if p.k in MARKED_K}
    under[points(DENSE)[0].seconds] = "all"
    for at_s, what in under.items():
        place = f"x='{across(at_s):.1f}' y='{BOTTOM + 44}'"
        yield f"<text {place} text-anchor='middle' fill='#57606a'>{what}</text>"


def picture() -> str:
    """The whole file."""
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' "
        "role='img' font-family='Helvetica,Arial,sans-serif' font-size='15' fill='#1f2328'>",
        "<title>Accuracy over seconds a video: motion and a learned sampler above uniform, random and dense</title>",
        f"<rect x='.5' y='.5' width='{WIDTH - 1}' height='{HEIGHT - 1}' rx='6' fill='#fff' stroke='#d0d7de'/>",
        *axes(),
        *(part for curve in CURVES for part in drawn(curve)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(picture(), encoding="utf-8")
