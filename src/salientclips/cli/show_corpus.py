"""What a person reads at the end of a corpus run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .corpus_progress import line
from .plain import plain

if TYPE_CHECKING:
    from ..engines.run import CorpusReport

_DONE = {"score": "scored", "select": "selected from", "classify": "classified"}


def show_corpus(report: CorpusReport, verb: str) -> None:
    """Print what a run came to.

    Args:
        report: What it came to.
        verb: What was done.
    """
    tally = report.tally
    print(plain(f"{report.folder}: {line(tally)}"))
    well = tally.before + tally.done - report.failed
    before = f" ({tally.before:,} of the videos by earlier runs)" if tally.before else ""
    print(f"{well:,} videos {_DONE[verb]}{before}: rows in {report.folder}/videos and {report.folder}/clips")
    for outcome in report.failures:
        print(plain(f"failed: {outcome.row.message}; {outcome.row.remedy}".rstrip("; ")))
    unshown = report.failed - len(report.failures)
    if unshown > 0:
        print(f"{unshown:,} more failed: rows of {report.folder}/videos whose status is 'failed'")
    if report.stopped:
        left = tally.total - tally.before - tally.done
        print(f"stopped after {tally.failed:,} failures with {left:,} videos left; run it again to go on")
