"""What ``evaluate --json`` prints: the rows of the tables, and where the files are (``docs/json.md``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..evaluation.outcome import Row
from ..evaluation.report import Evaluation, SamplerRow
from ..evaluation.tables import card_facts, known, strategy_rows
from .contract import SCHEMA, Json


def evaluation_json(found: Evaluation, files: Sequence[Path] = ()) -> Json:
    """An evaluation as JSON.

    Args:
        found: What was found.
        files: What was written.

    Returns:
        A JSON-able object; what is not known is null, times in seconds, accuracies from 0 to 1.
    """
    rows = [
        {
            **columns,
            "metrics": {name: known(value) for name, value in row.metrics.items()},
            "seconds": row.seconds,
        }
        for columns, row in zip(strategy_rows(found), found.rows, strict=True)
    ]
    return {
        "schema": SCHEMA,
        "benchmark": found.benchmark,
        "split": found.split,
        "classifier": found.classifier,
        "metric": found.metric,
        "k": found.k,
        "videos": len(found.bench.cases),
        "groups": found.bench.groups,
        "rows": rows,
        "samplers": [_sampler(row) for row in found.samplers],
        "left_out": [{"path": str(video.path), "reason": video.reason} for video in found.left_out],
        "warnings": list(found.warnings),
        "files": [str(file) for file in files],
        "commit": found.commit,
    }


def _sampler(found: SamplerRow) -> Json:
    streams, architecture, objective, combination = card_facts(found)
    finding = found.finding
    return {
        "sampler": found.sampler,
        "part": found.part,
        "streams": streams,
        "architecture": architecture,
        "objective": objective,
        "combination": combination,
        **_accuracy(found.row),
        "auc": known(finding.auc),
        "auc_low": known(finding.auc_low),
        "auc_high": known(finding.auc_high),
        "hit_rate": known(finding.hit_rate),
        "span_videos": finding.videos,
    }


def _accuracy(row: Row) -> Json:
    return {
        "accuracy": known(row.accuracy),
        "accuracy_low": known(row.accuracy_low),
        "accuracy_high": known(row.accuracy_high),
    }
