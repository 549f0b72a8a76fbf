"""A PyTorch dataset of selected clips: an item is one clip, decoded when it is asked for.

It holds paths and times and no open file, so it goes to the workers of a ``DataLoader`` by pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..media.demux import lazy_times, read_packets
from ..media.frame_numbers import packets_of
from ..networks.extras import require
from ..types import PacketTable, Selection
from .clip_items import ClipMaker

require("torch", "torch")
import torch  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402

if TYPE_CHECKING:
    Items = Dataset[dict[str, Any]]
else:
    Items = Dataset


class SalientClips(Items):
    """The clips of some videos, best first within each video.

    Args:
        videos: Pairs of a selection and what is to be learned of its video (a label), in the order of the items.
        num_frames: Frames of a clip.
        frame_step: Source frames from one frame to the next; a clip that is too short repeats frames.
        size: (height, width) of the pictures, in display orientation, so that clips of different videos can be
            stacked; None keeps the size. Pixels.
        transform: Called with the clip, uint8 (T, 3, H, W); what it returns is in the item.

    Raises:
        StoredScoresError: A video has changed since it was scored.
        MediaError: A video cannot be read.
    """

    def __init__(
        self,
        videos: Iterable[tuple[Selection, Any]],
        *,
        num_frames: int = 16,
        frame_step: int = 2,
        size: tuple[int, int] | None = None,
        transform: Callable[[torch.Tensor], Any] | None = None,
    ) -> None:
        self._items = []
        for selection, label in videos:
            packets_of(selection)  # a video that is gone or changed is told now, not in a worker
            self._items += [(selection.scores.path, clip, label) for clip in selection.clips]
        self._maker = ClipMaker(num_frames, frame_step, size, transform)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One clip.

        Args:
            index: Which.

        Returns:
            ``clip`` (uint8 (T, 3, H, W), RGB, upright, or what the transform made of it), ``times_s`` (float64 (T,),
            seconds on the timeline), ``label``, ``video`` (its path, as text), ``rank`` and ``score``.
        """
        path, clip, label = self._items[index]
        table = _table(path)
        with self._maker.reader(path, table) as reader:
            return self._maker.item(reader, lazy_times(table), clip, str(path), label)


@lru_cache(maxsize=8)
def _table(path: Path) -> PacketTable:
    """Packet tables of the videos in use, in each worker: the clips of a video follow one another."""
    return read_packets(path)
