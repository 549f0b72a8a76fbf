"""A corpus data set: killed anywhere it goes on with what is missing, and ends with the same rows."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salientclips
from corpus_rows import FACTS, make_failure, make_outcome, make_selection, ticks_of
from salientclips.corpus.job import Job
from salientclips.corpus.rows import STREAMS, Outcome, VideoRow
from salientclips.errors import InputError, StoredScoresError
from salientclips.outputs.corpus_dataset import (
    DatasetWriter,
    canonical,
    from_text,
    iter_corpus,
    parts,
    read_clips,
    read_corpus,
    read_job,
    read_videos,
    to_text,
)
from salientclips.outputs.corpus_dataset.schema import CLIPS, VIDEOS
from salientclips.timeline import ClipSpec

names_of_open_files = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="needs /proc to name open files"
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


def write(folder: Path, outcomes: list[Outcome], **options: Any) -> None:
    with DatasetWriter(folder, FACTS, **options) as writer:
        for outcome in outcomes:
            writer.add(outcome)


def assert_same(a: Path, b: Path) -> None:
    ours, theirs = canonical(a), canonical(b)
    assert ours.job == theirs.job
    assert ours.videos.equals(theirs.videos)
    assert ours.clips.equals(theirs.clips)


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# --- what is in it ----------------------------------------------------------------------------------------------


def test_columns_are_those_of_the_rows() -> None:
    assert VIDEOS.names == [field.name for field in fields(VideoRow)]
    assert [name for name in CLIPS.names if name.startswith("stream_")] == [f"stream_{s}" for s in STREAMS]


def test_rows_come_back(tmp_path: Path) -> None:
    outcome = make_outcome(
        "/v/a.mp4",
        [0.1, 1 / 3],
        true_labels=("dive", "jump"),
        group="g",
        split="test",
        label="dive",
        probability=0.75,
        predictions=(("dive", 0.75), ("jump", 0.25)),
        gflops=38.5,
        note="2 of 3",
        warnings=("one", "two"),
    )
    write(tmp_path / "out", [outcome, make_failure("/v/b.mp4"), make_selection("/v/c.mp4", (2, 0))])
    tables = read_corpus(tmp_path / "out")
    first, second, _ = tables.videos.to_pylist()
    for field in fields(VideoRow):
        value = getattr(outcome.row, field.name)
        back = first[field.name]
        if field.name == "predictions":
            back = tuple((one["label"], one["probability"]) for one in back)
        assert back == (list(value) if isinstance(value, tuple) and field.name != "predictions" else value)
    assert (second["status"], second["error_type"], second["clip_rows"]) == ("failed", "NotAVideoError", 0)
    clips = tables.clips.to_pylist()
    assert [(c["video"], c["index"], c["rank"]) for c in clips] == [
        ("/v/a.mp4", 0, None),
        ("/v/a.mp4", 1, None),
        ("/v/c.mp4", 2, 1),
        ("/v/c.mp4", 0, 2),
    ]
    assert [c["score"] for c in clips[:2]] == [0.1, 1 / 3]
    assert [ticks_of(c) for c in clips[:2]] == list(
        zip(outcome.clips.starts, outcome.clips.ends, strict=True)
    )
    assert [c["start_s"] for c in clips[:2]] == [float(t) for t in outcome.clips.starts]


def test_streams_that_are_not_there_are_null(tmp_path: Path) -> None:
    streams = {"md": np.array([0.5, np.nan, -0.0]), "audio": np.full(3, np.nan)}
    write(tmp_path, [make_outcome("/v/a.mp4", streams=streams), make_outcome("/v/b.mp4")])
    columns = {name: read_clips(tmp_path, [f"stream_{name}"])[0].to_pylist() for name in STREAMS}
    nothing = [None] * 3
    assert columns["md"] == [0.5, None, -0.0, *nothing]
    assert np.signbit(columns["md"][2])
    assert all(columns[name] == nothing * 2 for name in STREAMS if name != "md")


@settings(max_examples=20)
@given(st.lists(st.fractions(-(10**6), 10**6), min_size=1, max_size=6, unique=True))
def test_times_are_exact(tmp_path_factory: pytest.TempPathFactory, times: list[Fraction]) -> None:
    times.sort()
    starts, ends = tuple(times), tuple(t + Fraction(1, 3) for t in times)
    folder = tmp_path_factory.mktemp("d")
    write(folder, [make_outcome("/v/a.mp4", [0.0] * len(times), starts=starts, ends=ends)])
    rows = read_clips(folder).to_pylist()
    if rows[0]["ticks_per_second"] is not None:
        assert [ticks_of(row) for row in rows] == list(zip(starts, ends, strict=True))
    else:  # the common base of unrelated fractions is beyond 64 bits
        assert all(row["start_ticks"] is row["end_ticks"] is None for row in rows)
    assert [(row["start_s"], row["end_s"]) for row in rows] == [
        (float(a), float(b)) for a, b in zip(starts, ends, strict=True)
    ]


def test_ticks_reach_to_64_bits_and_are_null_beyond(tmp_path: Path) -> None:
    most = Fraction(2**63 - 1, 2**40)
    kept = make_outcome("/v/a.mp4", [1.0], starts=(-most,), ends=(most,))
    lost = make_outcome("/v/b.mp4", [1.0], starts=(-most,), ends=(most + Fraction(1, 2**40),))
    fine = make_outcome("/v/c.mp4", [1.0], starts=(Fraction(0),), ends=(Fraction(1, 2**64),))
    write(tmp_path, [kept, lost, fine])
    a, b, c = read_clips(tmp_path).to_pylist()
    assert ticks_of(a) == (-most, most)
    for row in (b, c):
        assert row["start_ticks"] is row["end_ticks"] is row["ticks_per_second"] is None
    assert b["end_s"] == float(most + Fraction(1, 2**40))


awkward = st.text(st.sampled_from("\\ud8fe9aé\udce9\udc80\ud800/"), max_size=12)


@settings(max_examples=60)
@given(st.one_of(awkward, st.text()), awkward)
def test_any_name_can_be_stored_and_none_is_mistaken(name: str, other: str) -> None:
    assert from_text(to_text(name)) == name
    to_text(name).encode()
    assert (to_text(name) == to_text(other)) == (name == other)


def test_ordinary_names_are_stored_as_they_are() -> None:
    for name in (
        "/v/käse 東京.mp4",
        r"C:\udder\clips\u00e9.mp4",
        "s3://b/k%C3.mp4",
        "tar://a::file:///s.tar",
    ):
        assert to_text(name) == name
    assert to_text("/v/caf\udce9.mp4") == r"/v/caf\udce9.mp4"


def test_file_names_of_stray_bytes_stay_apart(tmp_path: Path) -> None:
    videos = ["/v/caf\udce9.mp4", "/v/caf\\udce9.mp4", "/v/café.mp4", "/v/caf\udce8.mp4"]
    write(tmp_path, [*map(make_outcome, videos[:3]), make_failure(videos[3])])
    stored = read_videos(tmp_path, ["video"])["video"].to_pylist()
    assert [from_text(text) for text in stored] == videos
    with DatasetWriter(tmp_path, FACTS) as writer:
        assert writer.done == set(videos)


def test_an_empty_data_set_is_one(tmp_path: Path) -> None:
    write(tmp_path / "out", [])
    tables = read_corpus(tmp_path / "out")
    assert (tables.videos.num_rows, tables.clips.num_rows) == (0, 0)
    assert tables.videos.schema.equals(VIDEOS)
    assert tables.clips.schema.equals(CLIPS)
    assert list(iter_corpus(tmp_path / "out")) == []
    assert canonical(tmp_path / "out").clips.num_rows == 0
    assert read_job(tmp_path / "out")["job"] == FACTS
    assert read_job(tmp_path / "out")["salientclips"] == salientclips.__version__


def test_a_part_of_failures_alone(tmp_path: Path) -> None:
    write(tmp_path, [make_failure("/v/a.mp4")])
    assert names(tmp_path)[1:] == ["clips/part-00000001.parquet", "job.json", "videos/part-00000001.parquet"]
    assert read_corpus(tmp_path).clips.schema.equals(CLIPS)


def test_an_outcome_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path, FACTS) as writer:
        for wrong in (
            make_outcome("/v/a.mp4", clip_rows=2),
            make_outcome("/v/a.mp4", status="failed"),
            make_outcome("/v/a.mp4", streams={"smell": np.zeros(3)}),
            make_outcome("/v/a.mp4", streams={"md": np.zeros(2)}),
        ):
            with pytest.raises(InputError, match="contradicts itself"):
                writer.add(wrong)
        assert writer.add(make_outcome("/v/a.mp4"))
    assert read_videos(tmp_path).num_rows == 1


# --- when parts are written -------------------------------------------------------------------------------------


def committed(folder: Path) -> int:
    return len(list((folder / "videos").glob("*.parquet")))


def test_a_part_is_written_when_it_is_full_or_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("salientclips.outputs.corpus_dataset.writer.monotonic", lambda: now)
    with DatasetWriter(tmp_path, FACTS, part_seconds=30, part_clips=6) as writer:
        writer.add(make_outcome("/v/a.mp4"))
        assert committed(tmp_path) == 0
        writer.add(make_outcome("/v/b.mp4"))
        assert committed(tmp_path) == 1
        now = 200.0
        writer.tick()
        writer.add(make_outcome("/v/c.mp4"))
        now = 229.9
        writer.tick()
        assert committed(tmp_path) == 1
        now = 230.0
        writer.tick()
        assert committed(tmp_path) == 2
        for i in range(6):  # failures have no clips, and fill a part all the same
            writer.add(make_failure(f"/v/f{i}.mp4"))
        assert committed(tmp_path) == 3
        writer.add(make_failure("/v/last.mp4"))
    assert committed(tmp_path) == 4
    assert [p.videos.num_rows for p in iter_corpus(tmp_path)] == [2, 1, 6, 1]


def test_a_video_is_taken_once(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path, FACTS) as writer:
        assert writer.done == frozenset()
        assert writer.add(make_outcome("/v/a.mp4"))
        assert not writer.add(make_outcome("/v/a.mp4", [9.0]))
        writer.flush()
        assert not writer.add(make_failure("/v/a.mp4"))
        assert writer.done == frozenset()
    with DatasetWriter(tmp_path, FACTS) as writer:
        assert writer.done == {"/v/a.mp4"}
        assert not writer.add(make_outcome("/v/a.mp4"))
    assert read_corpus(tmp_path).clips["score"].to_pylist() == [0.5, 2.0, 1.0]
    assert committed(tmp_path) == 1
    writer.close()
    for late in (writer.flush, lambda: writer.add(make_outcome("/v/b.mp4"))):
        with pytest.raises(InputError, match="closed"):
            late()


def test_a_forked_worker_does_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = DatasetWriter(tmp_path, FACTS)
    writer.add(make_outcome("/v/a.mp4"))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(InputError, match="another process"):
        writer.flush()
    writer.close()
    assert committed(tmp_path) == 0


def test_what_was_done_before_an_error_is_kept(tmp_path: Path) -> None:
    def work() -> None:
        with DatasetWriter(tmp_path, FACTS) as writer:
            writer.add(make_outcome("/v/a.mp4"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert read_videos(tmp_path, ["video"])["video"].to_pylist() == ["/v/a.mp4"]


def test_a_full_disk_ends_the_writer_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = DatasetWriter(tmp_path, FACTS)
    writer.add(make_outcome("/v/a.mp4"))

    def full(*args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        writer.flush()
    monkeypatch.undo()
    writer.close()
    assert committed(tmp_path) == 0
    write(tmp_path, [make_outcome("/v/a.mp4")])
    assert read_corpus(tmp_path).clips.num_rows == 3


# --- killed -----------------------------------------------------------------------------------------------------


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


class CrashError(BaseException):
    pass


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


# --- failed ones again ------------------------------------------------------------------------------------------


def test_failed_ones_are_done_again_when_asked(tmp_path: Path) -> None:
    write(tmp_path, [make_outcome("/v/a.mp4"), make_failure("/v/b.mp4"), make_failure("/v/c.mp4")])
    with DatasetWriter(tmp_path, FACTS) as writer:
        assert writer.done == {"/v/a.mp4", "/v/b.mp4", "/v/c.mp4"}
    # Only those that are asked for: another run's failures are not this one's to drop.
    with DatasetWriter(tmp_path, FACTS, retry={"/v/b.mp4", "/v/x.mp4"}) as writer:
        assert writer.done == {"/v/a.mp4", "/v/c.mp4"}
    assert read_videos(tmp_path)["video"].to_pylist() == ["/v/a.mp4", "/v/c.mp4"]
    with DatasetWriter(tmp_path, FACTS, retry={"/v/a.mp4", "/v/c.mp4"}) as writer:
        assert writer.done == {"/v/a.mp4"}
        assert writer.add(make_outcome("/v/b.mp4"))
        assert writer.add(make_failure("/v/c.mp4"))
    rows = canonical(tmp_path).videos.to_pylist()
    assert [row["status"] for row in rows] == ["ok", "ok", "failed"]
    assert read_clips(tmp_path).num_rows == 6


BAD = {f"/v/bad{i}.mp4" for i in range(3)}


@pytest.mark.parametrize("survive", [0, 1, 2])
def test_a_crash_between_two_rewrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survive: int) -> None:
    for i in range(3):
        write(tmp_path, [make_failure(f"/v/bad{i}.mp4"), make_outcome(f"/v/good{i}.mp4")])

    left, drop = [survive], parts._write

    def crash(*args: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise CrashError
        drop(*args)

    monkeypatch.setattr(parts, "_write", crash)
    with pytest.raises(CrashError):
        DatasetWriter(tmp_path, FACTS, retry=BAD)
    monkeypatch.undo()
    tables = read_corpus(tmp_path)
    assert tables.videos.num_rows == 6 - survive
    assert tables.clips.num_rows == 9
    with DatasetWriter(tmp_path, FACTS, retry=BAD) as writer:
        assert writer.done == {f"/v/good{i}.mp4" for i in range(3)}
        for i in range(3):
            writer.add(make_outcome(f"/v/bad{i}.mp4"))
    assert read_clips(tmp_path).num_rows == 18


def test_nothing_is_rewritten_where_nothing_failed(tmp_path: Path) -> None:
    write(tmp_path, [make_outcome("/v/a.mp4")])
    file = tmp_path / "videos" / "part-00000001.parquet"
    before = file.stat().st_mtime_ns, file.stat().st_ino
    DatasetWriter(tmp_path, FACTS, retry={"/v/a.mp4"}).close()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


# --- refused ----------------------------------------------------------------------------------------------------


def test_a_folder_without_rows_is_bound_to_no_job(tmp_path: Path) -> None:
    DatasetWriter(tmp_path, {"strategy": "smapler"}).close()
    write(tmp_path, [make_outcome("/v/a.mp4")])
    assert read_job(tmp_path)["job"] == FACTS


@pytest.mark.parametrize("column", ["index", "ticks_per_second", "score", "audio"])
def test_an_interrupt_between_two_columns_leaves_a_video_out(tmp_path: Path, column: str) -> None:
    with DatasetWriter(tmp_path, FACTS) as writer:
        writer.add(make_outcome("/v/a.mp4"))
        gathered = writer._gathered
        columns = next(
            group for group in (gathered._ints, gathered._ticks, gathered._floats) if column in group
        )
        whole = columns[column]

        class Column(type(whole)):  # type: ignore[misc]
            def extend(self, values: Any) -> None:
                super().extend(values[:1])
                raise KeyboardInterrupt

        columns[column] = Column(whole.typecode, whole)
        with pytest.raises(KeyboardInterrupt):
            writer.add(make_outcome("/v/b.mp4"))
    assert read_videos(tmp_path)["video"].to_pylist() == ["/v/a.mp4"]
    assert read_clips(tmp_path).num_rows == 3


def test_another_job_is_refused_and_named(tmp_path: Path) -> None:
    write(tmp_path, [make_outcome("/v/a.mp4")])
    other = {**FACTS, "clip": {"frames": 8, "frame_step": 2, "seconds": None}, "choosing": {"k": 3}}
    with pytest.raises(InputError) as raised:
        DatasetWriter(tmp_path, other)
    assert "clip.frames is 16 there, and 8 was asked for" in raised.value.message
    assert 'choosing is nothing there, and {"k": 3} was asked for' in raised.value.message
    assert "frame_step" not in raised.value.message
    assert "another folder" in raised.value.remedy
    write(tmp_path, [make_outcome("/v/b.mp4")])  # the lock is free again, and the data set as it was
    assert read_videos(tmp_path).num_rows == 2


def test_facts_of_jobs_are_the_same_after_a_trip_through_json(tmp_path: Path) -> None:
    for i, job in enumerate((Job(), Job("select"))):
        for _ in range(2):
            facts = {**job.facts(), "tuple": (1, 2), "f": 0.1}
            with DatasetWriter(tmp_path / str(i), facts) as writer:
                writer.add(make_outcome("/v/a.mp4"))
    with pytest.raises(InputError, match=r"verb is \"score\" there"):
        DatasetWriter(tmp_path / "0", {**Job("select").facts(), "tuple": (1, 2), "f": 0.1})
    assert ClipSpec().frames == 16


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").write_bytes(b"v")
    with pytest.raises(InputError, match=r"holiday\.mp4"):
        DatasetWriter(tmp_path, FACTS)
    assert names(tmp_path) == ["holiday.mp4"]
    with pytest.raises(InputError, match="is not a folder"):
        DatasetWriter(tmp_path / "holiday.mp4", FACTS)


def test_a_run_killed_in_its_first_moment_leaves_a_free_folder(tmp_path: Path) -> None:
    (tmp_path / ".salientclips.lock").touch()
    (tmp_path / ".job.json.partial").write_bytes(b'{"sch')
    write(tmp_path, [make_outcome("/v/a.mp4")])
    assert names(tmp_path)[0] == ".salientclips.lock"
    assert len(names(tmp_path)) == 4


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": 2}', b"\xff", b'{"schema": 99, "job": {}}'])
def test_a_damaged_job_is_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, [])
    (tmp_path / "job.json").write_bytes(content)
    for use in (read_job, read_corpus, lambda folder: DatasetWriter(folder, FACTS)):
        with pytest.raises(StoredScoresError, match="schema 99" if b"99" in content else "damaged"):
            use(tmp_path)


def test_a_folder_without_a_data_set_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoredScoresError, match=r"no corpus data set"):
        read_videos(tmp_path)


def damage_by(kind: str, file: Path) -> None:
    content = file.read_bytes()
    if kind == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif kind == "missing":
        file.unlink()
    elif kind == "other columns":
        table = pq.read_table(file)
        pq.write_table(table.drop_columns(table.column_names[-1]), file)
    elif kind == "a row less":
        table = pq.read_table(file)
        pq.write_table(table.slice(1), file)


@pytest.mark.parametrize("kind", ["cut", "missing", "other columns", "a row less"])
@pytest.mark.parametrize("table", ["videos", "clips"])
def test_a_damaged_part_is_named_and_can_be_done_again(tmp_path: Path, table: str, kind: str) -> None:
    if (table, kind) == ("videos", "missing"):
        pytest.skip("then the part does not exist")
    outcomes = [make_outcome(f"/v/{i}.mp4") for i in range(6)]
    folder = tmp_path / "out"
    write(folder, outcomes, part_clips=6)
    file = folder / table / "part-00000002.parquet"
    damage_by(kind, file)
    with pytest.raises(StoredScoresError) as raised:
        DatasetWriter(folder, FACTS)
    culprit = file if kind != "a row less" else folder / "clips" / file.name
    assert f"'{culprit}'" in raised.value.message
    assert f"delete '{folder / 'videos' / file.name}'" in raised.value.remedy
    (folder / "videos" / file.name).unlink()
    write(folder, outcomes)
    write(tmp_path / "whole", outcomes)
    assert_same(folder, tmp_path / "whole")


def test_a_flipped_bit_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    write(tmp_path, [make_outcome("/v/a.mp4", [float(i) for i in range(500)])])
    file = tmp_path / "clips" / "part-00000001.parquet"
    column = pq.ParquetFile(file).metadata.row_group(0).column(CLIPS.names.index("score"))
    content = bytearray(file.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(StoredScoresError, match=r"part-00000001\.parquet' is damaged"):
        read_clips(tmp_path)


def test_a_video_twice_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, [make_outcome("/v/a.mp4")])
    for table in ("videos", "clips"):
        folder = tmp_path / table
        (folder / "part-00000007.parquet").write_bytes((folder / "part-00000001.parquet").read_bytes())
    with pytest.raises(StoredScoresError, match=r"part-00000007.*'/v/a\.mp4' has a row already"):
        DatasetWriter(tmp_path, FACTS)


def test_a_foreign_parquet_file_is_not_taken_for_a_part(tmp_path: Path) -> None:
    write(tmp_path, [make_outcome("/v/a.mp4")])
    foreign = tmp_path / "clips" / "mine.parquet"
    foreign.write_bytes(b"x")
    with pytest.raises(StoredScoresError, match="no part of the data set"):
        DatasetWriter(tmp_path, FACTS)
    assert foreign.exists()
    assert read_clips(tmp_path).num_rows == 3


# --- other tools ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["pandas", "duckdb", "daft"])
def test_other_tools_read_it_while_it_is_written(tmp_path: Path, tool: str) -> None:
    module = pytest.importorskip(tool)
    pattern = f"{tmp_path}/clips/*.parquet"
    with DatasetWriter(tmp_path, FACTS) as writer:
        writer.add(make_selection("/v/a.mp4"))
        writer.flush()
        writer.add(make_outcome("/v/b.mp4"))
        writer.flush()
        for table in ("clips", "videos"):
            (tmp_path / table / ".part-00000003.parquet.partial").write_bytes(b"PAR1 half")
        if tool == "duckdb":
            rows = module.sql(f"select count(*), sum(score), count(rank) from '{pattern}'").fetchall()[0]
            failed = module.sql(f"select count(*) from '{tmp_path}/videos/*.parquet'").fetchall()
            assert failed == [(2,)]
        elif tool == "pandas":
            frame = module.read_parquet(tmp_path / "clips")
            rows = len(frame), frame["score"].sum(), frame["rank"].notna().sum()
        else:
            columns = module.read_parquet(pattern).to_pydict()
            rows = (len(columns["score"]), sum(columns["score"]), sum(r is not None for r in columns["rank"]))
        assert tuple(rows) == (5, 6.5, 2)


def test_the_job_is_readable_by_anybody(tmp_path: Path) -> None:
    write(tmp_path, [])
    stored = json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))
    assert stored == {"schema": 2, "salientclips": salientclips.__version__, "job": FACTS}
