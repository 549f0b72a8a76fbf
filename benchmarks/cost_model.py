"""How long the poster's tables take on the real data sets, by a model, and how near the model comes.

    python benchmarks/cost_model.py check VIDEO ... [--frames 8] [--csv FILE]
    python benchmarks/cost_model.py hours EVALUATE_FOLDER --seconds MEAN_VIDEO_LENGTH [--csv FILE]

``check`` takes the model that ``evaluate`` prices its rows with (``evaluation/case.py``: classifier in proportion to
the clips, decoding by the frames that pass the decoder, both from one dense look) and compares it with what looking
at K clips really takes. It measures *processor* seconds of this process, so other work on the machine does not
count; f is R3D-18 with random weights, for its numbers do not matter here.

``hours`` scales the seconds of an evaluation that was run on this machine to data sets of other size: each part
grows with the number of clips, but for what K clips take. It writes a row for each data set of the poster.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from time import process_time

from salientclips.classifiers import ClipClassifier, load_classifier
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


def look(
    path: Path, f: ClipClassifier, table: PacketTable, grid: ClipGrid, clips: list[int]
) -> dict[str, float]:
    """Processor seconds that looking at some clips takes, by part: decoding proper, preparing, f."""
    looker = ClipLooker(path, f, table)
    looker.look([SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0) for i in sorted(clips)])
    spent = looker.seconds
    return {
        "decode": spent["decode"] - spent["prepare"],
        "prepare": spent["prepare"],
        "f": spent["classifier"],
    }


def check(videos: list[Path], frames: int) -> list[dict[str, object]]:
    """A row for each video and K: predicted and measured processor seconds."""
    look_module.perf_counter = process_time  # other work on the machine must not count
    f = load_classifier(
        "r3d_18", random_weights=True, frames=frames, frame_step=32 // frames, threads=1, device="cpu"
    )
    rows: list[dict[str, object]] = []
    for path in videos:
        table = read_packets(path)
        grid = clip_grid(table, ClipSpec(frames, 32 // frames))
        plan = plan_decoding(table, grid, f.input)
        look(path, f, table, grid, [0, 1])  # the first call loads code
        dense = look(path, f, table, grid, list(range(len(grid))))
        for k in (2, 5, 10):
            order = choose(Random(k)(VideoEvidence(table, grid, lambda _: iter(()))), grid, k).indices
            by_frames, by_clips = plan.frames(order) / plan.all_frames, len(order) / len(grid)
            predicted = dense["decode"] * by_frames + dense["prepare"] * by_clips
            real = look(path, f, table, grid, list(order))
            rows.append(
                {
                    "video": path.name,
                    "clips": len(grid),
                    "k": len(order),
                    "frames_passed_share": round(by_frames, 3),
                    "decode_predicted_s": round(predicted, 3),
                    "decode_measured_s": round(real["decode"] + real["prepare"], 3),
                    "classifier_predicted_s": round(dense["f"] * by_clips, 3),
                    "classifier_measured_s": round(real["f"], 3),
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
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    rows = check(given.paths, given.frames) if given.what == "check" else hours(given.paths[0], given.seconds)
    for row in rows if given.what == "hours" else ():
        print(*row.values(), sep=", ")
    if given.csv is not None:
        with given.csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
