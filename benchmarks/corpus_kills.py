"""Does a corpus run that is killed, again and again, end with the rows of one that was left alone?

    PYTHONPATH=src:tests python -m benchmarks.corpus_kills FOLDER [--kills 20] [--engines local,ray] [--videos 60]

FOLDER is filled by corpus_files.py where it is empty. For each engine ``salientclips score FOLDER`` runs as a process
of its own, which alone is killed (SIGKILL, no group, so that orphans would show) at a moment drawn evenly over the
length of an undisturbed run; it is started again in the same data set, and killed again, until it ends by itself;
then another data set is begun, until as many kills have hit. After each kill: no process of the run lives ten seconds
later (thirty with Ray, whose own agents are slow to see that it is gone), and all committed rows are the true ones.
Each finished data set: equal to the undisturbed one row for row, and no file in it that does not belong there. Rows
are committed every half second (``--commit-every``; by default half a minute), so that kills find something to lose.
With Ray take 500 videos: of a run over 60 all but two seconds are its start, and so are all kills.

Then workers are killed while the others go on, one a run, in ``--workers`` runs each: a guarded process of either
engine, and an actor of Ray. Writes ``results/corpus_kills.csv``: engine, who was killed, kills that hit, runs,
finished data sets, of them equal, orphans and leftovers, videos that had been committed before a kill (mean), seconds
in all.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from killing import Count, Running, equal, kill_often, leftovers
from salientclips.outputs.corpus_dataset import CorpusTables, canonical

from .corpus_files import build

OPTIONS = ("--commit-every", "0.5")
COLUMNS = (
    "engine",
    "killed",
    "kills",
    "runs",
    "data_sets",
    "equal",
    "orphans",
    "leftovers",
    "committed",
    "seconds",
)
VICTIMS: dict[str, Callable[[list[str]], bool]] = {
    "guarded process": lambda words: "salientclips.engines.child" in words,
    "actor": lambda words: bool(words) and words[0].startswith("ray::MapWorker"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=5, help="kills of each kind of worker")
    parser.add_argument("--engines", default="local,ray")
    parser.add_argument("--videos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", type=Path, default=Path(__file__).parent / "results" / "corpus_kills.csv")
    asked = parser.parse_args()
    build(asked.folder, asked.videos)
    with tempfile.TemporaryDirectory() as scratch, asked.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for engine in asked.engines.split(","):
            # For each engine: Ray's undisturbed rows must be those of local as well.
            truth, length_s = undisturbed(asked.folder, Path(scratch) / f"{engine}-undisturbed", engine)
            print(
                f"{engine}: {len(truth.videos)} videos, {len(truth.clips)} clips in {length_s:.1f} s",
                flush=True,
            )
            began = time.monotonic()
            count = kill_often(
                truth, asked.folder, Path(scratch), asked.kills, length_s, asked.seed, engine, OPTIONS
            )
            rows = [row(engine, "command", count, began)]
            for victim in VICTIMS if engine == "ray" else ("guarded process",):
                began = time.monotonic()
                count = kill_workers(
                    truth,
                    asked.folder,
                    Path(scratch) / f"{engine}-{victim}",
                    asked.workers,
                    engine,
                    victim,
                    length_s,
                )
                rows.append(row(engine, victim, count, began))
            for one in rows:
                print(*one, sep=", ", flush=True)
            table.writerows(rows)
            file.flush()


def undisturbed(folder: Path, out: Path, engine: str) -> tuple[CorpusTables, float]:
    """The data set of a run that nobody kills, and how long it took."""
    began = time.monotonic()
    run = Running(folder, out, engine, OPTIONS)
    assert run.end() in (0, 1)
    length_s = time.monotonic() - began
    assert run.orphans() == []
    truth = canonical(out)
    first = out.with_name("local-undisturbed")
    assert not first.exists() or equal(canonical(first), truth), f"{engine} gives other rows than local"
    return truth, length_s


def kill_workers(
    truth: CorpusTables, folder: Path, out: Path, kills: int, engine: str, victim: str, length_s: float
) -> Count:
    """One worker killed in each of some runs, at a random moment at which there is one."""
    moments, count = random.Random(f"{engine} {victim}"), Count()
    # How long workers are there is not known; every miss says that it is shorter than thought.
    within_s = length_s / 3
    while count.kills < kills:
        place = out.with_name(f"{out.name}-{count.runs}")
        run = Running(folder, place, engine, OPTIONS)
        count.runs += 1
        hit = kill_one(run, victim, moments.uniform(0.0, within_s))
        assert run.end() in (0, 1)
        count.orphans += run.orphans()
        if hit:
            count.kills += 1
            count.data_sets += 1
            count.equal += equal(canonical(place), truth)
            count.leftovers += leftovers(place)
        else:
            within_s *= 0.7
    return count


def kill_one(run: Running, victim: str, after_s: float) -> bool:
    """Kill a worker so long after the first was there; False where the run was over by then."""
    first = None
    while run.process.poll() is None:
        workers = [process for process in run.processes() if VICTIMS[victim](_words(process))]
        first = time.monotonic() if workers and first is None else first
        if workers and first is not None and time.monotonic() - first >= after_s:
            try:
                workers[0].kill()
            except psutil.NoSuchProcess:
                continue
            return True
        time.sleep(0.1)
    return False


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def row(engine: str, killed: str, count: Count, began: float) -> list[object]:
    kept = f"{count.survived / count.kills:.1f}" if killed == "command" else ""
    seconds = f"{time.monotonic() - began:.0f}"
    numbers = (
        count.kills,
        count.runs,
        count.data_sets,
        count.equal,
        len(count.orphans),
        len(count.leftovers),
    )
    return [engine, killed, *numbers, kept, seconds]


if __name__ == "__main__":
    main()
