"""``cctv-fight``: a fight among peaceful footage of the same kind of camera, or peaceful footage alone.

Every group of fight clips (a run of neighbouring clips, or a source) is the target of several videos of half a
minute to one minute, labelled ``fight``; each has a twin, labelled ``noFight``, in which a peaceful clip stands in
its place and no span is salient. A video is of one collection; where the fight's own source has peaceful clips they
come first. Groups are dealt out to the splits whole, so no source and no run is on two sides.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from .clips import FRAME_RATE, Clip, Part, Row, sides, whole
from .soundtrack import is_heard

SETS = ("vioperu", "fight_surv")
SHARES = {"train": 0.55, "val": 0.15, "test": 0.3}
"""Of the clips."""
DRAWS = 1
"""Videos of one group of fights, the twins not counted."""
LENGTH_S = (30.0, 60.0)
"""Of a video, drawn evenly; where a split has less footage it is shorter."""
LONGEST_FIGHT_S = 8.0
"""Of a group's fights, this much is shown in one place."""


def rows(clips: list[Clip], seed: int, draws: int = DRAWS) -> list[Row]:
    """All videos of the set.

    Args:
        clips: The clips of ``clips256``.
        seed: Of every draw.
        draws: Videos of one group of fights.

    Returns:
        The videos, each followed by its twin.
    """
    made = []
    for draw, collection in itertools.product(range(draws), SETS):
        of_set = [clip for clip in clips if clip.set == collection]
        split_of = sides(of_set, SHARES, seed)
        fights = _grouped([clip for clip in of_set if clip.label == "fight"])
        for number, (group, own) in enumerate(fights.items()):
            random = np.random.default_rng([seed, SETS.index(collection), number, draw, 2021])
            calm = [
                clip for clip in of_set if clip.label == "noFight" and split_of[clip.group] == split_of[group]
            ]
            name = f"{draw}-{collection}-{number:03d}"
            made += _twins(name, group, split_of[group], own, calm, random)
    return made


def _twins(
    name: str, group: str, split: str, fights: list[Clip], calm: list[Clip], random: np.random.Generator
) -> list[Row]:
    """A video with a fight, and the same with a peaceful clip in its place."""
    first = int(random.integers(len(fights)))
    shown: list[Part] = []
    for clip in fights[first:]:
        if shown and sum(part.frames for part in shown) / FRAME_RATE + clip.duration_s > LONGEST_FIGHT_S:
            break
        shown.append(whole(clip, salient=True))
    length = sum(part.frames for part in shown)
    order = [calm[place] for place in random.permutation(len(calm))]
    stand_in = [whole(clip) for clip in order if whole(clip).frames >= min(length, 20)][:1]
    rest = [clip for clip in order if clip != stand_in[0].clip]
    rest.sort(key=lambda clip: clip.group != group)  # those of the fight's own source first
    around: list[Part] = []
    lacks = round(random.uniform(*LENGTH_S) * FRAME_RATE) - length
    for clip in rest:
        if lacks <= 0:
            break
        around.append(whole(clip))
        lacks -= around[-1].frames
    around = [around[place] for place in random.permutation(len(around))]
    place = int(random.integers(len(around) + 1))
    row = Row(
        name=f"{name}-fight",
        label="fight",
        group=group,
        split=split,
        parts=(*around[:place], *shown, *around[place:]),
        sounds=any(is_heard(part.clip) for part in shown),
        seed=int(random.integers(2**31)),
    )
    calm_parts = (*around[:place], *stand_in, *around[place:])
    return [row, replace(row, name=f"{name}-noFight", label="noFight", parts=calm_parts, sounds=False)]


def _grouped(clips: list[Clip]) -> dict[str, list[Clip]]:
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(clip.group, []).append(clip)
    return groups
