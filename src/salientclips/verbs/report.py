"""The verb ``report``: one HTML file that shows a video, its saliency and the clips that were chosen."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ..classifiers import ClipClassifier
from ..errors import InputError
from ..media.demux import read_packets
from ..networks.extras import require
from ..outputs.report.collect import collect
from ..outputs.report.page import render
from ..types import Selection
from ..whole_file import write_text
from .score import Progress
from .verdicts import compare_strategies, scoring_cost


@dataclass(frozen=True)
class ReportWritten:
    """What was written, and where."""

    path: Path
    """The video."""
    output: Path
    """The page."""
    size_bytes: int
    """Length of the page."""
    clips: int
    """How many clips are marked as selected."""
    warnings: tuple[str, ...]
    """What went wrong without stopping the work, one line each."""


def write_report(
    selection: Selection,
    output: str | Path,
    *,
    min_gap_s: float = 0.0,
    classifier: ClipClassifier | None = None,
    dense: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> ReportWritten:
    """Write a page that stands alone, but for the video, which it plays from where that lies.

    Args:
        selection: The clips chosen, from the scores of a video.
        output: Ends in ``.html`` or ``.htm``; an existing file is replaced, once the new one is whole. The page finds
            the video by its way from here, so move the two together.
        min_gap_s: The gap that the selection was made with, seconds; the least salient clips keep it, too.
        classifier: If given, what it says of the selected clips beside clips at even distances.
        dense: Whether it shall look at all clips, too; takes long.
        threads: Decoder threads.
        progress: Called with ("classifier" | "pictures", share done).

    Returns:
        Where the page is, how long it is, and what went wrong.

    Raises:
        InputError: The page cannot be written there.
        MissingExtraError: Jinja2 is not installed.
        MediaError: The video cannot be read.
    """
    output = Path(output)
    check_page(output, selection.scores.path)
    step = None if progress is None else partial(progress, "pictures")
    url = address(selection.scores.path, output)
    table = read_packets(selection.scores.path)
    data = collect(selection, table, "report", url, min_gap_s=min_gap_s, threads=threads, progress=step)
    if classifier is None:
        data = replace(data, costs=(scoring_cost(selection),))
    else:
        said = compare_strategies(
            selection, classifier, table, dense=dense, threads=threads, progress=progress
        )
        facts = (*data.facts, ("Classifier", classifier.name))
        warnings = (*data.warnings, *said.warnings)
        data = replace(data, verdicts=said.verdicts, costs=said.costs, warnings=warnings, facts=facts)
    size_bytes = write_page(output, partial(render, data))
    return ReportWritten(selection.scores.path, output, size_bytes, len(data.top), data.warnings)


def check_page(output: Path, video: Path) -> None:
    """Find out before long work whether a page can be made and written to a place.

    Args:
        output: Where it is to go.
        video: The video that it must not replace.

    Raises:
        InputError: The suffix is wrong, the place cannot be written to, or it is the video itself.
        MissingExtraError: Jinja2 is not installed.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"'{output}' is no page by its name", "let it end in .html")
    if os.path.isdir(output) or not os.path.isdir(output.parent) or not os.access(output.parent, os.W_OK):
        raise InputError(f"'{output}' cannot be written", "choose a file in a folder that exists")
    if os.path.exists(output) and os.path.exists(video) and output.samefile(video):
        raise InputError(f"'{output}' is the video itself", "choose another place")
    require("jinja2", "report")


def address(video: Path, page: Path) -> str:
    """How a page finds a video beside it.

    Args:
        video: The video.
        page: The page.

    Returns:
        A relative address, percent-encoded; a ``file:`` address where there is no way from one to the other.
    """
    try:
        way = os.path.relpath(video.resolve(), page.parent.resolve())
    except ValueError:  # another drive of Windows
        return video.resolve().as_uri()
    # "./" keeps a colon in the name from being read as a scheme.
    return "./" + quote(os.fsencode(way.replace(os.sep, "/")))


def write_page(output: Path, make: Callable[[], str]) -> int:
    """Write a page whole or not at all.

    Args:
        output: Where to.
        make: Makes the page.

    Returns:
        Its length, bytes.

    Raises:
        InputError: It cannot be written there.
    """
    content = make()
    write_text(output, content)
    return len(content.encode("utf-8"))
