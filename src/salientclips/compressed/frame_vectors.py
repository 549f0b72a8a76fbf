"""The motion vectors of every frame, as the codec has them: what :func:`salientclips.motion_vectors` gives.

Not the features of the paper (those are reduced to cells, in features.py) but the blocks themselves, with the fields
of FFmpeg's AVMotionVector, which other tools give after decoding the whole video. Here the P-frames of H.264 and
MPEG-4 part 2 are parsed; what else FFmpeg exports vectors of is decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..errors import FeatureUnavailableError
from ..media.exported import read_exported
from ..media.motion_codecs import exports_motion_vectors
from ..media.payloads import StreamFacts
from ..media.references import find_references
from ..media.vectors import VECTOR_DTYPE
from ..types import PacketTable
from .bitstream import Picture, read_pictures, why_unreadable
from .frame_by_frame import Account, FrameByFrame, Numbered, OneBackend, Rows, unreadable
from .reader import Backend

Frames = Literal["P", "all"]
"""Which frames are given: those predicted from the past alone, or every one."""

_I, _P, _B, _UNKNOWN = (ord(letter) for letter in "IPB?")

_ONE_REFERENCE = frozenset({"mpeg4", "mpeg1video", "flv1"})
"""Codecs whose P-frames can only be predicted from the I- or P-frame before. (MPEG-2 has field pictures.)"""


@dataclass(frozen=True, eq=False)
class FrameVectors:
    """The motion vectors of one frame."""

    time: Fraction
    """When it is shown, exact seconds on the timeline (zero is the start of the container)."""
    frame_type: str
    """``"I"``, ``"P"`` or ``"B"``."""
    vectors: npt.NDArray[np.void]
    """One record a block (num_vectors,) with the fields of FFmpeg's AVMotionVector: ``source`` (-1 the past, 1
    the future), block size ``w``, ``h`` and centres ``src_x``, ``src_y``, ``dst_x``, ``dst_y`` in pixels,
    ``flags``, ``motion_x``, ``motion_y`` in units of ``1 / motion_scale`` pixel, from ``dst`` to ``src``; before
    rotation, x right, y down. Intra-coded blocks have none. The memory is the caller's own."""
    reference_time_s: npt.NDArray[np.float64]
    """When the picture that each vector points to is shown (num_vectors,), seconds; NaN where unknown."""
    backend: OneBackend
    """Who read it."""

    @property
    def time_s(self) -> float:
        """``time`` as a float, seconds."""
        return float(self.time)


@dataclass
class VectorReader:
    """Reads the vectors of one video. Make it, then iterate over :meth:`read` once."""

    path: Path
    """A local video file."""
    table: PacketTable
    """Its packet table."""
    facts: StreamFacts
    """What is constant in its stream."""
    frames: Frames = "P"
    """Which frames to give."""
    sub_8x8: bool = False
    """Whether H.264's partitions below 8x8 are wanted."""
    threads: int = 1
    """Decoder threads."""
    account: Account = field(default_factory=Account)
    """What happened; complete when the iterator has ended."""

    def read(self, backend: Backend) -> Iterator[FrameVectors]:
        """Choose the back end at once, and read as the iterator is asked.

        Args:
            backend: Who is to read.

        Returns:
            Frames in display order.

        Raises:
            FeatureUnavailableError: The file, or this back end, cannot give what was asked for. Of a form that
                turns up half way, from the iterator.
            MediaError: The file cannot be opened.
        """
        begins = self._choose(backend)
        types = (_P, _UNKNOWN) if self.frames == "P" else (_I, _P, _B, _UNKNOWN)
        wanted = self.table.is_shown & np.isin(self.table.frame_type, types)
        run = FrameByFrame(self.path, self.table, self._parse, self._decode, self.account)
        may_hand_over = backend == "auto" and not self.sub_8x8
        return run.read(wanted, begins, may_hand_over=may_hand_over)

    def _choose(self, backend: Backend) -> OneBackend:
        codec = self.facts.codec
        if not exports_motion_vectors(codec):
            raise FeatureUnavailableError(
                f"'{self.path}' gives no motion vectors: FFmpeg exports none for {codec}, and there is no "
                "bitstream reader for it",
                "re-encode it as H.264, or read motion features (salientclips.score), which do without",
            )
        obstacle = None if backend == "decoded" else self._obstacle()
        if backend != "decoded" and obstacle is None:
            if self.sub_8x8 and codec != "h264":
                raise self._no_partitions(f"{codec} has no partitions below 8x8")
            return "bitstream"
        if self.sub_8x8:
            raise self._no_partitions(obstacle or "FFmpeg does not export partitions below 8x8")
        if backend == "bitstream":
            raise unreadable(self.path, obstacle or "")
        return "decoded"

    def _obstacle(self) -> str | None:
        """Why the bitstream back end cannot give what is wanted."""
        is_b = self.table.is_shown & (self.table.frame_type == _B)
        if self.frames == "all" and is_b.any():
            return "it has B-frames, whose vectors only the decoder gives"
        return why_unreadable(self.facts)

    def _no_partitions(self, reason: str) -> FeatureUnavailableError:
        return FeatureUnavailableError(
            f"'{self.path}' cannot be read with sub_8x8: {reason}",
            "leave sub_8x8 out; it is for the P-frames of H.264 files that the bitstream back end reads",
        )

    # --- without decoding ---------------------------------------------------------------------------------

    def _parse(self, wanted: Rows) -> Iterator[Numbered[FrameVectors]]:
        is_i = self.table.frame_type == _I
        pictures: Iterable[tuple[int, Picture | None]] = read_pictures(
            self.path, self.facts, wanted & ~is_i, sub_8x8=self.sub_8x8
        )
        intra: Iterable[tuple[int, Picture | None]] = ((int(r), None) for r in np.flatnonzero(wanted & is_i))
        for row, picture in merge(pictures, intra, key=lambda numbered: numbered[0]):
            if is_i[row]:
                nothing = np.zeros(0, dtype=VECTOR_DTYPE)
                yield row, self._item(row, "I", nothing, np.zeros(0), "bitstream")
            elif picture is None:
                yield row, None
            else:
                count = len(picture.vectors)
                at = np.broadcast_to(np.asarray(picture.reference_rows, dtype=np.int64), count)
                yield row, self._item(row, "P", picture.vectors, self._times(at), "bitstream")

    # --- with FFmpeg --------------------------------------------------------------------------------------

    def _decode(self, wanted: Rows) -> Iterator[Numbered[FrameVectors]]:
        anchor = find_references(self.table).anchor if self.facts.codec in _ONE_REFERENCE else None
        for frame in read_exported(self.path, wanted, threads=self.threads):
            row, kind = frame.row, frame.frame_type
            if kind == "?" or (self.frames == "P" and kind != "P"):
                yield row, None
            elif frame.vectors is None:
                self.account.withheld += 1
                yield row, None
            else:
                known = anchor is not None and kind == "P"
                at = np.full(len(frame.vectors), anchor[row] if anchor is not None and known else -1)
                yield row, self._item(row, kind, frame.vectors, self._times(at), "decoded")

    def _item(
        self,
        row: int,
        kind: str,
        vectors: npt.NDArray[np.void],
        reference_time_s: npt.NDArray[np.float64],
        backend: OneBackend,
    ) -> FrameVectors:
        time = self.table.timeline.time(int(self.table.pts[row]))
        return FrameVectors(time, kind, vectors, reference_time_s, backend)

    def _times(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """When the pictures in some rows are shown (n,), seconds; NaN for those outside the table."""
        distinct, which = np.unique(rows, return_inverse=True)
        known = (distinct >= 0) & (distinct < len(self.table))
        timeline, pts = self.table.timeline, self.table.pts
        seconds = [
            float(timeline.time(int(pts[r]))) if ok else np.nan for r, ok in zip(distinct, known, strict=True)
        ]
        return np.array(seconds, dtype=np.float64)[which]
