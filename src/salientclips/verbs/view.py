"""The verb ``view``: a video and its selection in the browser, with controls, from a server on this machine.

The sampler that was asked for is scored first, and so are those that need the packet table alone; the others
follow in the background while the page is open. Whatever the viewer changes, no feature is read twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Thread

from ..errors import SalientClipsError
from ..media.demux import read_packets
from ..networks.extras import require
from ..outputs.report.collect import collect
from ..outputs.report.downloads import DOWNLOADS
from ..outputs.report.page import policy_of, render
from ..outputs.report.server import PageServer
from ..outputs.report.session import Session
from ..samplers import SAMPLERS, Sampler, make_sampler
from ..types import ClipScores, PacketTable, Selection
from .score import score
from .verdicts import scoring_cost


@contextmanager
def serve(
    selection: Selection,
    *,
    min_gap_s: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    others: tuple[str, ...] = SAMPLERS,
) -> Iterator[str]:
    """Serve the page of a video until the block ends.

    Args:
        selection: The clips to show first, from the scores of a video.
        min_gap_s: The gap that they were selected with, seconds.
        seed: Seed of the sampler ``random``.
        threads: Decoder threads.
        others: Names of the samplers that the viewer can change to.

    Yields:
        The address of the page, on 127.0.0.1. Who knows it can see the video while the block runs.

    Raises:
        MissingExtraError: Jinja2 is not installed.
        MediaError: The video cannot be read.
    """
    check_view()
    scores = selection.scores
    table = read_packets(scores.path)
    judges = [make_sampler(name, seed=seed) for name in others if name != scores.sampler]
    # Those that read features last, and in the background.
    judges.sort(key=lambda judge: _is_slow(judge))
    session = Session(scores, table, (scores.sampler, *(judge.name for judge in judges)), threads)
    for judge in judges:
        if not _is_slow(judge):
            session.add(_scored(judge, scores, table, threads))
    slow = [judge for judge in judges if _is_slow(judge)]
    Thread(target=_score_all, args=(slow, session, scores, table, threads), daemon=True).start()
    data = replace(
        collect(selection, table, "view", "video", min_gap_s=min_gap_s, threads=threads),
        samplers=session.samplers,
        formats=DOWNLOADS,
        costs=(scoring_cost(selection),),
    )
    with closing(session), PageServer(session, render(data), policy_of(data)) as server:
        yield server.url


def check_view() -> None:
    """Find out before long work whether a page can be made.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    require("jinja2", "report")


def _is_slow(judge: Sampler) -> bool:
    return any(feature != "packets" for feature in judge.feature_parameters.features)


def _scored(judge: Sampler, scores: ClipScores, table: PacketTable, threads: int) -> ClipScores:
    return score(
        scores.path,
        judge,
        clip=scores.clip_spec,
        grid=scores.grid,
        budget=scores.feature_parameters.budget,
        threads=threads,
        table=table,
    )


def _score_all(
    judges: list[Sampler], session: Session, scores: ClipScores, table: PacketTable, threads: int
) -> None:
    for judge in judges:
        try:
            session.add(_scored(judge, scores, table, threads))
        except SalientClipsError as error:
            session.fail(judge.name, error.message)
        except Exception as error:  # nobody else can tell the viewer; the page must not wait for ever
            session.fail(judge.name, f"unforeseen {type(error).__name__}: {error}")
