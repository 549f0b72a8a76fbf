"""Do samplers that need no training find the true spans of a benchmark? The AUC of each, against a manifest.

Usage: ``PYTHONPATH=src python benchmarks/span_auc.py MANIFEST [--split val] [--videos 20] [--csv OUT.csv]``.
Prints, for each sampler, the AUC within a video (mean over videos, and quartiles), over all clips at once, and the
share of salient clips among its ten highest next to the share among all. A clip of 16 frames at step 1 is salient
where at least half of it is.

It says how strong the short cuts are ("most motion", "most bits"); it says nothing of a classifier's accuracy.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from salientclips import score
from salientclips.timeline import ClipSpec

SAMPLERS = ("motion", "packet-cost", "cumulative-motion")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--codec", default="h264")
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    with asked.manifest.open() as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if asked.split in (r["split"], "any") and r["codec"] == asked.codec
        ]
    rows = rows[: asked.videos]
    lines = [
        [
            "benchmark",
            "sampler",
            "split",
            "codec",
            "videos",
            "auc_mean",
            "auc_q1",
            "auc_q3",
            "auc_pooled",
            "top10",
            "all",
        ]
    ]
    for sampler in SAMPLERS:
        values = [scored(asked.manifest.parent / row["path"], row["spans"], sampler) for row in rows]
        each = [auc(scores[true], scores[~true]) for scores, true in values]
        pooled = auc(
            np.concatenate([scores[true] for scores, true in values]),
            np.concatenate([scores[~true] for scores, true in values]),
        )
        top = np.mean([true[np.argsort(-scores)[:10]].mean() for scores, true in values])
        base = np.mean([true.mean() for _, true in values])
        numbers = [np.mean(each), *np.quantile(each, [0.25, 0.75]), pooled, top, base]
        lines.append(
            [
                asked.manifest.parent.name,
                sampler,
                asked.split,
                asked.codec,
                str(len(rows)),
                *(f"{x:.3f}" for x in numbers),
            ]
        )
        print(*lines[-1], flush=True)
    if asked.csv:
        with asked.csv.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)


def scored(path: Path, spans: str, sampler: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """A video's clip scores, and which clips are salient."""
    told = score(path, sampler, clip=ClipSpec(frames=16, frame_step=1))
    inside = np.zeros(len(told.grid))
    starts, ends = told.grid.start_s, told.grid.end_s
    for span in spans.split(";"):
        first, last = (float(part) for part in span.split("-"))
        inside += np.clip(np.minimum(ends, last) - np.maximum(starts, first), 0, None)
    return told.scores, inside / (ends - starts) >= 0.5


def auc(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    """Probability that a positive lies above a negative; ties count half."""
    a, b = positive[:, None], negative[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


if __name__ == "__main__":
    main()
