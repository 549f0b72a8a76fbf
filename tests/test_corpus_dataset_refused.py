"""A corpus data set: what is not written to, and what is not read."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus_rows import FACTS, assert_same, make_outcome, names, write
from salientclips.corpus.job import Job
from salientclips.errors import InputError, StoredScoresError
from salientclips.outputs.corpus_dataset import DatasetWriter, read_clips, read_corpus, read_job, read_videos
from salientclips.outputs.corpus_dataset.schema import CLIPS


def test_a_folder_without_rows_is_bound_to_no_job(tmp_path: Path) -> None:
    DatasetWriter(tmp_path, {"strategy": "smapler"}).close()
    write(tmp_path, [make_outcome("/v/a.mp4")])
    assert read_job(tmp_path)["job"] == FACTS


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


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": 3}', b"\xff", b'{"schema": 99, "job": {}}'])
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
