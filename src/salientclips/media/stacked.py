"""The pictures of a clip as one array, also where the stream changes their size half way."""

from __future__ import annotations

from collections.abc import Sequence

import av.video.frame
import numpy as np
import numpy.typing as npt


def stacked(
    pictures: Sequence[npt.NDArray[np.uint8]], size: tuple[int, int] | None = None
) -> npt.NDArray[np.uint8]:
    """Put pictures into one array.

    A broadcast may switch from one size to another, and a damaged stream says anything; a picture of another size
    than the rest is then scaled to it, and may be stretched.

    Args:
        pictures: At least one, each uint8 (height, width, 3), RGB.
        size: (height, width) of the array, pixels; None for that of the first picture.

    Returns:
        uint8 (n, height, width, 3), RGB in display orientation.
    """
    height, width = size or pictures[0].shape[:2]
    return np.stack([_of_size(rgb, height, width) for rgb in pictures])


def _of_size(rgb: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    if rgb.shape[:2] == (height, width):
        return rgb
    picture = av.video.frame.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    scaled = picture.reformat(width=width, height=height, format="rgb24")
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
