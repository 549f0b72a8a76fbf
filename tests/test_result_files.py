"""Result files of ``benchmarks/strategies.py``: rows of another network or benchmark stay, one's own are replaced."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.result_files import add  # noqa: E402

from salientclips.evaluation.tables import write_csv  # noqa: E402


def evaluation(classifier: str, benchmark: str = "rendered") -> Any:
    return SimpleNamespace(benchmark=benchmark, split="test", classifier=classifier)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_network_replaces_its_own_rows_and_keeps_the_others(tmp_path: Path) -> None:
    table, new = tmp_path / "table.csv", tmp_path / "new.csv"
    for classifier, benchmark, auc in (
        ("r3d_18@1", "rendered", 0.5),
        ("mc3_18@2", "rendered", 0.6),
        ("r3d_18@1", "rendered, vp9", 0.7),
        ("r3d_18@3", "rendered", 0.8),  # other weights of the first
    ):
        write_csv(new, ("sampler", "auc"), [["motion", auc]])
        add(table, new, evaluation(classifier, benchmark))
    found = [(row["benchmark"], row["classifier"], row["sampler"], row["auc"]) for row in rows(table)]
    assert found == [
        ("rendered", "mc3_18@2", "motion", "0.6"),
        ("rendered, vp9", "r3d_18@1", "motion", "0.7"),
        ("rendered", "r3d_18@3", "motion", "0.8"),
    ]


def test_the_schema_of_result_files_stays(tmp_path: Path) -> None:
    heading = ("benchmark", "split", "classifier", "strategy", "k")
    write_csv(tmp_path / "new.csv", heading, [["rendered", "test", "r3d_18@1", "dense", None]])
    add(tmp_path / "table.csv", tmp_path / "new.csv", evaluation("r3d_18@1"))
    (row,) = rows(tmp_path / "table.csv")
    assert tuple(row) == heading
    assert row == {
        "benchmark": "rendered",
        "split": "test",
        "classifier": "r3d_18@1",
        "strategy": "dense",
        "k": "",
    }


def test_a_file_from_before_classifiers_were_named_is_replaced(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", ("sampler", "auc"), [["motion", 0.1], ["uniform", 0.5]])
    write_csv(tmp_path / "new.csv", ("sampler", "auc"), [["motion", 0.2]])
    add(tmp_path / "table.csv", tmp_path / "new.csv", evaluation("i3d_rgb@1", "composed"))
    assert [(row["classifier"], row["auc"]) for row in rows(tmp_path / "table.csv")] == [("i3d_rgb@1", "0.2")]
