"""A corpus data set: when its parts are written, and which videos are done again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from corpus_rows import FACTS, CrashError, make_failure, make_outcome, write
from salientclips.errors import InputError
from salientclips.outputs.corpus_dataset import (
    DatasetWriter,
    canonical,
    iter_corpus,
    parts,
    read_clips,
    read_corpus,
    read_videos,
)


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
