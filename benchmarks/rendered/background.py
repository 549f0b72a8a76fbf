"""The room: floor, four walls and their textures, worked out ray by ray in numpy.

``pybullet``'s software renderer needs 10 ms for the pixels of a room at 256x192 and 2 ms for a person in the empty;
a box seen from inside needs no renderer. Everything else stands in the box, so it is simply laid over this picture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .camera import ROOM_M, View
from .motions import Floats

Packed = npt.NDArray[np.uint32]
"""Pictures whose pixels are four bytes: red, green, blue, 255."""

_SIDE = 256
_TEXELS_PER_M = 64
_BLURS = (0.0, 2.0, 6.0)
"""Texels; farther off the texture is blurred, or it would glitter as the camera moves."""
_FAR_M = (4.5, 9.0)
_SHADOW_M = 0.38


class Room:
    """A room with the textures of one video."""

    def __init__(self, seed: int, looks: int, width_px: int, height_px: int) -> None:
        """Make the textures.

        Args:
            seed: Of all of them.
            looks: How many sets of textures there are.
            width_px: Width of the pictures.
            height_px: Their height.
        """
        random = np.random.default_rng([seed, 3])
        self._atlases = [_atlas(random) for _ in range(looks)]
        aspect = width_px / height_px
        self._x = (((np.arange(width_px) + 0.5) / width_px * 2 - 1) * aspect).astype(np.float32)[None, :]
        self._y = (1 - (np.arange(height_px) + 0.5) / height_px * 2).astype(np.float32)[:, None]

    def picture(self, view: View, look: int, person_m: Floats | None) -> Packed:
        """What the camera sees of the empty room.

        Args:
            view: The camera.
            look: Which set of textures.
            person_m: (3,) where a shadow lies on the floor, or nothing.

        Returns:
            (height, width) packed pixels.
        """
        half = np.float32(np.tan(view.field_rad / 2))
        eye, forward, right, up = (
            part.astype(np.float32) for part in (view.eye_m, view.forward, view.right, view.up)
        )
        # The picture's right is level, so how far a ray falls depends on its row alone.
        falls = forward[2] + half * self._y * up[2]  # (H, 1)
        x = forward[0] + half * (self._x * right[0] + self._y * up[0])  # (H, W)
        y = forward[1] + half * (self._x * right[1] + self._y * up[1])
        with np.errstate(divide="ignore"):  # along a wall: it is infinitely far
            to_x = (np.copysign(np.float32(ROOM_M), x) - eye[0]) / x
            to_y = (np.copysign(np.float32(ROOM_M), y) - eye[1]) / y
        to_floor = np.where(falls < -1e-6, -eye[2] / np.minimum(falls, np.float32(-1e-6)), np.float32(1e6))
        far = np.minimum(to_x, to_y)
        floor = to_floor < far
        far = np.minimum(far, to_floor)
        x_m, y_m = eye[0] + far * x, eye[1] + far * y
        u = np.where(floor | (to_y < to_x), x_m, y_m)
        v = np.where(floor, y_m, eye[2] + far * falls)
        level = (far > _FAR_M[0]).astype(np.int32) + (far > _FAR_M[1])
        level += np.where(floor, 0, 2 * len(_BLURS))
        if person_m is not None:
            near = (x_m - person_m[0]) ** 2 + (y_m - person_m[1]) ** 2 < _SHADOW_M**2
            level += len(_BLURS) * (near & floor)
        u_texel = (u * _TEXELS_PER_M).astype(np.int32) & (_SIDE - 1)
        v_texel = (v * _TEXELS_PER_M).astype(np.int32) & (_SIDE - 1)
        return np.asarray(self._atlases[look][(level * _SIDE + v_texel) * _SIDE + u_texel])


def _atlas(random: np.random.Generator) -> Packed:
    """All textures of a look in one row of packed texels: floor, floor in shadow, walls, each at every blur."""
    floor, wall = ([_blurred(sheet, blur) for blur in _BLURS] for sheet in (texture(random), texture(random)))
    sheets = [*floor, *(0.45 * sheet for sheet in floor), *wall]
    solid = np.full((len(sheets), _SIDE, _SIDE, 1), 255)
    bytes_ = np.concatenate([np.clip(np.stack(sheets), 0, 255), solid], axis=3).astype(np.uint8)
    return np.asarray(np.ascontiguousarray(bytes_).view(np.uint32).reshape(-1))


def texture(random: np.random.Generator) -> Floats:
    """A texture that repeats without a seam.

    Args:
        random: Where chance comes from.

    Returns:
        (256, 256, 3) levels, 0 to 255: cloudy, tiled, striped or speckled in two colours.
    """
    down, across = np.mgrid[0:_SIDE, 0:_SIDE]
    clouds = _clouds(random, float(random.uniform(1.0, 2.2)))
    kind = random.choice(["clouds", "tiles", "stripes", "bricks"])
    size = int(random.choice([16, 32, 64]))
    if kind == "tiles":
        mix = ((down // size + across // size) % 2) * 0.8 + 0.2 * clouds
    elif kind == "stripes":
        mix = ((down if random.random() < 0.5 else across) // size % 2) * 0.8 + 0.2 * clouds
    elif kind == "bricks":
        shifted = across + (down // size % 2) * size
        joint = (down % size < 3) | (shifted % (2 * size) < 3)
        mix = np.where(joint, 0.0, 0.6 + 0.4 * clouds)
    else:
        mix = clouds
    one, other = random.uniform(20, 235, (2, 3))
    return np.asarray(mix[..., None] * one + (1 - mix[..., None]) * other, dtype=np.float64)


def _clouds(random: np.random.Generator, slope: float) -> Floats:
    """Noise whose spectrum falls with frequency, between 0 and 1."""
    spectrum = np.fft.rfft2(random.standard_normal((_SIDE, _SIDE)))
    spectrum *= (_frequency() + 1 / _SIDE) ** -slope
    noise = np.fft.irfft2(spectrum, s=(_SIDE, _SIDE))
    low, high = np.quantile(noise, [0.02, 0.98])
    return np.asarray(np.clip((noise - low) / (high - low), 0, 1))


def _blurred(sheet: Floats, texels: float) -> Floats:
    if texels == 0:
        return sheet
    kept = np.exp(-2 * (np.pi * texels * _frequency()) ** 2)[..., None]
    return np.asarray(np.fft.irfft2(np.fft.rfft2(sheet, axes=(0, 1)) * kept, s=(_SIDE, _SIDE), axes=(0, 1)))


def _frequency() -> Floats:
    """Of each coefficient of a real transform, in cycles a texel."""
    return np.asarray(np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :]))
