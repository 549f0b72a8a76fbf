"""How long the poster's tables take on the real data sets, by a model, and how near the model comes.

    python benchmarks/cost_model.py check VIDEO ... [--csv FILE]
    python benchmarks/cost_model.py hours EVALUATE_FOLDER --seconds MEAN_VIDEO_LENGTH [--csv FILE]

``check`` takes the model that ``evaluate`` prices its rows with (``evaluation/case.py``: decoding proper by the
frames that pass the decoder, preparing by the clips, both from one look at every clip) and compares it with what
decoding K clips really takes. It measures *processor* seconds of this process, so that other work on the machine
counts little.

``hours`` scales the seconds of an evaluation that was run on this machine to data sets of other size: each part
grows with the number of clips, but for what K clips take. It writes a row for each data set of the poster.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import torch

from salientclips.classifiers import ClipInput
from salientclips.classifiers import look as look_module
from salientclips.classifiers.look import ClipLooker
from salientclips.evaluation.decoding import plan_decoding
from salientclips.media.demux import clip_grid, read_packets
from salientclips.ranking import choose
from salientclips.samplers import Random
from salientclips.samplers.evidence import VideoEvidence
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import PacketTable, SelectedClip

DATA_SETS = {
    # name: (videos, mean length in seconds): the published size of what each table of the poster is tested on
    "Kinetics-400 validation": (19_881, 10.0),
    "Sports1M test, each 1000 videos": (1_000, 336.0),
    "miniSports, each 1000 videos": (1_000, 336.0),
}


@dataclass(frozen=True)
class Nobody:
    """A classifier that costs nothing, fed as R3D-18 is: its share is in proportion by construction."""

    name: str = "nobody"
    labels: tuple[str, ...] = ("a", "b")
    input: ClipInput = field(
        default_factory=lambda: ClipInput(16, 2, (128, 171), 112, (0.0,) * 3, (1.0,) * 3, None)
    )

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Half for each class; (B, 2)."""
        return torch.full((len(clips), 2), 0.5)


def look(path: Path, table: PacketTable, grid: ClipGrid, clips: Iterable[int]) -> tuple[float, float]:
    """Processor seconds of decoding proper and of preparing; the least of three times."""
    spans = [SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0) for i in sorted(clips)]
    found = []
    for _ in range(3):
        looker = ClipLooker(path, Nobody(), table)
        looker.look(spans)
        found.append((looker.seconds["decode"] - looker.seconds["prepare"], looker.seconds["prepare"]))
    return min(f[0] for f in found), min(f[1] for f in found)


def check(videos: list[Path]) -> list[dict[str, object]]:
    """A row for each video and K: predicted and measured processor seconds of decoding."""
    # Other work on the machine must not count.
    look_module.perf_counter = process_time  # type: ignore[attr-defined]
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for path in videos:
        table = read_packets(path)
        grid = clip_grid(table, ClipSpec(16, 2))
        plan = plan_decoding(table, grid, Nobody().input)
        look(path, table, grid, [0])  # the first call loads code
        decode, prepare = look(path, table, grid, range(len(grid)))
        for k in (2, 5, 10):
            order = choose(Random(k)(VideoEvidence(table, grid, lambda _: iter(()))), grid, k).indices
            by_frames, by_clips = plan.frames(order) / plan.all_frames, len(order) / len(grid)
            rows.append(
                {
                    "video": path.name,
                    "clips": len(grid),
                    "k": len(order),
                    "frames_passed_share": round(by_frames, 3),
                    "predicted_s": round(decode * by_frames + prepare * by_clips, 3),
                    "measured_s": round(sum(look(path, table, grid, order)), 3),
                }
            )
            print(rows[-1], flush=True)
    return rows


def hours(folder: Path, length_s: float) -> list[dict[str, object]]:
    """A row for each data set and strategy at the largest K of the evaluation."""
    seconds = list(csv.DictReader((folder / "seconds.csv").read_text(encoding="utf-8").splitlines()))
    largest = max(int(row["k"]) for row in seconds if row["k"])
    rows: list[dict[str, object]] = []
    for name, (videos, each_s) in DATA_SETS.items():
        for row in seconds:
            if row["k"] not in ("", str(largest)):
                continue
            grow = each_s / length_s
            part = {
                key: float(row[f"{key}_s"])
                for key in ("demux", "features", "sampler", "decode", "classifier")
            }
            # Looking at all clips grows with the video; looking at K does not, unless the video has fewer.
            looks = grow if row["strategy"] in ("dense", "oracle") else min(1.0, grow)
            total = grow * (part["demux"] + part["features"] + part["sampler"])
            total += looks * (part["decode"] + part["classifier"])
            rows.append(
                {
                    "data_set": name,
                    "videos": videos,
                    "strategy": row["strategy"],
                    "sampler": row["sampler"],
                    "k": row["k"],
                    "hours": round(total * videos / 3600, 2),
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("check", "hours"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    rows = check(given.paths) if given.what == "check" else hours(given.paths[0], given.seconds)
    for row in rows if given.what == "hours" else ():
        print(*row.values(), sep=", ")
    if given.csv is not None:
        with given.csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
