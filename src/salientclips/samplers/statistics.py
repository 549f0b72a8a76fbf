"""What a clip's motion and residuals amount to, in some sixty numbers: the stream ``stats`` (not the paper's).

A network that looks at one frame's MD or RGB-R has to find out what a clip is like from frames that are mostly
noise. These numbers are of the whole clip at once: how far things move against the camera, how much of the picture
moves, where and how wide spread, how much could not be predicted, and how all of that varies over the frames. A
linear layer on them learns within seconds, from few videos, and runs without torch.

Displacements are taken against the camera, in pixels of a picture whose shorter side is 224, so that resolution does
not matter; energies as their logarithm. All numbers but places are put through ``sign(x) * log(1 + 3 |x|)``: their
tails are long.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..compressed.camera import remove_camera_motion
from ..types import ClipFeatures
from .baselines import NET_SIDE_PX

Floats = npt.NDArray[np.float64]

OF_A_FRAME: tuple[str, ...] = (
    "camera",
    "motion",
    "motion_of_3_percent",
    "motion_of_10_percent",
    "share_that_moves",
    "across",
    "down",
    "most_upwards",
    "most_downwards",
    "motion_height",
    "motion_width",
    "motion_place_down",
    "motion_place_aside",
    "energy",
    "energy_of_3_percent",
    "energy_of_10_percent",
    "share_that_is_new",
    "energy_height",
    "energy_width",
    "energy_place_down",
    "energy_place_aside",
    "share_intra",
)
"""What is said of each frame; places and extents are shares of the picture's height or width."""
OVER_FRAMES: tuple[str, ...] = ("mean", "deviation", "most")
"""What is said of each of these over the frames of a clip."""
STATISTICS: tuple[str, ...] = tuple(f"{name}_{over}" for over in OVER_FRAMES for name in OF_A_FRAME)
"""The numbers of a clip, in order."""

_MOVES_PX = 1.0
"""A cell moves that goes so far in a frame."""
_NEW = 2.0
"""A cell is new whose energy's logarithm is above this: some 6 squared levels."""
_FAR_PX = 16.0
"""Longer displacements count as this for where motion is: a few wrong vectors do not decide it."""


def clip_statistics(clip: ClipFeatures) -> npt.NDArray[np.float32] | None:
    """All statistics of a clip.

    Args:
        clip: MD and RGB-R (with energy) of n frames.

    Returns:
        float32 (66,) in the order of :data:`STATISTICS`, each finite; None where no frame could be read.
    """
    if clip.md is None or clip.md_valid is None or clip.energy is None or len(clip.md) == 0:
        return None
    frames = np.concatenate(
        [_of_motion(clip.md, clip.md_valid), _of_energy(clip.energy, clip.md_valid)], axis=1
    )
    squeezed = np.sign(frames) * np.log1p(3 * np.abs(frames))
    of_clip = np.concatenate([squeezed.mean(axis=0), squeezed.std(axis=0), squeezed.max(axis=0)])
    found: npt.NDArray[np.float32] = of_clip.astype(np.float32)
    return found


def _of_motion(md: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> Floats:
    """The statistics of displacements (n, 13)."""
    scale = NET_SIDE_PX / (16 * min(md.shape[-2:]))
    own = remove_camera_motion(md, valid).astype(np.float64) * scale
    of_camera = (md * valid[:, None] - own / scale) * scale
    counted = np.maximum(valid.sum(axis=(1, 2)), 1)
    camera = np.hypot(*of_camera.sum(axis=(2, 3)).T) / counted
    length = np.hypot(own[:, 0], own[:, 1])
    down = own[:, 1].reshape(len(md), -1)
    columns = [
        camera,
        length.mean(axis=(1, 2)),
        _of_top(length, 0.03),
        _of_top(length, 0.1),
        (length > _MOVES_PX).mean(axis=(1, 2)),
        np.abs(own[:, 0]).mean(axis=(1, 2)),
        np.abs(own[:, 1]).mean(axis=(1, 2)),
        _of_top(-down, 0.03),
        _of_top(down, 0.03),
        *_places(np.minimum(length, _FAR_PX) + 1e-3),
    ]
    return np.stack(columns, axis=1)


def _of_energy(energy: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> Floats:
    """The statistics of residual energy, and of what has no vector (n, 9)."""
    levels = np.log1p(np.maximum(energy.astype(np.float64), 0))
    columns = [
        levels.mean(axis=(1, 2)),
        _of_top(levels, 0.03),
        _of_top(levels, 0.1),
        (levels > _NEW).mean(axis=(1, 2)),
        *_places(levels + 1e-3),
        1 - valid.mean(axis=(1, 2)),
    ]
    return np.stack(columns, axis=1)


def _of_top(cells: Floats, share: float) -> Floats:
    """The mean of the largest cells of each frame, at least one (n,)."""
    flat = cells.reshape(len(cells), -1)
    count = max(1, round(share * flat.shape[1]))
    mean: Floats = np.partition(flat, flat.shape[1] - count, axis=1)[:, -count:].mean(axis=1)
    return mean


def _places(weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Of cells of some weight (n, h, w): how high and wide they are spread, how far down and from the middle."""
    total = weights.sum(axis=(1, 2))
    spread, middle = [], []
    for axis, along in ((2, weights.shape[1]), (1, weights.shape[2])):
        share = weights.sum(axis=axis) / total[:, None]  # (n, along)
        at = (np.arange(along) + 0.5) / along
        mean = share @ at
        middle.append(mean)
        spread.append(np.sqrt(np.maximum(share @ np.square(at) - np.square(mean), 0)))
    return spread[0], spread[1], middle[0], np.abs(middle[1] - 0.5)
