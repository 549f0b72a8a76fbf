"""What a corpus costs: bytes, core seconds and GPU seconds an hour of video, and what that says of many hours.

    python benchmarks/scale.py [--gpu-tflops 20] [--core-hour 0.04] [--gpu-hour 2.0] [--read-gbps 10]

The parts are measured elsewhere: ``results/features.csv`` has scoring (core seconds and bytes of ten minutes of
video), ``results/end_to_end.csv`` decoding the K clips, decoding all of them, and f. Nothing is timed here; run those
first. **Not measured, but given** as options: how many TFLOP/s a GPU sustains on f (no GPU was lent; f's operations
are counted, a multiply-add as two), what a core and a GPU cost an hour, and what a shared store delivers.

A corpus is so many hours in videos of ten minutes. ``select`` scores every video; ``classify`` then decodes K = 10
clips of each and shows them to f; ``dense`` decodes and shows all. Cores decode, GPUs run f, both at once, so the
slower of them sets the pace. Writes ``results/scale.csv``: a row a video format, way and size of cluster.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
VIDEO_S = 600.0
K = 10
GFLOPS_PER_CLIP = 27.788
"""I3D on 16 frames of 224 pixels, 10^9 multiply-adds (``load_classifier("i3d_rgb", frames=16).input.gflops``)."""
CORES, GPUS = 64, 8
"""Of a machine, as clouds rent them with GPUs."""


@dataclass(frozen=True)
class Costs:
    """What an hour of video takes, of one format, one way."""

    format: str
    way: str
    gigabytes: float
    core_s: float
    clips: float

    def gpu_s(self, tflops: float) -> float:
        """GPU seconds for f."""
        return self.clips * GFLOPS_PER_CLIP * 2 / 1000 / tflops


def measured() -> Iterator[Costs]:
    """The three ways for each format that both files have."""
    with (RESULTS / "features.csv").open() as file:
        features = {(row["video"], row["what"]): row for row in csv.DictReader(file)}
    with (RESULTS / "end_to_end.csv").open() as file:
        chains = {
            (row["video"].removesuffix(".mp4"), row["strategy"], row["k"]): row
            for row in csv.DictReader(file)
        }
    for video in sorted({video for video, _ in features}):
        by_lot, dense = chains.get((video, "random", str(K))), chains.get((video, "dense", ""))
        if by_lot is None or dense is None:
            continue
        an_hour = 3600 / VIDEO_S
        demux = features[video, "demux only (PyAV)"]
        gigabytes = float(demux["megabytes_per_second"]) * float(demux["seconds"]) / 1000 * an_hour
        score_s = float(features[video, "score, bitstream, 4 P-frames a clip"]["seconds"]) * an_hour
        decode_s = float(by_lot["decode_s"]) * an_hour
        # The K clips are read from a file that is read for its packets first: twice in all.
        yield Costs(video, "select", gigabytes, score_s, 0.0)
        yield Costs(video, "classify", 2 * gigabytes, score_s + decode_s, K * an_hour)
        dense_s = (float(dense["demux_s"]) + float(dense["decode_s"])) * an_hour
        yield Costs(video, "dense", 2 * gigabytes, dense_s, float(dense["clips"]) * an_hour)


def rows(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """A row a format, a way and a size of cluster."""
    for cost in measured():
        gpu_s = cost.gpu_s(options.gpu_tflops)
        price = 1000 * (cost.core_s / 3600 * options.core_hour + gpu_s / 3600 * options.gpu_hour)
        for machines, hours in ((1, 1_000), (100, 100_000), (100, 1_000_000)):
            needs = {
                "cores": hours * cost.core_s / (machines * CORES),
                "gpus": hours * gpu_s / (machines * GPUS),
                "store": hours * cost.gigabytes / options.read_gbps,
            }
            first = max(needs, key=lambda part: needs[part])
            yield {
                "format": cost.format,
                "way": cost.way,
                "gigabytes_per_hour": round(cost.gigabytes, 3),
                "core_s_per_hour": round(cost.core_s, 1),
                "gpu_s_per_hour": round(gpu_s, 3),
                "price_per_1000_hours": round(price, 2),
                "machines": machines,
                "hours": hours,
                **{f"{part}_days": round(seconds / 86400, 3) for part, seconds in needs.items()},
                "saturates_first": first,
                "days": round(needs[first] / 86400, 3),
            }


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu-tflops", type=float, default=20.0, help="TFLOP/s that a GPU sustains on f")
    parser.add_argument("--core-hour", type=float, default=0.04, help="price of a core for an hour")
    parser.add_argument("--gpu-hour", type=float, default=2.0, help="price of a GPU for an hour")
    parser.add_argument(
        "--read-gbps", type=float, default=10.0, help="gigabytes a second of the shared store"
    )
    table = list(rows(parser.parse_args()))
    with (RESULTS / "scale.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    for row in table:
        print(*row.values(), sep="  ")
    for name in dict.fromkeys(str(row["format"]) for row in table):
        price = {
            row["way"]: float(str(row["price_per_1000_hours"])) for row in table if row["format"] == name
        }
        print(
            f"{name}: dense costs {price['dense'] / price['classify']:.0f} times as much as classify with K = {K}"
        )


if __name__ == "__main__":
    main()
