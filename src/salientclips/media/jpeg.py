"""Pictures as JPEG, by FFmpeg's own encoder, so that no imaging library is needed."""

from __future__ import annotations

from fractions import Fraction

import av
import av.video.codeccontext
import av.video.reformatter
import numpy as np
import numpy.typing as npt

_QUALITY = 3
"""FFmpeg's quantiser scale, 2 (best) to 31."""


def encode_jpeg(rgb: npt.NDArray[np.uint8]) -> bytes:
    """Encode a picture.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        A JPEG file, colours at half resolution, full range.
    """
    context = av.codec.CodecContext.create("mjpeg", "w")
    assert isinstance(context, av.video.codeccontext.VideoCodecContext)
    height, width = rgb.shape[:2]
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base = Fraction(1, 25)
    context.thread_count = 1
    context.options = {"qmin": str(_QUALITY), "qmax": str(_QUALITY)}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    # JPEG has its own colours: BT.601 in full range, whatever the video had.
    ranges, spaces = av.video.reformatter.ColorRange, av.video.reformatter.Colorspace
    full = frame.reformat(format="yuvj420p", dst_color_range=ranges.JPEG, dst_colorspace=spaces.ITU601)
    full.pts, full.time_base = 0, context.time_base
    packets = [*context.encode(full), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
