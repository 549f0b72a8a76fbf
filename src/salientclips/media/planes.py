"""The planes of decoded frames as arrays: at full size without a copy, at a quarter of it, or as RGB.

Only what the feature readers need; pictures for classifiers are made in decode.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import av.video.frame
import av.video.plane
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Colorspace, VideoReformatter

from .colour import Colour, colour_of

Plane = npt.NDArray[np.unsignedinteger[Any]]
"""Samples of one plane (H, W), uint8 or uint16."""

SHRINK = 4
"""Source pixels along one pixel of a small picture: a 16 x 16 cell becomes 4 x 4."""

_PLANAR = re.compile(r"(yuvj?4\d\dp|gray)(\d+le)?")
"""Pixel formats whose planes are Y, Cb, Cr or Y alone, in the byte order of the machines we run on."""


@dataclass(frozen=True)
class SizedPlanes:
    """Planes of one picture, and how they relate to the source."""

    planes: tuple[Plane, ...] = ()
    """Luma (H', W'), then Cb and Cr; views of the decoder's memory where nothing had to be converted."""
    colour: Colour = field(default_factory=lambda: Colour("bt601", False, 8))
    """How to read them."""
    shrink_x: float = 1.0
    """Source pixels along one of these, to the right."""
    shrink_y: float = 1.0
    """Source pixels along one of these, downwards."""


def full_planes(frame: av.video.frame.VideoFrame, scaler: VideoReformatter) -> SizedPlanes:
    """The planes at full size and depth; formats that are not planar YCbCr become 4:4:4 with 8 bits.

    Args:
        frame: A decoded frame.
        scaler: Converts where it must; reused between frames.

    Returns:
        The planes.
    """
    name = frame.format.name
    if _PLANAR.fullmatch(name) is None:
        frame = scaler.reformat(frame, format="yuv444p", dst_colorspace=Colorspace.ITU601, threads=1)
        return SizedPlanes(_views(frame), Colour("bt601", False, 8))
    depth = frame.format.components[0].bits
    return SizedPlanes(_views(frame), colour_of(frame.colorspace, frame.color_range, name, depth))


def small_planes(
    frame: av.video.frame.VideoFrame,
    scaler: VideoReformatter,
    *,
    is_small: bool = False,
    luma_only: bool = False,
) -> SizedPlanes:
    """The planes at a quarter of the width and height, 4:2:0 with 8 bits.

    Args:
        frame: A decoded frame.
        scaler: Scales by area; reused between frames.
        is_small: Whether the decoder made it at that size already.
        luma_only: Whether chroma is left out.

    Returns:
        Planes of ``ceil(H / 4)`` by ``ceil(W / 4)`` luma samples.
    """
    left = 1 if is_small else SHRINK
    width, height = -(-frame.width // left), -(-frame.height // left)
    colour = colour_of(frame.colorspace, frame.color_range, frame.format.name, 8)
    is_yuv = frame.format.name.startswith(("yuv", "gray"))
    name = "yuvj420p" if is_yuv and colour.full_range else "yuv420p"
    small = scaler.reformat(frame, width, height, name, interpolation="AREA", threads=1)
    if not is_yuv:
        colour = Colour("bt601", False, 8)
    done = SHRINK // left
    planes = _views(small)[:1] if luma_only else _views(small)
    return SizedPlanes(planes, colour, done * frame.width / width, done * frame.height / height)


def rgb_picture(
    frame: av.video.frame.VideoFrame, shorter_side_px: int, scaler: VideoReformatter
) -> npt.NDArray[np.uint8]:
    """A small RGB picture of a frame, before rotation.

    Args:
        frame: A decoded frame.
        shorter_side_px: Size of the shorter side; the longer keeps the aspect ratio of the stored pixels.
        scaler: Converts; reused between frames.

    Returns:
        uint8 (3, H', W').
    """
    scale = shorter_side_px / min(frame.width, frame.height)
    width, height = round(frame.width * scale), round(frame.height * scale)
    small = scaler.reformat(frame, width, height, "rgb24", interpolation="BILINEAR", threads=1)
    return np.ascontiguousarray(small.to_ndarray().transpose(2, 0, 1))


def _views(frame: av.video.frame.VideoFrame) -> tuple[Plane, ...]:
    return tuple(_view(plane, frame.format.components[0].bits > 8) for plane in frame.planes)


def _view(plane: av.video.plane.VideoPlane, is_deep: bool) -> Plane:
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, abs(plane.line_size))
    samples = lines[: plane.height]
    return samples.view(np.uint16)[:, : plane.width] if is_deep else samples[:, : plane.width]
