"""Where the person is and how it stands, in every frame of a video.

Captured clips are repeated over a behaviour at its speed; the root's steps are turned to where the person faces and
added up, and a person who walks out of the middle of the room turns back. Standing and gesturing have no captured
clip: they are a straight posture with slow or lively waves in the joints. Between two behaviours the posture passes
over within 0.3 s: of the later one, but of the action on either side, so that nothing of an action is seen outside
its span.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .motions import BALL_JOINTS, CLIPS, HINGES, Floats, Motion, Pose, load
from .screenplay import BACKGROUND, Behaviour, Screenplay

_PASS_OVER_S = 0.3
_TURN_S = 0.7
_TURN_BACK_RAD_S = 2.4
_MIDDLE_M = 1.2
_STANDING_M = 0.885
"""Height of the root over the floor on straight legs."""


@dataclass(frozen=True)
class Acting:
    """The person over the whole video."""

    place_m: Floats
    """(frames, 3) of the root, z upwards."""
    heading_rad: Floats
    """(frames,) which way the captured clip's forward points on the floor."""
    poses: tuple[Pose, ...]
    """The posture, frame by frame; of ``position_m`` only the height counts."""


def act(play: Screenplay, rate: float) -> Acting:
    """Everything that the person does.

    Args:
        play: The screenplay.
        rate: Frames per second.

    Returns:
        Places, headings and postures.
    """
    places: list[tuple[float, float, float]] = []
    headings: list[float] = []
    poses: list[Pose] = []
    at, heading = np.zeros(2), 0.0
    told = [_postures(behaviour, rate) for behaviour in play.behaviours]
    for part, behaviour in enumerate(play.behaviours):
        turn_rad = behaviour.turn_rad if behaviour.kind != "stand" else 0.0
        turning = min(round(_TURN_S * rate), behaviour.end - behaviour.start)
        follows = told[part + 1][0] if part + 1 < len(told) and behaviour.kind == play.label else None
        begins = poses[-1] if part and play.behaviours[part - 1].kind != play.label else None
        shown = _passed_over(told[part][1:], begins, follows, round(_PASS_OVER_S * rate))
        for number, pose in enumerate(shown):
            heading += turn_rad / turning if number < turning else 0.0
            step = _on_the_floor(told[part][number + 1].position_m - told[part][number].position_m, heading)
            heading += _turn_back(at, step, rate)
            at = at + step
            places.append((float(at[0]), float(at[1]), float(pose.position_m[1])))
            headings.append(heading)
            poses.append(pose)
    return Acting(np.array(places), np.array(headings), tuple(poses))


def _passed_over(told: list[Pose], begins: Pose | None, follows: Pose | None, over: int) -> list[Pose]:
    """Postures that come out of an earlier one in the first frames, and go into a later one in the last."""
    shown = list(told)
    for number in range(min(over, len(told))):
        if begins is not None:
            shown[number] = begins.towards(shown[number], (number + 1) / (over + 1))
        if follows is not None:
            shown[-1 - number] = follows.towards(shown[-1 - number], (number + 1) / (over + 1))
    return shown


def _on_the_floor(step_m: Floats, heading: float) -> Floats:
    """A step of a clip (y upwards) as one on the floor, turned to where the person faces."""
    x, y = step_m[0], -step_m[2]
    cos, sin = np.cos(heading), np.sin(heading)
    return np.array([cos * x - sin * y, sin * x + cos * y])


def _turn_back(at: Floats, step: Floats, rate: float) -> float:
    """By how much a person turns in a frame who leaves the middle of the room."""
    length = float(np.hypot(*step))
    if length * rate < 0.3 or float(np.hypot(*at)) < _MIDDLE_M or float(at @ step) < 0:
        return 0.0
    side = np.sign(step[0] * -at[1] + step[1] * at[0]) or 1.0
    return float(side * _TURN_BACK_RAD_S * max(1.0, length * rate / 2) / rate)


def _postures(behaviour: Behaviour, rate: float) -> list[Pose]:
    """The postures of a behaviour, one before its first frame and then one a frame."""
    times_s = np.arange(behaviour.end - behaviour.start + 1) / rate * behaviour.speed
    if behaviour.kind in ("stand", "gesture"):
        return _standing(behaviour, times_s)
    motion = _clip(behaviour)
    begin_s = behaviour.phase * motion.duration_s if motion.cyclic else 0.0
    return [motion.at(begin_s + float(time_s)) for time_s in times_s]


def _clip(behaviour: Behaviour) -> Motion:
    clips = CLIPS[behaviour.kind]
    return load(clips[behaviour.seed % len(clips)])


def _standing(behaviour: Behaviour, times_s: Floats) -> list[Pose]:
    """A straight posture with waves in the upper body: slow and small, or wide and lively."""
    assert behaviour.kind in BACKGROUND
    random = np.random.default_rng(behaviour.seed)
    lively = behaviour.kind == "gesture"
    hertz = random.uniform(0.3, 1.3, (5, 3)) if lively else random.uniform(0.1, 0.3, (5, 3))
    reach = np.array(
        [[0.25, 0.35, 0.25], [0.2, 0.5, 0.2], [1.3, 0.3, 1.5], [1.3, 0.3, 1.5], [0.02, 0.05, 0.02]]
    )
    reach = reach * random.uniform(0.2, 1.0, (5, 3)) * (1.0 if lively else 0.12)
    phase = random.uniform(0, 2 * np.pi, (5, 3))
    rest = np.zeros((5, 3))
    if lively:  # each arm hangs, or is up in front or at the side
        rest[2:4] = random.random((2, 3)) * [[-1.2, 0, 1.6], [1.2, 0, 1.6]]
    elbows = random.uniform(0.1, 1.4 if lively else 0.3, 2)
    joints = [
        BALL_JOINTS.index(name) for name in ("chest", "neck", "right_shoulder", "left_shoulder", "root")
    ]
    poses = []
    for time_s in times_s:
        vectors = rest + reach * np.sin(2 * np.pi * hertz * time_s + phase)
        turns = np.tile([0.0, 0.0, 0.0, 1.0], (len(BALL_JOINTS), 1))
        turns[joints] = [_quaternion(vector) for vector in vectors]
        angles = np.zeros(len(HINGES))
        wave = 0.5 * np.sin(2 * np.pi * hertz[0, :2] * time_s + phase[0, :2]) * (1.0 if lively else 0.1)
        angles[HINGES.index("right_elbow")], angles[HINGES.index("left_elbow")] = elbows * (1 + wave)
        poses.append(Pose(np.array([0.0, _STANDING_M, 0.0]), turns, angles))
    return poses


def _quaternion(vector: Floats) -> Floats:
    """The rotation about a vector by its length."""
    angle = float(np.linalg.norm(vector))
    if angle == 0:
        return np.array([0.0, 0.0, 0.0, 1.0])
    return np.array([*(vector / angle * np.sin(angle / 2)), np.cos(angle / 2)])
