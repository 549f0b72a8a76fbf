"""Corpus runs in a process of their own that can be killed, and what must hold after it.

Helper of test_corpus_kills.py and of benchmarks/corpus_kills.py, not a test. A run's processes are found by a mark in
their environment, which all that it starts inherits: an orphan has no parent that would lead to it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.compute as pc

from salientclips.errors import StoredScoresError
from salientclips.outputs.corpus_dataset import CorpusTables, canonical

_MARK = "SALIENTCLIPS_RUN_TO_BE_KILLED"
_ENDS_WITHIN_S = {"local": 10.0, "ray": 90.0}
"""What a run may take to be gone. Ray's own agents wait a minute for an answer of their head before they see that it
is (RAY_gcs_server_request_timeout_seconds), if it was killed while they were starting."""


@dataclass
class Running:
    """``salientclips score FOLDER -o OUT`` at work."""

    folder: Path
    out: Path
    engine: str = "local"
    options: tuple[str, ...] = ()
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        words = ("score", self.folder, "-o", self.out, "--engine", self.engine, *self.options)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "salientclips", *map(str, words)],
            env={**os.environ, _MARK: self.mark},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def processes(self) -> list[psutil.Process]:
        """All that live of this run, its own process among them."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def end(self) -> int:
        """Let it finish by itself; its exit code."""
        return self.process.wait()

    def kill_at(self, moment_s: float) -> bool:
        """Kill its process, and no other, that long from now; False where it had ended by then."""
        try:
            self.process.wait(moment_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return True
        return False

    def orphans(self) -> list[str]:
        """What is left of it when it should be gone."""
        ends = time.monotonic() + _ENDS_WITHIN_S[self.engine]
        while (left := self.processes()) and time.monotonic() < ends:
            time.sleep(0.2)
        return [_called(process) for process in left]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and process.environ().get(_MARK) == self.mark
        except psutil.Error:
            return False


@dataclass
class Count:
    """What came of a number of kills."""

    kills: int = 0
    """Those that hit a run at work."""
    runs: int = 0
    data_sets: int = 0
    """Finished ones, each compared with the undisturbed one."""
    equal: int = 0
    survived: int = 0
    """Videos that had a committed row at the moment of a kill, all kills together."""
    orphans: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def kill_often(
    truth: CorpusTables,
    folder: Path,
    scratch: Path,
    kills: int,
    within_s: float,
    seed: int,
    engine: str = "local",
    options: tuple[str, ...] = (),
) -> Count:
    """Kill runs at random moments, going on in the same folder until one finishes; then begin another data set.

    Args:
        truth: The data set of an undisturbed run.
        folder: The videos.
        scratch: Where data sets are made.
        kills: How many have to hit.
        within_s: Length of an undisturbed run: kills are spread evenly over it.
        seed: Of the moments.
        engine: Who works.
        options: More options of ``score``.

    Returns:
        What was seen. After each kill the committed rows have been compared with the truth's; an ``AssertionError``
        says that they differ.
    """
    moments, count = random.Random(seed), Count()
    while count.kills < kills:
        out = scratch / f"{engine}-{count.data_sets}"
        finished = False
        while not finished:
            run = Running(folder, out, engine, options)
            count.runs += 1
            if count.kills < kills and run.kill_at(moments.uniform(0.0, within_s)):
                count.kills += 1
                count.survived += committed(out, truth)
            else:
                code = run.end()
                assert code in (0, 1), f"exit code {code}"
                finished = True
            count.orphans += run.orphans()
        count.data_sets += 1
        count.equal += equal(canonical(out), truth)
        count.leftovers += leftovers(out)
    return count


def equal(one: CorpusTables, other: CorpusTables) -> bool:
    """Whether two data sets are of the same job, and equal row for row."""
    return one.job == other.job and one.videos.equals(other.videos) and one.clips.equals(other.clips)


def committed(out: Path, truth: CorpusTables) -> int:
    """Videos that a killed run had committed, each with the true rows."""
    try:
        there = canonical(out)
    except StoredScoresError:
        assert not (out / "job.json").exists()
        return 0
    assert there.videos.equals(_of(truth.videos, there.videos)), f"wrong videos in {out}"
    assert there.clips.equals(_of(truth.clips, there.videos)), f"wrong clips in {out}"
    return len(there.videos)


def leftovers(out: Path) -> list[str]:
    """Files of a finished data set that do not belong there."""
    parts = {name: {path.name for path in (out / name).iterdir()} for name in ("videos", "clips")}
    rest = {path.name for path in out.iterdir()} - {"job.json", ".salientclips.lock", "videos", "clips"}
    hidden = {name for names in parts.values() for name in names if not name.startswith("part-")}
    return sorted(rest | hidden | (parts["videos"] ^ parts["clips"]))


def _of(rows: pa.Table, videos: pa.Table) -> pa.Table:
    return rows.filter(pc.is_in(rows["video"], value_set=videos["video"].combine_chunks())).combine_chunks()


def _called(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:120]}"
    except psutil.Error:
        return f"{process.pid}, which ended just now"
