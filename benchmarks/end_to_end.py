"""From a file to its label: how long a sampler with K clips takes, beside every clip and beside K clips by lot.

    PYTHONPATH=src python -m benchmarks.end_to_end VIDEO ... --sampler FOLDER --weights i3d-kinetics-400.ckpt
        --crop-px 112 -k 5,10 --csv benchmarks/results/end_to_end.csv

Everything is measured in one process, on one thread, in one run: demultiplexing, features, sampler, decoding of the
K clips, I3D on them, by the verb ``classify`` itself. ``total_s`` is the whole call, so it has what no part claims
(opening and recognising the file); each number is the median of ``--repeats`` runs, of ``random`` over as many
seeds.

Every clip of a long video would take half an hour. So ``dense`` is measured on ``--dense-clips`` of them where a
video has more (``dense_clips_measured`` says how many): runs of neighbouring clips, evenly spread. Decoding is
scaled by the frames that pass through the decoder, as in ``evaluation/case.py``, everything else by clips;
demultiplexing is measured whole.

``--cpu`` counts processor seconds instead of seconds on the wall, for a machine that other work shares; on an idle
one they are the same. ``--freeze`` folds I3D by TorchScript, which halves its time and so makes the sampler's share
larger.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch
from benchmarks.asked_classifier import add_options, asked_classifier
from benchmarks.frozen import blank_clip, frozen_classifier

from salientclips import probe
from salientclips.classifiers import look as look_module
from salientclips.classifiers.look import ClipLooker
from salientclips.classifiers.network import NetworkClassifier
from salientclips.evaluation.decoding import plan_decoding
from salientclips.media.demux import clip_grid, read_packets
from salientclips.samplers import DEFAULT_SAMPLER, Sampler, make_sampler
from salientclips.types import SelectedClip
from salientclips.verbs import classify as classify_module
from salientclips.verbs import score as score_module
from salientclips.verbs.classify import VideoClassifier
from salientclips.whole_file import whole_file

PARTS = ("demux", "features", "sampler", "decode", "classifier")
RUN_CLIPS = 8
"""Neighbouring clips of a run: long enough that the way to its first key frame counts little."""
COLUMNS = (
    *(
        "video",
        "codec",
        "width_px",
        "height_px",
        "duration_s",
        "clips",
        "crop_px",
        "k",
        "strategy",
        "sampler",
    ),
    *(f"{part}_s" for part in PARTS),
    *("total_s", "ratio_to_dense", "ratio_to_random", "dense_clips_measured", "clock", "frozen", "commit"),
)


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    classifier = asked_classifier(asked)
    if asked.freeze:
        classifier = frozen_classifier(classifier)
    samplers = {Path(name).name: make_sampler(name) for name in asked.sampler}
    classifier(blank_clip(classifier.input))  # the first pass through a network sets it up
    clock = process_time if asked.cpu else perf_counter
    about = {
        "crop_px": classifier.input.crop_px,
        "clock": "processor" if asked.cpu else "wall",
        "frozen": int(asked.freeze),
        "commit": commit(),
    }
    table: list[dict[str, object]] = []
    with counting(clock):
        for video in asked.videos:
            measured = Measured(video, classifier, clock, asked.repeats)
            table += [row | about for row in measured.rows(samplers, asked.k, asked.dense_clips)]
            write(asked.csv, table)
    print(f"{asked.csv}: {len(table)} rows")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--sampler", action="append", required=True, help="a name or a folder; several times")
    parser.add_argument("--weights", required=True)
    add_options(parser)
    parser.add_argument("-k", type=lambda text: [int(k) for k in text.split(",")], default=[5, 10])
    parser.add_argument("--dense-clips", type=int, default=48, help="as many of a longer video are measured")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cpu", action="store_true", help="processor seconds, not seconds on the wall")
    parser.add_argument("--freeze", action="store_true", help="f folded by TorchScript")
    parser.add_argument("--csv", type=Path, default=Path("benchmarks/results/end_to_end.csv"))
    return parser.parse_args()


@contextmanager
def counting(clock: Callable[[], float]) -> Iterator[None]:
    """Let the verbs take their times by a clock."""
    modules = (look_module, score_module, classify_module)
    before = [module.perf_counter for module in modules]
    try:
        for module in modules:
            module.perf_counter = clock  # type: ignore[attr-defined]
        yield
    finally:
        for module, own in zip(modules, before, strict=True):
            module.perf_counter = own  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds of one way to a label."""

    parts: dict[str, float]
    total_s: float


@dataclasses.dataclass(frozen=True)
class Measured:
    """One video, to be measured in every way."""

    video: Path
    classifier: NetworkClassifier
    clock: Callable[[], float]
    repeats: int

    def rows(self, samplers: dict[str, Sampler], ks: Sequence[int], most: int) -> list[dict[str, object]]:
        """The rows of this video.

        Args:
            samplers: By their names in the table.
            ks: Clips looked at.
            most: Clips that ``dense`` is measured on at most.

        Returns:
            ``dense``, then for each K ``random`` and the samplers.
        """
        info = probe(self.video).video
        dense, looked, clips = self.dense(most)
        head = {
            "video": self.video.name,
            "codec": info.codec,
            "width_px": info.width_px,
            "height_px": info.height_px,
            "duration_s": round(info.duration_s, 3),
            "clips": clips,
            "dense_clips_measured": looked,
        }
        found = [head | self._row("dense", "", None, dense, dense, None)]
        for k in ks:
            random = self.chosen("random", None, k)
            found.append(head | self._row("random", "", k, random, dense, random))
            for name, sampler in samplers.items():
                times = self.chosen("sampler", sampler, k)
                found.append(head | self._row("sampler", name, k, times, dense, random))
        for row in found:
            print(*(row[name] for name in ("video", "strategy", "sampler", "k", "total_s")),
                  row["ratio_to_dense"], row["ratio_to_random"], flush=True)  # fmt: skip
        return found

    def _row(
        self, strategy: str, sampler: str, k: int | None, times: Times, dense: Times, random: Times | None
    ) -> dict[str, object]:
        parts = {f"{part}_s": round(times.parts[part], 4) for part in PARTS}
        return {
            "k": k,
            "strategy": strategy,
            "sampler": sampler,
            **parts,
            "total_s": round(times.total_s, 4),
            "ratio_to_dense": round(times.total_s / dense.total_s, 5),
            "ratio_to_random": None if random is None else round(times.total_s / random.total_s, 4),
        }

    def chosen(self, strategy: str, sampler: Sampler | None, k: int) -> Times:
        """K clips by a strategy, by the verb ``classify``; the median run.

        Args:
            strategy: ``sampler`` or ``random``.
            sampler: Who chooses; None for nobody.
            k: Clips looked at.

        Returns:
            Its times.
        """
        runs = []
        for seed in range(self.repeats):
            chooser = DEFAULT_SAMPLER if sampler is None else sampler
            judge = VideoClassifier(self.classifier, chooser, k, strategy, seed)
            began = self.clock()
            said = judge(self.video)
            runs.append(Times(said.seconds, self.clock() - began))
        middle = {part: median(run.parts[part] for run in runs) for part in PARTS}
        return Times(middle, median(run.total_s for run in runs))

    def dense(self, most: int) -> tuple[Times, int, int]:
        """Every clip, or as many as are enough to scale from.

        Args:
            most: Clips looked at at most.

        Returns:
            The times of every clip, how many were looked at, and how many there are.
        """
        began = self.clock()
        table = read_packets(self.video)
        demux_s = self.clock() - began
        grid = clip_grid(table, self.classifier.input.clip_spec)
        indices = evenly_in_runs(len(grid), most, RUN_CLIPS)
        looker = ClipLooker(self.video, self.classifier, table)
        began = self.clock()
        looker.look([SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0) for i in indices])
        spent, whole_s = looker.seconds, self.clock() - began
        plan = plan_decoding(table, grid, self.classifier.input)
        by_clips, by_frames = len(grid) / len(indices), plan.all_frames / plan.frames(indices)
        parts = dict.fromkeys(PARTS, 0.0) | {
            "demux": demux_s,
            "decode": (spent["decode"] - spent["prepare"]) * by_frames + spent["prepare"] * by_clips,
            "classifier": spent["classifier"] * by_clips,
        }
        other_s = max(0.0, whole_s - spent["decode"] - spent["classifier"])
        return Times(parts, sum(parts.values()) + other_s), len(indices), len(grid)


def evenly_in_runs(count: int, most: int, run: int) -> list[int]:
    """Some clips of a video: runs of neighbours, evenly spread.

    Args:
        count: Clips of the video.
        most: How many are wanted at most.
        run: Length of a run.

    Returns:
        Different indices in order; all where there are no more than wanted, else a multiple of ``run``, at least one
        run.
    """
    if count <= max(most, run):
        return list(range(count))
    runs = max(1, most // run)
    # The free places lie in equal parts before, between and after the runs.
    free = count - runs * run
    starts = [free * (2 * j + 1) // (2 * runs) + j * run for j in range(runs)]
    return [start + i for start in starts for i in range(run)]


def commit() -> str:
    """Of the tree that this lies in, with ``+`` where it was changed since."""
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write(path: Path, table: Sequence[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as beside, beside.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
