"""From prepared videos to a sampler: which networks are trained on which videos, and what the card says of it.

Each network is trained alone, or picture and sound together under AV-joint-training; behind a front only a last
layer is, and of statistics and of MEL bands a layer is all. The histogram of where f's best clips lie is taken of
the training videos, the figures of the card from the validation videos, by the finished sampler's own rule on the
cached features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ..cache.store import Warn
from ..cache.types import VideoFeatures
from ..errors import InputError
from ..samplers.card import RULES, SOLVED, SamplerCard, Stream, StreamCard
from ..samplers.front import Front
from ..samplers.layouts import outputs_of
from ..samplers.learned import LearnedSampler
from ..samplers.nets import network_for, stream_cost
from ..samplers.torch_networks import TorchNetworks
from ..timeline import ClipSpec
from .last_layer import train_linear
from .lesson import Lesson, Normalisation, Unit
from .loop import Trained, train
from .options import SalClTarget, TrainingOptions
from .plan import SamplerPlan
from .targets import histogram_of_best
from .tune import Opinion, chosen, opinions, tuned
from .validate import card_figures, figures, top
from .videos import TrainingVideo, channel_statistics
from .world import World

Progress = Callable[[str, float], None]

LEAST_WITH_SOUND = 0.5
"""Share of the training videos that must have sound for an audio network to be trained beside visual ones."""
_LEAST_DIFFERENCE = 1e-6
"""Probabilities that differ by no more are equal."""


@dataclass(frozen=True)
class Material:
    """What a sampler is made of."""

    training: tuple[TrainingVideo, ...]
    """At least one."""
    validation: tuple[TrainingVideo, ...]
    k: int
    """Clips chosen of a validation video."""
    clips: ClipSpec
    """How videos were divided."""
    features: Callable[[Path], VideoFeatures]
    """The cached features of a video."""


@dataclass
class Assembler:
    """Trains the networks of a sampler and puts them together."""

    plan: SamplerPlan
    options: TrainingOptions
    world: World
    folder: Path
    """Where checkpoints are kept."""
    progress: Progress | None = None
    """Called as the work goes on."""
    warn: Warn | None = None
    """Told of what is left out, in a line."""
    front: Front | None = None
    """What looks at I-frames before a last layer, where the plan names its weights."""
    history: dict[str, tuple[dict[str, float], ...]] = field(default_factory=dict, init=False)
    """Of each unit (its streams joined by ``+``), what each epoch gave; of a last layer, what each penalty gave."""

    def assemble(self, material: Material, about: SamplerCard) -> LearnedSampler:
        """Train and put together.

        Args:
            material: The videos.
            about: A card with everything that is known without training; the rest is filled in.

        Returns:
            The sampler, with its card complete.

        Raises:
            InputError: The videos do not give what the objective needs.
        """
        plan = _without_silence(self.plan, material.training, self.warn)
        classes = _classes(plan, material.training)
        tensors: dict[Stream, dict[str, torch.Tensor]] = {}
        normalisation: Normalisation = {}
        best: dict[str, float | int | str] = {}
        for unit in _units(plan):
            done = self._train(self._lesson(unit, material, classes))
            tensors.update(done.tensors)
            normalisation.update(done.normalisation)
            best |= self._choices(unit, done)
        streams = tuple(
            _stream_card(plan, stream, normalisation[stream], max(1, len(classes)))
            if stream in normalisation
            else RULES[stream]
            for stream in plan.streams
        )
        card = replace(
            about,
            streams=streams,
            frames_per_clip=plan.frames_per_clip,
            short_side_cells=plan.input_cells,
            combination=plan.combination if plan.has_both else None,
            classes=classes,
            videos=len(material.training),
            options={**about.options, **self.options.as_card(), **best},
            histogram=histogram_of_best(
                [(video.targets.surety, video.middles) for video in material.training], material.k
            ),
        )
        networks = {
            s.stream: network_for(s.stream, s.architecture, outputs_of(card, s)) for s in card.networks
        }
        for stream, network in networks.items():
            network.load_state_dict(tensors[stream])
        engine = TorchNetworks(networks, self.world.device)
        said = opinions(LearnedSampler(card, engine), material.validation, material.features)
        card = tuned(card, said, material.k, neighbours=plan.neighbours, weighs_streams=plan.weighs_streams)
        card = replace(card, validation=validation_figures(card, said, material.k))
        engine = TorchNetworks({s.stream: networks[s.stream] for s in card.networks}, self.world.device)
        return LearnedSampler(card, engine)

    def _lesson(self, unit: Unit, material: Material, classes: tuple[str, ...]) -> Lesson:
        usable = [video for video in material.training if len(video.eligible(unit.streams))]
        if unit.objective == "sal-rank":
            # Where f finds all clips alike there is nothing to rank.
            usable = [v for v in usable if _spread(v, unit.streams) > self.options.tie_gap]
        elif unit.objective == "sal-cl":
            _refuse_one_answer(usable, self.options.sal_cl_target)
        names = "+".join(unit.streams)
        if not usable:
            raise InputError(
                f"no training video teaches {unit.objective} anything from {names}",
                "give videos on whose clips the classifier's certainty differs, or another objective",
            )
        if len(usable) < len(material.training) and self.warn is not None:
            self.warn(
                f"{len(material.training) - len(usable)} of {len(material.training)} training videos teach"
                f" {unit.objective} nothing: the classifier finds their clips alike, or nothing could be read"
            )
        return Lesson(
            unit=unit,
            training=tuple(usable),
            validation=material.validation,
            classes=classes if unit.objective == "ac" else (),
            normalisation={stream: channel_statistics(usable, stream) for stream in unit.streams},
            short_side_cells=self.plan.input_cells,
            options=self.options,
            k=material.k,
        )

    def _train(self, lesson: Lesson) -> Trained:
        names = "+".join(lesson.unit.streams)
        report = None if self.progress is None else partial(self.progress, f"training {names}")
        if self._is_solved(lesson.unit):
            done = train_linear(lesson, self.front if lesson.unit.streams == ("if",) else None, report)
        else:
            done = train(lesson, self.world, folder=self.folder, progress=report, warn=self.warn)
        self.history[names] = done.history
        return done

    def _choices(self, unit: Unit, done: Trained) -> dict[str, float | int | str]:
        """What training chose for a unit, for the card."""
        name = "_".join(unit.streams)
        if not self._is_solved(unit):
            return {f"best_epoch_{name}": done.best_epoch}
        front: dict[str, float | int | str] = {}
        if self.front is not None and unit.streams == ("if",):
            front = {"front": self.front.name, "front_sha256": self.front.sha256}
        return {**front, f"penalty_{name}": done.history[done.best_epoch - 1]["penalty"]}

    def _is_solved(self, unit: Unit) -> bool:
        """Whether a linear layer is all that learns."""
        return unit.architectures[0] in SOLVED or (self.front is not None and unit.streams == ("if",))


def validation_figures(card: SamplerCard, said: Sequence[Opinion], k: int) -> dict[str, float]:
    """How well a sampler does on the validation videos.

    Args:
        card: Of the finished sampler.
        said: What its streams say of them.
        k: Clips chosen of each.

    Returns:
        The figures of :func:`~.validate.card_figures` by the sampler's own rule, and where it looks and listens also
        ``visual_accuracy_at_K`` and ``audio_accuracy_at_K``; empty without validation videos.
    """
    if not said:
        return {}
    videos = [(one.probabilities, one.targets) for one in said]
    choices, streams = zip(*(chosen(card, one, k) for one in said), strict=True)
    found = card_figures(videos, [one.grid for one in said], choices, k)
    if card.combination is not None:
        for name in ("visual", "audio"):
            lists = [top(of_video[name], k) for of_video in streams]
            found[f"{name}_accuracy_at_{k}"] = figures(videos, lists)[0]
    return found


def _without_silence(plan: SamplerPlan, videos: Sequence[TrainingVideo], warn: Warn | None) -> SamplerPlan:
    """The plan, without sound where too few of the videos have any."""
    if not plan.has_both:
        return plan
    heard = sum(len(video.eligible(("audio",))) > 0 for video in videos)
    if heard >= LEAST_WITH_SOUND * len(videos):
        return plan
    if warn is not None:
        warn(f"{heard} of {len(videos)} training videos have sound: the sampler is made without it")
    return replace(plan, streams=tuple(stream for stream in plan.streams if stream != "audio"))


def _classes(plan: SamplerPlan, videos: Sequence[TrainingVideo]) -> tuple[str, ...]:
    """The outputs under AC: the classes that are true of some training video."""
    if all(plan.objective_of(stream) != "ac" for stream in plan.networks):
        return ()
    classes = tuple(sorted({name for video in videos for name in video.targets.classes}))
    if len(classes) < 2:
        raise InputError(
            f"all training videos are of one class, {classes[0]!r}: ac has nothing to learn",
            "use the objective sal-rank, or give videos of several classes",
        )
    return classes


def _units(plan: SamplerPlan) -> tuple[Unit, ...]:
    if plan.is_joint:
        kinds = tuple(plan.architecture_of(stream) for stream in plan.networks)
        return (Unit(plan.networks, kinds, plan.objective),)
    return tuple(
        Unit((stream,), (plan.architecture_of(stream),), plan.objective_of(stream))
        for stream in plan.networks
    )


def _refuse_one_answer(videos: Sequence[TrainingVideo], target: SalClTarget) -> None:
    """SAL-CL needs clips of which different things are true."""
    answers = [float(answer) for video in videos for answer in video.targets.taught(target)]
    if not answers or max(answers) - min(answers) > _LEAST_DIFFERENCE:
        return
    if target == "surety":
        raise InputError(
            f"the classifier gives the true class the probability {answers[0]:.3g} on all clips of the training"
            " videos: sal-cl has nothing to learn",
            "give videos on whose clips the classifier's certainty differs, or use the objective ac",
        )
    raise InputError(
        f"the classifier is {'always' if answers[0] else 'never'} right on the clips of the training videos: sal-cl"
        " has nothing to learn",
        "use the objective sal-rank, or a classifier that knows these videos; --sal-cl-target surety learns from its"
        " probability of the true class",
    )


def _spread(video: TrainingVideo, streams: tuple[Stream, ...]) -> float:
    return float(np.ptp(video.targets.surety[video.eligible(streams)]))


def _stream_card(
    plan: SamplerPlan,
    stream: Stream,
    normalisation: tuple[tuple[float, ...], tuple[float, ...]],
    outputs: int,
) -> StreamCard:
    architecture, objective = plan.architecture_of(stream), plan.objective_of(stream)
    count, mmacs = stream_cost(stream, architecture, outputs if objective == "ac" else 1, plan.input_cells)
    return StreamCard(stream, architecture, objective, *normalisation, parameters=count, mmacs=mmacs)
