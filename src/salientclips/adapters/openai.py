"""Frames for chat models that take images: an OpenAI-style list of content parts, a time label before each picture.

Under a budget of frames or of tokens. What an image costs is OpenAI's published rule for tile-based models (GPT-4o):
85 tokens in low detail; in high detail the picture is scaled to fit 2048 x 2048, then to a shorter side of at most
768, and costs 85 and 170 more for each 512 x 512 tile. Other models count otherwise: give ``tokens_per_frame``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from ..errors import InputError
from ..media.decode import FrameReader
from ..media.frame_numbers import number_frames, packets_of
from ..media.jpeg import encode_jpeg
from ..types import Selection
from .chosen import HandedFrame, choose_frames, frames_of

Detail = Literal["low", "high"]
"""How closely a model looks at an image."""

_LABEL_TOKENS = 12
"""Upper estimate of a time label's tokens."""


@dataclass(frozen=True)
class FrameParts:
    """Frames ready for a chat request."""

    parts: list[dict[str, Any]]
    """Content parts: a text label and an image in turn."""
    frames: tuple[HandedFrame, ...]
    """The frames in the same order."""
    tokens: int
    """What they cost by the rule above, labels included."""


def image_tokens(height_px: int, width_px: int, detail: Detail = "low") -> int:
    """What an image costs by OpenAI's rule for tile-based models.

    Args:
        height_px: Height, pixels.
        width_px: Width, pixels.
        detail: low or high.

    Returns:
        Tokens.
    """
    if detail == "low":
        return 85
    scale = min(1.0, 2048 / max(height_px, width_px))
    scale *= min(1.0, 768 / (min(height_px, width_px) * scale))
    tiles = ceil(round(height_px * scale) / 512) * ceil(round(width_px * scale) / 512)
    return 85 + 170 * tiles


def frame_parts(
    selection: Selection,
    num_frames: int | None = None,
    *,
    token_budget: int | None = None,
    tokens_per_frame: int | None = None,
    detail: Detail = "low",
    shorter_side_px: int = 512,
    threads: int = 1,
) -> FrameParts:
    """The best clips' frames as content parts of a user message.

    Args:
        selection: The clips chosen.
        num_frames: Frames in all at most; 32 where no budget is given either.
        token_budget: Tokens in all at most.
        tokens_per_frame: What an image costs the model; by default OpenAI's rule.
        detail: Goes with each image.
        shorter_side_px: Pictures are shrunk to this shorter side; smaller ones stay.
        threads: Decoder threads.

    Returns:
        The parts in order of time, the frames and their cost.

    Raises:
        InputError: The budget does not reach for one frame, or an argument is out of range.
        StoredScoresError: The video has changed since it was scored.
        MediaError: The video cannot be read.
    """
    height, width = _size(selection, shorter_side_px)
    each = _LABEL_TOKENS + (
        image_tokens(height, width, detail) if tokens_per_frame is None else tokens_per_frame
    )
    count = _count(num_frames, token_budget, each)
    frames = frames_of(selection, count, size=(height, width), threads=threads)
    parts: list[dict[str, Any]] = []
    for frame in frames:
        picture = base64.b64encode(encode_jpeg(frame.rgb)).decode("ascii")
        parts.append({"type": "text", "text": label(frame)})
        url = {"url": f"data:image/jpeg;base64,{picture}", "detail": detail}
        parts.append({"type": "image_url", "image_url": url})
    return FrameParts(parts, frames, each * len(frames))


def label(frame: HandedFrame) -> str:
    """The line that tells a model when a frame is.

    Args:
        frame: A frame.

    Returns:
        For example ``"12.345 s (clip 1)"``, where 1 is the clip's rank.
    """
    return f"{frame.time_s:.3f} s (clip {frame.clip.rank})"


def _count(num_frames: int | None, token_budget: int | None, each: int) -> int:
    if each < 1:
        raise InputError(f"{each} tokens for a frame make no sense", "give at least 1")
    count = 32 if num_frames is None and token_budget is None else num_frames
    affordable = None if token_budget is None else token_budget // each
    if affordable is not None and affordable < 1:
        raise InputError(f"{token_budget} tokens do not reach for one frame of {each}", "raise the budget")
    limits = [limit for limit in (count, affordable) if limit is not None]
    return min(limits)


def _size(selection: Selection, shorter_side_px: int) -> tuple[int, int]:
    """(height, width) of the pictures, never larger than they are."""
    if shorter_side_px < 1:
        raise InputError(f"a shorter side of {shorter_side_px} pixels", "give at least 1")
    table = packets_of(selection)
    (first,) = choose_frames(selection, 1, number_frames(table))
    with FrameReader(selection.scores.path, table) as reader:
        height, width = reader.frames_at([first.time])[0].rgb.shape[:2]
    scale = min(1.0, shorter_side_px / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
