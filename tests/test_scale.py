"""What docs/scale.md says is what the model gives, from parts that were measured."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
USUAL = argparse.Namespace(gpu_tflops=20.0, core_hour=0.04, gpu_hour=2.0, read_gbps=10.0)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks import scale
    finally:
        sys.path.remove(str(ROOT))
    return [{key: str(value) for key, value in row.items()} for row in scale.rows(USUAL)]


def test_the_table_is_that_of_the_measured_parts(rows: list[dict[str, str]]) -> None:
    with (ROOT / "benchmarks" / "results" / "scale.csv").open() as file:
        assert list(csv.DictReader(file)) == rows


def test_the_page_says_what_the_table_says(rows: list[dict[str, str]]) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    parts = {}
    for line in page.splitlines():
        found = re.match(
            r"\| (240p|720p) `(?:classify --strategy )?(select|classify|dense)`.*?\|(.*)\|", line
        )
        if found:
            parts[f"h264_{found[1]}", found[2]] = [float(cell) for cell in found[3].split("|")]
    assert len(parts) == 6
    for row in rows:
        said = parts[row["format"], row["way"]]
        names = ("gigabytes_per_hour", "core_s_per_hour", "gpu_s_per_hour", "price_per_1000_hours")
        for one, name in zip(said, names, strict=True):
            assert one == pytest.approx(float(row[name]), rel=0.05, abs=0.006)


def test_a_faster_gpu_and_dearer_cores_count() -> None:
    sys.path.insert(0, str(ROOT))
    from benchmarks import scale

    sys.path.remove(str(ROOT))
    usual = {(row["format"], row["way"]): row for row in scale.rows(USUAL)}
    other = argparse.Namespace(gpu_tflops=40.0, core_hour=0.08, gpu_hour=2.0, read_gbps=10.0)
    for row in scale.rows(other):
        before = usual[row["format"], row["way"]]
        assert float(str(row["gpu_s_per_hour"])) == pytest.approx(
            float(str(before["gpu_s_per_hour"])) / 2, abs=1e-3
        )
        assert float(str(row["price_per_1000_hours"])) > float(str(before["price_per_1000_hours"]))
