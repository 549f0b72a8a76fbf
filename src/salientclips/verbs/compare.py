"""The verb ``compare``: what several samplers choose of one video, on one time line, and how much they agree.

A strategy is the name of a sampler, or a file of scores that ``score --output`` wrote for this video. Tables of
accuracy over many videos are ``evaluate``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..errors import InputError
from ..media.container import video_path
from ..media.demux import read_packets
from ..outputs.report.collect import collect, lanes
from ..outputs.report.data import Lane, Overlap, ShownClip
from ..outputs.report.page import render
from ..outputs.score_files import load_scores
from ..samplers import make_sampler
from ..timeline import ClipSpec
from ..types import Budget, PacketTable, Selection
from .report import address, check_page, write_page
from .score import Progress, part_of, score

_SCORE_SUFFIXES = (".parquet", ".json", ".csv")


@dataclass(frozen=True)
class Compared:
    """Strategies side by side."""

    path: Path
    """The video."""
    output: Path | None
    """The page; None where none was asked for."""
    strategies: tuple[str, ...]
    """Their names, in the order in which they were given."""
    selections: tuple[Selection, ...]
    """What each chooses."""
    shared: tuple[tuple[int, ...], ...]
    """Clips that each has in common with each, itself included. Where two have different clip grids, a clip counts
    that overlaps one of the other's in time."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""


def compare(
    path: str | Path,
    strategies: Sequence[str],
    *,
    k: int = 10,
    min_gap_s: float = 0.0,
    clip: ClipSpec | None = None,
    budget: Budget = "full",
    output: str | Path | None = None,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Compared:
    """Let several strategies choose from one video.

    Args:
        path: A local video file.
        strategies: At least two: names of samplers, or score files of this video.
        k: Clips that each chooses.
        min_gap_s: Least time between two clips of one strategy, seconds.
        clip: Length of a clip, for those that are scored now.
        budget: How much is decoded for them where motion cannot be parsed, as :func:`salientclips.score` takes it.
        output: If given, where to write the page; ends in ``.html``.
        seed: Seed of ``random``.
        threads: Decoder threads.
        progress: Called as the work goes on.

    Returns:
        The selections, and how many clips each pair has in common.

    Raises:
        InputError: There are fewer than two strategies, one comes twice, or the page cannot be written.
        StoredScoresError: A score file is damaged or of another video.
        UnknownNameError: There is no sampler of a name.
        MediaError: The video cannot be read.
    """
    path = video_path(path)
    if len(strategies) < 2 or len(set(strategies)) < len(strategies):
        raise InputError("comparing takes two different strategies or more", "name samplers or score files")
    if output is not None:
        check_page(Path(output), path)
    table: PacketTable | None = None  # read once, and only where it is needed
    chosen = []
    for name in strategies:
        if name.endswith(_SCORE_SUFFIXES):
            scores = load_scores(name, path)
        else:
            judge = make_sampler(name, seed=seed)
            if table is None:
                table = read_packets(path, progress=part_of(progress, "demux"))
            scores = score(
                path, judge, clip=clip, budget=budget, threads=threads, table=table, progress=progress
            )
        chosen.append(scores.select(k, min_gap_s=min_gap_s))
    shared = tuple(tuple(_shared(one, other) for other in chosen) for one in chosen)
    names = tuple(Path(name).name for name in strategies)
    lines = dict.fromkeys(line for selection in chosen for line in selection.scores.warnings)
    found = Compared(path, None, names, tuple(chosen), shared, tuple(lines))
    if output is None:
        return found
    return replace(found, output=_write(found, table or read_packets(path), Path(output), threads))


def _write(found: Compared, table: PacketTable, output: Path, threads: int) -> Path:
    first = found.selections[0]
    data = collect(first, table, "compare", address(found.path, output), threads=threads)
    rows = zip(found.strategies, found.selections, found.shared, strict=True)
    data = replace(
        data,
        lanes=tuple(map(_lane, found.strategies, found.selections)),
        top=(),
        bottom=(),
        overlaps=tuple(Overlap(name, len(selection.clips), row) for name, selection, row in rows),
        warnings=found.warnings,
    )
    write_page(output, partial(render, data))
    return output


def _lane(name: str, selection: Selection) -> Lane:
    clips = tuple(ShownClip(c.rank, c.index, c.start_s, c.end_s, c.score) for c in selection.clips)
    return replace(lanes(selection.scores)[0], name=name, meaning=f"{len(clips)} clips", clips=clips)


def _shared(one: Selection, other: Selection) -> int:
    spans = [(clip.start, clip.end) for clip in other.clips]
    return sum(any(c.start < end and start < c.end for start, end in spans) for c in one.clips)
