"""Reads single frames, not clips, by either back end: the machinery that motion_vectors() and residuals() share.

The bitstream back end gives frames in decoding order, the decoder in display order; here both come out in display
order. Where a form turns up half way that the bitstream back end does not read, the decoder takes over with the
frames that are left. What could not be read is counted. Memory holds one flag a packet and a few frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from typing import Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import FeatureUnavailableError
from ..types import PacketTable
from .bitstream import Unreadable

OneBackend = Literal["bitstream", "decoded"]
Rows = npt.NDArray[np.bool_]
"""Which rows of a packet table are meant (num_packets,)."""

_MOST_HELD = 64
"""Frames held back for an earlier one that is still to come: twice what H.264 can reorder by."""

_T = TypeVar("_T")
Numbered = tuple[int, _T | None]
"""A row of the packet table, and what was read of it; None where nothing could be."""


@dataclass
class Account:
    """What happened in a pass."""

    failed: int = 0
    """Wanted frames that could not be read."""
    withheld: int = 0
    """Wanted frames that were decoded, but whose vectors FFmpeg kept to itself."""
    handed_over: str = ""
    """Why the decoder took over half way; empty where it did not."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The same for the user, one line each."""
        found = []
        if self.failed:
            found.append(f"frames that could not be read and were left out: {self.failed}")
        if self.withheld:
            found.append(
                f"frames that FFmpeg decoded without giving their vectors, left out: {self.withheld}"
            )
        if self.handed_over:
            found.append(f"part of the video was decoded: it holds {self.handed_over} pictures")
        return tuple(found)


@dataclass(frozen=True)
class FrameByFrame(Generic[_T]):
    """One pass over the wanted frames of a video."""

    path: Path
    """The video."""
    table: PacketTable
    parse: Callable[[Rows], Iterable[Numbered[_T]]]
    """Reads rows from the bitstream, in decoding order; every row that was reached comes back."""
    decode: Callable[[Rows], Iterable[Numbered[_T]]]
    """Reads rows with the decoder, in display order; rows that are lost do not come back."""
    account: Account

    def read(self, wanted: Rows, backend: OneBackend, *, may_hand_over: bool) -> Iterator[_T]:
        """Read frames in display order.

        Args:
            wanted: Which rows to read.
            backend: Who begins.
            may_hand_over: Whether the decoder may take over from the bitstream back end.

        Yields:
            What ``parse`` and ``decode`` make of each frame that can be read.

        Raises:
            FeatureUnavailableError: The bitstream back end met a form that it does not read.
            MediaError: The file cannot be opened.
        """
        left = wanted.copy()
        if backend == "bitstream":
            yield from in_display_order(self._parsed(left), self.table, wanted)
            if not self.account.handed_over:
                return
            if not may_hand_over:
                raise unreadable(self.path, f"it holds {self.account.handed_over} pictures")
        yield from self._decoded(left)

    def _parsed(self, left: Rows) -> Iterator[Numbered[_T]]:
        try:
            for row, item in self.parse(left.copy()):
                left[row] = False
                self.account.failed += item is None
                yield row, item
        except Unreadable as form:
            self.account.handed_over = str(form).replace("_", " ")

    def _decoded(self, left: Rows) -> Iterator[_T]:
        came = np.zeros_like(left)
        for row, item in self.decode(left):
            came[row] = True
            if item is not None:
                yield item
        # By time, since the two fields of a frame may come as two packets with one pts.
        lost = np.setdiff1d(self.table.pts[left & ~came], self.table.pts[came])
        self.account.failed += len(lost)


def unreadable(path: Path, reason: str) -> FeatureUnavailableError:
    """The error for a file that the bitstream back end cannot read.

    Args:
        path: The file.
        reason: Why not.

    Returns:
        The error, to be raised.
    """
    return FeatureUnavailableError(
        f"'{path}' cannot be read without decoding: {reason}", "use the decoded back end"
    )


def in_display_order(items: Iterable[Numbered[_T]], table: PacketTable, wanted: Rows) -> Iterator[_T]:
    """Put frames that come in decoding order into display order, holding few of them.

    Args:
        items: Rows, each once, and what was read of them; None frees those that wait for it.
        table: The packet table.
        wanted: Which rows will come.

    Yields:
        Items in order of their pts; where a file shuffles its frames by more than any codec allows, nearly so.
    """
    rows = np.flatnonzero(wanted)
    rank = np.full(len(table), -1, dtype=np.int64)
    rank[rows[np.argsort(table.pts[rows], kind="stable")]] = np.arange(len(rows))
    held: list[tuple[int, _T | None]] = []
    expected = 0
    for row, item in items:
        heappush(held, (int(rank[row]), item))
        while held and (held[0][0] <= expected or len(held) > _MOST_HELD):
            place, first = heappop(held)
            expected = max(expected, place + 1)
            if first is not None:
                yield first
            del first  # nothing is kept alive while waiting for the next
    while held:
        _, last = heappop(held)
        if last is not None:
            yield last
