"""Work on many videos in several processes, each with one thread and networks of its own."""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable


def side_by_side(work: Callable[[argparse.Namespace, int], None], asked: argparse.Namespace) -> None:
    """Run a function in ``asked.workers`` processes, and wait for all of them.

    Args:
        work: Of a module, for it is looked up by name in the new processes; it is given the command line and which
            of the processes it is, and takes every so-manieth video.
        asked: The command line, with ``workers``.

    Raises:
        SystemExit: A process ended by an error, which it has printed; the others were waited for.
    """
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(asked, place)) for place in range(asked.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failed = [place for place, worker in enumerate(workers) if worker.exitcode != 0]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(workers)} processes failed; run the command again to go on")
