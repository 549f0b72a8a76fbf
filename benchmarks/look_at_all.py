"""Lets a classifier look at every clip of a set once, and keeps what it says where ``evaluate`` and ``fit`` find it.

They would do it by themselves, one video after the other; this goes through the videos with several processes, in the
manifest's order, and may be stopped and started again. The network is frozen first (:mod:`benchmarks.frozen`), so the
``classifier`` seconds that a cache made here remembers are those of the frozen network.

    PYTHONPATH=src:. python -m benchmarks.look_at_all MANIFEST --cache DIR --classifier i3d_rgb --weights FILE
        --clip-frames 16 --crop-px 160 [--opinions FILE]

``--opinions`` writes what it said of all these videos as one small file, for the next who has neither weights nor
hours (:mod:`benchmarks.opinions`).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from benchmarks.asked_classifier import add_options, asked_classifier
from benchmarks.frozen import frozen_classifier
from benchmarks.opinions import collected, save
from benchmarks.side_by_side import side_by_side

from salientclips.cache.predictions import identity, load_or_look
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.errors import SalientClipsError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", required=True)
    add_options(parser)
    parser.add_argument("--splits", default="train,validation,test", help="joined by commas")
    parser.add_argument("--opinions", type=Path, help="where to keep what it says as one file")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    side_by_side(look, asked)
    if asked.opinions is not None:
        save(collected(wanted(asked), asked_classifier(asked), asked.cache), asked.opinions)


def wanted(asked: argparse.Namespace) -> list[Entry]:
    """The videos that are looked at.

    Args:
        asked: The command line.

    Returns:
        Those of the splits that are there; one without a split is of all.
    """
    splits = (None, *asked.splits.split(","))
    return [entry for entry in read_entries(asked.manifest) if entry.split in splits and entry.path.exists()]


def look(asked: argparse.Namespace, place: int) -> None:
    """One process: every so-manieth video of the manifest.

    Args:
        asked: The command line.
        place: Which process this is.
    """
    torch.set_num_threads(1)
    classifier = asked_classifier(asked)
    name, fast = identity(classifier), frozen_classifier(classifier)
    for entry in wanted(asked)[place :: asked.workers]:
        try:
            load_or_look(entry.path, fast, folder=asked.cache, name=name)
            print(entry.path.name, flush=True)
        except SalientClipsError as error:
            print(entry.path.name, error.message, flush=True)


if __name__ == "__main__":
    main()
