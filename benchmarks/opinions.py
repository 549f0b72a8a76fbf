"""What f says of every clip of a set, in one small file: so tables need neither f's weights nor an hour of looking.

``tune_i3d.py`` and ``look_at_all.py`` write such a file, ``strategies.py --opinions FILE`` puts it into the cache,
where ``fit`` and ``evaluate`` find it instead of asking f. Probabilities are float16. A set that is built again has
other bits of the same pictures, so opinions go by a video's name, and a video of another length is refused.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from salientclips.cache.predictions import identity, keep, load_or_look
from salientclips.cache.types import DensePredictions
from salientclips.classifiers import ClipClassifier, ClipInput
from salientclips.datasets.manifest import Entry
from salientclips.errors import InputError
from salientclips.media.demux import clip_grid, read_packets
from salientclips.media.fingerprint import fingerprint
from salientclips.whole_file import whole_file

Said = npt.NDArray[np.floating]
"""Class probabilities (num_clips, num_classes)."""


@dataclass(frozen=True)
class Remembered:
    """A classifier that is known by its opinions alone."""

    name: str
    input: ClipInput
    labels: tuple[str, ...]

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Nothing can be asked.

        Args:
            clips: Whatever.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.name} is known by its opinions alone, and has none of this video")


@dataclass(frozen=True, eq=False)
class Opinions:
    """What f says of the videos of a set."""

    classifier: Remembered
    seconds_per_clip: Mapping[str, float]
    """``decode``, ``prepare``, ``classifier``: the mean where it was measured."""
    said: Mapping[str, Said]
    """By the video's file name without its ending."""

    def put(self, entries: Iterable[Entry], cache: Path) -> int:
        """Put them into a cache, where :func:`salientclips.cache.predictions.load_or_look` finds them.

        Args:
            entries: The videos; those without opinions, or that are not there, are passed over.
            cache: The folder.

        Returns:
            How many there were.

        Raises:
            InputError: A video has another number of clips than there are opinions.
        """
        name, spec, count = identity(self.classifier), self.classifier.input.clip_spec, 0
        for entry in entries:
            said = self.said.get(entry.path.stem)
            if said is None or not entry.path.exists():
                continue
            grid = clip_grid(read_packets(entry.path), spec)
            if len(grid) != len(said):
                raise InputError(
                    f"'{entry.path}' has {len(grid)} clips and there are opinions of {len(said)}",
                    "build the set with the seed and the settings that they are of",
                )
            rows = said.astype(np.float32)
            found = DensePredictions(
                fingerprint=fingerprint(entry.path),
                classifier=name,
                labels=self.classifier.labels,
                grid=grid,
                probabilities=rows / rows.sum(axis=1, keepdims=True),
                seconds={"demux": 0.0} | {part: s * len(grid) for part, s in self.seconds_per_clip.items()},
                gflops_per_clip=self.classifier.input.gflops,
            )
            keep(found, spec, folder=cache)
            count += 1
        return count


def collected(entries: Iterable[Entry], classifier: ClipClassifier, cache: Path) -> Opinions:
    """What a cache has of a classifier's.

    Args:
        entries: The videos; those of which the classifier has not said everything, or that are not there, are passed
            over.
        classifier: f.
        cache: The folder that :mod:`benchmarks.look_at_all` filled.

    Returns:
        The opinions; seconds are means over all clips.

    Raises:
        InputError: There are none.
    """
    name = identity(classifier)
    known = Remembered(name, classifier.input, classifier.labels)
    found: dict[str, DensePredictions] = {}
    for entry in entries:
        if entry.path.exists():
            with contextlib.suppress(InputError):  # of a video that was not looked at
                found[entry.path.stem] = load_or_look(entry.path, known, folder=cache, name=name)
    if not found:
        raise InputError(f"{name} has looked at no video of these", "benchmarks/look_at_all.py makes it look")
    clips = sum(len(one.grid) for one in found.values())
    parts = ("decode", "prepare", "classifier")
    seconds = {part: sum(one.seconds[part] for one in found.values()) / clips for part in parts}
    return Opinions(known, seconds, {stem: one.probabilities for stem, one in found.items()})


def save(opinions: Opinions, path: Path) -> None:
    """Write opinions.

    Args:
        opinions: They.
        path: The ``.npz``.
    """
    facts = {
        "name": opinions.classifier.name,
        "labels": opinions.classifier.labels,
        "input": asdict(opinions.classifier.input),
        "seconds_per_clip": dict(opinions.seconds_per_clip),
    }
    arrays: dict[str, Any] = {name: rows.astype(np.float16) for name, rows in sorted(opinions.said.items())}
    with whole_file(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, facts=np.array(json.dumps(facts)), **arrays)


def load(path: Path) -> Opinions:
    """Read opinions.

    Args:
        path: What :func:`save` wrote.

    Returns:
        They.
    """
    with np.load(path) as file:
        facts: dict[str, Any] = json.loads(str(file["facts"]))
        said = {name: file[name] for name in file.files if name != "facts"}
    # JSON has lists where we have tuples.
    facts["input"] |= {k: tuple(v) for k, v in facts["input"].items() if isinstance(v, list)}
    spec = ClipInput(**facts["input"])
    return Opinions(
        Remembered(facts["name"], spec, tuple(facts["labels"])), dict(facts["seconds_per_clip"]), said
    )
