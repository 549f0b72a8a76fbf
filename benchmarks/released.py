"""Trains the samplers that come with the package, from marked spans: no classifier has a say in them.

    PYTHONPATH=src python -m benchmarks.released default MANIFEST... --cache CACHE --out FOLDER
    PYTHONPATH=src python -m benchmarks.released research MANIFEST... --cache CACHE --out FOLDER

``default`` is one training of three networks (MD, RGB-R, sound) put into three folders: ``default`` looks,
``default-audio`` listens, ``default-av`` does both; ``research`` is a layer on statistics, with the rules that
validation leaves beside it, from the videos that have a salient span (those without a split all teach). Clips are
1.28 s (16 frames of 12.5 a second); displacements are drawn at half to double speed, for users' videos have 25 to
60 frames a second. The splits are those of the manifests; their test videos are not touched.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from salientclips import SamplerPlan, TrainingOptions, fit
from salientclips.datasets.folder import read_entries
from salientclips.samplers.card import Stream
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.torch_networks import TorchNetworks
from salientclips.timeline import ClipSpec
from salientclips.verbs.fit import Fitted

OPTIONS = TrainingOptions(clips_per_video=16, frames_per_visit=2, speed=2.0)
LICENCE = {
    "default": "Apache-2.0",
    "research": "other: research only; it saw footage whose licence does not cover every use",
}
PARTS: dict[str, tuple[Stream, ...]] = {
    "default": ("md", "rgbr"),
    "default-audio": ("audio",),
    "default-av": ("md", "rgbr", "audio"),
    "research": ("stats", "motion", "packets"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("default", "research"))
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    entries = [e for manifest in asked.manifests for e in read_entries(manifest)]
    names = tuple(name for name in PARTS if name.startswith(asked.kind))
    streams = max((PARTS[name] for name in names), key=len)
    known = [e for e in entries if e.split != "test" and e.path.exists()]
    if asked.kind == "research":
        known = [replace(e, split=e.split or "train") for e in known if e.spans]
    made = fit(
        known,
        None,
        plan=SamplerPlan(streams=streams),
        options=OPTIONS if asked.kind == "default" else TrainingOptions(),
        clip=ClipSpec(16, 1),
        cache=asked.cache,
        device="cpu",
        name=asked.kind,
    )
    about = (
        f"{made.videos['train']} videos of {', '.join(manifest.parent.name for manifest in asked.manifests)}"
    )
    print(made.videos, made.card.validation, f"{made.seconds['training']:.0f} s")
    for name in names:
        part(made, name, f"{about}, with salient spans marked", LICENCE[asked.kind]).save_pretrained(
            asked.out / name
        )


def part(made: Fitted, name: str, data: str, licence: str) -> LearnedSampler:
    """One of the samplers that a training gives.

    Args:
        made: The training.
        name: Which.
        data: What it was trained on.
        licence: Of its weights.

    Returns:
        The sampler. Figures of all streams together stay in the card only where it has them all.
    """
    card, networks = made.card, made.sampler.networks
    assert isinstance(networks, TorchNetworks)
    streams = tuple(s for s in card.streams if s.stream in PARTS[name])
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
