"""The command ``vectors`` and its files: every vector is there, memory is flat, a failure leaves the old file."""

from __future__ import annotations

import csv
import itertools
import json
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("salientclips.compressed._native._core", reason="the native extension is not built")

from made_files import MadeFile
from salientclips import motion_vectors
from salientclips.cli.run import run
from salientclips.compressed.frame_vectors import FrameVectors
from salientclips.errors import FeatureUnavailableError
from salientclips.outputs import vector_files
from vector_encodes import encode_of


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``video("cavlc")`` is the encode of that name."""
    folder = tmp_path_factory.mktemp("vectors")
    return lambda name: encode_of(name, folder)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    def inner(*words: str | Path) -> tuple[int, Any]:
        code = run(["vectors", *map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return inner


def expected_rows(items: Iterator[FrameVectors]) -> list[tuple[Any, ...]]:
    rows = []
    for frame in items:
        for record, reference in zip(frame.vectors.tolist(), frame.reference_time_s.tolist(), strict=True):
            rows.append((frame.time_s, frame.frame_type, None if np.isnan(reference) else reference, *record))
    return rows


@pytest.mark.parametrize(("backend", "frames"), [("auto", "P"), ("decoded", "all")])
def test_parquet_holds_every_vector(
    backend: Any,
    frames: Any,
    tmp_path: Path,
    video: Callable[[str], Path],
    call: Callable[..., tuple[int, Any]],
) -> None:
    path, output = video("cabac B"), tmp_path / "v.parquet"
    code, summary = call(path, "-o", output, "--backend", backend, "--frames", frames)
    assert code == 0
    truth = expected_rows(motion_vectors(path, backend, frames))
    count = sum(1 for _ in motion_vectors(path, backend, frames))
    assert summary == {
        "schema": 1,
        "path": str(path),
        "backend": "bitstream" if backend == "auto" else "decoded",
        "frames": count,
        "vectors": len(truth),
        "output": str(output),
        "warnings": [],
    }
    table = pq.read_table(output)
    assert [tuple(row.values()) for row in table.to_pylist()] == truth
    assert str(table.schema.field("motion_x").type) == "int32"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v.parquet"]
    page = (Path(__file__).resolve().parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.split("## vectors")[1].split("\n## ")[0]
    assert all(name in section for name in {*table.column_names, *summary} - {"schema"})


def test_csv_holds_every_vector(
    tmp_path: Path, video: Callable[[str], Path], call: Callable[..., tuple[int, Any]]
) -> None:
    path, output = video("cavlc"), tmp_path / "v.csv"
    code, summary = call(path, "--output", output, "--sub-8x8")
    assert code == 0
    with output.open(newline="") as file:
        head, *rows = csv.reader(file)
    truth = expected_rows(motion_vectors(path, sub_8x8=True))
    assert head[:3] == ["time_s", "frame_type", "reference_time_s"]
    assert head[-1] == "motion_scale"
    assert summary["vectors"] == len(rows) == len(truth)
    numbers = [[r[1] if i == 1 else float(r[i]) for i in range(len(r))] for r in rows]
    assert numbers == [list(t) for t in truth]


def test_a_batch_is_a_row_group_and_no_more_is_held(
    tmp_path: Path, made: Callable[[str], MadeFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("h264_bframes_mp4").path
    sizes = [len(f.vectors) for f in motion_vectors(path)]
    monkeypatch.setattr(vector_files, "_BATCH_VECTORS", 3 * max(sizes))
    refs: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def watched() -> Iterator[FrameVectors]:
        for item in motion_vectors(path):
            refs.append(weakref.ref(item))
            alive.append(sum(r() is not None for r in refs))
            yield item

    counts = vector_files.save_vectors(watched(), tmp_path / "v.parquet")
    file = pq.ParquetFile(tmp_path / "v.parquet")
    assert file.metadata.num_row_groups > 3
    assert file.metadata.num_rows == counts.vectors == sum(sizes)
    most_in_batches = max(len(list(g)) for _, g in itertools.groupby(np.cumsum(sizes) // (3 * max(sizes))))
    assert max(alive) <= 2 * most_in_batches + 4 < len(sizes)


def test_a_failure_leaves_the_old_file(
    tmp_path: Path,
    made: Callable[[str], MadeFile],
    video: Callable[[str], Path],
    call: Callable[..., tuple[int, Any]],
) -> None:
    output = tmp_path / "v.parquet"
    output.write_bytes(b"old")
    code, printed = call(made("hevc_mp4").path, "-o", output)
    assert (code, printed["error"]["type"]) == (1, "FeatureUnavailableError")

    def fails() -> Iterator[FrameVectors]:
        yield from itertools.islice(motion_vectors(video("cavlc")), 2)
        raise FeatureUnavailableError("half way")

    with pytest.raises(FeatureUnavailableError, match="half way"):
        vector_files.save_vectors(fails(), output)
    assert output.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["v.parquet"]


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "v.txt"),
        ("-o", "/nowhere/v.csv"),
        ("-o", "v.csv", "--backend", "gpu"),
        ("-o", "v.csv", "--frames", "B"),
    ],
)
def test_impossible_options_are_errors(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    video: Callable[[str], Path],
    call: Callable[..., tuple[int, Any]],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, printed = call(video("cavlc"), *words)
    assert (code, bool(printed["error"]["message"])) == (1, True)
    assert list(tmp_path.iterdir()) == []
