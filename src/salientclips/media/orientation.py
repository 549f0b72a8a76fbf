"""Upright pictures: what the container's display matrix asks of a player, in steps of a right angle.

PyAV hands out frames as they are coded; phones store portrait video lying on its side. Mirror images are not
followed, and an angle that is no multiple of 90 degrees is rounded.
"""

from __future__ import annotations

import av.video.frame
import numpy as np
import numpy.typing as npt


def rotation_deg(frame: av.video.frame.VideoFrame) -> int:
    """How far a frame must be turned to be upright.

    Args:
        frame: A decoded frame.

    Returns:
        Degrees clockwise: 0, 90, 180 or 270. (FFmpeg's display matrix counts anticlockwise.)
    """
    return round(-frame.rotation / 90) % 4 * 90


def turn(picture: npt.NDArray[np.uint8], clockwise_deg: int) -> npt.NDArray[np.uint8]:
    """Turn a picture.

    Args:
        picture: (H, W, 3) uint8.
        clockwise_deg: A multiple of 90.

    Returns:
        The turned picture, contiguous; (W, H, 3) after 90 or 270 degrees.
    """
    return np.ascontiguousarray(np.rot90(picture, -clockwise_deg // 90))
