"""What a camera's sensor makes of a rendered picture: the light of the moment, and grain."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import av
import numpy as np
import numpy.typing as npt

from .screenplay import Screenplay


def finished(
    play: Screenplay, pictures: Iterable[npt.NDArray[np.uint8]], frames: Iterable[int] | None = None
) -> Iterator[av.VideoFrame]:
    """Pictures as the camera's sensor gives them: in the light of the moment, with grain.

    Args:
        play: The screenplay.
        pictures: (height, width, 4) uint8 each.
        frames: The pictures' frame numbers; by default 0, 1, 2 ...

    Yields:
        Frames to encode, yuv420p.
    """
    random = np.random.default_rng([play.seed, 5])
    grains: list[npt.NDArray[np.int16]] = []
    for number, picture in zip(itertools.count() if frames is None else frames, pictures, strict=False):
        planes = av.VideoFrame.from_ndarray(picture, format="rgba").reformat(format="yuv420p").to_ndarray()
        height = picture.shape[0]
        if not grains:
            shape = (8, *planes[:height].shape)
            grains = list(np.rint(play.grain * random.standard_normal(shape)).astype(np.int16))
        luma = planes[:height].astype(np.int16)
        gain = _light(play, number)
        if gain != 1:
            luma = (luma * gain).astype(np.int16)
        # One of eight grains, moved and turned at random: as good as a new one, and cheaper.
        grain = np.roll(grains[int(random.integers(8))], tuple(random.integers(64, size=2)), axis=(0, 1))
        planes[:height] = np.clip(luma + grain, 16, 235)
        yield av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _light(play: Screenplay, frame: int) -> float:
    """How bright the light is in a frame; 1 is plain."""
    gain = 1.0
    for flicker in play.flickers:
        if flicker.start <= frame < flicker.end:
            span = (frame - flicker.start) / (flicker.end - flicker.start)
            waves = max(1, round(flicker.rate_hz * (flicker.end - flicker.start) / 12.5))
            gain *= 1 - flicker.depth * float(np.sin(np.pi * waves * span) ** 2)
    return gain
