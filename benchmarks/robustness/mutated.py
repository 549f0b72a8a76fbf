"""Thousands of damaged videos through ``score`` and ``classify``: each ends in a result or a typed error.

    SALIENTCLIPS_DATA=... PYTHONPATH=src:tests python -m benchmarks.robustness.mutated FOLDER [--files 2000]

FOLDER keeps the seeds (``seeds.py``), the damaged files (``mutations.py``; a file is decided by its number) and
the data sets. The run is the package's own: guarded workers, with a limit of time and of memory a video. Checked:

- the run ends by itself, with one row for each file;
- no row is of an error that nobody foresaw;
- no video takes longer than the limit allows, and no worker more memory (a video that does is given up, as a row);
- the whole seeds, mixed in at even distances, have the rows that each has alone, in a process of its own.

A worker that dies costs a typed row; the table counts them. f of ``classify`` is a VideoMAE of one layer with drawn
weights, 32 pixels wide (0.0002 GFLOPs a clip; R3D-18 takes forty times as long at that size): what is tried is how
clips are decoded and handed over, not what f says of them. Writes ``robustness-mutated.csv`` (verb, way, what came of
it, files, longest time) and ``robustness-mutated_runs.csv`` (one row a verb).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from salientclips import errors
from salientclips.corpus.job import Choosing, Job, Looking
from salientclips.engines.limits import Limits
from salientclips.engines.local import LocalEngine
from salientclips.engines.run import run_corpus
from salientclips.outputs.corpus_dataset import canonical

from .mutations import WAYS, mutate
from .processes import MIB, WorkerPeaks, cpu_s, peak_mib
from .promises import RESULTS, Promises, write_rows
from .seeds import build_seeds
from .timed_engine import TimedEngine

WHOLE = "whole"
TYPES = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
_SPARE_S, _SPARE_MIB = 15.0, 256.0
"""A second try and the start of its worker; what grows between two looks of the guard."""


@dataclass(frozen=True)
class Batch:
    """Damaged files with whole ones among them."""

    files: tuple[Path, ...]
    """In the order in which they are worked on. The second word of a name says the way, or ``whole``."""
    seeds: tuple[Path, ...]


@dataclass(frozen=True)
class Bounds:
    """What one video may take."""

    seconds: float = 60.0
    memory_mib: int = 1024
    workers: int = 1


def build_batch(folder: Path, seeds: Sequence[Path], damaged: int) -> Batch:
    """Make a batch; what is there is left as it is.

    Args:
        folder: Where.
        seeds: Whole files; each is in the batch once, at even distances.
        damaged: How many files are damaged.

    Returns:
        The batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    every = max(1, damaged // len(seeds))
    files: list[Path] = []
    for number in range(damaged):
        if number % every == every // 2 and number // every < len(seeds):
            whole = seeds[number // every]
            files.append(folder / f"{len(files):05d}-{WHOLE}-{whole.name}")
            shutil.copy(whole, files[-1])
        # Neighbours differ in the way and in the seed.
        way, seed = list(WAYS)[number % len(WAYS)], seeds[number // len(WAYS) % len(seeds)]
        files.append(folder / f"{len(files):05d}-{way}-{seed.name}")
        if not files[-1].exists():
            mutate(way, seed, [other for other in seeds if other != seed], files[-1], number)
    return Batch(tuple(files), tuple(seeds))


def make_job(verb: str, folder: Path) -> Job:
    """The job of a verb; of ``classify`` with a tiny network that is made in a folder."""
    if verb == "score":
        return Job("score")
    model = folder / "videomae"
    if not model.exists():
        _make_videomae(model)
    return Job("classify", choosing=Choosing(2), looking=Looking(f"hf:{model}", device="cpu"))


def _make_videomae(model: Path) -> None:
    import torch
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessor

    torch.manual_seed(0)
    config = VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=4, tubelet_size=2, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16,
    )  # fmt: skip
    config.num_labels = 3
    unfinished = model.with_name(f"part.{model.name}")
    VideoMAEForVideoClassification(config).save_pretrained(unfinished)
    shown = VideoMAEImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    shown.save_pretrained(unfinished)
    unfinished.rename(model)


def run_verb(verb: str, batch: Batch, folder: Path, bounds: Bounds, promises: Promises) -> Found:
    """Run a verb over a batch, and check it.

    Args:
        verb: ``score`` or ``classify``.
        batch: The files.
        folder: For data sets and the classifier.
        bounds: What one video may take.
        promises: Told of everything that is checked.

    Returns:
        What came of it.
    """
    job, limits = make_job(verb, folder), Limits(bounds.seconds, bounds.memory_mib * MIB)
    alone = {seed.name: _alone(seed, job, limits, folder / f"{verb}-alone") for seed in batch.seeds}
    out = folder / f"{verb}-out"
    shutil.rmtree(out, ignore_errors=True)
    began, cpu_before = time.monotonic(), cpu_s()
    engine = TimedEngine(LocalEngine(bounds.workers, threads=1, limits=limits))
    with WorkerPeaks() as peaks:
        run_corpus([str(path) for path in batch.files], out, job, engine=engine)
    run_s = time.monotonic() - began
    rows = rows_of(out)
    seconds = {Path(video).name: spent for video, spent in engine.seconds.items()}
    promises.hold(set(rows) == {path.name for path in batch.files}, f"{verb}: files without a row")
    equal = 0
    for name, row in rows.items():
        if name.split("-")[1] == WHOLE:
            equal += promises.hold(
                row == alone[name.split("-", 2)[2]], f"{verb}: '{name}' has another row than alone"
            )
        kind = row.video["error_type"]
        is_foreseen = kind is None or (
            kind in TYPES and not str(row.video["message"]).startswith("unforeseen")
        )
        promises.hold(is_foreseen, f"{verb}: '{name}': {row.video['message']}")
    longest_s, least_mib = max(seconds.values()), min(peaks.peaks.values(), default=0.0)
    promises.hold(longest_s < bounds.seconds + _SPARE_S, f"{verb}: a video took {longest_s:.1f} s")
    promises.hold(
        peaks.most_mib < least_mib + bounds.memory_mib + _SPARE_MIB,
        f"{verb}: a worker held {peaks.most_mib:.0f} MiB",
    )
    run: dict[str, str | int] = {
        "verb": verb,
        "files": len(rows),
        "whole": len(alone),
        "whole_equal": equal,
        "seconds": f"{run_s:.0f}",
        "cpu_seconds": f"{cpu_s() - cpu_before:.0f}",
        "longest_s": f"{longest_s:.1f}",
        "workers_started": len(peaks.peaks),
        "worker_peak_mib": f"{peaks.most_mib:.0f}",
        "parent_peak_mib": f"{peak_mib():.0f}",
        "limit_s": f"{bounds.seconds:g}",
        "limit_mib": bounds.memory_mib,
    }
    return Found(rows, tuple(_counted(verb, rows, seconds)), run)


@dataclass(frozen=True)
class Row:
    """What a data set says of one video, its name aside."""

    video: dict[str, object]
    clips: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Found:
    """What came of a batch."""

    rows: dict[str, Row]
    """By the name of the file."""
    counts: tuple[dict[str, object], ...]
    run: dict[str, str | int]


def rows_of(out: Path) -> dict[str, Row]:
    """The rows of a data set, by the name of the file."""
    tables, clips = canonical(out), defaultdict(list)
    for clip in tables.clips.to_pylist():
        clips[clip.pop("video")].append(clip)
    rows = {video.pop("video"): video for video in tables.videos.to_pylist()}
    return {Path(name).name: Row(row, tuple(clips[name])) for name, row in rows.items()}


def _alone(seed: Path, job: Job, limits: Limits, out: Path) -> Row:
    shutil.rmtree(out, ignore_errors=True)
    run_corpus([str(seed)], out, job, engine=LocalEngine(1, threads=1, limits=limits))
    return rows_of(out)[seed.name]


def _outcome(row: Row) -> str:
    if row.video["error_type"]:
        return str(row.video["error_type"])
    return "result with warnings" if row.video["warnings"] else "result"


def _counted(verb: str, rows: dict[str, Row], seconds: dict[str, float]) -> Iterator[dict[str, object]]:
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for name, row in rows.items():
        times[name.split("-")[1], _outcome(row)].append(seconds[name])
    for way in (*WAYS, WHOLE):
        for outcome in sorted(outcome for one, outcome in times if one == way):
            spent = times[way, outcome]
            yield {
                "verb": verb,
                "way": way,
                "outcome": outcome,
                "files": len(spent),
                "longest_s": f"{max(spent):.1f}",
            }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of one video")
    parser.add_argument("--memory-mib", type=int, default=1024, help="limit of one video")
    parser.add_argument("--verbs", default="score,classify")
    parser.add_argument("--csv", type=Path, default=RESULTS / "robustness-mutated.csv")
    asked = parser.parse_args()
    os.environ.setdefault("SVT_LOG", "1")
    promises = Promises("damaged files")
    seeds = build_seeds(asked.folder / "seeds")
    batch = build_batch(asked.folder / f"batch-{asked.files}", seeds, asked.files)
    bounds = Bounds(asked.seconds, asked.memory_mib, asked.workers)
    found = []
    for verb in asked.verbs.split(","):
        found.append(run_verb(verb, batch, asked.folder, bounds, promises))
        print(found[-1].run, flush=True)
    write_rows(asked.csv, [row for one in found for row in one.counts])
    write_rows(asked.csv.with_name(f"{asked.csv.stem}_runs.csv"), [one.run for one in found])
    failed = sum(row.video["error_type"] is not None for one in found for row in one.rows.values())
    dead = sum(row.video["error_type"] == "WorkerDiedError" for one in found for row in one.rows.values())
    return promises.end(
        f"{len(batch.files)} files, {asked.verbs}: {failed} rows of typed errors, {dead} of them dead workers, "
        f"longest {max(float(one.run['longest_s']) for one in found)} s"
    )


if __name__ == "__main__":
    sys.exit(main())
