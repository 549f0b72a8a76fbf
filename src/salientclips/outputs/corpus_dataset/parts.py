"""Parts: pairs of files with one number, of which that of the videos is the commit (see the package's docstring)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...errors import StoredScoresError, first_line
from ...whole_file import durable_file, sync_folder
from .names import from_text
from .schema import CLIPS, DICTIONARIES, VIDEOS

_NAME = re.compile(r"part-(\d{8}|[1-9]\d{8,})\.parquet")
_TABLES = ("videos", "clips")


@dataclass(frozen=True)
class Part:
    """One part of a data set, written or to be written."""

    folder: Path
    """The data set."""
    number: int
    """From 1."""

    @property
    def videos(self) -> Path:
        """The file that makes the part exist."""
        return self.folder / "videos" / f"part-{self.number:08d}.parquet"

    @property
    def clips(self) -> Path:
        """The file that is there before it."""
        return self.folder / "clips" / f"part-{self.number:08d}.parquet"

    def damaged(self, file: Path, reason: str) -> StoredScoresError:
        """The error that says so.

        Args:
            file: Which of the two.
            reason: What is wrong with it.

        Returns:
            An error whose remedy costs no more than the videos of this part.
        """
        return StoredScoresError(
            f"'{file}' is damaged ({reason})",
            f"delete '{self.videos}' and run again: its videos are then done again",
        )


def committed_parts(folder: Path) -> list[Part]:
    """All parts that exist.

    Args:
        folder: A data set.

    Returns:
        By number. Clips without videos are no part.
    """
    return [Part(folder, number) for number in sorted(_numbers(folder / "videos"))]


def make_folders(folder: Path) -> None:
    """Make the folders of the two tables, where they are not there.

    Args:
        folder: The data set.
    """
    for table in _TABLES:
        (folder / table).mkdir(exist_ok=True)
    sync_folder(folder)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed writer left: unfinished files, and clips of a part that never came to exist.

    Args:
        folder: The data set, locked.

    Raises:
        StoredScoresError: There is a Parquet file that no writer of ours made; readers would take it for a part.
    """
    for table in _TABLES:
        for foreign in sorted((folder / table).glob("*.parquet")):
            if not _NAME.fullmatch(foreign.name):
                raise StoredScoresError(
                    f"'{foreign}' is no part of the data set", "move it to another folder"
                )
    for table in _TABLES:
        for unfinished in (folder / table).glob(".part-*.partial"):
            unfinished.unlink()
    for number in _numbers(folder / "clips") - _numbers(folder / "videos"):
        Part(folder, number).clips.unlink()


def write_part(part: Part, videos: pa.Table, clips: pa.Table) -> None:
    """Write a part, so that it exists with all its rows or not at all.

    Args:
        part: A new one.
        videos: Its rows.
        clips: Theirs.

    Raises:
        InputError: It cannot be written.
    """
    _write(part.clips, clips, "clips")
    _write(part.videos, videos, "videos")


def videos_in(part: Part) -> Iterator[str]:
    """The videos of a part, with a look at whether it is sound: readable, of this schema, no clip missing.

    Reads two columns; nothing of the clips but their number.

    Args:
        part: A part that exists.

    Yields:
        Names.

    Raises:
        StoredScoresError: A file is damaged; names it.
    """
    said = 0
    for batch in _batches(part, ["video", "clip_rows"]):
        said += pc.sum(batch.column("clip_rows")).as_py() or 0
        yield from map(from_text, batch.column("video").to_pylist())
    with open_table(part, part.clips) as opened:
        there = opened.metadata.num_rows
    if there != said:
        raise part.damaged(part.clips, f"{there} clips, where the videos have {said}")


def drop_failed(part: Part, videos: Collection[str]) -> None:
    """Take the rows of failed videos out of a part; they have no clips, so its other file stays.

    Args:
        part: A part that exists, possibly with no row after it.
        videos: Which of them; the others stay.

    Raises:
        StoredScoresError: It is damaged.
        InputError: It cannot be written.
    """
    rows = read_table(part, part.videos, ["video", "status"]).to_pylist()
    dropped = [row["status"] == "failed" and from_text(row["video"]) in videos for row in rows]
    if any(dropped):
        kept = pa.array([not one for one in dropped])
        _write(part.videos, read_table(part, part.videos).filter(kept), "videos")


def read_table(part: Part, file: Path, columns: list[str] | None = None) -> pa.Table:
    """A file of a part.

    Args:
        part: A part that exists.
        file: One of its two files.
        columns: Which; None for all.

    Returns:
        Its rows.

    Raises:
        StoredScoresError: It is damaged.
    """
    try:
        with open_table(part, file) as opened:
            return opened.read(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise part.damaged(file, _reason(error)) from error


def open_table(part: Part, file: Path) -> pq.ParquetFile:
    """A file of a part, nothing read but its footer.

    Args:
        part: A part that exists.
        file: One of its two files.

    Returns:
        pyarrow's file.

    Raises:
        StoredScoresError: It is missing, no Parquet, or has other columns.
    """
    try:
        opened = pq.ParquetFile(file, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise part.damaged(file, _reason(error)) from error
    if not opened.schema_arrow.equals(VIDEOS if file == part.videos else CLIPS):
        raise part.damaged(file, "it has other columns")
    return opened


def _batches(part: Part, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        with open_table(part, part.videos) as opened:
            yield from opened.iter_batches(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise part.damaged(part.videos, _reason(error)) from error


def _numbers(folder: Path) -> set[int]:
    names = (path.name for path in folder.glob("part-*.parquet"))
    return {int(found[1]) for name in names if (found := _NAME.fullmatch(name))}


def _write(path: Path, table: pa.Table, kind: str) -> None:
    with durable_file(path) as file:
        pq.write_table(
            table, file, compression="zstd", use_dictionary=DICTIONARIES[kind], write_page_checksum=True
        )


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is missing"
    return first_line(error)
