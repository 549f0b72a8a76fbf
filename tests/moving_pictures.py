"""Made-up videos whose motion is known: a textured scene that shifts, rests, or has one moving square."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

WIDTH_PX, HEIGHT_PX = 192, 128
MARGIN_PX = 160

Picture = npt.NDArray[np.uint8]


def scene(seed: int = 0) -> Picture:
    """A smooth texture (H + 2 margin, W + 2 margin, 3) with detail that motion search can hold on to."""
    rng = np.random.default_rng(seed)
    shape = (HEIGHT_PX + 2 * MARGIN_PX, WIDTH_PX + 2 * MARGIN_PX)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(rng.normal(size=shape)) / (0.04 + frequency) * np.exp(-8 * frequency)
        plane = np.fft.irfft2(spectrum, s=shape)
        planes.append(np.clip(128 + 45 * plane / plane.std(), 0, 255))
    return np.stack(planes, axis=-1).astype(np.uint8)


def shifting(dx: int, dy: int, count: int, seed: int = 0) -> Iterable[Picture]:
    """Frames of a scene whose content moves by (dx, dy) pixels a frame, right and down."""
    whole = scene(seed)
    for i in range(count):
        top, left = MARGIN_PX - i * dy, MARGIN_PX - i * dx
        yield np.ascontiguousarray(whole[top : top + HEIGHT_PX, left : left + WIDTH_PX])


def with_square(count: int, step: int) -> Iterable[Picture]:
    """A scene at rest with a textured 48 x 48 square that moves right by ``step`` pixels a frame."""
    square = scene(1)[:48, :48]
    for i, picture in enumerate(shifting(0, 0, count)):
        left = 16 + i * step
        picture[40:88, left : left + 48] = square
        yield picture


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    codec: str,
    *,
    options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
    b_frames: int | None = None,
    gop: int = 12,
    alter: Callable[[av.VideoStream], None] | None = None,
) -> Path:
    """Encode RGB pictures at 25 frames/s; the container is that of the path's suffix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.pix_fmt = pixel_format
        stream.gop_size = gop
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
        stream.options = options or {}
        stream.bit_rate = 4_000_000
        for i, picture in enumerate(pictures):
            if i == 0:
                stream.width, stream.height = picture.shape[1], picture.shape[0]
                if alter is not None:
                    alter(stream)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
