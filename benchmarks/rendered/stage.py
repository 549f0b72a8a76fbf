"""The pictures of a video: ``pybullet``'s humanoid and things, laid over the room; only here is it imported.

Nothing is simulated: every frame sets the places and joints that ``acting`` and ``props`` tell, and asks the
software renderer (TinyRenderer, no GPU, no threads) for a picture. So a frame depends on nothing but the screenplay
and the frame's number.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from .acting import act
from .background import Packed, Room, texture
from .camera import View, followed, shaken, view
from .draw import LOOKS
from .motions import Floats, Pose, folder
from .props import place
from .screenplay import Prop, Screenplay, Settings, Shot

_NOWHERE = (0.0, 0.0, -50.0)
_UPRIGHT = (np.sin(np.pi / 4), 0.0, 0.0, np.cos(np.pi / 4))
"""The quaternion that turns the captures' y upwards into z upwards."""
_BALLS = (1, 2, 3, 5, 6, 9, 11, 12)
"""Joint numbers of the humanoid for ``BALL_JOINTS`` after the root."""
_HINGES = (4, 7, 10, 13)
"""Joint numbers for ``HINGES``."""
_DRESS = {"skin": (2, 7, 8, 13, 14), "shirt": (0, 1, 6, 12), "trousers": (3, 4, 9, 10), "shoes": (5, 11)}
"""Which links have one colour."""


BODY = {"head": (2,), "trunk": (-1, 0, 1), "arm": (6, 12), "hand": (7, 8, 13, 14), "thigh": (3, 9)}
"""Links of the parts of the body that ``Seen.parts`` counts from 1; all others are the last part, shins and feet."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame."""

    picture: npt.NDArray[np.uint8]
    """(height, width, 4): red, green, blue and 255."""
    parts: npt.NDArray[np.uint8] | None
    """(height, width) which part of the body is there, 0 for none; None where it was not asked for."""


def pictures(play: Screenplay, settings: Settings) -> Iterator[npt.NDArray[np.uint8]]:
    """Every frame of a video.

    Args:
        play: The screenplay.
        settings: Size and frame rate.

    Yields:
        (height, width, 4) uint8: red, green, blue and 255.
    """
    return (seen.picture for seen in frames_of(play, settings, range(play.frames), parts=False))


def frames_of(play: Screenplay, settings: Settings, frames: Container[int], *, parts: bool) -> Iterator[Seen]:
    """Some frames of a video, in order of time.

    Args:
        play: The screenplay.
        settings: Size and frame rate.
        frames: The numbers of those that are wanted.
        parts: Whether to tell the parts of the body, too.

    Yields:
        What is seen.
    """
    rate = float(settings.frame_rate)
    acting = act(play, rate)
    focus = followed(play, acting.place_m, rate)
    room = Room(play.seed, LOOKS, settings.width_px, settings.height_px)
    with _Stage(play, settings, parts=parts) as stage:
        for shot in play.shots:
            shakes = shaken(shot, rate)
            for frame in range(shot.start, shot.end):
                if frame not in frames:
                    continue
                seen = view(shot, frame, rate, focus[frame], shakes[frame - shot.start])
                person = acting.place_m[frame]
                stage.set_person(person, acting.heading_rad[frame], acting.poses[frame])
                middle = seen.eye_m + 3.2 * seen.forward if shot.away else focus[frame]
                stage.set_things(frame, middle, seen)
                behind = room.picture(seen, shot.look, person)
                picture, body = stage.over(behind, shot, seen)
                if play.mirrored:
                    picture, body = picture[:, ::-1], None if body is None else body[:, ::-1]
                pixels = np.ascontiguousarray(picture).view(np.uint8).reshape(*picture.shape, 4)
                yield Seen(pixels, body)


class _Stage:
    """One ``pybullet`` world with the person and the things of a video."""

    def __init__(self, play: Screenplay, settings: Settings, *, parts: bool) -> None:
        with _silence():
            import pybullet

            self._bullet: ModuleType = pybullet
            self._world: int = pybullet.connect(pybullet.DIRECT)
            self._play, self._settings, self._parts = play, settings, parts
            self._person = self._load_person()
            self._things = [self._load_thing(prop) for prop in play.props]

    def __enter__(self) -> _Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._bullet.disconnect(physicsClientId=self._world)

    def set_person(self, place_m: Floats, heading_rad: float, pose: Pose) -> None:
        """Put the person where it is, as it stands."""
        half = heading_rad / 2
        turned = _times((0.0, 0.0, np.sin(half), np.cos(half)), _times(_UPRIGHT, tuple(pose.turns[0])))
        self._call("resetBasePositionAndOrientation", self._person, place_m.tolist(), turned)
        balls = [turn.tolist() for turn in pose.turns[1:]]
        hinges = [[float(angle)] for angle in pose.angles_rad]
        self._call("resetJointStatesMultiDof", self._person, [*_BALLS, *_HINGES], [*balls, *hinges])

    def set_things(self, frame: int, middle_m: Floats, seen: View) -> None:
        """Put every thing on its way, or out of the world."""
        rate = float(self._settings.frame_rate)
        flying = {f.prop: f for f in self._play.flights if f.start <= frame < f.end}
        for number, body in enumerate(self._things):
            if number not in flying:
                self._call("resetBasePositionAndOrientation", body, _NOWHERE, (0, 0, 0, 1))
                continue
            flight = flying[number]
            at = place(self._play, flight, frame, rate, middle_m, seen)
            angle = flight.spin_rad_s * (frame - flight.start) / rate
            turned = self._bullet.getQuaternionFromEuler([angle, 0.6 * angle, 0.3 * angle])
            self._call("resetBasePositionAndOrientation", body, at.tolist(), turned)

    def over(self, behind: Packed, shot: Shot, seen: View) -> tuple[Packed, npt.NDArray[np.uint8] | None]:
        """The person and the things as the camera sees them, laid over the room; and the body's parts."""
        bullet = self._bullet
        width, height = self._settings.width_px, self._settings.height_px
        looks = self._bullet.computeViewMatrix(
            seen.eye_m.tolist(), (seen.eye_m + seen.forward).tolist(), [0, 0, 1]
        )
        lens = self._bullet.computeProjectionMatrixFOV(np.rad2deg(seen.field_rad), width / height, 0.1, 40.0)
        taken = self._call(
            "getCameraImage",
            width,
            height,
            looks,
            lens,
            lightDirection=shot.light,
            lightAmbientCoeff=0.45,
            lightDiffuseCoeff=0.6,
            lightSpecularCoeff=0.05,
            shadow=0,
            flags=bullet.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX
            if self._parts
            else bullet.ER_NO_SEGMENTATION_MASK,
            renderer=self._bullet.ER_TINY_RENDERER,
        )
        front = np.ascontiguousarray(taken[2], dtype=np.uint8).view(np.uint32).reshape(height, width)
        picture = np.where(np.asarray(taken[3]).reshape(height, width) < 1, front, behind)
        return picture, self._body(np.asarray(taken[4]).reshape(height, width)) if self._parts else None

    def _body(self, mask: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
        """Parts of the body by bullet's mask: the number of the thing, and of its link plus 1 in the upper bits."""
        link = (mask >> 24) - 1
        parts = np.full(mask.shape, len(BODY) + 1, dtype=np.uint8)
        for number, links in enumerate(BODY.values(), start=1):
            parts[np.isin(link, links)] = number
        parts[(mask < 0) | (mask & 0xFFFFFF != self._person)] = 0
        return parts

    def _load_person(self) -> int:
        flags = self._bullet.URDF_MAINTAIN_LINK_ORDER
        file = str(folder() / "humanoid" / "humanoid.urdf")
        person: int = self._call("loadURDF", file, globalScaling=0.25, useFixedBase=True, flags=flags)
        random = np.random.default_rng([self._play.seed, 1])
        for part, links in _DRESS.items():
            colour = random.uniform(0.05, 1.0, 3)
            if part == "skin":
                colour = random.uniform(0.3, 1.0) * np.array([1.0, 0.78, 0.62])
            for link in links:
                self._call("changeVisualShape", person, link, rgbaColor=[*colour, 1])
        return person

    def _load_thing(self, prop: Prop) -> int:
        bullet, size = self._bullet, prop.size_m
        if prop.kind == "duck":
            mesh = str(folder() / "duck.obj")
            shape = self._call(
                "createVisualShape", bullet.GEOM_MESH, fileName=mesh, meshScale=[0.4 * size] * 3
            )
        elif prop.kind == "ball":
            shape = self._call("createVisualShape", bullet.GEOM_SPHERE, radius=size)
        else:
            narrow = size if prop.kind == "box" else 0.4 * size
            extents = [narrow, narrow, size if prop.kind == "box" else 2 * size]
            shape = self._call("createVisualShape", bullet.GEOM_BOX, halfExtents=extents)
        body: int = self._call("createMultiBody", 0, -1, shape)
        self._call(
            "changeVisualShape", body, -1, textureUniqueId=self._texture(prop.seed), rgbaColor=[1, 1, 1, 1]
        )
        return body

    def _texture(self, seed: int) -> int:
        sheet = texture(np.random.default_rng(seed)).astype(np.uint8)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "texture.png"
            path.write_bytes(png(sheet))
            number: int = self._call("loadTexture", str(path))
        return number

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        return getattr(self._bullet, name)(*arguments, physicsClientId=self._world, **named)


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file.

    Args:
        picture: (height, width, 3) red, green, blue.

    Returns:
        The file's bytes.
    """
    codec = av.CodecContext.create("png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.height, codec.width, codec.pix_fmt = picture.shape[0], picture.shape[1], "rgb24"
    codec.framerate = Fraction(1)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def _times(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """The product of two quaternions, real part last."""
    x, y, z, w = one
    a, b, c, d = other
    return (
        w * a + x * d + y * c - z * b,
        w * b - x * c + y * d + z * a,
        w * c + x * b - y * a + z * d,
        w * d - x * a - y * b - z * c,
    )


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what ``pybullet``'s C++ prints about its own files off the terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for file in (*kept, nothing):
            os.close(file)
