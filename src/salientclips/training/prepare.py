"""From files to training videos: features and f's opinion of every clip, both from the cache or into it.

Each video is read once and looked at once, ever. Features come first: they are cheap, and a file that cannot be read
is found before hours of labelling begin. What cannot be read is left out and reported, never fatal by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..cache.features import entry_path, load_or_read
from ..cache.predictions import identity, load_or_look
from ..cache.types import DensePredictions, VideoFeatures
from ..classifiers import ClipClassifier
from ..datasets.manifest import Entry, LeftOut
from ..errors import FeatureUnavailableError, InputError, MediaError
from ..timeline import ClipSpec
from ..types import FeatureParameters
from .targets import SPAN_CLASSES, make_targets, say_spans
from .videos import InputKeeper, TrainingVideo
from .world import World

Result = TypeVar("Result")

Progress = Callable[[str, float], None]
"""Called with what is being done and its share done, 0 to 1."""


@dataclass
class Preparation:
    """Makes videos ready for training, and keeps account of what it met."""

    classifier: ClipClassifier | None
    """f; None to learn from the entries' spans."""
    clips: ClipSpec
    """How videos are divided."""
    parameters: FeatureParameters
    """What is read."""
    folder: Path
    """The cache."""
    world: World
    threads: int = 1
    """Decoder threads."""
    progress: Progress | None = None
    """Called as the work goes on."""
    left_out: dict[Path, LeftOut] = field(default_factory=dict, init=False)
    """What could not be used, by path."""
    warnings: list[str] = field(default_factory=list, init=False)
    """What went wrong without stopping the work, one line each."""
    seconds: dict[str, float] = field(default_factory=dict, init=False)
    """What all that took by part, when it was done: ``demux``, ``features``, ``decode``, ``classifier``."""
    odd: list[tuple[Path, str]] = field(default_factory=list, init=False)
    """Videos that were read with a warning, and the first one of each."""

    def __post_init__(self) -> None:
        self._name = "" if self.classifier is None else identity(self.classifier)

    def prepare(
        self, entries: Sequence[Entry], keeper: InputKeeper, *, use_labels: bool
    ) -> dict[Path, TrainingVideo]:
        """Read, label and keep videos.

        Args:
            entries: The videos.
            keeper: Where inputs are kept.
            use_labels: Whether labels count; else f's own verdict is the truth of every video.

        Returns:
            The videos by path, in order; those in ``left_out`` are missing.
        """
        self._over(self.world.share(entries), "features", self._read)
        if self.classifier is not None:
            self._over(self.world.share(entries), "labels", self._look)
        self.world.wait()
        finish = partial(self._finish, keeper=keeper, use_labels=use_labels)
        made = {entry.path: self._guarded(entry, finish) for entry in entries}
        return {path: video for path, video in made.items() if video is not None}

    def features(self, path: Path) -> VideoFeatures:
        """The features of one video.

        Args:
            path: The file.

        Returns:
            Its features, from the cache where they are there.
        """
        return load_or_read(
            path,
            self.parameters,
            self.clips,
            folder=self.folder,
            threads=self.threads,
            warn=self.warnings.append,
        )

    def predictions(self, entry: Entry, progress: Callable[[float], None] | None = None) -> DensePredictions:
        """What f says of one video.

        Args:
            entry: The video.
            progress: Called with the share of its clips done.

        Returns:
            f's opinion of every clip, from the cache where it is there; without f, what the spans say.
        """
        if self.classifier is None:
            features = self.features(entry.path)
            return say_spans(features.fingerprint, features.grid, entry.spans)
        return load_or_look(
            entry.path,
            self.classifier,
            self.clips,
            folder=self.folder,
            name=self._name,
            threads=self.threads,
            progress=progress,
            warn=self.warnings.append,
        )

    def _read(self, entry: Entry, progress: Callable[[float], None]) -> None:
        # What is there is checked when it is used: reading it twice would double the start of a run.
        if not entry_path(entry.path, self.parameters, self.clips, self.folder).is_file():
            load_or_read(
                entry.path,
                self.parameters,
                self.clips,
                folder=self.folder,
                threads=self.threads,
                progress=progress,
            )

    def _look(self, entry: Entry, progress: Callable[[float], None]) -> None:
        self.predictions(entry, progress)

    def _over(self, entries: Sequence[Entry], part: str, do: Callable[..., None]) -> None:
        """Do something to every video that is not left out; progress counts bytes, so time left is fair."""
        sizes = [entry.path.stat().st_size if entry.path.is_file() else 0 for entry in entries]
        whole, done = max(sum(sizes), 1), 0

        def report(size: int, share: float) -> None:
            if self.progress is not None:
                self.progress(part, (done + share * size) / whole)

        for entry, size in zip(entries, sizes, strict=True):
            self._guarded(entry, partial(do, progress=partial(report, size)))
            done += size
            report(0, 0.0)

    def _guarded(self, entry: Entry, do: Callable[[Entry], Result]) -> Result | None:
        if entry.path in self.left_out:
            return None
        try:
            return do(entry)
        except (MediaError, FeatureUnavailableError, InputError, PermissionError) as error:
            self.left_out[entry.path] = LeftOut(entry.path, " ".join(str(error).split()))
            return None

    def _finish(self, entry: Entry, *, keeper: InputKeeper, use_labels: bool) -> TrainingVideo:
        said = self.predictions(entry)
        labels = entry.labels if use_labels else ()
        targets = make_targets(said, SPAN_CLASSES[:1] if self.classifier is None else labels)
        features = self.features(entry.path)
        if features.grid != said.grid:
            raise InputError(
                f"the cached features and labels of '{entry.path}' divide it differently",
                f"delete the cache '{self.folder}'",
            )
        for seconds in (features.seconds, said.seconds):
            for part, spent in seconds.items():
                self.seconds[part] = self.seconds.get(part, 0.0) + spent
        warnings = (*features.warnings, *said.warnings)
        if warnings:
            self.odd.append((entry.path, warnings[0]))
        name = entry_path(entry.path, self.parameters, self.clips, self.folder).stem
        grid = features.grid
        length = float(grid.ends[-1] - grid.starts[0])
        return TrainingVideo(
            path=entry.path,
            name=name,
            targets=targets,
            middles=((grid.start_s + grid.end_s) / 2 - grid.start_s[0]) / length,
            probabilities=np.ascontiguousarray(said.probabilities),
            held=keeper.keep(name, features),
        )
