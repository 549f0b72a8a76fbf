"""Motion vectors as a table in a file, Parquet or CSV, written while they are read.

A row is a vector. Vectors are gathered over as many frames as make a batch; in Parquet each batch is a row group, so
memory does not grow with the video. The file appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..compressed.frame_vectors import FrameVectors
from ..destinations import check_place
from ..errors import InputError
from ..media.vectors import VECTOR_DTYPE
from ..whole_file import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_VECTORS = 1 << 17
"""Vectors from which a batch is written: about 10 MB of columns."""

_FORMATS = (".parquet", ".csv")


@dataclass
class VectorCounts:
    """What went into a file."""

    frames: int = 0
    """Frames that came, those without vectors too."""
    vectors: int = 0
    """Rows written."""
    backends: set[str] = field(default_factory=set)
    """Who read them."""


def check_vector_file(path: Path) -> None:
    """Find out before long work whether vectors can be written to a place.

    Args:
        path: Where vectors are to go.

    Raises:
        InputError: The suffix is unknown, the folder is not there, or it may not be written to.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"'{path}' is no table of vectors by its name", "let it end in .parquet or .csv")
    check_place(path)


def save_vectors(items: Iterable[FrameVectors], path: str | Path) -> VectorCounts:
    """Write vectors to a file whose suffix says the format, as they come.

    Columns: ``time_s`` float64, when the frame is shown, seconds; ``frame_type`` ``P`` or ``B``; ``reference_time_s``
    float64, when the picture that the vector points to is shown, null where unknown; then the fields of
    FFmpeg's AVMotionVector in their own types, pixels before rotation. Frames without vectors have no row.

    Args:
        items: Frames, in the order in which their rows are to be.
        path: Ends in ``.parquet`` or ``.csv``; an existing file is replaced, once the new one is whole.

    Returns:
        What was written.

    Raises:
        InputError: The suffix is another one, or the file cannot be written.
    """
    path = Path(path)
    check_vector_file(path)
    counts = VectorCounts()
    with (
        whole_file(path) as beside,
        beside.open("wb") as file,
        _writer(file, path.suffix.lower()) as writer,
    ):
        for batch in _batches(items, counts):
            writer.write_table(_table(batch))
    return counts


def _batches(items: Iterable[FrameVectors], counts: VectorCounts) -> Iterator[list[FrameVectors]]:
    batch: list[FrameVectors] = []
    waiting = 0
    for item in items:
        counts.frames += 1
        counts.vectors += len(item.vectors)
        counts.backends.add(item.backend)
        batch.append(item)
        waiting += len(item.vectors)
        if waiting >= _BATCH_VECTORS:
            yield batch
            batch, waiting = [], 0
    if waiting:
        yield batch


def _schema() -> pa.Schema:
    import pyarrow as pa

    assert VECTOR_DTYPE.names is not None
    columns = [("time_s", pa.float64()), ("frame_type", pa.string()), ("reference_time_s", pa.float64())]
    columns += [(name, pa.from_numpy_dtype(VECTOR_DTYPE[name])) for name in VECTOR_DTYPE.names]
    return pa.schema(columns)


def _writer(file: BinaryIO, suffix: str) -> Any:
    # An open file, for pyarrow refuses names of stray bytes.
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, _schema(), compression="zstd")
    from pyarrow import csv

    return csv.CSVWriter(file, _schema(), write_options=csv.WriteOptions(quoting_style="none"))


def _table(batch: list[FrameVectors]) -> pa.Table:
    import pyarrow as pa

    counts = [len(item.vectors) for item in batch]
    vectors = np.concatenate([item.vectors for item in batch])
    columns = [
        pa.array(np.repeat([item.time_s for item in batch], counts)),
        pa.array(np.repeat([item.frame_type for item in batch], counts).tolist(), pa.string()),
        # from_pandas makes NaN null.
        pa.array(np.concatenate([item.reference_time_s for item in batch]), from_pandas=True),
    ]
    assert VECTOR_DTYPE.names is not None
    columns += [pa.array(np.ascontiguousarray(vectors[name])) for name in VECTOR_DTYPE.names]
    return pa.Table.from_arrays(columns, schema=_schema())
