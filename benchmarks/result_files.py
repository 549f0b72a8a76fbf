"""``results/SET-strategies.csv`` and what stands beside it: one schema, and the rows of other classifiers stay."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.accuracy_figure import draw
from rich.console import Console
from rich.table import Table

from salientclips.datasets.spans import salient_clips
from salientclips.evaluation.metrics import area_under_roc
from salientclips.evaluation.report import Evaluation
from salientclips.evaluation.tables import write_csv, write_tables


def write(found: Evaluation, out: Path, stem: str) -> None:
    """The result files of a set.

    Args:
        found: The evaluation.
        out: Their folder.
        stem: First part of their names.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        tables = {path.stem: path for path in write_tables(found, Path(scratch))}
        tables["quartiles"] = write_csv(
            Path(scratch) / "quartiles.csv",
            ("strategy", "sampler", "k", "quartile", "videos", "accuracy"),
            quartiles(found),
        )
        for name in ("strategies", "samplers", "quartiles"):
            add(out / f"{stem}-{name}.csv", tables[name], found)
    draw(out / f"{stem}-strategies.csv", out / f"{stem}-accuracy_over_k.svg")
    for row in found.rows:
        if row.k in (None, 1, 5, 10, 20):
            interval = f"[{row.accuracy_low:.3f}, {row.accuracy_high:.3f}]"
            print(f"{row.strategy.title:24} {row.k or '':>4} {row.accuracy:.3f} {interval}")
    # Wider than any terminal: in eighty columns, as in a log, every number would be cut to a digit.
    Console(width=400, markup=False).print(shown(out / f"{stem}-samplers.csv"))
    print(*found.warnings[:5], sep="\n")


def add(table: Path, new: Path, found: Evaluation) -> None:
    """Put the rows of an evaluation into a result file; those of other networks f, or other benchmarks, stay.

    Args:
        table: The result file. It names the benchmark and f in each row, whether or not the new table does.
        new: The table of the evaluation.
        found: The evaluation.
    """

    def of(row: dict[str, str]) -> tuple[str, str]:
        # Without the hash of the weights; a file from before it named them is all of one evaluation.
        return row.get("benchmark", found.benchmark), row.get("classifier", found.classifier).split("@")[0]

    named = {"benchmark": found.benchmark, "split": found.split, "classifier": found.classifier}
    with new.open(newline="", encoding="utf-8") as file:
        rows = [named | row for row in csv.DictReader(file)]
    kept: list[dict[str, str]] = []
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if of(row) != of(named)]
    heading = list(rows[0])
    write_csv(table, heading, [[row.get(name, "") for name in heading] for row in (*kept, *rows)])


def quartiles(found: Evaluation) -> list[list[str | int | float]]:
    """Accuracy at the tables' K within quarters of the videos, by how well ``motion`` alone finds their spans.

    Args:
        found: The evaluation; ``motion`` is among its samplers.

    Returns:
        Rows: strategy, sampler, K, quartile (1: motion misleads most), videos, accuracy.
    """
    areas = np.full(len(found.bench.cases), np.nan)
    for row, case in enumerate(found.bench.cases):
        if case.entry.spans:
            scores = case.judgements["motion"].scores
            areas[row] = area_under_roc(scores.scores, salient_clips(scores.grid, case.entry.spans))
    known = np.flatnonzero(~np.isnan(areas))
    quarters = np.array_split(known[np.argsort(areas[known], kind="stable")], 4)
    rows: list[list[str | int | float]] = []
    for outcome in found.at_k():
        right = np.array([choice.correct for choice in outcome.choices], dtype=np.float64)
        for number, quarter in enumerate(quarters, start=1):
            strategy = outcome.row.strategy
            share = float(right[quarter].mean())
            rows.append([strategy.name, strategy.sampler, outcome.row.k or "", number, len(quarter), share])
    return rows


def shown(path: Path) -> Table:
    """A small CSV file for a terminal.

    Args:
        path: The file.

    Returns:
        Its lines, in columns.
    """
    with path.open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    table = Table(*heading, box=None)
    for row in rows:
        table.add_row(*row)
    return table
