"""Manifests of a corpus: CSV or Parquet with the columns that :mod:`salientclips.datasets.manifest` describes.

Beyond what ``fit`` and ``evaluate`` take, ``path`` may be a URL or ``tar://MEMBER::SHARD``. In Parquet ``label`` may
be a list of texts and ``spans`` a list of structures ``start_s``, ``end_s``. A row is an item whether its video is
there or not, so a video that has gone is told of later instead of being lost here.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..datasets.rows import COLUMNS, Row, check_path, labels_in, read_csv_rows, spans_in, split_named
from ..errors import InputError
from ..timeline import exact_seconds
from .item import Item
from .names import beside

_BATCH_ROWS = 4096


def table_items(path: Path, name: str, folder: str) -> Iterator[Item]:
    """List the videos of a manifest.

    Args:
        path: The file; it is there.
        name: What it is called in messages; its ending says which kind it is.
        folder: What relative paths in it are counted from: a path or a URL.

    Yields:
        One item a row, in order of the file.

    Raises:
        InputError: It is no such table, or a row makes no sense; the message names the row.
    """
    rows = read_csv_rows(path, name) if path.suffix.lower() == ".csv" else _parquet_rows(path, name)
    for _, row in rows:
        yield Item(beside(row.path, folder), row.labels, row.group, row.split, row.spans)


def _parquet_rows(path: Path, name: str) -> Iterator[tuple[str, Row]]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            columns = [column for column in COLUMNS if column in file.schema_arrow.names]
            if "path" not in columns:
                raise InputError(f"'{name}' has no column 'path'", f"name the columns {', '.join(COLUMNS)}")
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                for cells in batch.to_pylist():
                    number += 1
                    where = f"'{name}', row {number}"
                    yield where, _row(cells, where)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"'{name}' cannot be read as Parquet ({reason})", "write the file again") from error


def _row(cells: dict[str, Any], where: str) -> Row:
    path = _text(cells, "path", where)
    check_path(path, where)
    split = split_named(_text(cells, "split", where), where)
    return Row(path, _labels(cells, where), _text(cells, "group", where), split, _spans(cells, where))


def _text(cells: dict[str, Any], column: str, where: str) -> str:
    value = cells.get(column)
    if value is not None and not isinstance(value, str | int):
        raise InputError(f"{where}: {column} is no text", "write it as a column of strings")
    return "" if value is None else str(value).strip()


def _labels(cells: dict[str, Any], where: str) -> tuple[str, ...]:
    value = cells.get("label")
    if not isinstance(value, list):
        return labels_in(_text(cells, "label", where))
    texts = [_text({"label": label}, "label", where) for label in value]
    return tuple(dict.fromkeys(text for text in texts if text))


def _spans(cells: dict[str, Any], where: str) -> tuple[tuple[Fraction, Fraction], ...]:
    value = cells.get("spans")
    if not isinstance(value, list):
        return spans_in(_text(cells, "spans", where), where)
    try:
        spans = [(_seconds(span["start_s"]), _seconds(span["end_s"])) for span in value]
    except (KeyError, TypeError, ValueError) as error:
        remedy = "write structures of start_s and end_s, seconds"
        raise InputError(f"{where}: the spans cannot be read", remedy) from error
    for start, end in spans:
        if end <= start:
            raise InputError(f"{where}: the span {start}-{end} ends before it starts", "swap the two")
    return tuple(sorted(spans))


def _seconds(value: float | int | Decimal) -> Fraction:
    # As it would be written: 0.1 is a tenth, as it is in CSV.
    return exact_seconds(repr(value) if isinstance(value, float) else str(value))
