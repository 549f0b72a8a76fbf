"""Clips of ``rendered.drill`` as f is shown them, each time as never seen, and what the renderer knows of them."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from benchmarks.rendered.draw import draw
from benchmarks.rendered.drill import SCENES_A_PART, SEED, SIZE_PX, STEP
from benchmarks.rendered.motions import CLIPS, load
from benchmarks.rendered.screenplay import ACTIONS, Settings

FRAMES, CROP_PX = 8, 64
"""Of a clip of f."""
CAPTURED = tuple(name for label in ACTIONS for name in CLIPS[label])
"""The captured clips of all classes."""
MOMENTS = 4
"""Parts of a captured clip that are told from one another."""
_SIDEWAYS_PX = 9
"""How far a crop may be from the middle; f itself looks at the middle."""
_KEPT_BACK = 20
"""One part in so many is for measuring."""


@dataclass(frozen=True)
class Drill:
    """Places of action, in memory or on disk."""

    places: tuple[npt.NDArray[np.uint8], ...]
    """(frames, height, width, 4) each, at least ``FRAMES``: RGB, and the body's parts."""
    labels: npt.NDArray[np.int64]
    """(places,) indices into ``ACTIONS``."""
    moments: npt.NDArray[np.float64]
    """(places, 3): the captured clip in ``CAPTURED``, where in it a place begins, and how far one frame leads,
    as shares of the captured clip."""

    def moment(self, place: int, first: int) -> int:
        """The quarter of a captured clip in whose time the middle of a clip is; quarters are numbered through all."""
        captured, begin, step = self.moments[place]
        return MOMENTS * int(captured) + int(MOMENTS * ((begin + step * (first + FRAMES / 2)) % 1))


def read(folder: Path, *, kept_back: bool) -> Drill:
    """The parts that are there.

    Args:
        folder: Where ``rendered.drill`` writes.
        kept_back: Those to measure on, or the others.

    Returns:
        The places; the pictures stay on the disk until they are looked at.
    """
    places, labels, moments = [], [], []
    for table in sorted(folder.glob("*.csv"), key=lambda path: int(path.stem)):
        if (int(table.stem) % _KEPT_BACK == 0) != kept_back:
            continue
        frames = np.memmap(table.with_suffix(".frames"), np.uint8, "r").reshape(-1, *SIZE_PX, 4)
        with table.open(newline="") as file:
            rows = [(ACTIONS.index(row["label"]), int(row["frames"])) for row in csv.DictReader(file)]
        at = 0
        for (label, count), moment in zip(rows, _moments(int(table.stem)), strict=True):
            if count >= FRAMES:
                places.append(frames[at : at + count])
                labels.append(label)
                moments.append(moment)
            at += count
    return Drill(tuple(places), np.array(labels, dtype=np.int64), np.array(moments))


@functools.cache
def _moments(part: int) -> list[tuple[float, float, float]]:
    """``Drill.moments`` of all places of a part, from its screenplays."""
    settings, found = Settings(seed=SEED), []
    for index in range(part * SCENES_A_PART, (part + 1) * SCENES_A_PART):
        play = draw(settings, index)
        for one in play.behaviours:
            if one.kind == play.label:
                captured = CLIPS[one.kind][one.seed % len(CLIPS[one.kind])]
                motion = load(captured)
                step = STEP / float(settings.frame_rate) * one.speed / motion.duration_s
                begin = one.phase if motion.cyclic else 0.0
                found.append((float(CAPTURED.index(captured)), begin, step))
    return found


def varied(
    place: npt.NDArray[np.uint8], first: int, random: np.random.Generator, world: float
) -> npt.NDArray[np.float32]:
    """A clip of a place as it was never seen.

    Args:
        place: (frames, height, width, 4), RGB and the body's parts.
        first: Its first frame.
        random: Chance.
        world: How much is seen of what is not the person, 0 to 1.

    Returns:
        float32 (FRAMES, CROP_PX, CROP_PX, 4): RGB of about 0 to 1, and the parts' numbers.
    """
    top = int(random.integers(SIZE_PX[0] - CROP_PX + 1))
    left = (SIZE_PX[1] - CROP_PX) // 2 + int(random.integers(-_SIDEWAYS_PX, _SIDEWAYS_PX + 1))
    clip = place[first : first + FRAMES, top : top + CROP_PX, left : left + CROP_PX]
    if random.random() < 0.5:
        clip = clip[:, :, ::-1]
    colours = random.permutation(3) if random.random() < 0.5 else np.arange(3)
    seen = clip.astype(np.float32)
    rgb = seen[..., colours] / 255
    rgb = np.where(seen[..., 3:] > 0, rgb, 0.5 + world * (rgb - 0.5))
    seen[..., :3] = rgb * np.float32(random.uniform(0.7, 1.3)) + np.float32(random.uniform(-0.15, 0.15))
    return seen


def plain(place: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
    """The clips of a place one after another, as f is shown them."""
    top, left = (SIZE_PX[0] - CROP_PX) // 2, (SIZE_PX[1] - CROP_PX) // 2
    seen = place[:, top : top + CROP_PX, left : left + CROP_PX, :3].astype(np.float32) / np.float32(255)
    return [seen[at : at + FRAMES] for at in range(0, len(place) - FRAMES + 1, FRAMES)]
