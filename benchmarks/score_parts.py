"""The parts of a score, each to be timed by itself, for features.py.

The parts run on packets that lie in memory, one after the other and with nothing between them. In a score they take
turns, and each finds the processor's caches full of the others' work: that loss is in no part, but in the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from salientclips.compressed._native import _core
from salientclips.compressed.camera import remove_camera_motion
from salientclips.compressed.choose import frames_to_read
from salientclips.compressed.features import ycbcr_to_rgb
from salientclips.media.container import open_container
from salientclips.media.demux import clip_grid
from salientclips.media.payloads import StreamFacts, read_facts, read_payloads
from salientclips.media.references import find_references
from salientclips.timeline import ClipSpec
from salientclips.types import PacketTable

_IN_BATCH = 512


@dataclass
class Job:
    """One thing to be timed; ``run`` returns the vectors that it found, or None where it has none."""

    what: str
    run: Callable[[], int | None]
    repeat: int
    num_bytes: int
    """Compressed bytes that it goes through; 0 where that says nothing."""


@dataclass
class Parts:
    """The parts of the scoring of one video."""

    path: Path
    facts: StreamFacts
    table: PacketTable
    packets: list[memoryview]
    frames_per_clip: int

    @cached_property
    def wanted(self) -> npt.NDArray[np.bool_]:
        """Rows of the frames that are read (num_packets,)."""
        wanted = np.zeros(len(self.table), dtype=np.bool_)
        for rows in frames_to_read(self.table, clip_grid(self.table, ClipSpec()), self.frames_per_clip):
            wanted[rows] = True
        return wanted

    def jobs(self, prefix: str) -> list[Job]:
        """What is timed; some jobs contain the one before, and :func:`take_apart` takes that out again."""
        wanted_bytes = int(self.table.size_bytes[self.wanted].sum())
        nothing = np.zeros(len(self.table), dtype=np.bool_)
        cell, grid = self._grid(1, 1), self._grid(self.facts.width_px, self.facts.height_px)
        all_bytes = int(self.table.size_bytes.sum())
        return [
            Job(f"{prefix}: opening", self._open, 4, 0),
            Job(f"{prefix}: demultiplexing", self._demultiplex, 4, 2 * all_bytes),
            Job(f"{prefix}: slice headers", lambda: self._read(nothing, cell), 4, all_bytes),
            Job(f"{prefix}: entropy decoding", lambda: self._read(self.wanted, cell), 2, wanted_bytes),
            Job(f"{prefix}: reducing to cells", lambda: self._read(self.wanted, grid), 2, 0),
            Job(f"{prefix}: camera fit", self._fit, 2, 0),
        ]

    def _grid(self, width_px: int, height_px: int) -> _core.CellGrid:
        colour = self.facts.colour
        to_rgb = ycbcr_to_rgb(colour.matrix, colour.full_range, 8)
        return _core.CellGrid(width_px, height_px, find_references(self.table).position, to_rgb)

    def _open(self) -> None:
        # The videos are mp4 and H.264 or MPEG-4: nothing is decoded when they are opened.
        with open_container(self.path, for_packets=True):
            pass
        read_facts(self.path)

    def _demultiplex(self) -> None:
        for table in (None, self.table):
            for _ in read_payloads(self.path, self.facts.stream_index, table):
                pass

    def _results(self, wanted: npt.NDArray[np.bool_], grid: _core.CellGrid) -> list[_core.CellsResult]:
        kind = _core.H264Reader if self.facts.codec == "h264" else _core.Mpeg4Reader
        reader, found = kind(self.facts.extradata), []
        for first in range(0, len(self.packets), _IN_BATCH):
            part = slice(first, first + _IN_BATCH)
            found += reader.features(self.packets[part], wanted[part], grid)[:_KEPT]
        return found

    def _read(self, wanted: npt.NDArray[np.bool_], grid: _core.CellGrid) -> None:
        self._results(wanted, grid)

    @cached_property
    def _fields(self) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]:
        found = self._results(self.wanted, self._grid(self.facts.width_px, self.facts.height_px))
        return [(r.md, r.valid) for r in found if r.md is not None and r.valid is not None]

    def _fit(self) -> None:
        # Of frames beyond the memory that a benchmark should take, a part stands for all.
        for i in range(int(self.wanted.sum())):
            remove_camera_motion(*self._fields[i % len(self._fields)])


_KEPT = 16
"""Frames of a batch whose fields are kept for the camera fit."""


_PARTS = ("opening", "demultiplexing", "slice headers", "entropy decoding", "reducing to cells", "camera fit")


def take_apart(best: dict[str, tuple[float, int | None]]) -> None:
    """Take out of each part the one that it contains, and add what is left of the score.

    Args:
        best: Seconds and vectors by what was timed; changed in place.
    """
    for name in ("1 P-frame a clip", "all P-frames"):
        prefix = f"of which, {name}"
        seconds = {part: best[f"{prefix}: {part}"][0] for part in _PARTS}
        seconds["reducing to cells"] = max(seconds["reducing to cells"] - seconds["entropy decoding"], 0.0)
        seconds["entropy decoding"] -= seconds["slice headers"]
        seconds["the rest"] = best[f"score, bitstream, {name}"][0] - sum(seconds.values())
        for part, value in seconds.items():
            best[f"{prefix}: {part}"] = (value, None)
