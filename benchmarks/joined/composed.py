"""``composed``: one Kinetics clip among surveillance footage in which nothing happens.

Each of the 40 clips of ``k400_clips`` is the target of several videos of 60 to 120 s. What surrounds it are the
``noFight`` clips of two collections of surveillance cameras; clips of one continuous run stay together and in
order, as one take. Of a long target ten seconds are shown, others in each draw. The videos fall into three folds by
the target's source, and the surveillance footage into three by its source or run: no source is in two folds.

The target and its surroundings differ in more than what happens (cameras, sharpness, motion): see
``benchmarks/README.md``.
"""

from __future__ import annotations

import itertools

import numpy as np

from .clips import FRAME_RATE, Clip, Part, Row, sides, whole
from .soundtrack import is_heard

FOLDS = ("fold0", "fold1", "fold2")
"""Cross-validation: train on two, test on the third."""
DRAWS = 3
"""Videos of one target."""
LENGTH_S = (60.0, 120.0)
"""Of a video, drawn evenly."""
LONGEST_TARGET_S = 10.0
"""Of a target, this much is shown."""


def rows(clips: list[Clip], seed: int, draws: int = DRAWS) -> list[Row]:
    """All videos of the set.

    Args:
        clips: The clips of ``clips256``.
        seed: Of every draw.
        draws: Videos of one target.

    Returns:
        The videos, the fold of the target as their split: each target once, then each a second time, and so on.
    """
    targets = [clip for clip in clips if clip.set == "k400_clips"]
    dull = [clip for clip in clips if clip.set in ("vioperu", "fight_surv") and clip.label == "noFight"]
    fold_of_target = sides(targets, dict.fromkeys(FOLDS, 1 / len(FOLDS)), seed)
    fold_of_dull = sides(dull, dict.fromkeys(FOLDS, 1 / len(FOLDS)), seed + 1)
    made = []
    for draw, (number, target) in itertools.product(range(draws), enumerate(targets)):
        random = np.random.default_rng([seed, number, draw, 2020])
        fold = fold_of_target[target.group]
        around = [clip for clip in dull if fold_of_dull[clip.group] == fold]
        frames = round(random.uniform(*LENGTH_S) * FRAME_RATE)
        parts = [shown(target, random), *surroundings(around, frames, random)]
        # The target goes to a place between two runs, any of them as likely.
        runs = [list(run) for _, run in itertools.groupby(parts[1:], key=lambda part: part.clip.group)]
        runs.insert(int(random.integers(len(runs) + 1)), parts[:1])
        made.append(
            Row(
                name=f"{draw}-{number:02d}-{target.label.split('|')[0].replace(' ', '_')}",
                label=target.label,
                group=target.group,
                split=fold,
                parts=tuple(itertools.chain.from_iterable(runs)),
                sounds=is_heard(target),
                seed=int(random.integers(2**31)),
            )
        )
    return made


def shown(target: Clip, random: np.random.Generator) -> Part:
    """The stretch of a target that a video shows."""
    length_s = min(target.duration_s - 0.1, LONGEST_TARGET_S)
    start_s = float(random.uniform(0, max(0.0, target.duration_s - 0.1 - length_s)))
    return Part(target, start_s, int(length_s * FRAME_RATE), salient=True)


def surroundings(clips: list[Clip], frames: int, random: np.random.Generator) -> list[Part]:
    """Dull footage of at least so many frames: whole runs in a shuffled order, the last one cut off."""
    runs: dict[str, list[Clip]] = {}
    for clip in clips:
        runs.setdefault(clip.group, []).append(clip)
    order = [runs[group] for group in np.array(list(runs))[random.permutation(len(runs))]]
    parts: list[Part] = []
    lacks = frames
    for clip in itertools.chain.from_iterable(order):
        if lacks < 1.28 * FRAME_RATE:
            break
        part = whole(clip)
        parts.append(Part(clip, 0.0, min(part.frames, lacks), salient=False))
        lacks -= part.frames
    return parts
