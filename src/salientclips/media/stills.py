"""Small pictures as compressed bytes, for pages: WebP where FFmpeg has libwebp, else JPEG.

Both encoders are FFmpeg's, so that no imaging library is needed. Sound, video and animation are not written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import av.codec
import av.video.codeccontext
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Still:
    """One compressed picture."""

    mime: str
    """``"image/webp"`` or ``"image/jpeg"``."""
    data: bytes
    """The whole file."""


def encode_still(rgb: npt.NDArray[np.uint8], quality: int = 55) -> Still:
    """Compress one picture.

    Args:
        rgb: (H, W, 3), 8-bit RGB; at least 2 x 2. An odd last row or column is cut off.
        quality: 1 (small) to 100 (good).

    Returns:
        A WebP file, or a JPEG file where this FFmpeg cannot write WebP.
    """
    even = np.ascontiguousarray(rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2])
    if "libwebp" in av.codecs_available:
        return Still("image/webp", _encode("libwebp", "yuv420p", even, {"quality": str(quality)}))
    # JPEG's scale runs the other way: 2 is best, 31 smallest.
    scale = str(round(31 - 29 * quality / 100))
    return Still("image/jpeg", _encode("mjpeg", "yuvj420p", even, {"qmin": scale, "qmax": scale}))


def _encode(codec: str, pixel_format: str, rgb: npt.NDArray[np.uint8], options: dict[str, str]) -> bytes:
    context = av.codec.CodecContext.create(codec, "w")
    assert isinstance(context, av.video.codeccontext.VideoCodecContext)
    context.height, context.width = rgb.shape[:2]
    context.pix_fmt, context.time_base, context.options = pixel_format, Fraction(1, 25), options
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))
