"""A linear layer alone: a small problem with one optimum, solved at once.

That is the last layer behind a front that never learns, on what the front says of the I-frames of a clip, their
mean; the layer on a clip's statistics (``stats``); and the layer on the MEL bands of its sound (``bands``). It
learns the objective of its stream: AC, SAL-CL or SAL-RANK, by the same losses as every network (objectives.py). It
sees all clips of all training videos at every step of L-BFGS, so there are no epochs, and nothing is drawn but clips
and pairs of very long videos. How strongly its weights are held back is chosen on the validation videos, by how sure
f is of the truth on the K clips that would be chosen (as tune.py does). Features have mean 0 and deviation 1 while
that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..samplers.card import BANDS, LINEAR
from ..samplers.front import MEAN, STD, Front
from ..samplers.inputs import Inputs, normalise
from ..samplers.nets import BandLayer, build_network
from . import objectives
from .batches import draw_visit, generator
from .lesson import Lesson, Networks
from .loop import Progress, Trained
from .validate import figures, top

PENALTIES = (10.0, 1.0, 0.1, 0.01)
"""Of half the squared weights' sum, beside the mean loss of a video; the strongest comes first among equals."""
UNJUDGED_PENALTY = 0.1
"""Without validation videos."""
CLIPS_PER_VIDEO = 256
"""Clips of a video at most; of a longer one so many are drawn, spread over f's opinion (batches.py)."""
STEPS = 200
"""Of L-BFGS, at most."""
_LEAST_SPREAD = 1e-6
"""A figure that varies less is as good as constant."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layer:
    """A linear layer on what a front says, on statistics, or on figures of bands."""

    weight: Floats
    """(outputs, channels)."""
    bias: Floats
    """(outputs,)."""

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """The same in float32, named as in a network: ``fc.weight`` (outputs, channels), ``fc.bias`` (outputs,)."""
        return {
            "fc.weight": torch.from_numpy(self.weight).float(),
            "fc.bias": torch.from_numpy(self.bias).float(),
        }


@dataclass(frozen=True)
class _Kind:
    """A kind of layer: what it knows of a clip, and which network it is."""

    knows: Callable[[Inputs], Floats]
    """What is known of a clip: from its normalised inputs (n, C, h, w) to float64 (channels,)."""
    is_normal: bool
    """Whether that has mean 0 and deviation 1 because the inputs have; if not, it is brought to them here."""
    network: Callable[[int, int], nn.Module]
    """From channels and outputs, the network that takes normalised inputs and has the layer as its ``fc``."""


def _kind_of(lesson: Lesson) -> _Kind:
    if lesson.unit.architectures == (BANDS,):
        return _Kind(_bands, is_normal=False, network=lambda _, outputs: BandLayer(outputs))
    # Behind a front the layer is the one on statistics, too: each has one number a channel.
    return _Kind(_mean, is_normal=True, network=partial(build_network, LINEAR))


@dataclass(frozen=True, eq=False)
class _Task:
    """The clips of all videos in one table, and what is to be made of them."""

    lesson: Lesson
    rows: torch.Tensor
    """What is known of each clip, with mean 0 and deviation 1: float64 (num_clips, channels)."""
    centre: Floats
    """Mean that was taken from what the network itself knows (channels,); 0 where its input has mean 0 already."""
    spread: Floats
    """Deviation that it was divided by after that (channels,), above 0; 1 where its input has deviation 1."""
    weights: torch.Tensor
    """What each clip counts, every video the same (num_clips,)."""
    truth: torch.Tensor
    """AC: whether each class is true (num_clips, num_classes); SAL-CL: what is taught of each clip (num_clips,)."""
    pairs: torch.Tensor
    """SAL-RANK: (num_pairs, 2), rows of the better and of the other."""
    pair_weights: torch.Tensor
    """SAL-RANK: what each pair counts, every video the same (num_pairs,)."""

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """The mean loss of a video, from (num_clips, outputs)."""
        said = [(logits[:, None], 1.0)]
        match self.lesson.unit.objective:
            case "ac":
                return (self.weights * objectives.ac_loss(said, self.truth)).sum()
            case "sal-cl":
                return (self.weights * objectives.sal_cl_loss(said, self.truth)).sum()
            case _:
                margin = self.lesson.options.margin
                return objectives.sal_rank_loss(said, self.pairs, self.pair_weights, margin).sum()


def train_linear(lesson: Lesson, front: Front | None, progress: Progress | None = None) -> Trained:
    """Solve for each penalty, and keep the layer that does best on the validation videos.

    Args:
        lesson: What is to be learned, by one stream: ``if``, whose videos hold what the front says, ``stats``, or
            ``audio`` by ``bands``.
        front: The front; None for ``stats`` and ``audio``.
        progress: Called with the share of penalties tried, 0 to 1.

    Returns:
        The layer, or front and layer as one network; ``history`` has a row a penalty: ``penalty``, ``loss``,
        and ``accuracy`` and ``surety`` where there are validation videos; ``best_epoch`` is the row that was
        kept, from 1.
    """
    kind = _kind_of(lesson)
    task = _task(lesson, kind)
    penalties = PENALTIES if lesson.validation else (UNJUDGED_PENALTY,)
    layers, history = [], []
    for number, penalty in enumerate(penalties, start=1):
        layer, loss = _solve(task, penalty)
        layers.append(layer)
        history.append({"penalty": penalty, "loss": loss, **_judged(lesson, kind, layer)})
        if progress is not None:
            progress(number / len(penalties))
    best = max(range(len(layers)), key=lambda i: history[i].get("surety", 0.0))
    kept, (stream,) = layers[best], lesson.unit.streams
    if front is None:
        return Trained({stream: kept.tensors}, best + 1, tuple(history), lesson.normalisation)
    mean, std = (np.array(of) for of in lesson.normalisation[stream])
    weight = kept.weight / std
    network = front.network(lesson.outputs, weight, kept.bias - weight @ mean)
    return Trained({stream: dict(network.state_dict())}, best + 1, tuple(history), {stream: (MEAN, STD)})


def _task(lesson: Lesson, kind: _Kind) -> _Task:
    options = replace(lesson.options, clips_per_video=CLIPS_PER_VIDEO)
    (stream,) = lesson.unit.streams
    rows, weights, truth, pairs, pair_weights = [], [], [], [], []
    begin, share = 0, 1 / len(lesson.training)
    for number, video in enumerate(lesson.training):
        targets, rng = video.targets, generator(options.seed, 0, number)
        clips = draw_visit(targets.surety, lesson.eligible[number], lesson.unit.objective, options, rng).clips
        frames = video.held[stream].clips()
        rows += [kind.knows(normalise(frames[clip], *lesson.normalisation[stream])) for clip in clips]
        weights += [share / len(clips)] * len(clips)
        if lesson.unit.objective == "ac":
            truth += [[name in targets.classes for name in lesson.classes]] * len(clips)
        else:
            truth += targets.taught(options.sal_cl_target)[clips].tolist()
        own, counts = objectives.make_pairs(
            targets.surety[clips],
            tie_gap=options.tie_gap,
            most=options.pairs_per_video,
            weight=options.pair_weight,
            rng=generator(options.seed, 0, number, 1),
        )
        pairs.append(own + begin)
        pair_weights.append(counts * share)
        begin += len(clips)
    known = np.stack(rows)
    centre, spread = np.zeros(known.shape[1]), np.ones(known.shape[1])
    if not kind.is_normal:
        centre, spread = known.mean(axis=0), known.std(axis=0)
        spread[spread < _LEAST_SPREAD] = 1.0
    return _Task(
        lesson,
        torch.from_numpy((known - centre) / spread),
        centre,
        spread,
        torch.tensor(weights, dtype=torch.float64),
        torch.from_numpy(np.array(truth)),
        torch.from_numpy(np.concatenate(pairs)),
        torch.from_numpy(np.concatenate(pair_weights)).double(),
    )


def _solve(task: _Task, penalty: float) -> tuple[Layer, float]:
    """The layer of least loss, and that loss without the penalty."""
    outputs, channels = task.lesson.outputs, task.rows.shape[1]
    weight = torch.zeros(outputs, channels, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=STEPS, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        total = task.loss(task.rows @ weight.T + bias) + penalty * weight.square().sum() / 2
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        loss = float(task.loss(task.rows @ weight.T + bias))
    folded = weight.detach().numpy() / task.spread
    return Layer(folded, bias.detach().numpy() - folded @ task.centre), loss


def _mean(frames: Inputs) -> Floats:
    """What is known of a clip by the mean over frames and places: (n, C, h, w) to float64 (C,)."""
    mean: Floats = frames.mean(axis=(0, 2, 3), dtype=np.float64)
    return mean


def _bands(windows: Inputs) -> Floats:
    """What is known of a clip by the MEL bands of its windows of sound: (n, 1, 40, steps) to float64 (120,)."""
    figures: Floats = BandLayer.figures(torch.from_numpy(windows).double()).mean(dim=0).numpy()
    return figures


def _judged(lesson: Lesson, kind: _Kind, layer: Layer) -> dict[str, float]:
    """How f does on the K clips that a layer would choose of the validation videos."""
    if not lesson.validation:
        return {}
    outputs, channels = layer.weight.shape
    network = kind.network(channels, outputs)
    network.load_state_dict(layer.tensors)
    networks = Networks({lesson.unit.streams[0]: network}).eval()
    said = [lesson.scores(networks, video, torch.device("cpu")) for video in lesson.validation]
    choices: Sequence[Sequence[int]] = [top(scores, lesson.k) for scores in said]
    accuracy, surety = figures([(v.probabilities, v.targets) for v in lesson.validation], choices)
    return {"accuracy": accuracy, "surety": surety}
