"""Twenty thousand videos of one clip each through one corpus run: rows, rate, memory.

    PYTHONPATH=src:tests python -m benchmarks.robustness.many_videos FOLDER [--videos 20000] [--workers 2]

Four tiny videos (64 x 48 pixels, about a second, H.264 and MPEG-4) are copied so often, each copy with a number in a
box at its end, so that no two files are the same. ``score`` over the folder; then the same command once more, which
has nothing left to do. Checked: one row and one clip for each file, all fingerprints different, equal scores for
equal pictures, nothing failed, and from half way on memory that stays where it is: of a worker within 10 MiB, of the
parent, which remembers every name, within 1 KiB a video and 10 MiB. Writes ``robustness-many_videos.csv``.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import sys
from pathlib import Path
from time import perf_counter

import psutil

from media_files import make_video
from salientclips.corpus.job import Job, Scoring
from salientclips.corpus.rows import Outcome
from salientclips.engines.local import LocalEngine
from salientclips.engines.run import Tally, run_corpus
from salientclips.outputs.corpus_dataset import read_clips, read_videos

from .processes import MIB, WorkerPeaks, cpu_s, peak_mib
from .promises import RESULTS, Promises, write_rows

KINDS = {"h264": "libx264", "h264b": "libx264", "mpeg4": "mpeg4", "mpeg4b": "mpeg4"}
_IN_A_FOLDER = 1000
_WORKER_MIB, _PARENT_MIB, _KIB_A_NAME = 10.0, 10.0, 1.0


def build_videos(folder: Path, videos: int) -> None:
    """Make what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    bases = []
    for number, (name, codec) in enumerate(KINDS.items()):
        base = folder.with_name(f"{name}.mp4")
        if not base.exists():
            make_video(base, codec=codec, frames=24 + 2 * number, size=(64, 48), gop=12)
        bases.append(base.read_bytes())
    for number in range(videos):
        kind = list(KINDS)[number % len(KINDS)]
        path = folder / f"{number // _IN_A_FOLDER:03d}" / f"{number:06d}-{kind}.mp4"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(bases[number % len(KINDS)] + struct.pack(">I4sQ", 16, b"free", number))


def run(folder: Path, out: Path, videos: int, workers: int, promises: Promises) -> dict[str, object]:
    """One corpus run, watched.

    Args:
        folder: The videos.
        out: A new data set.
        videos: How many there are.
        workers: Processes.
        promises: Told of what is checked.

    Returns:
        The row of the table.
    """
    parent_mib: dict[int, float] = {}
    worker_mib: dict[int, float] = {}

    def watch(tally: Tally, outcome: Outcome | None) -> None:
        if outcome is not None and tally.done in (videos // 2, videos):
            parent_mib[tally.done] = psutil.Process().memory_info().rss / MIB
            worker_mib[tally.done] = max(peaks.last.values(), default=0.0)

    job = Job("score", Scoring("motion"))
    began, cpu_before = perf_counter(), cpu_s()
    with WorkerPeaks() as peaks:
        done = run_corpus(folder, out, job, engine=LocalEngine(workers, threads=1), watch=watch)
    seconds, spent_s = perf_counter() - began, cpu_s() - cpu_before
    promises.hold(
        done.tally.done == videos and done.failed == 0, f"{done.tally.done} done, {done.failed} failed"
    )
    began = perf_counter()
    again = run_corpus(folder, out, job, engine=LocalEngine(workers, threads=1))
    again_s = perf_counter() - began
    promises.hold(again.tally.done == 0 and again.tally.before == videos, "the second run did something")
    check_rows(out, videos, promises)
    half, end = videos // 2, videos
    return {
        "videos": videos,
        "workers": workers,
        "seconds": f"{seconds:.0f}",
        "cpu_seconds": f"{spent_s:.0f}",
        "videos_per_s": f"{videos / seconds:.0f}",
        "videos_per_cpu_s": f"{videos / spent_s:.0f}",
        "second_run_s": f"{again_s:.1f}",
        "parent_mib_half": f"{parent_mib[half]:.0f}",
        "parent_mib_end": f"{parent_mib[end]:.0f}",
        "parent_peak_mib": f"{peak_mib():.0f}",
        "worker_mib_half": f"{worker_mib[half]:.0f}",
        "worker_mib_end": f"{worker_mib[end]:.0f}",
    }


def check_memory(row: dict[str, object], promises: Promises) -> None:
    """See that memory stayed where it was half way."""
    grown = {
        who: float(str(row[f"{who}_mib_end"])) - float(str(row[f"{who}_mib_half"]))
        for who in ("parent", "worker")
    }
    most = _PARENT_MIB + _KIB_A_NAME * int(str(row["videos"])) / 2 / 1024
    promises.hold(grown["parent"] <= most, f"the parent grew by {grown['parent']:.0f} MiB from half way on")
    promises.hold(
        grown["worker"] <= _WORKER_MIB, f"a worker grew by {grown['worker']:.0f} MiB from half way on"
    )


def check_rows(out: Path, videos: int, promises: Promises) -> None:
    """See that there is one right row for each file."""
    rows, clips = read_videos(out), read_clips(out)
    names = rows["video"].to_pylist()
    promises.hold(len(names) == len(set(names)) == videos, f"{len(set(names))} videos in {len(names)} rows")
    promises.hold(len(set(rows["sha256"].to_pylist())) == videos, "two files have one fingerprint")
    promises.hold(set(rows["num_clips"].to_pylist()) == {1}, "a video has other than one clip")
    promises.hold(sorted(clips["video"].to_pylist()) == sorted(names), "clips and videos do not match")
    scores: dict[str, set[float]] = {}
    for name, said in zip(clips["video"].to_pylist(), clips["score"].to_pylist(), strict=True):
        scores.setdefault(name.rsplit("-", 1)[1], set()).add(said)
    promises.hold(
        all(len(said) == 1 for said in scores.values()), f"equal pictures score differently: {scores}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--csv", type=Path, default=RESULTS / "robustness-many_videos.csv")
    asked = parser.parse_args()
    promises, folder = Promises("many videos"), asked.folder / f"videos-{asked.videos}"
    build_videos(folder, asked.videos)
    out = asked.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    row = run(folder, out, asked.videos, asked.workers, promises)
    check_memory(row, promises)
    write_rows(asked.csv, [row])
    return promises.end(str(row))


if __name__ == "__main__":
    sys.exit(main())
