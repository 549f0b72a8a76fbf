"""The residual of every P-frame, reduced to cells: what :func:`salientclips.residuals` gives.

The definitions (means, energy, intra cells) are those of features.py, for every frame instead of a few a clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..media.motion import MotionFrame, read_motion
from ..media.payloads import StreamFacts
from ..types import PacketTable
from .bitstream import FeatureMaker, read_pictures, why_unreadable
from .collect import FrameFeatures
from .decoded import frame_features
from .frame_by_frame import Account, FrameByFrame, Numbered, OneBackend, Rows, unreadable
from .reader import Backend


@dataclass(frozen=True, eq=False)
class FrameResiduals:
    """What one P-frame holds that its past did not."""

    time: Fraction
    """When it is shown, exact seconds on the timeline (zero is the start of the container)."""
    rgb: npt.NDArray[np.float32]
    """Mean residual over each cell (3, h, w), 8-bit levels of R, G and B; 0 where the cell is intra-coded."""
    energy: npt.NDArray[np.float32]
    """Mean squared luma residual over each cell (h, w), squared 8-bit levels."""
    valid: npt.NDArray[np.bool_]
    """Cells predicted from the past over at least half their area (h, w); the others are intra-coded, and
    their energy is the detail they hold (see compressed/features.py)."""
    backend: OneBackend
    """Who read it."""

    @property
    def time_s(self) -> float:
        """``time`` as a float, seconds."""
        return float(self.time)


@dataclass
class ResidualReader:
    """Reads the residuals of one video. Make it, then iterate over :meth:`read` once."""

    path: Path
    """A local video file."""
    table: PacketTable
    """Its packet table."""
    facts: StreamFacts
    """What is constant in its stream."""
    threads: int = 1
    """Decoder threads."""
    account: Account = field(default_factory=Account)
    """What happened; complete when the iterator has ended."""

    def read(self, backend: Backend) -> Iterator[FrameResiduals]:
        """Choose the back end at once, and read as the iterator is asked.

        Args:
            backend: Who is to read.

        Returns:
            P-frames in display order; arrays in display orientation.

        Raises:
            FeatureUnavailableError: The bitstream back end was asked for and cannot read this file. Of a form
                that turns up half way, from the iterator.
            MediaError: The file cannot be opened.
        """
        obstacle = None if backend == "decoded" else why_unreadable(self.facts)
        if backend == "bitstream" and obstacle is not None:
            raise unreadable(self.path, obstacle)
        begins: OneBackend = "decoded" if backend == "decoded" or obstacle else "bitstream"
        wanted = self.table.is_shown & (self.table.frame_type == ord("P"))
        run = FrameByFrame(self.path, self.table, self._parse, self._decode, self.account)
        return run.read(wanted, begins, may_hand_over=backend == "auto")

    def _parse(self, wanted: Rows) -> Iterator[Numbered[FrameResiduals]]:
        maker = FeatureMaker(self.facts, self.table)
        for row, picture in read_pictures(self.path, self.facts, wanted):
            yield row, None if picture is None else self._item(row, maker.features(picture), "bitstream")

    def _decode(self, wanted: Rows) -> Iterator[Numbered[FrameResiduals]]:
        rows = (int(row) for row in np.flatnonzero(wanted))
        for frame in read_motion(self.path, self.table, rows, threads=self.threads):
            if isinstance(frame, MotionFrame):
                yield frame.row, self._item(frame.row, frame_features(frame, with_residual=True), "decoded")

    def _item(self, row: int, features: FrameFeatures, backend: OneBackend) -> FrameResiduals:
        assert features.rgbr is not None
        assert features.energy is not None
        time = self.table.timeline.time(int(self.table.pts[row]))
        rgb, energy = np.ascontiguousarray(features.rgbr), np.ascontiguousarray(features.energy)
        return FrameResiduals(time, rgb, energy, np.ascontiguousarray(features.valid), backend)
