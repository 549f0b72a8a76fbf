"""What docs/threat_model.md promises of times, lists, manifests and score files: what they claim is bounded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from builders import make_scores
from salientclips.corpus.braces import expand_braces
from salientclips.corpus.sources import list_items
from salientclips.datasets.activitynet import read_activitynet
from salientclips.datasets.kinetics import read_kinetics
from salientclips.datasets.manifest import read_manifest
from salientclips.errors import FileMissingError, InputError, SalientClipsError, StoredScoresError
from salientclips.outputs.corpus_dataset.job_file import read_job
from salientclips.outputs.score_files import load_scores, save_scores
from salientclips.timeline import ClipGrid, ClipSpec, exact_seconds

BOMB = "1e999999999"


# --- times, lists, manifests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [BOMB, f"-{BOMB}", "1e-999999999", "nan", "inf", "1e10", "1/0", "", "9" * 2000]
)
def test_a_time_is_bounded(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises((ValueError, ZeroDivisionError)):
        exact_seconds(text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["3.5", "1e-3", "1001/30000", " 7 ", "-0.25", "1E2"])
def test_an_honest_time_is_exact(text: str) -> None:
    assert exact_seconds(text) == Fraction(text)


MANIFESTS = {
    "a NUL": b"path\na\0b.mp4\n",
    "a NUL and ..": b"path\nx/../a\0b.mp4\n",
    "a label of a megabyte": b"path,label\na.mp4," + b"x" * 1_000_000 + b"\n",
    "a million columns": b"path" + b",c" * 1_000_000 + b"\na.mp4\n" * 100,
    "an endless span": f"path,spans\na.mp4,0-{BOMB}\n".encode(),
    "a span of NaN": b"path,spans\na.mp4,nan-nan\n",
    "a span to infinity": b"path,spans\na.mp4,0-inf\n",
    "no UTF-8": b"path\n\xff\xfe.mp4\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("read", [read_manifest, lambda path: list_items([path])], ids=["manifest", "corpus"])
def test_a_hostile_manifest_is_one_typed_error(
    name: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    (path := tmp_path / "m.csv").write_bytes(MANIFESTS[name])
    with pytest.raises(InputError) as caught:
        read(path)
    assert len(str(caught.value)) < 500


def test_a_home_that_nobody_has_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path\n~nosuchuser/a.mp4\n")
    (tmp_path / "l.txt").write_text("~nosuchuser/a.mp4\n")
    assert not read_manifest(tmp_path / "m.csv")[0].path.exists()
    for name in ("m.csv", "l.txt"):
        assert list_items([tmp_path / name])[0].video.endswith("~nosuchuser/a.mp4")


LINES = {
    "NUL": "a\0b.mp4",
    "NUL and ..": "x/../a\0b.mp4",
    "range": "s-{0..999999999999}.tar",
    "nested": "{" * 5000 + "a,b" + "}" * 5000 + ".tar",
    "product": "{a,b}" * 40 + ".tar",
    "no range": "s-{x}.tar",
    "a long name": "x" * 5000 + ".tar",
    "digits": "s-{" + "9" * 5000 + ".." + "9" * 5001 + "}.tar",
}


@pytest.mark.parametrize("name", LINES)
def test_a_hostile_list_is_one_typed_error(name: str, tmp_path: Path) -> None:
    (path := tmp_path / "l.txt").write_text(LINES[name] + "\n")
    started = time.perf_counter()
    with pytest.raises(SalientClipsError):
        list_items([path])
    assert time.perf_counter() - started < 10


def test_a_long_name_is_a_missing_file(tmp_path: Path) -> None:
    from salientclips import probe

    with pytest.raises(FileMissingError):
        probe(tmp_path / ("x" * 5000 + ".mp4"))


def test_many_shards_are_still_expanded() -> None:
    assert len(list(expand_braces("s-{000000..099999}.tar"))) == 100_000


@pytest.mark.parametrize(
    "url", ["reference://x.mp4::file:///tmp/refs.json", "zip://a.mp4::https://example.invalid/z.zip"]
)
def test_chains_of_file_systems_are_refused(url: str, tmp_path: Path) -> None:
    # One of them fills in templates; where fsspec was old, those were code.
    (path := tmp_path / "m.csv").write_text(f"path\n{url}\n")
    with pytest.raises(InputError, match="several places"):
        list_items([path])


def test_parquet_spans_are_bounded(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    for end in (float("nan"), float("inf"), 1e300):
        table = pa.table({"path": ["a.mp4"], "spans": [[{"start_s": 0.0, "end_s": end}]]})
        parquet.write_table(table, tmp_path / "m.parquet")
        with pytest.raises(InputError):
            list_items([tmp_path / "m.parquet"])


def test_json_nested_without_end_is_one_typed_error(tmp_path: Path) -> None:
    deep = "[" * 10_000 + "]" * 10_000
    (tmp_path / "job.json").write_text(deep)
    (tmp_path / "s.json").write_text(deep)
    for read, error in (
        (lambda: read_activitynet(tmp_path / "s.json", tmp_path), InputError),
        (lambda: load_scores(tmp_path / "s.json"), StoredScoresError),
        (lambda: read_job(tmp_path), SalientClipsError),
    ):
        with pytest.raises(error):
            read()


def test_published_lists_are_bounded(tmp_path: Path) -> None:
    segment = {
        "database": {"v": {"subset": "training", "annotations": [{"label": "x", "segment": ["0", BOMB]}]}}
    }
    (tmp_path / "a.json").write_text(json.dumps(segment))
    (tmp_path / "b.json").write_text('{"database": {"v": 1e999999999}}')
    for name in "ab":
        with pytest.raises(InputError):
            read_activitynet(tmp_path / f"{name}.json", tmp_path)
    for content in (MANIFESTS["a million columns"], b"youtube_id,time_start,time_end,split\n\xff"):
        (tmp_path / "k.csv").write_bytes(content)
        with pytest.raises(InputError):
            read_kinetics(tmp_path / "k.csv", tmp_path)


# --- score files and clips ------------------------------------------------------------------------------------


def test_a_hostile_score_file_is_one_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    save_scores(make_scores([1.0, 2.0]), path)
    good = json.loads(path.read_text())
    load_scores(path)

    def row(**changes: Any) -> dict[str, Any]:
        return {**good, "clips": [{**good["clips"][0], **changes}, good["clips"][1]]}

    for hostile in (
        {**good, "clip": {**good["clip"], "seconds": BOMB}},
        row(start_ticks=-(10**400)),
        row(score=float("nan")),
        {**good, "ticks_per_second": 0},
        {**good, "ticks_per_second": -1},
    ):
        path.write_text(json.dumps(hostile))
        with pytest.raises(StoredScoresError):
            load_scores(path)


def test_a_score_csv_of_a_million_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    save_scores(make_scores([1.0, 2.0]), path)
    first, heading, rest = path.read_text().split("\n", 2)
    path.write_text("\n".join((first, heading + ",c" * 1_000_000, rest)))
    with pytest.raises(StoredScoresError):
        load_scores(path)


def test_a_damaged_time_stamp_makes_no_clips_without_end() -> None:
    times = [Fraction(0), Fraction(2**62)]
    with pytest.raises(InputError, match="time stamp"):
        ClipGrid.from_frame_times(times, times[-1] + 1, ClipSpec(seconds=Fraction(1)))
