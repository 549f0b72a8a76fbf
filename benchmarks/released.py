"""Trains the samplers that come with the package, from marked spans: no classifier has a say in them.

    PYTHONPATH=src python -m benchmarks.released default RENDERED/manifest.csv --cache CACHE --out FOLDER
    PYTHONPATH=src python -m benchmarks.released research MANIFEST... --cache CACHE --out FOLDER

``default`` is a layer on the statistics of one P-frame a clip, and packet cost beside it, alike; ``research`` a layer
on those of four, with the rules that validation leaves beside it. They learn from the videos that have a salient
span, those without a split among them. Clips are 1.28 s (16 frames of 12.5 a second). The splits are those of the
manifests; test videos are not touched.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from salientclips import SamplerPlan, fit
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.samplers.learned import LearnedSampler
from salientclips.timeline import ClipSpec


@dataclass(frozen=True)
class Kind:
    """A sampler of the package."""

    plan: SamplerPlan
    """What is trained."""
    licence: str
    """Of its weights."""


KINDS = {
    "default": Kind(
        # Alike, not by validation: on the set that teaches, statistics need no second witness; elsewhere they do.
        SamplerPlan(("stats", "packets"), frames_per_clip=1, neighbours=1, weighs_streams=False),
        "Apache-2.0",
    ),
    "research": Kind(
        SamplerPlan(("stats", "motion", "packets")),
        "other: research only; it saw footage whose licence does not cover every use",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    kind = KINDS[asked.kind]
    made = fit(
        known(asked.manifests),
        None,
        plan=kind.plan,
        clip=ClipSpec(16, 1),
        cache=asked.cache,
        device="cpu",
        name=asked.kind,
        licence=kind.licence,
    )
    sets = ", ".join(manifest.parent.name for manifest in asked.manifests)
    about = f"{made.videos['train']} videos of {sets}, with salient spans marked"
    print(made.videos, made.card.validation, f"{made.seconds['training']:.0f} s")
    card = replace(made.card, data=about)
    LearnedSampler(card, made.sampler.networks).save_pretrained(asked.out / asked.kind)


def known(manifests: list[Path]) -> list[Entry]:
    """The videos that teach, and those by which one chooses.

    Args:
        manifests: The sets.

    Returns:
        Their videos with a salient span, but for test videos; those of no split teach.
    """
    entries = [entry for manifest in manifests for entry in read_entries(manifest)]
    kept = [entry for entry in entries if entry.split != "test" and entry.spans and entry.path.exists()]
    return [replace(entry, split=entry.split or "train") for entry in kept]


if __name__ == "__main__":
    main()
