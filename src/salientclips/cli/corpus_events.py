"""A corpus run for machines: events as JSON lines on stdout while the work goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ..outputs.corpus_json import end_json, progress_json, start_json, video_json

if TYPE_CHECKING:
    from ..corpus.rows import Outcome
    from ..engines.run import CorpusReport, Tally
    from ..outputs.contract import Json

_EVERY_S = 1.0
"""Least time between two events that say how far the run is."""


class Events:
    """Prints the events of one run.

    Args:
        output: Folder of the data set.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._last_s: float | None = None

    def watch(self, tally: Tally, outcome: Outcome | None) -> None:
        """Tell of a video that is done, and now and then of how far the run is.

        Args:
            tally: The state of the run.
            outcome: What came of a video; None where none was finished since the last call.
        """
        self._begin(tally)
        if outcome is not None:
            _print_line(video_json(outcome))
        now = monotonic()
        if self._last_s is None or now - self._last_s >= _EVERY_S:
            self._last_s = now
            _print_line(
                progress_json(
                    done=tally.done,
                    failed=tally.failed,
                    video_s=tally.video_s,
                    elapsed_s=tally.elapsed_s,
                    left_s=tally.left_s,
                )
            )

    def end(self, report: CorpusReport) -> None:
        """Tell what the run came to.

        Args:
            report: What it came to.
        """
        self._begin(report.tally)
        _print_line(
            end_json(
                self._output,
                done=report.tally.done,
                failed=report.failed,
                stopped=report.stopped,
                seconds=report.tally.seconds,
            )
        )

    def _begin(self, tally: Tally) -> None:
        if self._last_s is None:
            self._last_s = monotonic()
            start = start_json(
                self._output, videos=tally.total, before=tally.before, failed_before=tally.failed_before
            )
            _print_line(start)


def _print_line(event: Json) -> None:
    print(json.dumps(event, allow_nan=False), flush=True, file=sys.stdout)
