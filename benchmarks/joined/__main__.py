"""``python -m benchmarks.joined SET OUT [--seed 0] ...``: builds ``composed``, ``cctv-fight`` or ``everyday``.

A build that was stopped goes on. Needs ``av`` and ``numpy``, and ``clips256`` and ``esc10`` of
``$SALIENTCLIPS_DATA``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import cctv_fight, clips, composed, everyday
from .build import build

SETS = {"composed": composed.rows, "cctv-fight": cctv_fight.rows, "everyday": everyday.rows}


def main() -> None:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.joined", description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=SETS)
    parser.add_argument("out", type=Path, help="folder of the set; a build that was stopped goes on there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--videos", type=int, help="only the first so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    asked = parser.parse_args()
    data = Path(os.environ.get("SALIENTCLIPS_DATA", beside)).resolve()
    try:
        rows = SETS[asked.set](clips.read(data / "clips256"), asked.seed)[: asked.videos]
        build(asked.out, asked.set, rows, asked.seed, data, asked.workers)
    except FileNotFoundError as wrong:
        sys.exit(f"{wrong}; set SALIENTCLIPS_DATA to the folder that holds clips256 and esc10")
    except ValueError as wrong:
        sys.exit(str(wrong))


if __name__ == "__main__":
    main()
