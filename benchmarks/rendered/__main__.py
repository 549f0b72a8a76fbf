"""``python -m benchmarks.rendered OUT [--seed 0] [--videos 420] ...``: builds the set, or goes on with it.

Needs ``pip install pybullet`` (a wheel of 103 MB), ``av`` and ``numpy``. Sounds are those of
``$SALIENTCLIPS_DATA/esc10`` where that is a folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from fractions import Fraction
from pathlib import Path

from .build import build
from .motions import folder
from .screenplay import Settings


def main() -> None:
    plain = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rendered", description=__doc__.splitlines()[0]
    )
    parser.add_argument("out", type=Path, help="folder of the set; a build that was stopped goes on there")
    parser.add_argument("--seed", type=int, default=plain.seed)
    parser.add_argument("--videos", type=int, default=plain.videos, help="how many (default %(default)s)")
    parser.add_argument(
        "--seconds", type=_range, default=(plain.shortest_s, plain.longest_s), help="45-90, or 12"
    )
    parser.add_argument("--size", type=_size, default=(plain.width_px, plain.height_px), help="192x144")
    parser.add_argument("--fps", type=Fraction, default=plain.frame_rate, help="12.5, or 25/2")
    parser.add_argument("--classes", type=int, default=plain.classes, help="only the first so many classes")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    asked = parser.parse_args()
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    esc10 = Path(os.environ.get("SALIENTCLIPS_DATA", beside)) / "esc10"
    try:
        folder()
        settings = Settings(
            seed=asked.seed,
            videos=asked.videos,
            shortest_s=asked.seconds[0],
            longest_s=asked.seconds[1],
            width_px=asked.size[0],
            height_px=asked.size[1],
            frame_rate=asked.fps,
            classes=asked.classes,
        )
        build(asked.out, settings, asked.workers, esc10.resolve() if esc10.is_dir() else None)
    except (ValueError, ModuleNotFoundError) as wrong:
        sys.exit(str(wrong))


def _range(text: str) -> tuple[float, float]:
    first, _, last = text.partition("-")
    return float(first), float(last or first)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    main()
