"""The camera in every frame: where it stands, where it looks, how wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .motions import Floats
from .screenplay import Screenplay, Shot

ROOM_M = 8.0
"""Half the width of the room; the camera stays half a metre off its walls."""
_FOLLOWS_S = 0.6
"""A camera that follows the person lags by this."""


@dataclass(frozen=True)
class View:
    """The camera in one frame."""

    eye_m: Floats
    """(3,) where it is."""
    forward: Floats
    """(3,) unit vector to where it looks."""
    right: Floats
    """(3,) unit vector to the picture's right."""
    up: Floats
    """(3,) unit vector to the picture's top."""
    field_rad: float
    """Vertical field of view."""


def followed(play: Screenplay, place_m: Floats, rate: float) -> Floats:
    """What the camera looks at: the person's place, smoothed, begun anew at each cut.

    Args:
        play: The screenplay.
        place_m: (frames, 3) the person's place.
        rate: Frames per second.

    Returns:
        (frames, 3) metres; the height is that of a person's middle, whatever it does.
    """
    keep = float(np.exp(-1 / (_FOLLOWS_S * rate)))
    focus = np.array(place_m)
    for shot in play.shots:
        for frame in range(shot.start + 1, shot.end):
            focus[frame] = keep * focus[frame - 1] + (1 - keep) * place_m[frame]
    focus[:, 2] = 0.75
    return focus


def shaken(shot: Shot, rate: float) -> Floats:
    """The shake of a hand-held camera.

    Args:
        shot: The take.
        rate: Frames per second.

    Returns:
        (frames of the shot, 2) radians: left and right, up and down; a smoothed walk of chance.
    """
    random = np.random.default_rng(shot.seed)
    rough = random.standard_normal((shot.end - shot.start + 8, 2))
    window = np.hanning(min(7, int(rate / 2) + 3))
    window /= np.sqrt((window**2).sum())
    smooth = np.stack([np.convolve(rough[:, axis], window, "same") for axis in range(2)], axis=1)
    return shot.shake_rad * smooth[: shot.end - shot.start]


def view(shot: Shot, frame: int, rate: float, focus_m: Floats, shake_rad: Floats) -> View:
    """The camera of one frame.

    Args:
        shot: The take that the frame is in.
        frame: Its number.
        rate: Frames per second.
        focus_m: (3,) what the camera follows.
        shake_rad: (2,) its shake.

    Returns:
        The view.
    """
    time_s = (frame - shot.start) / rate
    around = shot.azimuth_rad + shot.orbit_rad_s * time_s
    flat = np.cos(shot.elevation_rad)
    outward = np.array([flat * np.cos(around), flat * np.sin(around), np.sin(shot.elevation_rad)])
    eye = focus_m + shot.distance_m * outward
    eye[:2] = np.clip(eye[:2], 0.5 - ROOM_M, ROOM_M - 0.5)
    eye[2] = max(eye[2], 0.3)
    gaze = focus_m - eye
    turn = shot.pan_rad * np.sin(2 * np.pi * shot.pan_hz * time_s + shot.phases_rad[0]) + shake_rad[0]
    yaw = np.arctan2(gaze[1], gaze[0]) + turn + (1.3 if shot.away else 0.0)
    pitch = np.arctan2(gaze[2], np.hypot(gaze[0], gaze[1])) + shake_rad[1]
    forward = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    wide = 1 + shot.zoom * np.sin(2 * np.pi * shot.zoom_hz * time_s + shot.phases_rad[1])
    return View(eye, forward, right, np.cross(right, forward), float(np.deg2rad(shot.field_deg * wide)))
