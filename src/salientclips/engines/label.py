"""The costly half of ``fit`` on many workers: features of every clip, and what f says of it, into the cache.

``fit`` asks for both, video by video, and finds them there. Each entry is named by what decides it and appears whole
(:mod:`salientclips.cache`), so a run that was killed goes on where it was, and on a cluster any machine may make any
entry, as long as all see the folder of the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..cache.features import load_or_read
from ..cache.predictions import identity, load_or_look
from ..corpus.item import Item
from ..corpus.job import Looking
from ..corpus.rows import Outcome, VideoRow
from ..timeline import ClipSpec
from ..types import FeatureParameters
from .local import LocalEngine
from .run import Engine, Tally, Watch
from .work import at_hand


@dataclass(frozen=True)
class Labelling:
    """What is kept of every video."""

    clips: ClipSpec
    """How videos are divided."""
    parameters: FeatureParameters
    """Which features are read."""
    cache: Path
    """The folder of the cache."""
    looking: Looking | None
    """f; None where spans teach, and nobody looks."""


@dataclass(frozen=True)
class ReadStage:
    """Reads features into the cache: the :class:`~salientclips.engines.work.Stage` that wants cores."""

    labelling: Labelling

    def open(self, threads: int) -> Callable[[Item], Item]:
        """As :meth:`~salientclips.engines.work.Stage.open`."""
        how = self.labelling

        def read(item: Item) -> Item:
            with at_hand(item) as (path, _):
                load_or_read(path, how.parameters, how.clips, folder=how.cache, threads=threads)
            return item

        return read


@dataclass(frozen=True)
class LabelStage:
    """Asks f about every clip, into the cache: the :class:`~salientclips.engines.work.Stage` that wants a GPU."""

    labelling: Labelling

    def open(self, threads: int) -> Callable[[Item], Outcome]:
        """As :meth:`~salientclips.engines.work.Stage.open`."""
        how = self.labelling
        if how.looking is None:
            return lambda item: Outcome(VideoRow(item.name))
        f = how.looking.load(threads=threads)
        name = identity(f)

        def label(item: Item) -> Outcome:
            with at_hand(item) as (path, _):
                said = load_or_look(path, f, how.clips, folder=how.cache, name=name, threads=threads)
            length_s = float(said.grid.ends[-1] - said.grid.starts[0])
            row = VideoRow(item.name, duration_s=length_s, num_clips=len(said.grid))
            return Outcome(row, seconds=said.seconds)

        return label


def label_corpus(
    items: Sequence[Item], labelling: Labelling, *, engine: Engine | None = None, watch: Watch | None = None
) -> tuple[Outcome, ...]:
    """Fill the cache for :func:`salientclips.fit`, on many workers.

    Args:
        items: The videos.
        labelling: What is kept of each. A video's entries are found by content, wherever it lies later.
        engine: Who works; by default the cores of this machine.
        watch: Called as the work goes on.

    Returns:
        The videos that failed. They are to be left out of the training.

    Raises:
        SalientClipsError: The classifier does not load, or the engine cannot start.
    """
    tally = Tally(len(items), 0, 0)
    failures = []
    gpu = labelling.looking is not None and labelling.looking.wants_gpu
    run = (engine or LocalEngine()).run(items, ReadStage(labelling), LabelStage(labelling), gpu=gpu)
    with closing(run) as results:
        for outcome in results:
            if outcome is not None:
                tally.count(outcome)
                failures += [outcome] if outcome.failed else []
            if watch is not None:
                watch(tally, outcome)
    return tuple(failures)
