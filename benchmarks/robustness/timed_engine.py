"""An engine that is watched: when each video was taken, and when what came of it was there."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

from salientclips.corpus.item import Item
from salientclips.corpus.rows import Outcome
from salientclips.engines.local import LocalEngine
from salientclips.engines.work import Between, Stage


@dataclass
class TimedEngine:
    """Another engine, and how long each video took it, the start of a worker and a second try included."""

    engine: LocalEngine
    seconds: dict[str, float] = field(default_factory=dict)
    """By name of the video."""

    def run(
        self,
        items: Iterable[Item],
        first: Stage[Item, Between],
        second: Stage[Between, Outcome],
        *,
        gpu: bool = False,
    ) -> Generator[Outcome | None, None, None]:
        """As :meth:`salientclips.LocalEngine.run`."""
        began: dict[str, float] = {}

        def taken() -> Iterator[Item]:
            for item in items:
                began[item.name] = monotonic()
                yield item

        with closing(self.engine.run(taken(), first, second, gpu=gpu)) as outcomes:
            for outcome in outcomes:
                if outcome is not None:
                    name = outcome.row.video
                    self.seconds[name] = monotonic() - began[name]
                yield outcome
