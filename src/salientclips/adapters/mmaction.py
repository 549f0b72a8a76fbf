"""mmaction2: a transform that fills the keys of its ``SampleFrames`` from a selection.

Put ``dict(type="SalientSampleFrames", clip_len=16, frame_interval=2, num_clips=3)`` in the place of ``SampleFrames``,
behind the transform that opens the video and before the one that decodes; call :func:`register` once. The video is
``results["filename"]``.
"""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np

from ..classifiers.look import clip_frame_times
from ..errors import InputError
from ..media.frame_numbers import number_frames, packets_of
from ..samplers import DEFAULT_SAMPLER
from ..timeline import ClipSpec
from ..types import Selection
from ..verbs.score import score
from .foreign import require_foreign


class SalientSampleFrames:
    """Chooses the frames of the most salient clips.

    Args:
        clip_len: Frames of a clip.
        frame_interval: Source frames from one frame to the next; a clip that is too short repeats frames.
        num_clips: Clips; where the video has fewer, the best ones come again.
        sampler: Who scores the video, where ``results`` brings no ``selection``.

    Raises:
        InputError: One of the three numbers is below 1.
    """

    def __init__(
        self, clip_len: int, frame_interval: int = 1, num_clips: int = 1, sampler: str = DEFAULT_SAMPLER
    ) -> None:
        if min(clip_len, frame_interval, num_clips) < 1:
            raise InputError("clip_len, frame_interval and num_clips count from 1", "give at least 1")
        self.clip_len, self.frame_interval, self.num_clips = clip_len, frame_interval, num_clips
        self.sampler = sampler

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose frames; the name that mmcv's transforms are called by.

        Args:
            results: What the transforms before have found out.

        Returns:
            As :meth:`transform`.
        """
        return self.transform(results)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose frames.

        Args:
            results: Has ``filename`` or ``selection``, and perhaps ``start_index`` (number of the first frame).

        Returns:
            The same object with ``frame_inds`` (int32 (num_clips * clip_len,)), ``clip_len``, ``frame_interval``,
            ``num_clips`` and ``total_frames``. Best clip first.

        Raises:
            InputError: There is neither a selection nor a file name.
            MediaError: The video cannot be read.
        """
        selection = results.get("selection") or self._select(results)
        frames = number_frames(packets_of(selection))
        wanted = ClipSpec(self.clip_len, self.frame_interval)
        clips = [selection.clips[i % len(selection.clips)] for i in range(self.num_clips)]
        times = [time for clip in clips for time in clip_frame_times(clip, frames.times, wanted)]
        numbers = [bisect_left(frames.times, time) for time in times]
        results["frame_inds"] = np.array(numbers, dtype=np.int32) + np.int32(results.get("start_index", 0))
        results["clip_len"], results["frame_interval"] = self.clip_len, self.frame_interval
        results["num_clips"], results["total_frames"] = self.num_clips, len(frames)
        return results

    def _select(self, results: dict[str, Any]) -> Selection:
        if "filename" not in results:
            raise InputError("the sample has no filename", "put this transform where SampleFrames stood")
        return score(Path(results["filename"]), self.sampler).select(self.num_clips)

    def __repr__(self) -> str:
        return (
            f"SalientSampleFrames(clip_len={self.clip_len}, frame_interval={self.frame_interval}, "
            f"num_clips={self.num_clips}, sampler={self.sampler!r})"
        )


def register() -> None:
    """Make the transform known to mmaction2's configuration files.

    Raises:
        MissingExtraError: mmaction2 does not load.
    """
    require_foreign("mmaction.registry", "mmaction2").TRANSFORMS.register_module(
        module=SalientSampleFrames, force=True
    )
