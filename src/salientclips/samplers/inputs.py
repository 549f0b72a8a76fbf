"""What a sampler's networks are shown: features of a clip at the networks' size (paper, section 3.2).

Training and scoring both come through :func:`stream_input`, so they see the same numbers. Grids are resized
to 14 cells (224 / 16) at the shorter side, the longer side keeps the aspect ratio; displacements are scaled
along, so a motion across the whole picture is equally long in every resolution. Resizing takes the mean over
the area of a new cell, downwards and upwards alike: residuals and displacements are means over areas already.
Pure numpy; nothing is random here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..types import ClipFeatures
from .card import Stream
from .statistics import STATISTICS, clip_statistics

Inputs = npt.NDArray[np.float32]
"""Frames of one stream (n, C, h, w)."""
Picture = TypeVar("Picture", npt.NDArray[np.float32], npt.NDArray[np.uint8])
"""One frame (C, h, w)."""

_CELL_PX = 16
_MOST_LONG_TO_SHORT = 8
"""A strip of a picture is squeezed to this aspect ratio: no file makes a network's input arbitrarily large."""


def stream_input(clip: ClipFeatures, stream: Stream, *, short_side_cells: int = 14) -> Inputs:
    """The frames of one clip for the network of one stream, not yet normalised.

    Args:
        clip: What was read of the clip.
        stream: Which stream.
        short_side_cells: Shorter side of the result, cells of 16 pixels; nothing for ``audio``.

    Returns:
        float32 (n, C, h, w); n = 0 (and h = w = the shorter side) where the clip has nothing of the stream.
        ``md``: C = 2, pixels per frame (x right, y down) at a shorter side of ``16 * short_side_cells`` pixels, 0
        in intra cells. ``rgbr``: C = 3, 8-bit levels. ``stats``: (1, 66, 1, 1), see statistics.py.
        ``if``: C = 3, RGB levels 0 to 255, at pixels, not cells.
        ``audio``: (1, 1, 40, 200), logarithmic MEL power as :mod:`salientclips.audio.mel` gives it.

    Raises:
        InputError: The shorter side is below 1, or the stream has no network.
    """
    if short_side_cells < 1:
        raise InputError(f"a shorter side of {short_side_cells} cells is impossible", "give at least 1")
    side = short_side_cells
    match stream:
        case "md":
            if clip.md is None or clip.md.size == 0:
                return np.zeros((0, 2, side, side), np.float32)
            field = clip.md if clip.md_valid is None else clip.md * clip.md_valid[:, None]
            return resize_area(field, side) * np.float32(side / min(field.shape[2:]))
        case "rgbr":
            if clip.rgbr is None or clip.rgbr.size == 0:
                return np.zeros((0, 3, side, side), np.float32)
            return resize_area(clip.rgbr, side)
        case "stats":
            said = clip_statistics(clip)
            if said is None:
                return np.zeros((0, len(STATISTICS), 1, 1), np.float32)
            return said[None, :, None, None]
        case "if":
            if clip.iframes is None or clip.iframes.size == 0:
                return np.zeros((0, 3, side * _CELL_PX, side * _CELL_PX), np.float32)
            return still_input(clip.iframes, short_side_cells=side)
        case "audio":
            if clip.mel is None:
                return np.zeros((0, 1, 40, 200), np.float32)
            return np.asarray(clip.mel, dtype=np.float32)[None, None]
        case "motion" | "packets":
            raise InputError(f"{stream} has no network to be shown anything", "name another stream")


def still_input(pictures: npt.NDArray[np.uint8], *, short_side_cells: int = 14) -> Inputs:
    """I-frames for the network of the stream ``if``, not yet normalised.

    Args:
        pictures: uint8 (n, 3, H, W), n at least 1.
        short_side_cells: Shorter side of the result, cells of 16 pixels.

    Returns:
        float32 (n, 3, h, w), RGB levels 0 to 255.
    """
    return resize_area(pictures.astype(np.float32), short_side_cells * _CELL_PX)


def normalise(frames: Inputs, mean: Sequence[float], std: Sequence[float]) -> Inputs:
    """Shift and scale each channel as a stream's card says.

    Args:
        frames: float32 (n, C, h, w).
        mean: Subtracted (C,), in the feature's unit.
        std: Divides after that (C,), above 0.

    Returns:
        float32 (n, C, h, w), around 0.

    Raises:
        InputError: There are not C of each, or a deviation is not above 0.
    """
    channels = frames.shape[1]
    if len(mean) != channels or len(std) != channels or not min(std) > 0:
        raise InputError(
            f"mean {tuple(mean)} and deviation {tuple(std)} do not fit {channels} channels",
            "give one of each a channel, deviations above 0",
        )
    shift = np.asarray(mean, dtype=np.float32)[:, None, None]
    scale = np.asarray(std, dtype=np.float32)[:, None, None]
    result: Inputs = (frames - shift) / scale
    return result


def without_repeats(frames: Sequence[Picture]) -> tuple[list[Picture], npt.NDArray[np.int64]]:
    """Leave out every frame that is the same as the one before it.

    One I-frame stands for all clips up to the next, and need not be judged again for each.

    Args:
        frames: Frames of one stream, in order of time.

    Returns:
        Those that are left, and for each of ``frames`` which of these it is (num_frames,).
    """
    kept: list[Picture] = []
    places = np.zeros(len(frames), dtype=np.int64)
    for number, frame in enumerate(frames):
        if not kept or not np.array_equal(kept[-1], frame):
            kept.append(frame)
        places[number] = len(kept) - 1
    return kept, places


def resize_area(frames: Inputs, short_side: int) -> Inputs:
    """Resize to a shorter side by the mean over areas; the aspect ratio stays, up to 8 to 1.

    Args:
        frames: float32 (n, C, h, w).
        short_side: Shorter side of the result.

    Returns:
        float32 (n, C, h', w'), in the unit of the input.
    """
    height, width = frames.shape[2:]
    short = min(height, width)
    longest = _MOST_LONG_TO_SHORT * short_side
    new_height, new_width = (
        min(longest, (2 * side * short_side + short) // (2 * short)) for side in (height, width)
    )
    if (new_height, new_width) == (height, width):
        return frames
    down, across = _area_weights(height, new_height), _area_weights(width, new_width)
    resized: Inputs = np.matmul(np.matmul(down, frames), across.T)
    return resized


@lru_cache(maxsize=32)
def _area_weights(old: int, new: int) -> Inputs:
    """How much each old place counts for each new one (new, old); rows sum to 1."""
    edges_new = np.arange(new + 1, dtype=np.float64) * (old / new)
    starts, ends = edges_new[:-1, None], edges_new[1:, None]
    places = np.arange(old, dtype=np.float64)
    overlap = np.minimum(ends, places + 1) - np.maximum(starts, places)
    weights = np.maximum(overlap, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    result: Inputs = weights.astype(np.float32)
    result.flags.writeable = False
    return result
