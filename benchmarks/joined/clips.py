"""The clips that videos are made of, and what a video is: the types."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

WIDTH_PX = 336
"""Of every joined video; whole macroblocks, and wider than the square that I3D looks at."""
HEIGHT_PX = 256
"""The clips' own shorter side."""
FRAME_RATE = Fraction(25, 2)
"""Half of most clips' own; 16 frames are 1.28 s."""


@dataclass(frozen=True)
class Clip:
    """One line of ``labels.csv``."""

    file: str
    """Path within ``clips256``."""
    set: str
    """Which collection it is from."""
    label: str
    """Its class; several that are accepted are split by a bar."""
    group: str
    """Its source, recording or continuous run."""
    duration_s: float
    """Length."""
    sound_dbfs: float | None
    """How loud it is; nothing where it is silent."""


@dataclass(frozen=True)
class Part:
    """A stretch of a clip in a video."""

    clip: Clip
    """Which."""
    start_s: float
    """Where in the clip it begins."""
    frames: int
    """How many pictures it gives."""
    salient: bool
    """Whether it is what is to be found."""


@dataclass(frozen=True)
class Row:
    """One video: stretches of clips, one after the other."""

    name: str
    """Of the file, without suffix."""
    label: str
    """Of the video."""
    group: str
    """Of what is to be found: videos of one group are never on two sides of a split."""
    split: str
    """Which side."""
    parts: tuple[Part, ...]
    """What is shown."""
    sounds: bool
    """Whether the salient part's own sound is heard."""
    seed: int
    """Of the sound."""

    @property
    def frames(self) -> int:
        """Pictures in the video."""
        return sum(part.frames for part in self.parts)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where the salient parts are: (first frame, frame after the last); neighbours are one."""
        spans: list[tuple[int, int]] = []
        at = 0
        for part in self.parts:
            if part.salient and spans and spans[-1][1] == at:
                spans[-1] = (spans[-1][0], at + part.frames)
            elif part.salient:
                spans.append((at, at + part.frames))
            at += part.frames
        return spans


def read(folder: Path) -> list[Clip]:
    """All clips of ``clips256``.

    Args:
        folder: The folder with ``labels.csv``.

    Returns:
        The clips, in the order of the list.
    """
    with (folder / "labels.csv").open(newline="") as file:
        return [
            Clip(
                line["file"],
                line["set"],
                line["label"],
                line["group"],
                float(line["duration_s"]),
                float(line["audio_dbfs"]) if line["audio_dbfs"] else None,
            )
            for line in csv.DictReader(file)
        ]


def whole(clip: Clip, *, salient: bool = False) -> Part:
    """A clip from its beginning to its end."""
    return Part(clip, 0.0, frames_of(clip), salient)


def frames_of(clip: Clip) -> int:
    """Pictures that a whole clip gives; the last tenth of a second is left, for durations are rounded."""
    return int((clip.duration_s - 0.1) * FRAME_RATE)


def sides(clips: Iterable[Clip], shares: dict[str, float], seed: int) -> dict[str, str]:
    """Deal groups out to splits.

    Args:
        clips: The clips to be dealt out.
        shares: How much of the clips each split is to have.
        seed: Of the order in which groups of one size are dealt.

    Returns:
        The split of each group: the largest groups first, each to the split that lacks most.
    """
    sizes: dict[str, int] = {}
    for clip in clips:
        sizes[clip.group] = sizes.get(clip.group, 0) + 1
    lots = np.random.default_rng([seed, 11]).permutation(len(sizes))
    order = sorted(zip(sizes, lots, strict=True), key=lambda one: (-sizes[one[0]], one[1]))
    lacks = {split: share * sum(sizes.values()) for split, share in shares.items()}
    dealt = {}
    for group, _ in order:
        split = max(lacks, key=lambda one: lacks[one])
        dealt[group] = split
        lacks[split] -= sizes[group]
    return dealt
