"""How many rows a second one process writes to a corpus data set, and how long they are.

    PYTHONPATH=src python benchmarks/corpus_rows.py

Videos of six minutes with a clip of 32 frames each, scores by lot (which do not compress; real ones do no better).
Processor seconds. Writes ``results/corpus_rows.csv``; ``docs/scale.md`` uses it.
"""

from __future__ import annotations

import csv
import tempfile
from fractions import Fraction
from pathlib import Path
from time import process_time

import numpy as np

from salientclips.corpus.rows import ClipRows, Outcome, VideoRow
from salientclips.outputs.corpus_dataset import DatasetWriter

VIDEOS, CLIPS = 1500, 337
CLIP_S = Fraction(32, 30)


def main() -> None:
    rng = np.random.default_rng(0)
    starts = tuple(i * CLIP_S for i in range(CLIPS))
    ends = tuple((i + 1) * CLIP_S for i in range(CLIPS))
    index, no_rank = np.arange(CLIPS, dtype=np.int32), np.zeros(CLIPS, np.int32)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        began = process_time()
        with DatasetWriter(out, {"job": "none"}) as writer:
            for number in range(VIDEOS):
                name = f"/data/videos/{number:08d}.mp4"
                row = VideoRow(name, num_clips=CLIPS, clip_rows=CLIPS, sampler="motion", sha256="0" * 64)
                writer.add(Outcome(row, ClipRows(index, starts, ends, rng.random(CLIPS), no_rank)))
        seconds = process_time() - began
        size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    rows = VIDEOS * CLIPS
    found = {
        "rows": rows,
        "cpu_seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "bytes_per_row": round(size / rows, 2),
    }
    with (Path(__file__).parent / "results" / "corpus_rows.csv").open("w", newline="") as file:
        writer_csv = csv.DictWriter(file, list(found), lineterminator="\n")
        writer_csv.writeheader()
        writer_csv.writerow(found)
    print(found)


if __name__ == "__main__":
    main()
