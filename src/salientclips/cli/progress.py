"""A progress bar on stderr for long work; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..verbs.score import Progress

_WORDS = {
    "demux": "reading packets",
    "features": "reading features",
    "classifier": "looking at clips",
    "scores": "scoring",
    "tables": "making tables",
    "labels": "labelling clips",
    "pictures": "making pictures",
    "cut": "cutting clips",
    "summary": "writing summary",
}


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Show progress during the block.

    Yields:
        A callback (part, share done), or None where nobody is watching.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:>17}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(part: str, share: float) -> None:
            if part not in tasks:
                tasks[part] = bar.add_task(_WORDS.get(part, part), total=1.0)
            bar.update(tasks[part], completed=share)

        yield report
