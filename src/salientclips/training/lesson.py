"""What is to be learned: the networks that are trained together, the videos, and how the two meet in one step.

A *unit* is what has one score: a single network, or under AV-joint-training the visual networks and the audio network
together (poster: "both networks trained together on one score"), picture and sound counting half each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..cache.store import key_of
from ..ranking import mean_of_those_there
from ..samplers.card import Architecture, Objective, Stream
from ..samplers.inputs import Inputs, normalise, without_repeats
from ..samplers.nets import network_for
from . import objectives
from .batches import Visit, common_size, cut, draw_visit, generator, take_frames
from .options import TrainingOptions
from .videos import TrainingVideo

Scores = npt.NDArray[np.float64]
Normalisation = dict[Stream, tuple[tuple[float, ...], tuple[float, ...]]]
"""Means and deviations of the channels of each stream."""

_FRAMES_AT_ONCE = 64
"""Frames in one pass of validation; bounds the memory."""


@dataclass(frozen=True)
class Unit:
    """Networks that are trained together on one score."""

    streams: tuple[Stream, ...]
    """What they look at, one network each."""
    architectures: tuple[Architecture, ...]
    """Of each stream."""
    objective: Objective
    """What they learn."""

    @property
    def weights(self) -> tuple[float, ...]:
        """How much each network counts: picture and sound half each where both are there."""
        visual = sum(stream != "audio" for stream in self.streams)
        halves = 0.5 if 0 < visual < len(self.streams) else 1.0
        return tuple(halves if stream == "audio" else halves / visual for stream in self.streams)


class Networks(nn.Module):
    """The networks of a unit as one module, so that they are optimised and shared between processes together.

    Args:
        of: The network of each stream, in the order of the unit.
    """

    def __init__(self, of: Mapping[Stream, nn.Module]) -> None:
        super().__init__()
        self.of = nn.ModuleDict({str(stream): network for stream, network in of.items()})

    @classmethod
    def drawn(cls, unit: Unit, outputs: int, seed: int) -> Networks:
        """Networks with random weights.

        Args:
            unit: Which.
            outputs: Numbers that each gives.
            seed: Of the first weights; the same give the same weights, whatever was drawn before.

        Returns:
            The networks.
        """
        made = {}
        # The caller's random numbers go on as if nothing had been drawn.
        with torch.random.fork_rng(devices=[]):
            for stream, architecture in zip(unit.streams, unit.architectures, strict=True):
                text = f"{seed}|{stream}|{architecture}"
                torch.manual_seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big"))
                made[stream] = network_for(stream, architecture, outputs)
        return cls(made)

    def forward(self, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        """Run each network over its stream's frames.

        Args:
            inputs: float32 (num_clips, num_frames, C, h, w) of each stream.

        Returns:
            Logits float32 (num_clips, num_frames, outputs) of each stream.
        """
        found = []
        for network, frames in zip(self.of.values(), inputs, strict=True):
            logits = network(frames.flatten(0, 1))
            found.append(logits.reshape(frames.shape[0], frames.shape[1], -1))
        return found


@dataclass(frozen=True, eq=False)
class Lesson:
    """Everything that training a unit needs."""

    unit: Unit
    training: tuple[TrainingVideo, ...]
    """At least one, each with eligible clips."""
    validation: tuple[TrainingVideo, ...]
    """May be empty: then the last epoch is kept."""
    classes: tuple[str, ...]
    """The outputs under AC; empty otherwise."""
    normalisation: Normalisation
    """Means and deviations of each stream's channels."""
    short_side_cells: int
    """Shorter side of the networks' input, cells of 16 pixels."""
    options: TrainingOptions
    k: int
    """Clips chosen of a validation video."""

    @property
    def outputs(self) -> int:
        """Numbers that each network gives."""
        return len(self.classes) if self.unit.objective == "ac" else 1

    @cached_property
    def eligible(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Of each training video, the clips that can be drawn (n,)."""
        return tuple(video.eligible(self.unit.streams) for video in self.training)

    def key(self, **circumstances: object) -> str:
        """A name for all that decides the result.

        Args:
            circumstances: What else does: threads, device ...

        Returns:
            Hexadecimal digits.
        """
        return key_of(
            kind="training",
            unit=[self.unit.streams, self.unit.architectures, self.unit.objective],
            videos=[[_name_of(video) for video in part] for part in (self.training, self.validation)],
            classes=self.classes,
            normalisation=dict(sorted(self.normalisation.items())),
            side=self.short_side_cells,
            options=self.options.as_card(),
            k=self.k,
            circumstances=circumstances,
        )

    def batch_loss(
        self, networks: nn.Module, epoch: int, numbers: Sequence[int], device: torch.device
    ) -> torch.Tensor:
        """The loss of some videos, summed; every video counts the same.

        Args:
            networks: A :class:`Networks`, perhaps wrapped.
            epoch: Which visit it is.
            numbers: Which training videos; at least one.
            device: Where the networks are.

        Returns:
            A float32 scalar, at least 0.
        """
        visits = [self._visit(number, epoch) for number in numbers]
        inputs = [self._inputs(stream, numbers, visits).to(device) for stream in self.unit.streams]
        logits = networks(inputs)
        counts = [len(visit.clips) for visit in visits]
        parts = zip(*(torch.split(one.float(), counts) for one in logits), strict=True)
        losses = [
            self._video_loss(list(zip(of_video, self.unit.weights, strict=True)), number, visit, epoch)
            for of_video, number, visit in zip(parts, numbers, visits, strict=True)
        ]
        return torch.stack(losses).sum()

    def _visit(self, number: int, epoch: int) -> Visit:
        rng = generator(self.options.seed, epoch, number)
        surety = self.training[number].targets.surety
        return draw_visit(surety, self.eligible[number], self.unit.objective, self.options, rng)

    def _inputs(self, stream: Stream, numbers: Sequence[int], visits: Sequence[Visit]) -> torch.Tensor:
        """The frames that a network is shown (num_clips, num_frames, C, h, w), normalised."""
        drawn = [
            take_frames(self.training[number].held[stream].clips(), visit)
            for number, visit in zip(numbers, visits, strict=True)
        ]
        size = common_size([(int(one.shape[3]), int(one.shape[4])) for one in drawn])
        frames = torch.cat(
            [cut(one, stream, visit.view, size) for one, visit in zip(drawn, visits, strict=True)]
        )
        flat = normalise(frames.flatten(0, 1).numpy(), *self.normalisation[stream])
        return torch.from_numpy(flat).reshape(frames.shape)

    def _video_loss(
        self, networks: list[objectives.Weighted], number: int, visit: Visit, epoch: int
    ) -> torch.Tensor:
        targets, options = self.training[number].targets, self.options
        device = networks[0][0].device
        if self.unit.objective == "ac":
            truth = torch.tensor([name in targets.classes for name in self.classes], device=device)
            return objectives.ac_loss(networks, truth.expand(len(visit.clips), -1)).mean()
        if self.unit.objective == "sal-cl":
            taught = torch.from_numpy(targets.taught(options.sal_cl_target)[visit.clips])
            return objectives.sal_cl_loss(networks, taught.to(device)).mean()
        pairs, weights = objectives.make_pairs(
            targets.surety[visit.clips],
            tie_gap=options.tie_gap,
            most=options.pairs_per_video,
            weight=options.pair_weight,
            rng=generator(options.seed, epoch, number, 1),
        )
        on_device = torch.from_numpy(pairs).to(device), torch.from_numpy(weights).to(device)
        return objectives.sal_rank_loss(networks, *on_device, options.margin).sum()

    def scores(
        self, networks: Networks, video: TrainingVideo, device: torch.device, frames: int = 0
    ) -> Scores:
        """The saliency of every clip of a video, as the finished sampler gives it (of all frames).

        Args:
            networks: In eval mode.
            video: Any video.
            device: Where the networks are.
            frames: Frames looked at of a clip, evenly spread; 0 for all.

        Returns:
            float64 (num_clips,); NaN where a clip has nothing of any stream.
        """
        shown = {
            stream: self._mean_outputs(networks.of[stream], stream, video, device, frames)
            for stream in self.unit.streams
        }
        visual = [means for stream, means in shown.items() if stream != "audio"]
        heard = [means for stream, means in shown.items() if stream == "audio"]
        groups = [mean_of_those_there(np.stack(group)) for group in (visual, heard) if group]
        return mean_of_those_there(np.stack([group.max(axis=1) for group in groups]))

    def _mean_outputs(
        self, network: nn.Module, stream: Stream, video: TrainingVideo, device: torch.device, most: int
    ) -> Scores:
        """The mean over a clip's frames of what a network says (num_clips, outputs); NaN for no frames."""
        clips = [_spread(one, most) for one in video.held[stream].clips()]
        counts = np.array([len(one) for one in clips])
        found = np.full((len(clips), self.outputs), np.nan)
        if not counts.any():
            return found
        frames = np.concatenate([one for one in clips if len(one)])
        places = np.arange(len(frames))
        if stream == "if":
            kept, places = without_repeats(list(frames))
            frames = np.stack(kept)
        shown = normalise(frames, *self.normalisation[stream])
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(shown), _FRAMES_AT_ONCE)
            logits = torch.cat([network(part.to(device)).float().cpu() for part in parts])
        values = self._verdict(logits).double().numpy()[places]
        starts = np.cumsum(counts) - counts
        for clip in np.flatnonzero(counts):
            found[clip] = values[starts[clip] : starts[clip] + counts[clip]].mean(axis=0)
        return found

    def _verdict(self, logits: torch.Tensor) -> torch.Tensor:
        match self.unit.objective:
            case "ac":
                return torch.softmax(logits, dim=1)
            case "sal-cl":
                return torch.sigmoid(logits)
            case _:
                return logits


def _spread(frames: Inputs, most: int) -> Inputs:
    """Up to ``most`` frames, evenly spread; 0 for all."""
    count = len(frames)
    if most == 0 or count <= most:
        return frames
    return frames[(2 * np.arange(most) + 1) * count // (2 * most)]


def _name_of(video: TrainingVideo) -> list[str]:
    digest = hashlib.sha256(video.targets.surety.tobytes() + video.targets.right.tobytes())
    return [video.name, digest.hexdigest(), *video.targets.classes]
