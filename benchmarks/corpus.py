"""Throughput, equal rows and memory of a corpus run: one worker, two workers, Ray, over the same 500 files.

    PYTHONPATH=src:tests python -m benchmarks.corpus FOLDER [--videos 500] [--runs local-1,local-2,ray-2]

FOLDER is filled by corpus_files.py where it is empty. ``score`` with all its defaults runs over it, once for each of
``--runs``, each worker with one thread; by default one worker, two, two, one, so that a machine that becomes slower
or faster favours neither, and Ray at last, whose start is in its first seconds. All data sets are compared, row for
row.

Throughput is videos over seconds: ``with_start`` counts from the call to the last row; ``warm`` from the
``--warm``-th row on, when all workers are at work. The ratio is that of the means of the runs with two and with one.
On a machine that other work shares it says little; ``cpu_ms_per_video``, what the workers took of the cores, then
says what two workers cost each other: the ratio cannot be above twice the quotient of that.

Memory: resident memory of each worker process, every half second; of Ray's actors, that hold them, without what they
share with others (Ray's store is mapped into each), in the columns ``actor_...``. From the warm-up on:
``mib_per_100_videos`` is the slope of least squares over the videos that a worker has done (the run's, divided by the
workers), ``last_to_first`` the mean of the last quarter over that of the first; each of the worst worker. A new
process grows for its first thousand videos, until the allocator has all that the largest of them needs; so ``--long
6`` (0 for none) is one more run of two workers, over six links to each file, and its memory is that of its second
half. Writes ``results/corpus.csv``.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import numpy as np
import psutil

from killing import equal
from salientclips.corpus.rows import Outcome
from salientclips.engines.local import LocalEngine
from salientclips.engines.ray import RayEngine
from salientclips.engines.run import Tally, run_corpus
from salientclips.outputs.corpus_dataset import CorpusTables, canonical

from .corpus_files import build

_EVERY_S = 0.5
_MIB = 1 << 20


@dataclass
class Sampler:
    """Looks at the worker processes of this one while a run goes on."""

    workers: int
    done: int = 0
    rss: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """By process: (videos done by a worker, MiB)."""
    cpu_s: list[tuple[int, float]] = field(default_factory=list)
    """Videos done by all, and the CPU time that all workers had taken by then."""

    def __enter__(self) -> Sampler:
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        spent_s: dict[str, float] = {}
        while not self._over.wait(_EVERY_S):
            for process in psutil.Process().children(recursive=True):
                try:
                    words = process.cmdline()
                    is_guarded = "salientclips.engines.child" in words
                    if is_guarded or (words and words[0].startswith("ray::MapWorker")):
                        name = f"{'guarded' if is_guarded else 'actor'} {process.pid}"
                        held = process.memory_info()
                        mib = (held.rss - (0 if is_guarded else held.shared)) / _MIB
                        self.rss[name].append((self.done / self.workers, mib))
                        spent_s[name] = sum(process.cpu_times()[:2])
                except psutil.Error:
                    continue
            self.cpu_s.append((self.done, sum(spent_s.values())))

    def cpu_ms_per_video(self, warm: int) -> float:
        """What a video took of the cores, milliseconds, once all workers had started."""
        after = [one for one in self.cpu_s if one[0] >= warm]
        (first, at_first_s), (last, at_last_s) = after[0], after[-1]
        return 1000 * (at_last_s - at_first_s) / max(1, last - first)

    def memory(self, kind: str, warm: int) -> tuple[float, float, float] | None:
        """Greatest mean MiB, slope in MiB per 100 videos and last to first quarter, of all workers of a kind."""
        found = []
        for samples in (samples for name, samples in self.rss.items() if name.startswith(kind)):
            videos, mib = np.array([one for one in samples if one[0] >= warm / self.workers] or [(0, 0)]).T
            if len(mib) < 8 or np.ptp(videos) == 0:
                continue  # one that was replaced at once
            quarter = len(mib) // 4
            slope = np.polyfit(videos, mib, 1)[0] * 100
            found.append((mib.mean(), slope, mib[-quarter:].mean() / mib[:quarter].mean()))
        if not found:
            return None
        means, slopes, quotients = zip(*found, strict=True)
        return max(means), max(slopes), max(quotients)


@dataclass
class Measured:
    """One run."""

    name: str
    moments: list[float]
    """When each row came, seconds after the call."""
    lengths: list[float]
    """Seconds of video of each."""
    failed: int
    cpu_ms: float
    """Of the cores, for a video."""
    memory: tuple[float, float, float] | None
    actors: tuple[float, float, float] | None
    rows: CorpusTables

    @property
    def with_start(self) -> float:
        """Videos per second, start-up included."""
        return len(self.moments) / self.moments[-1]

    def warm(self, first: int) -> float:
        """Videos per second from the row of that number on."""
        return (len(self.moments) - first) / (self.moments[-1] - self.moments[first - 1])

    def hours(self, first: int) -> float:
        """Hours of video per second, of the same rows."""
        return sum(self.lengths[first:]) / 3600 / (self.moments[-1] - self.moments[first - 1])


def measure(name: str, videos: list[Path], out: Path, warm: int) -> Measured:
    """Run over the corpus once.

    Args:
        name: The engine and its number of workers, ``local-2``.
        videos: The files.
        out: A new data set.
        warm: Rows that count as warm-up.

    Returns:
        What it took.
    """
    kind, workers = name.split("-")
    make = RayEngine if kind == "ray" else LocalEngine
    moments: list[float] = []
    lengths: list[float] = []
    with Sampler(int(workers)) as looks:

        def watch(tally: Tally, outcome: Outcome | None) -> None:
            if outcome is not None:
                moments.append(time.monotonic() - began)
                lengths.append(outcome.row.duration_s or 0.0)
                looks.done = tally.done

        began = time.monotonic()
        report = run_corpus(videos, out, engine=make(workers=int(workers), threads=1), watch=watch)
    cpu_ms = looks.cpu_ms_per_video(warm)
    return Measured(
        name,
        moments,
        lengths,
        report.failed,
        cpu_ms,
        looks.memory("guarded", warm),
        looks.memory("actor", warm),
        canonical(out),
    )


COLUMNS = (
    *("run", "videos", "failed", "video_hours", "seconds", "videos_per_s_warm", "videos_per_s_with_start"),
    *("video_hours_per_s_warm", "cpu_ms_per_video", "rss_mib", "mib_per_100_videos", "last_to_first"),
    *("actor_mib", "actor_mib_per_100_videos", "actor_last_to_first", "equal"),
)


def columns(run: Measured, first: Measured, warm: int) -> list[object]:
    held = [
        text
        for one in (run.memory, run.actors)
        for text in (("", "", "") if one is None else (f"{one[0]:.0f}", f"{one[1]:+.2f}", f"{one[2]:.3f}"))
    ]
    return [
        *(run.name, len(run.moments), run.failed, f"{sum(run.lengths) / 3600:.3f}", f"{run.moments[-1]:.1f}"),
        *(f"{run.warm(warm):.2f}", f"{run.with_start:.2f}", f"{run.hours(warm):.4f}", f"{run.cpu_ms:.1f}"),
        *(*held, equal(run.rows, first.rows)),
    ]


def ratios(runs: list[Measured], warm: int) -> str:
    """What two workers do for one."""
    one = [run for run in runs if run.name == "local-1"]
    two = [run for run in runs if run.name == "local-2"]
    if not (one and two):
        return "no ratio: give --runs with local-1 and local-2"

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    with_start = mean([run.with_start for run in two]) / mean([run.with_start for run in one])
    after = mean([run.warm(warm) for run in two]) / mean([run.warm(warm) for run in one])
    bound = 2 * mean([run.cpu_ms for run in one]) / mean([run.cpu_ms for run in two])
    return (
        f"two workers over one: {after:.2f} warm, {with_start:.2f} with start-up; "
        f"by the CPU time they took, no more than {bound:.2f}"
    )


def links(videos: list[Path], folder: Path, times: int) -> list[Path]:
    """Names under which every file is there so many times, in the order of the files again and again."""
    folder.mkdir()
    made = []
    for turn in range(times):
        for video in videos:
            made.append(folder / f"{turn}-{video.name}")
            made[-1].symlink_to(video.resolve())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--videos", type=int, default=500)
    parser.add_argument("--runs", default="local-1,local-2,local-2,local-1,ray-2")
    parser.add_argument("--warm", type=int, default=50, help="rows that count as warm-up")
    parser.add_argument("--long", type=int, default=6, help="how often each file is in the run for memory")
    parser.add_argument("--csv", type=Path, default=Path(__file__).parent / "results" / "corpus.csv")
    asked = parser.parse_args()
    videos = build(asked.folder, asked.videos)
    runs: list[Measured] = []
    with tempfile.TemporaryDirectory() as scratch, asked.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for turn, name in enumerate(asked.runs.split(",")):
            runs.append(measure(name, videos, Path(scratch) / str(turn), asked.warm))
            row = columns(runs[-1], runs[0], asked.warm)
            table.writerow(row)
            file.flush()
            print(*row, sep=", ", flush=True)
        if asked.long:
            many = links(videos, Path(scratch) / "links", asked.long)
            run = measure("local-2", many, Path(scratch) / "long", len(many) // 2)
            row = [f"{run.name} long", *columns(run, run, len(many) // 2)[1:-1], ""]
            table.writerow(row)
            print(*row, sep=", ", flush=True)
    print(ratios(runs, asked.warm))
    print("equal rows in all runs" if all(equal(run.rows, runs[0].rows) for run in runs) else "ROWS DIFFER")


if __name__ == "__main__":
    main()
