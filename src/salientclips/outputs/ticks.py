"""Exact times in files: whole ticks of one time base that all times of a file have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from .contract import Json

if TYPE_CHECKING:
    import pyarrow as pa

TICKS = ("start_ticks", "end_ticks")
"""The keys, and columns, that hold them."""


def common_base(times: Iterable[Fraction]) -> int:
    """The coarsest time base in which all times are whole.

    Args:
        times: Seconds.

    Returns:
        Ticks a second, at least 1.
    """
    return lcm(*(time.denominator for time in times), 1)


def for_parquet(rows: Sequence[Json]) -> tuple[Sequence[Json], pa.DataType]:
    """The rows with ticks that a Parquet column can hold, and the type of that column.

    Args:
        rows: Clips with the keys ``TICKS``.

    Returns:
        The rows as they are and int64; or, for a grid of unrelated fractions whose ticks go beyond 64 bits, rows
        with them as text and string.
    """
    import pyarrow as pa

    if max((abs(row[key]) for row in rows for key in TICKS), default=0) < 2**63:
        return rows, pa.int64()
    return [{**row, **{key: str(row[key]) for key in TICKS}} for row in rows], pa.string()
