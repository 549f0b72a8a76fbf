"""Reads the motion-captured clips that come with ``pybullet`` (``pybullet_data/data/motions``).

The format is DeepMimic's (Peng et al. 2018): a JSON list of frames of 44 numbers, y upwards: duration in seconds;
the root's position in metres; the rotations of root, chest, neck, right hip (quaternions, real part first), the
right knee's angle, right ankle, right shoulder (quaternions), the right elbow's angle, and the same for the left
side.

It does not say how a clip follows another, nor where the person is in the room: that is ``acting``.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CLIPS = {
    "backflip": ("humanoid3d_backflip",),
    "cartwheel": ("humanoid3d_cartwheel",),
    "crawl": ("humanoid3d_crawl",),
    "dance_a": ("humanoid3d_dance_a",),
    "dance_b": ("humanoid3d_dance_b",),
    "get_up": ("humanoid3d_getup_facedown", "humanoid3d_getup_faceup"),
    "jump": ("humanoid3d_jump",),
    "kick": ("humanoid3d_kick",),
    "punch": ("humanoid3d_punch",),
    "roll": ("humanoid3d_roll",),
    "run": ("humanoid3d_run",),
    "spin": ("humanoid3d_spin",),
    "spinkick": ("humanoid3d_spinkick",),
    "walk": ("humanoid3d_walk",),
}
"""The captured clips of each class, and of walking."""

BALL_JOINTS = (
    "root",
    "chest",
    "neck",
    "right_hip",
    "right_ankle",
    "right_shoulder",
    "left_hip",
    "left_ankle",
    "left_shoulder",
)
"""The joints with a quaternion, in the order of ``Pose.turns``."""
HINGES = ("right_knee", "right_elbow", "left_knee", "left_elbow")
"""The joints with one angle, in the order of ``Pose.angles``."""

_TURNS_AT = (4, 8, 12, 16, 21, 25, 30, 35, 39)
_ANGLES_AT = (20, 29, 34, 43)
_HAND_OVER_S = 0.2


@dataclass(frozen=True)
class Pose:
    """One posture."""

    position_m: Floats
    """Of the root, (3,), y upwards."""
    turns: Floats
    """(9, 4) quaternions of ``BALL_JOINTS``, real part last."""
    angles_rad: Floats
    """(4,) of ``HINGES``."""

    def towards(self, other: Pose, share: float) -> Pose:
        """A posture between this one (share 0) and another (share 1)."""
        sign = np.where((self.turns * other.turns).sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
        turns = (1 - share) * self.turns + share * sign * other.turns
        return Pose(
            (1 - share) * self.position_m + share * other.position_m,
            turns / np.linalg.norm(turns, axis=1, keepdims=True),
            (1 - share) * self.angles_rad + share * other.angles_rad,
        )


@dataclass(frozen=True)
class Motion:
    """One captured clip."""

    frame_s: float
    """Time between two of its frames."""
    poses: tuple[Pose, ...]
    """Its frames."""
    cyclic: bool
    """Whether its end runs into its beginning."""

    @property
    def duration_s(self) -> float:
        """From the first frame to the last."""
        return self.frame_s * (len(self.poses) - 1)

    def at(self, time_s: float) -> Pose:
        """The posture at a time of the repeated clip; the root's position goes on over the repeats.

        Args:
            time_s: Time in the clip, at the capture's speed.

        Returns:
            The posture. A fifth of a second before the end it begins to pass into the first frame's.
        """
        round_, within_s = divmod(time_s, self.duration_s)
        number, share = divmod(within_s / self.frame_s, 1)
        pose = self.poses[int(number)].towards(self.poses[min(int(number) + 1, len(self.poses) - 1)], share)
        path = self.poses[-1].position_m - self.poses[0].position_m
        path[1] = 0
        left_s = self.duration_s - within_s
        if left_s < _HAND_OVER_S:
            first = self.poses[0]
            begun = Pose(path + first.position_m, first.turns, first.angles_rad)
            pose = pose.towards(begun, 1 - left_s / _HAND_OVER_S)
        return Pose(pose.position_m + round_ * path, pose.turns, pose.angles_rad)


def folder() -> Path:
    """Where the clips are.

    Returns:
        The folder of the installed ``pybullet_data``.

    Raises:
        ModuleNotFoundError: ``pybullet`` is not installed.
    """
    found = importlib.util.find_spec("pybullet_data")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the rendered benchmark needs pybullet: pip install pybullet")
    return Path(found.origin).parent


@functools.cache
def load(clip: str) -> Motion:
    """One captured clip by its name.

    Args:
        clip: One of the names in ``CLIPS``.

    Returns:
        The clip.
    """
    told = json.loads((folder() / "data" / "motions" / f"{clip}.txt").read_text())
    numbers = np.array(told["Frames"], dtype=np.float64)  # (frames, 44)
    real_first = np.stack([numbers[:, at : at + 4] for at in _TURNS_AT], axis=1)  # (frames, 9, 4)
    turns = np.roll(real_first, -1, axis=2)
    poses = tuple(
        Pose(row[1:4], turn, row[list(_ANGLES_AT)]) for row, turn in zip(numbers, turns, strict=True)
    )
    return Motion(float(numbers[0, 0]), poses, told["Loop"] == "wrap")
