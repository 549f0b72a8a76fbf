"""torchcodec: a fifth sampler in the manner of its four, which takes the salient clips.

``clips_at_random_timestamps(decoder, num_clips=4, ...)`` becomes ``clips_at_salient_timestamps(decoder,
scores=scores, num_clips=4, ...)``; the ``FrameBatch`` is the same. What the decoder delivers is checked against the
packets of the file: a frame of another time (MPEG-TS after a seek, ``seek_mode="approximate"`` with a variable rate)
is an error, never a result.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import InputError, SeekMismatchError
from ..media.frame_numbers import FrameNumbers, number_frames, packets_of
from ..networks.extras import require
from ..samplers import DEFAULT_SAMPLER, Sampler
from ..types import ClipScores, Selection
from ..verbs.score import score

if TYPE_CHECKING:
    from torchcodec import FrameBatch
    from torchcodec.decoders import VideoDecoder

Policy = Literal["repeat_last", "wrap", "error"]
"""What stands in for frames behind the end of the video, as in torchcodec."""

_TOLERANCE_S = 1e-4


def clips_at_salient_timestamps(
    decoder: VideoDecoder,
    *,
    scores: ClipScores | Selection | None = None,
    video: str | Path | None = None,
    sampler: str | Sampler = DEFAULT_SAMPLER,
    num_clips: int = 1,
    num_frames_per_clip: int = 1,
    seconds_between_frames: float | None = None,
    policy: Policy = "repeat_last",
) -> FrameBatch:
    """Sample the most salient clips of a video.

    Args:
        decoder: torchcodec's decoder of the video.
        scores: Scores of the video, from which the best clips are taken; or a selection, whose first clips are.
        video: Where no scores are given: the path of the video, which is then scored. (A decoder does not know it.)
        sampler: Who scores it.
        num_clips: Clips wanted; the batch has fewer where the video has no more.
        num_frames_per_clip: Frames of each clip, centred on the salient clip.
        seconds_between_frames: From one frame to the next, seconds; None for 1 / average frame rate.
        policy: What stands in for frames behind the end of the video.

    Returns:
        torchcodec's ``FrameBatch``: ``data`` (num_clips, num_frames_per_clip, ...) as the decoder makes frames,
        ``pts_seconds`` and ``duration_seconds`` (num_clips, num_frames_per_clip) are on the decoder's clock.
        Best clip first.

    Raises:
        InputError: Neither or both of ``scores`` and ``video`` are given, or an argument is out of range.
        SeekMismatchError: The decoder delivers another frame than the one of the asked time.
        MissingExtraError: torchcodec does not load.
        StoredScoresError: The video has changed since it was scored.
    """
    require("torchcodec", "torchcodec")
    from torchcodec import FrameBatch

    selection = _selection(scores, video, sampler, num_clips)
    if num_frames_per_clip < 1 or policy not in ("repeat_last", "wrap", "error"):
        raise InputError(f"{num_frames_per_clip} frames a clip, policy {policy!r}", "see the documentation")
    frames = number_frames(packets_of(selection))
    step = _step(decoder, seconds_between_frames)
    wanted: list[int] = []
    for clip in selection.clips:
        wanted += _frames_of_clip((clip.start + clip.end) / 2, frames, num_frames_per_clip, step, policy)
    found = decoder.get_frames_played_at(seconds=[_safe_time(frames, number) for number in wanted])
    zero = frames.timeline.zero
    for number, pts in zip(wanted, found.pts_seconds.tolist(), strict=True):
        if abs(pts - float(frames.times[number] + zero)) > _TOLERANCE_S:
            raise SeekMismatchError(selection.scores.path, float(frames.times[number]))
    shape = (len(selection.clips), num_frames_per_clip)
    return FrameBatch(
        data=found.data.reshape(*shape, *found.data.shape[1:]),
        pts_seconds=found.pts_seconds.reshape(shape),
        duration_seconds=found.duration_seconds.reshape(shape),
    )


def _selection(
    scores: ClipScores | Selection | None, video: str | Path | None, sampler: str | Sampler, num_clips: int
) -> Selection:
    if (scores is None) == (video is None):
        raise InputError(
            "the clips come from scores or from a video", "give scores=, or video= and a sampler"
        )
    if num_clips < 1:
        raise InputError(f"num_clips = {num_clips} clips cannot be selected", "give at least 1")
    if isinstance(scores, Selection):
        if not scores.clips:
            raise InputError("nothing is selected", "lower the threshold")
        return Selection(scores.scores, num_clips, scores.clips[:num_clips], scores.note)
    ready = score(video, sampler) if scores is None and video is not None else scores
    assert ready is not None
    return ready.select(num_clips)


def _step(decoder: VideoDecoder, seconds: float | None) -> Fraction:
    if seconds is None:
        rate = decoder.metadata.average_fps
        if not rate:
            raise InputError("the decoder knows no average frame rate", "give seconds_between_frames")
        return 1 / Fraction(rate)
    if not 0 < seconds < float("inf"):
        raise InputError(f"seconds_between_frames = {seconds} is no distance", "give more than 0 seconds")
    return Fraction(seconds)


def _frames_of_clip(
    middle: Fraction, frames: FrameNumbers, count: int, step: Fraction, policy: Policy
) -> list[int]:
    """Numbers of the frames on show at evenly spaced times around the middle of a clip."""
    first = max(frames.times[0], middle - step * (count - 1) / 2)
    times = [first + j * step for j in range(count)]
    found = [bisect_right(frames.times, time) - 1 for time in times if time < frames.end]
    if len(found) < count and policy == "error":
        raise InputError(
            "a clip reaches beyond the end of the video", "take another policy, or a shorter clip"
        )
    if policy == "wrap":
        return [found[j % len(found)] for j in range(count)]
    return found + [found[-1]] * (count - len(found))


def _safe_time(frames: FrameNumbers, number: int) -> float:
    """A time in the middle of a frame, on the decoder's clock, that no rounding moves to its neighbour."""
    return float((frames.bound(number) + frames.bound(number + 1)) / 2 + frames.timeline.zero)
