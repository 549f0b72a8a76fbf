"""The samplers that the tables compare, and how each is fitted: what teaches, which streams, which network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from salientclips import SamplerPlan, TrainingOptions, fit
from salientclips.classifiers import ClipClassifier
from salientclips.datasets.manifest import Entry
from salientclips.samplers import Sampler, make_sampler
from salientclips.samplers.card import Architecture, Combination, Objective, Stream
from salientclips.timeline import ClipSpec
from salientclips.training.options import SalClTarget

VISUAL: tuple[Stream, ...] = ("md", "rgbr")
HEARD: tuple[Stream, ...] = ("stats", "audio")
WITH_RULES: tuple[Stream, ...] = ("md", "rgbr", "motion", "packets")
EVERYTHING: tuple[Stream, ...] = ("md", "rgbr", "stats", "motion", "packets")


@dataclass(frozen=True)
class Variant:
    """A sampler to be fitted."""

    name: str
    objective: Objective = "sal-rank"
    streams: tuple[Stream, ...] = ("md", "rgbr", "audio")
    by_spans: bool = False
    """Whether the true spans teach, not f."""
    frames_per_clip: int = 4
    architecture: Architecture = "shufflenet26"
    epochs: int = 20
    """At most; a fifth of them may bring nothing before training ends."""
    sal_cl_target: SalClTarget = "right"
    """What SAL-CL learns of a clip."""
    audio_architecture: Architecture = "vgg18"
    combination: Combination = "av-union-list"
    """Of sound and picture, where there are both; ``SET-samplers.csv`` has the others of the same networks."""
    is_fronted: bool = False
    """Whether ImageNet's MobileNetV2 looks at I-frames, and only a last layer on it learns."""


VARIANTS: dict[str, tuple[Variant, ...]] = {
    "composed": (
        Variant("sal-rank", streams=VISUAL),
        Variant("sal-cl", "sal-cl", VISUAL),
        Variant("ac", "ac", VISUAL),
        Variant("spans", by_spans=True),
        Variant("resnet18", streams=VISUAL, architecture="resnet18"),
        Variant("stats-spans", streams=("stats",), by_spans=True),
        Variant("stats-spans-rules", streams=("stats", "motion", "packets"), by_spans=True),
        Variant("if-motion-spans", "sal-cl", ("if", "motion"), by_spans=True, is_fronted=True),
    ),
    "rendered": (
        Variant("sal-rank", streams=VISUAL, frames_per_clip=0, epochs=60),
        Variant("sal-cl", "sal-cl", VISUAL, frames_per_clip=0, epochs=60),
        Variant("ac", "ac", VISUAL, frames_per_clip=0, epochs=60),
        Variant("resnet18", streams=VISUAL, architecture="resnet18", frames_per_clip=0, epochs=60),
        Variant("if-sal-rank", streams=("if", *VISUAL), frames_per_clip=0, epochs=60, is_fronted=True),
        Variant("spans", streams=VISUAL, by_spans=True, frames_per_clip=0, epochs=60),
        Variant("stats", streams=("stats",), frames_per_clip=0),
        Variant("stats-sal-cl", "sal-cl", ("stats",), frames_per_clip=0),
        Variant("stats-sal-cl-surety", "sal-cl", ("stats",), frames_per_clip=0, sal_cl_target="surety"),
        Variant("stats-ac", "ac", ("stats",), frames_per_clip=0),
        Variant("stats-spans", streams=("stats",), by_spans=True, frames_per_clip=0),
        Variant("stats-spans-4-frames", streams=("stats",), by_spans=True),
        Variant("stats-spans-2-frames", streams=("stats",), by_spans=True, frames_per_clip=2),
        Variant("stats-spans-1-frame", streams=("stats",), by_spans=True, frames_per_clip=1),
        Variant("av", streams=HEARD, audio_architecture="bands"),
        Variant("av-sal-cl", "sal-cl", HEARD, audio_architecture="bands"),
        Variant("av-ac", "ac", HEARD, audio_architecture="bands"),
        Variant("av-spans", streams=HEARD, by_spans=True, audio_architecture="bands"),
        Variant(
            "av-joint-spans",
            streams=("md", "audio"),
            by_spans=True,
            frames_per_clip=0,
            combination="av-joint-training",
        ),
        Variant("all-spans", streams=EVERYTHING, by_spans=True, frames_per_clip=0, epochs=60),
        Variant("spans-rules", streams=WITH_RULES, by_spans=True, frames_per_clip=0, epochs=60),
        Variant("spans-4-frames", by_spans=True),
        Variant("spans-2-frames", streams=VISUAL, by_spans=True, frames_per_clip=2),
        Variant("spans-1-frame", streams=VISUAL, by_spans=True, frames_per_clip=1),
        Variant("i-frames", "sal-cl", ("if", "motion", "packets"), by_spans=True, is_fronted=True),
    ),
    "cctv-fight": (
        Variant("spans", by_spans=True),
        Variant("sal-rank"),
        Variant("stats", streams=("stats",)),
        Variant("stats-spans", streams=("stats",), by_spans=True),
        Variant("stats-spans-rules", streams=("stats", "motion", "packets"), by_spans=True),
    ),
}


@dataclass(frozen=True)
class Judge:
    """f, and what it can be asked about."""

    classifier: ClipClassifier
    clip: ClipSpec
    """The clips that it is shown, and so those that samplers score."""
    judged: frozenset[str] | None = None
    """Names without endings of the videos that its opinions are known of, so that it can teach by them; None where it
    can be asked about any."""


def fitted(
    variant: Variant,
    known: Sequence[Entry],
    f: Judge,
    folder: Path,
    *,
    cache: Path,
    mobilenet: Path | None = None,
) -> Sampler:
    """A sampler of a variant, from its folder where it was fitted before.

    Args:
        variant: Which.
        known: Videos to learn from; those without a split are dealt to training and validation.
        f: What teaches, unless spans do.
        folder: Where it is kept.
        cache: What was read and asked before.
        mobilenet: The weights that I-frames are looked at with.

    Returns:
        The sampler.
    """
    if not (folder / "config.json").is_file():
        if not variant.by_spans and f.judged is not None:
            known = [entry for entry in known if entry.path.stem in f.judged]
        made = fit(
            known,
            None if variant.by_spans else f.classifier,
            plan=SamplerPlan(
                streams=variant.streams,
                architecture=variant.architecture,
                objective=variant.objective,
                audio_architecture=variant.audio_architecture,
                combination=variant.combination,
                frames_per_clip=variant.frames_per_clip,
                front_weights=mobilenet if variant.is_fronted else None,
            ),
            options=TrainingOptions(
                clips_per_video=16,
                epochs=variant.epochs,
                patience=max(6, variant.epochs // 5),
                sal_cl_target=variant.sal_cl_target,
            ),
            output=folder,
            name=variant.name,
            clip=f.clip,
            cache=cache,
            device="cpu",
        )
        print(folder.name, made.videos, made.card.validation, f"{made.seconds['training']:.0f} s", flush=True)
    return make_sampler(str(folder))
