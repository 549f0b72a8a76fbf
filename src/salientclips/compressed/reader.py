"""The one door to features: picks the back end for a file, and keeps account of what was read and what failed.

Samplers ask here and do not know who answers. In this version every feature of pictures comes from the decoded back
end; packet cost comes from the packet table alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..timeline import ClipGrid
from ..types import ClipFeatures, FeatureParameters, PacketTable
from .decoded import read_features


@dataclass
class FeatureReader:
    """Reads the features of one video for a sampler."""

    path: Path
    """A local video file."""
    table: PacketTable
    """Its packet table."""
    grid: ClipGrid
    """Its clips."""
    threads: int = 1
    """Decoder threads; the features do not depend on it."""
    progress: Callable[[float], None] | None = None
    """Called with the share of clips done, 0 to 1."""
    frames_failed: int = field(default=0, init=False)
    """Frames that were chosen and could not be read."""

    def read(self, parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        """Read features of every clip, in order, one clip at a time.

        Args:
            parameters: What to read.

        Yields:
            One item a clip; see :class:`salientclips.types.ClipFeatures` for shapes and units.

        Raises:
            MediaError: The file cannot be opened any more.
        """
        for clip in read_features(
            self.path, self.table, self.grid, parameters, threads=self.threads, progress=self.progress
        ):
            self.frames_failed += clip.failures
            yield clip

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong without stopping the work, one line each."""
        if not self.frames_failed:
            return ()
        return (f"{self.frames_failed} of the chosen frames could not be decoded and were left out",)


def backend_of(feature: str) -> str:
    """Which back end reads a feature.

    Args:
        feature: One of :data:`salientclips.types.FEATURES`.

    Returns:
        ``"demux"`` for packet cost, ``"decoded"`` for all others.
    """
    return "demux" if feature == "packets" else "decoded"
