"""Makes the demo's video: a camera pans over a grey texture, and for a few seconds something coloured moves.

The pan is faster than the thing, so that "most motion" alone would be wrong: only what moves *against* the camera is
salient. Its colour is for classifiers to tell (docs/tutorial). Encoded as H.264 where FFmpeg has x264, else as MPEG-4
part 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.video.stream
import numpy as np
import numpy.typing as npt

from .output import output_container

Picture = npt.NDArray[np.uint8]

_GREY = 128
"""Chroma of a picture without colour."""
_PLANE = {"blue": 0, "red": 1}
"""Which plane of chroma is raised."""


@dataclass(frozen=True)
class DemoScene:
    """What the demo's video shows, and when."""

    duration_s: int = 40
    """Length of the video."""
    salient_start_s: int = 24
    """When something starts to move."""
    salient_end_s: int = 29
    """When it is gone."""
    width_px: int = 320
    """Width of the picture, pixels."""
    height_px: int = 240
    """Height of the picture, pixels."""
    frame_rate: int = 25
    """Frames per second."""
    seed: int = 2019
    """Seed of the texture."""
    colour: Literal["red", "blue"] = "red"
    """Of what moves."""


def write_demo_video(path: Path, scene: DemoScene) -> None:
    """Encode the demo's video.

    Args:
        path: Where to; the suffix says the container (``.mp4``).
        scene: What to show.

    Raises:
        OSError: It cannot be written.
        ValueError: The suffix says no container.
    """
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with output_container(path) as container:
        # The fastest settings that still write B-frames and vectors: nobody keeps this video for its beauty.
        options = {"preset": "veryfast"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=scene.frame_rate, options=options)
        assert isinstance(stream, av.video.stream.VideoStream)
        stream.width, stream.height, stream.pix_fmt = scene.width_px, scene.height_px, "yuv420p"
        stream.codec_context.time_base = Fraction(1, scene.frame_rate)
        for number, picture in enumerate(_pictures(scene)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, scene.frame_rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _pictures(scene: DemoScene) -> Iterator[Picture]:
    rng = np.random.default_rng(scene.seed)
    ground = _texture(rng, scene.height_px * 2, scene.width_px * 3)
    thing = _texture(rng, 56, 56)
    for number in range(scene.duration_s * scene.frame_rate):
        time_s = number / scene.frame_rate
        # A slow swing in both directions that never leaves the ground.
        x = round(scene.width_px * (1 + 0.9 * np.sin(0.35 * time_s)))
        y = round(scene.height_px * (0.5 + 0.4 * np.sin(0.23 * time_s)))
        luma = ground[y : y + scene.height_px, x : x + scene.width_px].copy()
        chroma = np.full((2, scene.height_px // 2, scene.width_px // 2), _GREY, dtype=np.uint8)
        if scene.salient_start_s <= time_s < scene.salient_end_s:
            _draw(luma, chroma[_PLANE[scene.colour]], thing, time_s)
        # What PyAV takes for yuv420p: the planes one below the other, as rows of the luma's width.
        yield np.concatenate([luma, chroma.reshape(-1, scene.width_px)])


def _draw(luma: Picture, chroma: Picture, thing: Picture, time_s: float) -> None:
    """Paste the thing where it is now: it circles fast in the middle of the picture."""
    height, width = luma.shape
    side = thing.shape[0]
    left = round((width - side) * (0.5 + 0.35 * np.cos(5 * time_s)))
    top = round((height - side) * (0.5 + 0.35 * np.sin(5 * time_s)))
    luma[top : top + side, left : left + side] = 255 - thing
    chroma[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = _GREY + 80


def _texture(rng: np.random.Generator, height_px: int, width_px: int) -> Picture:
    """Smooth noise: coarse random values, enlarged and blurred by a running mean."""
    coarse = rng.integers(40, 216, size=(height_px // 8 + 2, width_px // 8 + 2))
    fine = np.kron(coarse, np.ones((8, 8)))
    for axis in (0, 1):
        total = np.cumsum(fine, axis=axis)
        fine = (np.roll(total, -8, axis=axis) - total) / 8
    return fine[:height_px, :width_px].clip(0, 255).astype(np.uint8)
