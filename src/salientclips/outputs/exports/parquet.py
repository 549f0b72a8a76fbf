"""Parquet: a row a clip in rank order, boundaries as integer ticks, the rest in the schema's metadata."""

from __future__ import annotations

import json
from pathlib import Path

from ...whole_file import whole_file
from ..ticks import TICKS, for_parquet
from .json_file import with_ticks
from .source import Source


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a selection as a Parquet table.

    Columns: rank, index (int64), start_s, end_s, score (float64), start_ticks, end_ticks (int64; text where
    they go beyond 64 bits). The metadata key
    ``salientclips`` holds JSON with the other keys of ``select --json``, and ``ticks_per_second``.

    Args:
        source: The clips.
        path: Where to.

    Returns:
        Nothing to note.

    Raises:
        InputError: It cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    header = with_ticks(source.selection)
    rows, ticks = for_parquet(header.pop("clips"))
    kinds = {"rank": pa.int64(), "index": pa.int64(), **dict.fromkeys(TICKS, ticks)}
    names = ("rank", "index", "start_s", "end_s", "score", *TICKS)
    columns = [(name, kinds.get(name, pa.float64())) for name in names]
    schema = pa.schema(columns, metadata={"salientclips": json.dumps(header)})
    # An open file, for pyarrow refuses names of stray bytes.
    with whole_file(path) as beside, beside.open("wb") as file:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return ()
