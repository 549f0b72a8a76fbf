"""Where the things are in every frame: paths in closed form, so no physics has to be the same on every machine."""

from __future__ import annotations

import numpy as np

from .camera import View
from .motions import Floats
from .screenplay import Flight, Screenplay


def place(play: Screenplay, flight: Flight, frame: int, rate: float, person_m: Floats, view: View) -> Floats:
    """Where a thing is.

    Args:
        play: The screenplay, for the thing's size.
        flight: Its flight.
        frame: Frame number within the flight's.
        rate: Frames per second.
        person_m: (3,) what the path goes around: the person's place, smoothed.
        view: The camera of this frame.

    Returns:
        (3,) metres, z upwards.
    """
    size = play.props[flight.prop].size_m
    time_s = (frame - flight.start) / rate
    along = np.array([np.cos(flight.direction_rad), np.sin(flight.direction_rad), 0.0])
    across = np.array([-along[1], along[0], 0.0])
    ground = np.array([person_m[0], person_m[1], 0.0])
    travelled = flight.speed * time_s
    if flight.path == "pass":
        share = time_s / ((flight.end - flight.start) / rate)
        depth = 1.1 + 0.4 * flight.offset_m
        side = 1.6 * (2 * share - 1) * depth * np.sign(flight.direction_rad)
        height = 0.25 * np.sin(flight.speed * 3 * share) * depth
        return np.asarray(view.eye_m + depth * view.forward + side * view.right + height * view.up)
    if flight.path == "circle":
        angle = flight.direction_rad + travelled / flight.offset_m
        circle = flight.offset_m * np.array([np.cos(angle), np.sin(angle), 0.0])
        return np.asarray(ground + circle + np.array([0, 0, size + flight.height_m]))
    if flight.path == "swing":
        angle = 1.1 * np.sin(flight.speed * time_s)
        low = np.array([0, 0, size + 0.6 + 2.0 * (1 - np.cos(angle))])
        return np.asarray(ground + flight.offset_m * across + 2.0 * np.sin(angle) * along + low)
    there_and_back = np.abs((travelled + 2.5) % 10.0 - 5.0) - 2.5  # metres, between -2.5 and 2.5
    height = size
    if flight.path == "bounce":
        beat = (time_s * 2.2 / np.sqrt(flight.height_m + 0.2)) % 1.0
        height += flight.height_m * 4 * beat * (1 - beat)
    return np.asarray(ground + flight.offset_m * across + there_and_back * along + np.array([0, 0, height]))
