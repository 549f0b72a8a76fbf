"""The tables as CSV files, each with one meaning and a fixed heading.

``strategies.csv`` has the columns that every result file of this project has (``benchmarks/results``); the others
hold what stands behind it. Numbers have six significant digits; an empty cell means "not known" or "does not apply"
(no interval with one group of videos, no K for dense).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from math import isnan
from pathlib import Path

from ..whole_file import write_text
from .case import PARTS
from .outcome import Row
from .report import Evaluation, SamplerRow

STRATEGY_COLUMNS = (
    "benchmark",
    "split",
    "classifier",
    "strategy",
    "sampler",
    "k",
    "videos",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "seconds_per_video",
    "gflops_per_video",
    "commit",
)
"""The schema of every result file."""

Cell = str | int | float | None


def strategy_rows(evaluation: Evaluation, rows: Iterable[Row] | None = None) -> list[dict[str, Cell]]:
    """The rows of ``strategies.csv``.

    Args:
        evaluation: What was found.
        rows: Which rows; by default all.

    Returns:
        One dictionary a row, its keys ``STRATEGY_COLUMNS``; NaN became None.
    """
    return [
        {
            "benchmark": evaluation.benchmark,
            "split": evaluation.split,
            "classifier": evaluation.classifier,
            "strategy": row.strategy.name,
            "sampler": row.strategy.sampler,
            "k": row.k,
            "videos": row.videos,
            "accuracy": known(row.accuracy),
            "accuracy_low": known(row.accuracy_low),
            "accuracy_high": known(row.accuracy_high),
            "seconds_per_video": known(row.seconds_per_video),
            "gflops_per_video": row.gflops,
            "commit": evaluation.commit,
        }
        for row in (evaluation.rows if rows is None else rows)
    ]


def write_tables(evaluation: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write all tables.

    Args:
        evaluation: What was found.
        folder: Where; made where it is missing. Files of these names are replaced.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, tuple[Sequence[str], list[list[Cell]]]] = {
        "strategies": (STRATEGY_COLUMNS, [list(row.values()) for row in strategy_rows(evaluation)]),
        "metrics": (("strategy", "sampler", "k", "metric", "value"), _metrics(evaluation)),
        "seconds": (
            ("strategy", "sampler", "k", *(f"{part}_s" for part in PARTS), "total_s"),
            _seconds(evaluation),
        ),
        "samplers": (_SAMPLER_COLUMNS, [_sampler(row) for row in evaluation.samplers]),
        "videos": (
            ("path", "label", "group", "strategy", "sampler", "k", "correct", "predicted", "clips"),
            _videos(evaluation),
        ),
        "left_out": (("path", "reason"), [[str(video.path), video.reason] for video in evaluation.left_out]),
    }
    return tuple(write_csv(folder / f"{name}.csv", heading, rows) for name, (heading, rows) in tables.items())


def write_csv(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Path:
    """Write one table, whole or not at all.

    Args:
        path: The file.
        heading: Names of the columns.
        rows: Cells in their order.

    Returns:
        The file.

    Raises:
        InputError: It cannot be written there.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_text(path, text.getvalue())
    return path


def _cell(value: Cell) -> str | int:
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def known(value: float) -> float | None:
    """A number for a table.

    Args:
        value: It; NaN where it is not known or does not apply.

    Returns:
        The number, or None for an empty cell.
    """
    return None if isnan(value) else float(value)


def _metrics(evaluation: Evaluation) -> list[list[Cell]]:
    return [
        [row.strategy.name, row.strategy.sampler, row.k, name, value]
        for row in evaluation.rows
        for name, value in row.metrics.items()
    ]


def _seconds(evaluation: Evaluation) -> list[list[Cell]]:
    return [
        [
            row.strategy.name,
            row.strategy.sampler,
            row.k,
            *(row.seconds[part] for part in PARTS),
            row.seconds_per_video,
        ]
        for row in evaluation.rows
    ]


_SAMPLER_COLUMNS = (
    "sampler",
    "part",
    "streams",
    "architecture",
    "objective",
    "combination",
    "k",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "auc",
    "auc_low",
    "auc_high",
    "hit_rate",
    "span_videos",
    "seconds_per_video",
    "gflops_per_video",
)


def _sampler(found: SamplerRow) -> list[Cell]:
    row, finding = found.row, found.finding
    # What a part alone would cost was not measured.
    cost: list[Cell] = [None, None] if found.part else [row.seconds_per_video, row.gflops]
    finds: list[Cell] = [finding.auc, finding.auc_low, finding.auc_high, finding.hit_rate, finding.videos]
    return [
        found.sampler,
        found.part,
        *card_facts(found),
        row.k,
        row.accuracy,
        row.accuracy_low,
        row.accuracy_high,
        *finds,
        *cost,
    ]


def card_facts(found: SamplerRow) -> tuple[str, str, str, str]:
    """Streams, architectures, objectives and combination of a sampler or its part.

    Args:
        found: The row.

    Returns:
        Four texts, several values joined by ``+``; empty for a sampler without a card.
    """
    if found.card is None:
        return "", "", "", ""
    streams = [s for s in found.card.streams if _belongs(s.stream, found.part)]
    combination: str = found.card.combination or ""
    if found.part:
        combination = found.part if found.part.startswith("av-") else ""
    return (
        "+".join(s.stream for s in streams),
        "+".join(dict.fromkeys(s.architecture for s in streams)),
        "+".join(dict.fromkeys(s.objective for s in streams)),
        combination,
    )


def _belongs(stream: str, part: str) -> bool:
    """Whether a stream has a say in a part of a sampler."""
    return part == stream or part == "" or part.startswith("av-") or (part == "visual" and stream != "audio")


def _videos(evaluation: Evaluation) -> list[list[Cell]]:
    return [
        [
            str(case.entry.path),
            "|".join(case.entry.labels),
            case.entry.group,
            outcome.row.strategy.name,
            outcome.row.strategy.sampler,
            outcome.row.k,
            choice.correct,
            choice.label,
            " ".join(map(str, choice.clips[0])),
        ]
        for outcome in evaluation.at_k()
        for case, choice in zip(evaluation.bench.cases, outcome.choices, strict=True)
    ]
