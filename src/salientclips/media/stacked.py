"""The pictures of a clip as one array, also where the stream changes their size half way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import av.video.frame
import numpy as np
import numpy.typing as npt


class Pictured(Protocol):
    """Anything with a picture, such as a ``DecodedFrame``."""

    @property
    def rgb(self) -> npt.NDArray[np.uint8]:
        """(H, W, 3), 8-bit RGB, display orientation."""


def stacked(frames: Sequence[Pictured], size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Put pictures into one array.

    A broadcast may switch from one size to another, and a damaged stream says anything; a picture of another size
    than the rest is then scaled to it, and may be stretched.

    Args:
        frames: At least one.
        size: (height, width) of the array, pixels; None for that of the first picture.

    Returns:
        uint8 (n, height, width, 3), RGB in display orientation.
    """
    height, width = size or frames[0].rgb.shape[:2]
    return np.stack([_of_size(frame.rgb, height, width) for frame in frames])


def _of_size(rgb: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    if rgb.shape[:2] == (height, width):
        return rgb
    picture = av.video.frame.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    scaled = picture.reformat(width=width, height=height, format="rgb24")
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
