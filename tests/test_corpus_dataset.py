"""A corpus data set: what is in it, and who else can read it."""

from __future__ import annotations

import json
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salientclips
from corpus_rows import FACTS, make_failure, make_outcome, make_selection, names, ticks_of, write
from salientclips.corpus.rows import STREAMS, VideoRow
from salientclips.errors import InputError
from salientclips.outputs.corpus_dataset import (
    DatasetWriter,
    canonical,
    from_text,
    iter_corpus,
    read_clips,
    read_corpus,
    read_job,
    read_videos,
    to_text,
)
from salientclips.outputs.corpus_dataset.schema import CLIPS, VIDEOS


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
    assert stored == {"schema": 3, "salientclips": salientclips.__version__, "job": FACTS}
