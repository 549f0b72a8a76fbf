"""A corpus as a data set: partitioned Parquet, a row a video and a row a clip, written so that a kill loses nothing.

The folder::

    OUT/job.json                       what was asked; another job in the same folder is refused
    OUT/videos/part-00000001.parquet   a row a video, failed ones too
    OUT/clips/part-00000001.parquet    a row a clip of those videos
    OUT/.salientclips.lock             held by the one process that writes

Commit protocol. A part is a pair of files with one number. The file of clips is written first, the file of videos
last, each under a hidden name that no ``*.parquet`` matches, brought to the disk and then renamed. *The renaming of
the file of videos is the commit*: before it the part does not exist for anybody, after it all of it does. Committed
files of clips are never touched again. A writer that opens the folder removes what a killed one left behind (hidden
files, and clips without their videos), so a video is either done, with its row and all its clips, or has no trace.

What a data set does not do: merge its parts, or hold anything that differs from run to run (``Outcome.seconds``).
Several writers at once are refused; readers may read at any time. Columns: :mod:`.schema`; ``docs/corpus_output.md``.
"""

from __future__ import annotations

from .job_file import read_job
from .names import from_text, to_text
from .readers import CorpusPart, CorpusTables, canonical, iter_corpus, read_clips, read_corpus, read_videos
from .schema import SCHEMA
from .writer import DatasetWriter

__all__ = [
    "SCHEMA",
    "CorpusPart",
    "CorpusTables",
    "DatasetWriter",
    "canonical",
    "from_text",
    "iter_corpus",
    "read_clips",
    "read_corpus",
    "read_job",
    "read_videos",
    "to_text",
]
