"""A corpus data set: killed anywhere it goes on with what is missing, and ends with the same rows."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salientclips
from corpus_rows import FACTS, CrashError, assert_same, make_failure, make_outcome, make_selection, write
from salientclips.errors import InputError
from salientclips.outputs.corpus_dataset import DatasetWriter, from_text, read_corpus, read_videos

names_of_open_files = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="needs /proc to name open files"
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


def abandon(writer: DatasetWriter, moment: str) -> None:
    """Leave the folder as SIGKILL would at a moment of the next commit."""
    part, gathered = writer._next, writer._gathered
    if moment == "clips half written":
        part.clips.with_name(f".{part.clips.name}.partial").write_bytes(b"PAR1 half")
    if moment in ("clips written", "videos half written"):
        pq.write_table(gathered.clips(), part.clips)
    if moment == "videos half written":
        part.videos.with_name(f".{part.videos.name}.partial").write_bytes(b"PAR1 half")
    if moment == "committed":
        writer.flush()
    writer._lock.release()


MOMENTS = ("before", "clips half written", "clips written", "videos half written", "committed")
CORPUS = [
    make_outcome("/v/0.mp4"),
    make_failure("/v/1.mp4"),
    make_selection("/v/2.mp4", (3, 1)),
    make_outcome("/v/3.mp4", [], num_clips=4),
    make_outcome("/v/4.mp4", [1.0] * 7, streams={"md": np.arange(7.0)}),
    make_outcome("/v/caf\udce9.mp4"),
]


@settings(max_examples=20)
@given(
    attempts=st.lists(
        st.tuples(st.permutations(range(len(CORPUS))), st.integers(0, 6), st.sampled_from(MOMENTS)),
        max_size=5,
    ),
    part_clips=st.integers(1, 12),
)
def test_killed_anywhere_the_same_rows_come(
    tmp_path_factory: pytest.TempPathFactory, attempts: list[tuple[list[int], int, str]], part_clips: int
) -> None:
    folder = tmp_path_factory.mktemp("d")
    kept: frozenset[str] = frozenset()
    for order, count, moment in attempts:
        writer = DatasetWriter(folder, FACTS, part_clips=part_clips)
        assert kept <= writer.done  # what was committed once stays
        for i in [i for i in order if CORPUS[i].row.video not in writer.done][:count]:
            assert writer.add(CORPUS[i])
        abandon(writer, moment)
        tables = read_corpus(folder)
        assert sum(tables.videos["clip_rows"].to_pylist()) == tables.clips.num_rows
        assert set(tables.clips["video"].to_pylist()) <= set(tables.videos["video"].to_pylist())
        kept = frozenset(map(from_text, tables.videos["video"].to_pylist()))
    write(folder, CORPUS, part_clips=part_clips)
    whole = tmp_path_factory.mktemp("w")
    write(whole, CORPUS)
    assert_same(folder, whole)
    assert not list(folder.rglob("*.partial"))


def watch_the_disk(monkeypatch: pytest.MonkeyPatch, crash_at: int = 99) -> list[str]:
    """What is brought to the disk and renamed, as it goes; stops before the step of that number."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def step(name: str) -> None:
        if len(steps) == crash_at:
            raise CrashError
        steps.append(name)

    def watched_fsync(opened: int) -> None:
        step(f"sync {Path(os.readlink(f'/proc/self/fd/{opened}')).name}")
        fsync(opened)

    def watched_replace(self: Path, target: Path) -> Path:
        step(f"rename to {target.parent.name}/{target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    return steps


STEPS = [
    "sync .part-00000001.parquet.partial",
    "rename to clips/part-00000001.parquet",
    "sync clips",
    "sync .part-00000001.parquet.partial",
    "rename to videos/part-00000001.parquet",
    "sync videos",
]


@names_of_open_files
def test_clips_are_on_the_disk_before_the_videos_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DatasetWriter(tmp_path, FACTS) as writer:
        writer.add(make_outcome("/v/a.mp4"))
        steps = watch_the_disk(monkeypatch)
        writer.flush()
        monkeypatch.undo()
    assert steps == STEPS


@names_of_open_files
@pytest.mark.parametrize("at", range(len(STEPS)))
def test_a_crash_before_each_step_of_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    with DatasetWriter(tmp_path, FACTS) as writer:
        writer.add(make_outcome("/v/a.mp4"))
        watch_the_disk(monkeypatch, at)
        with pytest.raises(CrashError):
            writer.flush()
        monkeypatch.undo()
    is_there = at > STEPS.index("rename to videos/part-00000001.parquet")
    assert read_corpus(tmp_path).clips.num_rows == 3 * is_there
    with DatasetWriter(tmp_path, FACTS) as writer:
        assert writer.add(make_outcome("/v/a.mp4")) != is_there
    assert read_corpus(tmp_path).clips.num_rows == 3


def test_numbers_of_parts_go_on(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path, [make_outcome(f"/v/{i}.mp4")])
    (tmp_path / "videos" / "part-00000002.parquet").unlink()
    write(tmp_path, [make_outcome("/v/1.mp4")])
    numbers = [p.name for p in sorted((tmp_path / "clips").glob("*.parquet"))]
    assert numbers == [f"part-0000000{i}.parquet" for i in (1, 3, 4)]
    assert sorted(read_videos(tmp_path)["video"].to_pylist()) == [f"/v/{i}.mp4" for i in range(3)]


KILLED = """
import os, sys
from pathlib import Path
from corpus_rows import FACTS, make_failure, make_outcome
from salientclips.outputs.corpus_dataset import DatasetWriter

def work(folder):
    with DatasetWriter(folder, FACTS, part_clips=10) as writer:
        for i in range(300):
            writer.add(make_failure(f"/v/{i}.mp4") if i % 7 == 0 else make_outcome(f"/v/{i}.mp4", [float(i)] * 3))

# Each line on stdin is answered by a new process: nothing is imported again.
for folder in map(str.strip, sys.stdin):
    child = os.fork()
    if child == 0:
        work(Path(folder))
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def start(code: str) -> subprocess.Popen[str]:
    paths = [str(Path(__file__).parent), str(Path(salientclips.__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


@posix
def test_a_real_kill_at_random_moments(tmp_path: Path) -> None:
    seen, killed, chance = [0], 0, random.Random(5)
    with start(KILLED) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(kill: bool) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{tmp_path / 'killed'}\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            if kill:
                time.sleep(chance.uniform(0.02, 0.12))
                os.kill(child, signal.SIGKILL)
            return int(process.stdout.readline())

        for _ in range(12):
            killed += run(kill=True) == signal.SIGKILL
            tables = read_corpus(tmp_path / "killed") if (tmp_path / "killed" / "job.json").exists() else None
            if tables is not None:
                assert sum(tables.videos["clip_rows"].to_pylist()) == tables.clips.num_rows
                seen.append(tables.videos.num_rows)
        assert run(kill=False) == 0
        process.stdin.close()
    assert seen == sorted(seen)
    assert killed >= 5
    write(
        tmp_path / "whole",
        [
            make_failure(f"/v/{i}.mp4") if i % 7 == 0 else make_outcome(f"/v/{i}.mp4", [float(i)] * 3)
            for i in range(300)
        ],
    )
    assert_same(tmp_path / "killed", tmp_path / "whole")


HOLDER = """
import os, sys
from pathlib import Path
from corpus_rows import FACTS
from salientclips.outputs.corpus_dataset import DatasetWriter

writer = DatasetWriter(Path(sys.stdin.readline().strip()), FACTS)
if os.fork() == 0:  # a worker that outlives a killed writer
    print("held", flush=True)
    sys.stdin.read()
    os._exit(0)
os.wait()
"""


@posix
def test_one_writer_at_a_time_and_the_lock_dies_with_it(tmp_path: Path) -> None:
    with start(HOLDER) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{tmp_path}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process is writing to") as raised:
            DatasetWriter(tmp_path, FACTS)
        assert str(tmp_path) in raised.value.message
        process.kill()
        process.wait()
        DatasetWriter(tmp_path, FACTS).close()
        process.stdin.close()


def test_two_writers_of_one_process(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path, FACTS), pytest.raises(InputError, match="another process"):
        DatasetWriter(tmp_path, FACTS)
    forgotten = DatasetWriter(tmp_path, FACTS)
    del forgotten
    DatasetWriter(tmp_path, FACTS).close()
