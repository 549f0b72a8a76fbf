"""The videos of ``fit`` where they are many: listed, brought here, read and labelled by many workers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .corpus import Many, engine_for
from .corpus_progress import progress_line
from .words import is_one_source

if TYPE_CHECKING:
    from ..corpus.job import Looking
    from ..corpus.rows import Outcome
    from ..datasets.manifest import Entry, LeftOut
    from ..timeline import ClipSpec
    from ..types import FeatureParameters


@dataclass(frozen=True)
class Prepared:
    """What ``fit`` is given."""

    videos: Path | tuple[Entry, ...]
    """A folder or manifest as the user named it, or the videos."""
    source: str = ""
    """What they are called in the card, where ``videos`` does not say it."""
    left_out: tuple[LeftOut, ...] = ()
    """Videos that could not be read or labelled."""


def prepared(
    words: Sequence[str],
    how: Many,
    *,
    cache: Path | None,
    clip: ClipSpec | None,
    parameters: FeatureParameters,
    looking: Looking | None,
    as_json: bool,
) -> Prepared:
    """List the videos and, where workers are asked for, have them read and labelled into the cache.

    Args:
        words: What the user named.
        how: The options of the engine; nothing is done beforehand where they are the usual ones.
        cache: The folder of the cache; None for the usual one.
        clip: Clip length; None for the usual one.
        parameters: Which features are read.
        looking: f; None where spans teach.
        as_json: Whether progress is not to be shown.

    Returns:
        What is to be fitted.

    Raises:
        InputError: Sources list no video, or options contradict one another.
    """
    many = how != Many()
    if not many and is_one_source(words):
        return Prepared(Path(words[0]))
    if many and "RANK" in os.environ:
        raise InputError("torchrun divides the labelling already", "leave --workers and --engine out")
    from ..cache.store import default_folder
    from ..corpus.names import path_of, shown_name
    from ..corpus.sources import list_items
    from ..engines.kept import kept_entries
    from ..engines.label import Labelling, label_corpus
    from ..timeline import ClipSpec

    folder = default_folder() if cache is None else cache.expanduser()
    items = list_items(words)
    failed: tuple[Outcome, ...] = ()
    if many:
        labelling = Labelling(clip or ClipSpec(), parameters, folder, looking)
        with progress_line(as_json) as show:
            failed = label_corpus(
                items,
                labelling,
                engine=engine_for(how),
                watch=None if show is None else lambda tally, _: show(tally),
            )
    bad = {outcome.row.video for outcome in failed}
    entries, unfetched = kept_entries([item for item in items if item.name not in bad], folder)
    source = Path(path_of(shown_name(words[0]))).name if len(words) == 1 else ""
    return Prepared(entries, source, tuple(map(_left_out, (*failed, *unfetched))))


def _left_out(outcome: Outcome) -> LeftOut:
    from ..datasets.manifest import LeftOut

    row = outcome.row
    return LeftOut(Path(row.video), f"{row.message}; {row.remedy}".rstrip("; "))
