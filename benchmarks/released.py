"""Trains the samplers that come with the package, from marked spans: no classifier has a say in them.

    PYTHONPATH=src python -m benchmarks.released default RENDERED/manifest.csv --cache CACHE --out FOLDER
    PYTHONPATH=src python -m benchmarks.released research MANIFEST... --cache CACHE --out FOLDER

``default`` is two layers, on statistics of one P-frame a clip and on the MEL bands of its sound, put into three
folders: ``default`` looks, ``default-audio`` listens, ``default-av`` does both. ``research`` is a layer on
statistics of four, with the rules that validation leaves beside it, from the videos that have a salient span (those
without a split all teach). Clips are 1.28 s (16 frames of 12.5 a second). The splits are those of the manifests;
their test videos are not touched.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from salientclips import SamplerPlan, fit
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.samplers.card import Stream
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.torch_networks import TorchNetworks
from salientclips.timeline import ClipSpec
from salientclips.verbs.fit import Fitted


@dataclass(frozen=True)
class Kind:
    """One training, and the samplers that are made of it."""

    plan: SamplerPlan
    """What is trained."""
    parts: Mapping[str, tuple[Stream, ...]]
    """The streams of each sampler by its name; one that has them all has the training's combination too."""
    licence: str
    """Of the weights."""


KINDS = {
    "default": Kind(
        SamplerPlan(
            ("stats", "audio"),
            frames_per_clip=1,
            audio_architecture="bands",
            combination="av-convex-score",
        ),
        {"default": ("stats",), "default-audio": ("audio",), "default-av": ("stats", "audio")},
        "Apache-2.0",
    ),
    "research": Kind(
        SamplerPlan(("stats", "motion", "packets")),
        {"research": ("stats", "motion", "packets")},
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
    )
    about = (
        f"{made.videos['train']} videos of {', '.join(manifest.parent.name for manifest in asked.manifests)}"
    )
    print(made.videos, made.card.validation, f"{made.seconds['training']:.0f} s")
    for name, streams in kind.parts.items():
        part(made, name, streams, f"{about}, with salient spans marked", kind.licence).save_pretrained(
            asked.out / name
        )


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


def part(made: Fitted, name: str, wanted: tuple[Stream, ...], data: str, licence: str) -> LearnedSampler:
    """One of the samplers that a training gives.

    Args:
        made: The training.
        name: Of the sampler.
        wanted: Its streams; those that validation left out are not among them.
        data: What it was trained on.
        licence: Of its weights.

    Returns:
        The sampler. Figures of all streams together stay in the card only where it has them all.
    """
    card, networks = made.card, made.sampler.networks
    assert isinstance(networks, TorchNetworks)
    streams = tuple(s for s in card.streams if s.stream in wanted)
    is_whole = len(streams) == len(card.streams)
    looks = any(s.stream != "audio" for s in streams)
    figure = "visual_accuracy_at" if looks else "audio_accuracy_at"
    validation = {
        key: value
        for key, value in card.validation.items()
        if is_whole or not key.startswith(("accuracy", "surety", "visual", "audio")) or key.startswith(figure)
    }
    own = replace(
        card,
        name=name,
        streams=streams,
        combination=card.combination if is_whole else None,
        data=data,
        licence=licence,
        validation=validation,
    )
    return LearnedSampler(
        own,
        TorchNetworks(
            {s.stream: networks.modules[s.stream] for s in streams if s.has_network}, networks.device
        ),
    )


if __name__ == "__main__":
    main()
