"""Writes a corpus data set: gathers what comes of videos, and commits it part by part."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from ...corpus.rows import Outcome
from ...errors import InputError
from .job_file import check_free, settle_job
from .lock import FolderLock
from .parts import Part, committed_parts, drop_failed, make_folders, remove_leftovers, videos_in, write_part
from .rows import Gathered


class DatasetWriter:
    """The one writer of a data set; a context manager.

    A write that fails ends it: :meth:`close` then only lets the folder go, and what was not committed is done again
    by the next run, like after a kill. To be used by one thread of the process that opened it.

    Args:
        folder: The data set; a new or empty folder, or one that an earlier run of the same job left.
        facts: What decides the rows (:meth:`salientclips.corpus.job.Job.facts`).
        retry: Videos whose rows are dropped where they failed, so that they are done again; other failures stay.
        part_seconds: A part is committed this long after its first video was added, seconds; so much work a kill can
            cost, at most.
        part_clips: Or when it has this many clips, or videos.

    Raises:
        InputError: The folder is of another job, holds other things, is being written to by another process, or
            cannot be written to.
        StoredScoresError: A file of the data set is damaged; names it.
    """

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, Any],
        *,
        retry: Collection[str] = (),
        part_seconds: float = 30.0,
        part_clips: int = 200_000,
    ) -> None:
        self._part_seconds, self._part_clips = part_seconds, part_clips
        self._gathered, self._since = Gathered(), 0.0
        self._added: set[str] = set()
        self._is_over, self._process = False, os.getpid()
        check_free(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"'{folder}' cannot be made ({error.strerror})", "choose another place"
            ) from error
        self._lock = FolderLock(folder)
        try:
            check_free(folder)  # again: another process may have begun in between
            # What has no row yet is bound to no job: the first try may have ended at an option that was wrong.
            settle_job(folder, facts, is_bound=bool(committed_parts(folder)))
            make_folders(folder)
            remove_leftovers(folder)
            parts = committed_parts(folder)
            if retry:
                for part in parts:
                    drop_failed(part, retry)
            self.done = _videos_of(parts)
            """Videos that had a committed row when it was opened."""
        except OSError as error:
            self._lock.release()
            raise InputError(
                f"'{folder}' cannot be written to ({error.strerror})", "choose another folder"
            ) from error
        except BaseException:
            self._lock.release()
            raise
        self._next = Part(folder, parts[-1].number + 1 if parts else 1)

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, outcome: Outcome) -> bool:
        """Take what came of a video; it is on the disk after the next :meth:`flush`.

        Args:
            outcome: Its row and its clips.

        Returns:
            False, and nothing is taken, where the video has a row already.

        Raises:
            InputError: The outcome contradicts itself, or a part that was due cannot be written.
        """
        self._check_open()
        video = outcome.row.video
        if video in self.done or video in self._added:
            return False
        self._gathered.add(outcome)
        self._added.add(video)
        if self._gathered.num_videos == 1:
            self._since = monotonic()
        self.tick()
        return True

    def tick(self) -> None:
        """Commit the part if it is due; to be called now and then while nothing comes.

        Raises:
            InputError: It cannot be written.
        """
        most = max(self._gathered.num_clips, self._gathered.num_videos)
        waiting = self._gathered.num_videos > 0 and monotonic() - self._since >= self._part_seconds
        if waiting or most >= self._part_clips:
            self.flush()

    def flush(self) -> None:
        """Commit what was added.

        Raises:
            InputError: It cannot be written.
        """
        self._check_open()
        if not self._gathered.num_videos:
            return
        try:
            write_part(self._next, self._gathered.videos(), self._gathered.clips())
        except BaseException:
            # Whether the part exists now is for the next opening to see.
            self._is_over = True
            raise
        self._next = Part(self._next.folder, self._next.number + 1)
        self._gathered = Gathered()

    def close(self) -> None:
        """Commit what was added and let the folder go; a second time does nothing.

        Raises:
            InputError: It cannot be written.
        """
        try:
            # A forked worker that leaves the same block has a copy of what was added, and must not write it.
            if not self._is_over and os.getpid() == self._process:
                self.flush()
        finally:
            self._is_over = True
            self._lock.release()

    def _check_open(self) -> None:
        if self._is_over or os.getpid() != self._process:
            raise InputError(
                f"the writer of '{self._next.folder}' is closed, failed, or is another process's",
                "open it again",
            )


def _videos_of(parts: list[Part]) -> frozenset[str]:
    seen: set[str] = set()
    for part in parts:
        for video in videos_in(part):
            if video in seen:
                raise part.damaged(part.videos, f"'{video}' has a row already")
            seen.add(video)
    return frozenset(seen)
