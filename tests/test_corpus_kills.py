"""A corpus run that is killed, or loses its workers, ends with the rows of one that was left alone.

Few kills here; ``SALIENTCLIPS_KILLS`` raises their number, and benchmarks/corpus_kills.py does it on real videos.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine_faults import Slow
from killing import Running, committed, equal, kill_often, leftovers
from media_files import make_video
from salientclips.corpus.job import Job
from salientclips.corpus.sources import list_items
from salientclips.engines.local import LocalEngine
from salientclips.engines.ray import RayEngine
from salientclips.engines.run import Engine, run_corpus
from salientclips.engines.work import stages
from salientclips.outputs.corpus_dataset import CorpusTables, DatasetWriter, canonical

KILLS = int(os.environ.get("SALIENTCLIPS_KILLS", "4"))
OFTEN = ("--commit-every", "0.1")
"""So that a kill finds something committed: these runs are over before the default of half a minute."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty videos of four kinds, and two that are broken."""
    folder, made = tmp_path_factory.mktemp("videos"), tmp_path_factory.mktemp("made")
    kinds = {"a.mp4": "libx264", "b.avi": "mpeg4", "c.mkv": "libx265", "d.mp4": "libx264"}
    for number, (name, codec) in enumerate(kinds.items()):
        video = make_video(made / name, codec=codec, frames=40 + 16 * number, size=(128, 96))
        for copy in range(5):
            shutil.copy(video, folder / f"{copy}{name}")
    (folder / "empty.mp4").touch()
    (folder / "text.mkv").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> CorpusTables:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    run_corpus(folder, out)
    truth = canonical(out)
    assert len(truth.videos) == 22
    assert truth.videos["status"].to_pylist().count("failed") == 2
    return truth


@pytest.fixture(scope="module")
def length_s(folder: Path, undisturbed: CorpusTables, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the command takes, and that it makes the same rows."""
    out = tmp_path_factory.mktemp("timed") / "out"
    began = time.monotonic()
    assert Running(folder, out, options=OFTEN).end() == 1
    assert equal(canonical(out), undisturbed)
    return time.monotonic() - began


def test_killed_at_any_moment_it_loses_and_doubles_nothing(
    folder: Path, undisturbed: CorpusTables, length_s: float, tmp_path: Path
) -> None:
    count = kill_often(undisturbed, folder, tmp_path, KILLS, length_s, seed=1, options=OFTEN)
    assert count.kills == KILLS
    assert count.equal == count.data_sets > 0
    assert (count.orphans, count.leftovers) == ([], [])


def test_a_run_that_was_killed_half_way_keeps_what_it_had(
    folder: Path, undisturbed: CorpusTables, tmp_path: Path
) -> None:
    out, kept = stopped_early(folder, tmp_path, undisturbed, "local", "--workers", "1", most=21)
    report = run_corpus(folder, out)
    assert (report.tally.before, report.tally.done) == (kept, 22 - kept)
    assert equal(canonical(out), undisturbed)
    assert leftovers(out) == []


def test_a_driver_of_ray_that_is_killed_leaves_nothing_behind(
    folder: Path, undisturbed: CorpusTables, ray_cluster: str, tmp_path: Path
) -> None:
    out, _ = stopped_early(folder, tmp_path, undisturbed, "ray", most=22)
    run_corpus(folder, out, engine=RayEngine(workers=2))
    assert equal(canonical(out), undisturbed)
    assert leftovers(out) == []


@pytest.mark.parametrize("which", [0, -1])
def test_a_local_worker_that_is_killed_costs_nothing(
    folder: Path, undisturbed: CorpusTables, tmp_path: Path, which: int
) -> None:
    out = tmp_path / "out"
    run_with_a_death(LocalEngine(2), folder, out, lambda: guarded()[which])
    assert equal(canonical(out), undisturbed)


@pytest.mark.parametrize("victim", ["actor", "guarded process"])
def test_a_worker_of_ray_that_is_killed_costs_nothing(
    folder: Path, undisturbed: CorpusTables, ray_cluster: str, tmp_path: Path, victim: str
) -> None:
    out = tmp_path / "out"
    run_with_a_death(
        RayEngine(workers=2), folder, out, lambda: (actors if victim == "actor" else guarded)()[0]
    )
    assert equal(canonical(out), undisturbed)
    ends = time.monotonic() + 10
    while guarded() and time.monotonic() < ends:
        time.sleep(0.2)
    assert guarded() == []


def stopped_early(
    folder: Path, scratch: Path, truth: CorpusTables, engine: str, *options: str, most: int
) -> tuple[Path, int]:
    """A data set whose run was killed once something of it was committed, and how much that is."""
    # These videos take no time, and this process may have been asleep while the run finished: then once more.
    for number in range(5):
        out = scratch / f"out{number}"
        run = Running(folder, out, engine, (*OFTEN, *options))
        while not list(out.glob("videos/*.parquet")) and run.process.poll() is None:
            time.sleep(0.01)
        hit = run.kill_at(0.0)
        assert run.orphans() == []
        if hit and 0 < (kept := committed(out, truth)) <= most:
            return out, kept
    raise AssertionError("five runs were over before they could be killed")


def run_with_a_death(engine: Engine, folder: Path, out: Path, victim: Callable[[], psutil.Process]) -> None:
    """``score``, slowly, with one process killed while it is at work on a video."""
    first, second = stages(job := Job())
    done = 0
    with DatasetWriter(out, job.facts()) as writer:
        for outcome in engine.run(list_items([str(folder)]), Slow(first, 0.3), second):
            if outcome is None:
                continue
            writer.add(outcome)
            done += 1
            if done == 3:
                time.sleep(0.1)
                victim().send_signal(signal.SIGKILL)
    assert done == 22


def guarded() -> list[psutil.Process]:
    """The guarded processes that this one has, by way of Ray too."""
    return called(lambda words: "salientclips.engines.child" in words)


def actors() -> list[psutil.Process]:
    """Ray's processes that have a guarded one each."""
    return called(lambda words: bool(words) and words[0].startswith("ray::MapWorker"))


def called(wanted: Callable[[list[str]], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if wanted(process.cmdline()):
                found.append(process)
    return found
