"""One clip as an item of a PyTorch dataset: which of its frames are shown, and in what form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..classifiers.look import clip_frame_times
from ..media.decode import FrameReader
from ..media.stacked import stacked
from ..networks.extras import require
from ..timeline import ClipSpec
from ..types import PacketTable, SelectedClip

require("torch", "torch")
import torch  # noqa: E402


class ClipMaker:
    """Makes items of clips; it holds no open file.

    Args:
        num_frames: Frames of a clip.
        frame_step: Source frames from one frame to the next; a clip that is too short repeats frames.
        size: (height, width) of the pictures, in display orientation; None keeps the size. Pixels.
        transform: Called with the clip, uint8 (T, 3, H, W); what it returns is in the item.
    """

    def __init__(
        self,
        num_frames: int,
        frame_step: int,
        size: tuple[int, int] | None,
        transform: Callable[[torch.Tensor], Any] | None,
    ) -> None:
        self._clip = ClipSpec(num_frames, frame_step)
        self._size, self._transform = size, transform

    def reader(self, path: Path, table: PacketTable) -> FrameReader:
        """A decoder of a video that gives pictures of the asked size; a context manager.

        Args:
            path: A local file.
            table: Its packet table.

        Returns:
            The decoder.

        Raises:
            MediaError: The video cannot be read.
        """
        return FrameReader(path, table, size=self._size)

    def item(
        self, reader: FrameReader, shown: Sequence[Fraction], clip: SelectedClip, video: str, label: Any
    ) -> dict[str, Any]:
        """Decode one clip; clips of one reader cost least in order of time.

        Args:
            reader: Of :meth:`reader`.
            shown: Display times of all frames of the video, increasing, seconds on the timeline.
            clip: Which.
            video: The video's name, for the item.
            label: What is to be learned of it, for the item.

        Returns:
            ``clip`` (uint8 (T, 3, H, W), RGB, upright, or what the transform made of it), ``times_s`` (float64 (T,),
            seconds on the timeline), ``label``, ``video``, ``rank`` and ``score``.

        Raises:
            MediaError: The video cannot be read.
        """
        frames = reader.frames_at(clip_frame_times(clip, shown, self._clip))
        pictures = stacked([frame.rgb for frame in frames]).transpose(0, 3, 1, 2)
        tensor = torch.from_numpy(np.ascontiguousarray(pictures))
        return {
            "clip": tensor if self._transform is None else self._transform(tensor),
            "times_s": torch.tensor([float(frame.time) for frame in frames], dtype=torch.float64),
            "label": label,
            "video": video,
            "rank": clip.rank,
            "score": clip.score,
        }
