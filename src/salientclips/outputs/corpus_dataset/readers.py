"""Reads a corpus data set: only what is committed, also while a run goes on or after it was killed.

The data set is this project's own (docs/corpus_output.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from .job_file import read_job
from .parts import committed_parts, read_table
from .schema import CLIPS, VIDEOS


@dataclass(frozen=True)
class CorpusPart:
    """Rows of one part."""

    videos: pa.Table
    """A row a video."""
    clips: pa.Table
    """A row a clip of these videos; those of one are contiguous, and in the order of the videos."""


@dataclass(frozen=True)
class CorpusTables:
    """A whole data set."""

    job: dict[str, Any]
    """What it is of (:func:`read_job`)."""
    videos: pa.Table
    """A row a video."""
    clips: pa.Table
    """A row a clip of these videos."""


def iter_corpus(
    folder: str | Path, *, videos: Sequence[str] | None = None, clips: Sequence[str] | None = None
) -> Iterator[CorpusPart]:
    """Read a data set that is larger than memory, part by part.

    Args:
        folder: The data set.
        videos: Columns of the videos; None for all.
        clips: Columns of the clips; None for all.

    Yields:
        The parts that were committed at the first step, each with all its rows.

    Raises:
        StoredScoresError: There is no data set, or a file of it is damaged.
    """
    read_job(folder)
    for part in committed_parts(Path(folder)):
        yield CorpusPart(
            read_table(part, part.videos, None if videos is None else list(videos)),
            read_table(part, part.clips, None if clips is None else list(clips)),
        )


def read_corpus(folder: str | Path) -> CorpusTables:
    """Read a data set whole: videos and clips of one moment.

    Args:
        folder: The data set.

    Returns:
        Both tables, in the order in which they were written; clips are those of the videos, no more and no fewer.

    Raises:
        StoredScoresError: There is no data set, or a file of it is damaged.

    Example:
        >>> from salientclips import read_corpus, run_corpus
        >>> _ = run_corpus("videos/", "corpus")
        >>> tables = read_corpus("corpus")
        >>> tables.videos.num_rows, tables.clips.num_rows
        (2, 16)
    """
    job = read_job(folder)
    parts = list(iter_corpus(folder))
    return CorpusTables(
        job,
        _joined([part.videos for part in parts], VIDEOS),
        _joined([part.clips for part in parts], CLIPS),
    )


def read_videos(folder: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows of the videos.

    Args:
        folder: The data set.
        columns: Which; None for all.

    Returns:
        A row a video, failed ones too.

    Raises:
        StoredScoresError: There is no data set, or a file of it is damaged.

    Example:
        >>> from salientclips import read_videos, run_corpus
        >>> _ = run_corpus("videos/", "corpus")
        >>> read_videos("corpus", ["status", "num_clips"]).to_pylist()
        [{'status': 'ok', 'num_clips': 8}, {'status': 'ok', 'num_clips': 8}]
    """
    return _read(folder, "videos", columns)


def read_clips(folder: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows of the clips.

    Args:
        folder: The data set.
        columns: Which; None for all.

    Returns:
        A row a clip, of committed videos only.

    Raises:
        StoredScoresError: There is no data set, or a file of it is damaged.

    Example:
        >>> from salientclips import read_clips, run_corpus
        >>> _ = run_corpus("videos/", "corpus")
        >>> read_clips("corpus", ["video", "start_s", "score"]).num_rows
        16
    """
    return _read(folder, "clips", columns)


def canonical(folder: str | Path) -> CorpusTables:
    """Read a data set in an order that does not depend on how it came about.

    Args:
        folder: The data set.

    Returns:
        Videos by name, clips by video, rank and index. Data sets of the same job over the same videos have equal
        tables (``a.clips.equals(b.clips)``), made at once or in many attempts, by whatever engine.

    Raises:
        StoredScoresError: There is no data set, or a file of it is damaged.
    """
    tables = read_corpus(folder)
    keys = [(name, "ascending") for name in ("video", "rank", "index")]
    return CorpusTables(tables.job, tables.videos.sort_by(keys[:1]), tables.clips.sort_by(keys))


def _read(folder: str | Path, kind: str, columns: Sequence[str] | None) -> pa.Table:
    read_job(folder)
    names = None if columns is None else list(columns)
    whole = VIDEOS if kind == "videos" else CLIPS
    schema = whole if names is None else pa.schema([whole.field(name) for name in names])
    tables = [
        read_table(part, part.videos if kind == "videos" else part.clips, names)
        for part in committed_parts(Path(folder))
    ]
    return _joined([table.select(schema.names) for table in tables], schema)


def _joined(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()
