"""What is heard when: the sounds' part of a screenplay.

Ten kinds, those of ESC-10. Six are bound to the classes, two classes or three to a sound; in 60 % of the videos the
action is heard. The other four are bound to none. Elsewhere all sorts are heard, mostly of the four, but also bound
ones, which mislead: a dog barks and there is nothing to see.

The recordings themselves are read, or made, in ``sound``.
"""

from __future__ import annotations

import numpy as np

from .screenplay import ACTIONS, Noise

BOUND = ("dog", "baby", "sneeze", "helicopter", "chainsaw", "rooster")
"""Kinds that go with classes: that of class number c is c modulo 6."""
UNBOUND = ("rain", "sea", "clock", "fire")
"""Kinds that go with none."""
KINDS = BOUND + UNBOUND
HEARD = 0.6
"""In this share of the videos the action has its sound."""
_MISLEADING = 0.3
"""This share of the sounds elsewhere is of a bound kind."""
_QUIET_S = 1.5
"""Between two of them, on average: there is mostly something to be heard."""
_GAINS = (0.25, 0.9)
"""The same for all, or loudness would point at the action."""


def kind_of(label: str) -> str:
    """The kind of sound that a class is bound to."""
    return BOUND[ACTIONS.index(label) % len(BOUND)]


def draw_noises(
    random: np.random.Generator, frames: int, rate: float, label: str, spans: list[tuple[int, int]]
) -> tuple[tuple[Noise, ...], bool]:
    """The sounds of one video.

    Args:
        random: Where chance comes from.
        frames: Length of the video.
        rate: Frames per second.
        label: Its class.
        spans: Where the action is.

    Returns:
        The sounds, and whether the action is heard.
    """
    heard = bool(random.random() < HEARD)
    noises = []
    for start, end in spans:
        if heard:
            gain, early, late = random.uniform(*_GAINS), *random.uniform(-0.4, 0.4, 2)
            first, last = max(0, start + round(early * rate)), min(frames, end + round(late * rate))
            noises.append(Noise(kind_of(label), first, last, float(gain), int(random.integers(2**31))))
    at = round(random.exponential(_QUIET_S) * rate)
    while at < frames:
        until = min(frames, at + round(random.uniform(1.5, 6.0) * rate))
        kinds = BOUND if random.random() < _MISLEADING else UNBOUND
        kind = kinds[int(random.integers(len(kinds)))]
        noise = Noise(kind, at, until, float(random.uniform(*_GAINS)), int(random.integers(2**31)))
        in_action = any(start < until and at < end for start, end in spans)
        # Two sounds at once would make a heard action the loudest place; a wrong one over it would undo the manifest.
        if not (in_action and (heard or kind in BOUND)):
            noises.append(noise)
        at = until + round(random.exponential(_QUIET_S) * rate)
    return tuple(noises), heard
