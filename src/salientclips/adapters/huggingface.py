"""Hugging Face transformers: frame indices for its video loaders, true metadata, its video-classification pipeline.

Loaders of transformers count decoded frames from 0 in display order, which is how frames are numbered here; they do
not turn rotated pictures upright with the back end ``pyav`` (``torchcodec`` does). :func:`video_of` hands over frames
that are upright and checked, with metadata whose time stamps are true to a millisecond at any frame rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..classifiers.look import clip_frame_times
from ..errors import InputError
from ..media.decode import FrameReader
from ..media.frame_numbers import number_frames, packets_of
from ..media.stacked import stacked
from ..networks.extras import require
from ..timeline import ClipSpec
from ..types import Prediction, SelectedClip, Selection
from .chosen import HandedFrame, choose_frames, frames_of

if TYPE_CHECKING:
    from transformers.video_utils import VideoMetadata

TICKS_PER_SECOND = 1000
"""Metadata counts in milliseconds: ``index / fps`` is then the true time even with a variable rate."""


def sample_indices_fn(selection: Selection, num_frames: int) -> Callable[..., npt.NDArray[np.int64]]:
    """A ``sample_indices_fn`` for ``load_video`` and processors that takes frames of the selected clips.

    Args:
        selection: The clips chosen.
        num_frames: Frames wanted in all, spread over the best clips.

    Returns:
        A function of ``(metadata, **kwargs)`` that returns increasing frame indices, int64, at most ``num_frames``.

    Raises:
        InputError: ``num_frames`` is not positive, or nothing is selected.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read.
    """
    frames = number_frames(packets_of(selection))
    indices = np.array([f.number for f in choose_frames(selection, num_frames, frames)], dtype=np.int64)

    def sample(metadata: VideoMetadata | None = None, **kwargs: object) -> npt.NDArray[np.int64]:
        """Frame indices of the selected clips."""
        total = getattr(metadata, "total_num_frames", None)
        if total and indices[-1] >= total:
            raise InputError(
                f"the loader knows {total} frames, the selection is of a video with {len(frames)}",
                "load the video that was scored",
            )
        return indices.copy()

    return sample


def metadata_of(selection: Selection, frames: Sequence[HandedFrame]) -> dict[str, Any]:
    """Metadata of frames that were taken from a video, as keyword arguments of ``VideoMetadata``.

    Args:
        selection: The clips chosen.
        frames: Frames of them.

    Returns:
        total_num_frames, fps, width, height, duration, video_backend, frames_indices. The frame rate is
        :data:`TICKS_PER_SECOND` and indices count milliseconds, so that ``index / fps`` is a frame's time.
    """
    numbered = number_frames(packets_of(selection))
    end_s = float(numbered.end)
    height, width = frames[0].rgb.shape[:2]
    return {
        "total_num_frames": round(end_s * TICKS_PER_SECOND),
        "fps": float(TICKS_PER_SECOND),
        "width": width,
        "height": height,
        "duration": end_s,
        "video_backend": "salientclips",
        "frames_indices": [round(frame.time * TICKS_PER_SECOND) for frame in frames],
    }


def video_of(
    selection: Selection,
    num_frames: int,
    *,
    multiple: int = 1,
    size: int | tuple[int, int] | None = None,
    threads: int = 1,
) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    """The frames of the selected clips as one video for any processor of transformers.

    Args:
        selection: The clips chosen.
        num_frames: Frames wanted in all, spread over the best clips.
        multiple: Each clip gets a multiple of this many frames.
        size: Length of the shorter side, or (height, width); None keeps the size. Pixels.
        threads: Decoder threads.

    Returns:
        Frames uint8 (T, 3, H, W), RGB, upright, in order of time; and their metadata. Give the processor both, with
        ``do_sample_frames=False``.

    Raises:
        InputError: An argument is out of range, or nothing is selected.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read.
    """
    frames = frames_of(selection, num_frames, multiple=multiple, size=size, threads=threads)
    pictures = stacked([frame.rgb for frame in frames]).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pictures), metadata_of(selection, frames)


@dataclass(frozen=True)
class ClipLabels:
    """What a pipeline said of one clip."""

    clip: SelectedClip
    labels: tuple[Prediction, ...]
    """Most probable first."""


def classify_clips(
    pipeline: Any, selection: Selection, *, frame_step: int = 4, top_k: int = 5, threads: int = 1
) -> tuple[ClipLabels, ...]:
    """Feed each selected clip to a ``video-classification`` pipeline.

    The pipeline itself would decode from the first frame of the file; this hands its processor the frames of the clip
    and then goes on as it does.

    Args:
        pipeline: What ``transformers.pipeline("video-classification", ...)`` returned.
        selection: The clips chosen.
        frame_step: Source frames from one frame to the next.
        top_k: Labels a clip.
        threads: Decoder threads.

    Returns:
        Labels of each clip, in rank order.

    Raises:
        InputError: The model says no number of frames.
        MissingExtraError: transformers does not load.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read.
    """
    require("transformers", "hf")
    config = pipeline.model.config
    count = getattr(config, "num_frames", None) or getattr(config, "frames_per_clip", None)
    if not count:
        raise InputError(
            "the pipeline's model says no number of frames", "use `classify --classifier hf:NAME`"
        )
    table = packets_of(selection)
    shown = number_frames(table).times
    wanted = ClipSpec(int(count), frame_step)
    found = {}
    with FrameReader(selection.scores.path, table, threads=threads) as reader:
        for clip in sorted(selection.clips, key=lambda c: c.start):
            times = clip_frame_times(clip, shown, wanted)
            pictures = stacked([frame.rgb for frame in reader.frames_at(times)])
            found[clip.index] = tuple(
                Prediction(str(said["label"]), float(said["score"]))
                for said in _ask(pipeline, pictures, top_k)
            )
    return tuple(ClipLabels(clip, found[clip.index]) for clip in selection.clips)


def _ask(pipeline: Any, pictures: npt.NDArray[np.uint8], top_k: int) -> list[dict[str, Any]]:
    """The pipeline's own steps after decoding: processor, model, labels."""
    video_processor = getattr(pipeline, "video_processor", None)
    if video_processor is not None:
        channels_first = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
        inputs = video_processor([channels_first], do_sample_frames=False, return_tensors="pt")
    else:
        inputs = pipeline.image_processor(list(pictures), return_tensors="pt")
    outputs = pipeline.forward(inputs)
    labels: list[dict[str, Any]] = pipeline.postprocess(outputs, top_k=top_k)
    return labels
