"""A selection as a file to download: the formats that the page of ``view`` offers, in one list that can grow."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from ...types import Selection
from ..contract import selection_json

_COLUMNS = ("rank", "index", "start_s", "end_s", "score")


@dataclass(frozen=True)
class Download:
    """One format."""

    suffix: str
    """Of the file's name, with the dot."""
    mime: str
    make: Callable[[Selection], bytes]
    """The whole file."""


def _json(selection: Selection) -> bytes:
    return json.dumps(selection_json(selection), indent=1, allow_nan=False).encode("utf-8")


def _csv(selection: Selection) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(_rows(selection))
    return text.getvalue().encode("utf-8")


def _parquet(selection: Selection) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = (pa.int64(), pa.int64(), pa.float64(), pa.float64(), pa.float64())
    header = {key: value for key, value in selection_json(selection).items() if key != "clips"}
    schema = pa.schema(
        list(zip(_COLUMNS, kinds, strict=True)), metadata={"salientclips_selection": json.dumps(header)}
    )
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(_rows(selection), schema=schema), sink)
    return sink.getvalue()


def _rows(selection: Selection) -> list[dict[str, object]]:
    rows = []
    for clip in selection.clips:
        row = {**asdict(clip), "start_s": clip.start_s, "end_s": clip.end_s}
        rows.append({name: row[name] for name in _COLUMNS})
    return rows


DOWNLOADS: dict[str, Download] = {
    "json": Download(".json", "application/json", _json),
    "csv": Download(".csv", "text/csv; charset=utf-8", _csv),
    "parquet": Download(".parquet", "application/vnd.apache.parquet", _parquet),
}
"""All formats by the name that the page shows; the clips in rank order, times in seconds."""
