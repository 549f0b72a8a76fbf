"""What ``evaluate`` prints for a person: the poster's main table, accuracy over K, and samplers compared."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from rich.table import Table

from ..evaluation.case import PARTS
from ..evaluation.outcome import Row
from ..evaluation.report import Evaluation
from ..evaluation.tables import card_facts
from .console import OUT, warn
from .plain import escape

_KS_SHOWN = (1, 2, 3, 5, 8, 10, 15, 20)
_LEFT_OUT_SHOWN = 5


def show_evaluation(found: Evaluation, files: Sequence[Path]) -> None:
    """Print an evaluation.

    Args:
        found: What was found.
        files: What was written; none where nothing was.
    """
    cases = found.bench.cases
    OUT.print(
        f"[bold]{escape(found.benchmark)}[/bold] ({found.split}): {len(cases)} videos, "
        f"{found.bench.groups} groups, {escape(found.classifier)}",
        soft_wrap=True,
    )
    OUT.print(_strategies(found))
    OUT.print(_seconds(found))
    OUT.print(_over_k(found))
    if any(row.part or row.finding.videos for row in found.samplers):
        OUT.print(_samplers(found))
    OUT.print(
        "Intervals: 95 %, bootstrap over groups of videos. Seconds: means, as measured on this machine."
    )
    if any(row.finding.videos for row in found.samplers):
        OUT.print(
            "AUC: salient clips above others of their video. Hits: share of the K clips that are salient."
        )
    _show_files(files)
    warn(found.warnings[:10])
    if len(found.warnings) > 10:
        warn([f"... and {len(found.warnings) - 10} more; --json gives all"])
    if found.left_out:
        first = found.left_out[:_LEFT_OUT_SHOWN]
        shown = [v.reason if str(v.path) in v.reason else f"'{v.path}': {v.reason}" for v in first]
        more = len(found.left_out) - len(shown)
        warn([f"{len(found.left_out)} videos left out", *shown, *([f"... and {more} more"] if more else [])])


def _strategies(found: Evaluation) -> Table:
    table = _table(f"{found.metric} at K = {found.k}", "strategy")
    for heading in ("%", "95 % interval", "s / video", "GFLOPs / video"):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome in found.at_k():
        row = outcome.row
        cost = "" if row.gflops is None else f"{row.gflops:,.0f}" if row.gflops >= 10 else f"{row.gflops:.2g}"
        cells = (f"{100 * row.accuracy:.1f}", _interval(row), f"{row.seconds_per_video:.2f}", cost)
        table.add_row(escape(row.strategy.title), *cells)
    return table


def _seconds(found: Evaluation) -> Table:
    table = _table(f"seconds a video at K = {found.k}", "strategy")
    for heading in (*PARTS, "total"):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome in found.at_k():
        row = outcome.row
        parts = [f"{row.seconds[part]:.2f}" for part in PARTS]
        table.add_row(escape(row.strategy.title), *parts, f"{row.seconds_per_video:.2f}")
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, overflow="fold")
    return table


def _over_k(found: Evaluation) -> Table:
    ks = sorted({row.k for row in found.rows if row.k is not None})
    shown = [k for k in ks if k in _KS_SHOWN] or ks[:8]
    table = _table(f"{found.metric} in % over K", "strategy")
    for k in shown:
        table.add_column(str(k), justify="right")
    for strategy in dict.fromkeys(row.strategy for row in found.rows if row.k is not None):
        at = {row.k: row for row in found.rows if row.strategy == strategy}
        table.add_row(escape(strategy.title), *(f"{100 * at[k].accuracy:.1f}" for k in shown))
    return table


def _samplers(found: Evaluation) -> Table:
    table = _table(f"samplers and their parts at K = {found.k}", "sampler")
    has_cards = any(row.card is not None for row in found.samplers)
    for heading in ("streams", "network", "objective") if has_cards else ():
        table.add_column(heading, overflow="fold")
    for heading in ("%", "95 %", "AUC", "hits %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found.samplers:
        facts = card_facts(row)[:3] if has_cards else ()
        name = f"  {row.part}" if row.part else row.sampler
        known = row.finding.videos > 0
        auc, hits = (f"{row.finding.auc:.3f}", f"{100 * row.finding.hit_rate:.0f}") if known else ("", "")
        accuracy = f"{100 * row.row.accuracy:.1f}"
        table.add_row(escape(name), *facts, accuracy, _interval(row.row), auc, hits)
    return table


def _interval(row: Row) -> str:
    if isnan(row.accuracy_low):
        return ""
    return f"{100 * row.accuracy_low:.1f}-{100 * row.accuracy_high:.1f}"


def _show_files(files: Sequence[Path]) -> None:
    if files:
        names = ", ".join(file.name for file in files)
        OUT.print(f"Written to {files[0].parent}: {names}", markup=False, soft_wrap=True)
