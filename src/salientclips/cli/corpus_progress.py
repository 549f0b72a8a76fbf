"""How far a corpus run is, in one line: live on a terminal, now and then in a log, not at all under ``--json``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engines.run import Tally

_LOG_EVERY_S = 30.0


@contextmanager
def progress_line(as_json: bool) -> Iterator[Callable[[Tally], None] | None]:
    """Show progress on stderr during the block.

    Args:
        as_json: Machines read events instead: nothing is shown.

    Yields:
        What to call with the state of the run, or None.
    """
    if as_json or sys.stderr is None:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), transient=True, refresh_per_second=4) as live:
            yield lambda tally: live.update(Text(line(tally), no_wrap=True, overflow="ellipsis"))
    else:
        yield _Log()


class _Log:
    """A line every half minute, for a run whose stderr is a file."""

    def __init__(self) -> None:
        self._last_s = monotonic()

    def __call__(self, tally: Tally) -> None:
        if monotonic() - self._last_s >= _LOG_EVERY_S:
            self._last_s = monotonic()
            print(line(tally), file=sys.stderr, flush=True)


def line(tally: Tally) -> str:
    """The line.

    Args:
        tally: The state of the run.

    Returns:
        Videos done of how many, failures, videos and hours of video a second, time left.
    """
    done = tally.before + tally.done
    parts = [f"{done:,} of {tally.total:,} videos"]
    if failed := tally.failed + tally.failed_before:
        parts.append(f"{failed:,} failed")
    if tally.done and tally.elapsed_s:
        parts.append(f"{tally.done / tally.elapsed_s:.1f} videos/s")
        parts.append(f"{tally.video_s / 3600 / tally.elapsed_s:.3f} hours of video/s")
    left_s = tally.left_s
    if left_s:
        parts.append(f"{_clock(left_s)} left")
    return " · ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
