"""Qwen's video models: frames with true times for Qwen3-VL, and one message entry a clip for qwen-vl-utils.

Qwen3-VL writes the time of every pair of frames into its prompt, worked out as ``index / fps``; without metadata it
guesses 24 frames/s. :func:`to_qwen3vl` hands over an even number of frames a clip (an odd tail would be padded by
repetition, and a pair across two clips would get a time that lies in neither) with indices in milliseconds.

Qwen2.5-VL knows one spacing of frames a video only, so each clip goes in as a video of its own:
:func:`qwen_messages`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..media.frame_numbers import number_frames, packets_of
from ..types import Selection
from .huggingface import video_of

FRAMES_PER_PATCH = 2
"""Frames that Qwen's models merge into one step of time (``temporal_patch_size``)."""


def to_qwen3vl(
    selection: Selection, num_frames: int = 32, *, size: int | tuple[int, int] | None = None, threads: int = 1
) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    """The selected clips as one video for ``Qwen3VLProcessor``.

    Args:
        selection: The clips chosen.
        num_frames: Frames wanted in all, spread over the best clips in pairs.
        size: Length of the shorter side, or (height, width); None keeps the size, and the processor resizes. Pixels.
        threads: Decoder threads.

    Returns:
        Frames uint8 (T, 3, H, W) in order of time, T even; and the metadata. Use them as
        ``processor(text=..., videos=[frames], video_metadata=[metadata], do_sample_frames=False)``.

    Raises:
        InputError: Fewer than two frames are asked for, or nothing is selected.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read.
    """
    return video_of(selection, num_frames, multiple=FRAMES_PER_PATCH, size=size, threads=threads)


def qwen_messages(
    selection: Selection, prompt: str, *, frames_per_clip: int = 8, **video_options: Any
) -> list[dict[str, Any]]:
    """A conversation with one video entry a clip, which qwen-vl-utils decodes itself.

    qwen-vl-utils turns ``video_start`` and ``video_end`` into frame indices by the mean frame rate, rounded.
    The values given here are those whose indices are the clip's own frames, with a variable rate, too.

    Args:
        selection: The clips chosen.
        prompt: What to ask about them.
        frames_per_clip: Frames of each clip, even; a shorter clip gives what it has.
        video_options: Further keys of each entry, such as ``max_pixels``.

    Returns:
        One user message: for each clip in order of time a line with its times and the video entry, then the prompt.

    Raises:
        InputError: ``frames_per_clip`` is odd or less than two.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read.
    """
    if frames_per_clip < FRAMES_PER_PATCH or frames_per_clip % FRAMES_PER_PATCH:
        raise InputError(f"{frames_per_clip} frames a clip cannot be paired", "give an even number")
    frames = number_frames(packets_of(selection))
    # The mean rate as containers state it: number of frames over duration.
    rate = len(frames) / (frames.end - frames.times[0])
    content: list[dict[str, Any]] = []
    for clip in sorted(selection.clips, key=lambda c: c.start):
        first, stop = _at_least_two(*frames.span(clip), len(frames))
        content.append({"type": "text", "text": f"From {clip.start_s:.1f} s to {clip.end_s:.1f} s:"})
        entry: dict[str, Any] = {
            "type": "video",
            "video": str(selection.scores.path.absolute()),
            "video_start": float(max(Fraction(0), first - Fraction(1, 2)) / rate),
            "video_end": float((stop - Fraction(1, 2)) / rate),
            "nframes": min(frames_per_clip, (stop - first) // FRAMES_PER_PATCH * FRAMES_PER_PATCH),
        }
        content.append({**entry, **video_options})
    content.append({"type": "text", "text": prompt})
    return [{"role": "user", "content": content}]


def _at_least_two(first: int, stop: int, count: int) -> tuple[int, int]:
    """qwen-vl-utils takes no video of a single frame."""
    if stop - first >= FRAMES_PER_PATCH:
        return first, stop
    if count < FRAMES_PER_PATCH:
        raise InputError("the video has a single frame", "give it as an image")
    return (first, first + 2) if first + 2 <= count else (count - 2, count)
