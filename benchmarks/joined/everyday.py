"""``everyday``: a fall, or a sign of a sign language, among everyday footage whose licence allows any use.

Real footage by which to choose what comes with the package, before any test set is opened; all of it is validation.
Falls (MIT licence) stand among other doings of the same people, filmed alike, and among passers-by, cars and bottles
(CC BY 4.0); the signs (CC BY 4.0), whose signer does nothing else in this collection, among all of these. Four
people fall, one signs. It is nothing to learn from: a sampler that learned these signs by heart was worse elsewhere.
"""

from __future__ import annotations

import itertools

import numpy as np

from .clips import FRAME_RATE, Clip, Part, Row, frames_of, whole
from .soundtrack import is_heard

DRAWS = 2
"""Videos of one target."""
LENGTH_S = (30.0, 60.0)
"""Of a video, drawn evenly."""
TAKE_S = (3.0, 10.0)
"""What is shown at a time of a long recording, drawn evenly."""
RECORDINGS = ("bottle-detection", "car-detection", "one-by-one-person-detection")
"""Long footage of the signs' collection, in which nobody signs."""


def rows(clips: list[Clip], seed: int, draws: int = DRAWS) -> list[Row]:
    """All videos of the set.

    Args:
        clips: The clips of ``clips256``.
        seed: Of every draw.
        draws: Videos of one target.

    Returns:
        The videos, all of the split ``val``: each fall and then each sign, then all of them a second time, and so on.
    """
    falls = [clip for clip in clips if clip.set == "gmdcsa24_subset" and clip.label == "Fall"]
    signs = [clip for clip in clips if clip.set == "asl_intel" and clip.label not in RECORDINGS]
    doings = [clip for clip in clips if clip.set == "gmdcsa24_subset" and clip.label != "Fall"]
    recordings = [clip for clip in clips if clip.label in RECORDINGS]
    made = []
    for draw, (number, target) in itertools.product(range(draws), enumerate([*falls, *signs])):
        random = np.random.default_rng([seed, number, draw, 2022])
        around = surroundings(doings, recordings, target, random)
        place = int(random.integers(len(around) + 1))
        label = "fall" if target in falls else "sign"
        made.append(
            Row(
                name=f"{draw}-{number:02d}-{label}",
                label=label,
                group=target.group,
                split="val",
                parts=(*around[:place], whole(target, salient=True), *around[place:]),
                sounds=is_heard(target),
                seed=int(random.integers(2**31)),
            )
        )
    return made


def surroundings(
    doings: list[Clip], recordings: list[Clip], target: Clip, random: np.random.Generator
) -> list[Part]:
    """What stands around a target: doings of the same person first, then of others and takes of recordings.

    Args:
        doings: Short clips, shown whole.
        recordings: Long ones, of which takes are shown.
        target: What is to be found.
        random: Chance.

    Returns:
        Parts in a shuffled order, together with the target of a drawn length.
    """
    order = [doings[place] for place in random.permutation(len(doings))]
    order.sort(key=lambda clip: clip.group != target.group)
    takes = iter([whole(clip) for clip in order])
    lacks = round(random.uniform(*LENGTH_S) * FRAME_RATE) - frames_of(target)
    parts: list[Part] = []
    while lacks > 0:
        # A doing and a take in turn, while there are doings.
        part = next(takes, None) if len(parts) % 2 == 0 else None
        parts.append(part or take(recordings[int(random.integers(len(recordings)))], random))
        lacks -= parts[-1].frames
    return [parts[place] for place in random.permutation(len(parts))]


def take(recording: Clip, random: np.random.Generator) -> Part:
    """A stretch of a long recording."""
    frames = min(round(random.uniform(*TAKE_S) * FRAME_RATE), frames_of(recording))
    latest_s = (frames_of(recording) - frames) / float(FRAME_RATE)
    return Part(recording, float(random.uniform(0, latest_s)), frames, salient=False)
