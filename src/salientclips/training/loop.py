"""The loop: visits the training videos epoch by epoch, asks the validation videos, keeps the best networks.

AdamW with a rate that rises over the first tenth of the steps and falls along a cosine. After each epoch the unit's
own choice of K clips is tried on the validation videos; the networks of the epoch that led f to the most right
answers are kept (among equals, those whose clips f was surest on; then the latest), and training ends when
``patience`` epochs brought nothing better. Everything that is drawn depends on the seed and the epoch alone, and the
state is kept on disk now and then: a run that was stopped at any point ends at the same bits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path
from time import monotonic

import torch

from ..cache.store import Warn
from ..samplers.card import Stream
from .batches import generator
from .checkpoints import State, load_state, save_state
from .lesson import Lesson, Networks, Normalisation
from .validate import figures, top
from .world import World

Progress = Callable[[float], None]

FRAMES_VALIDATED = 1
"""Frames of a clip by which epochs are compared; the finished sampler is judged by all that it reads."""

SAVE_EVERY_S = 20.0
"""Least time between two checkpoints, seconds: what a kill can cost."""


@dataclass(frozen=True)
class Trained:
    """A unit after training."""

    tensors: dict[Stream, dict[str, torch.Tensor]]
    """State dict of each stream's network, float32 of any shape, on the CPU; counters are int64."""
    best_epoch: int
    """Which epoch it is of, from 1."""
    history: tuple[dict[str, float], ...]
    """Of each epoch: ``loss``, and ``accuracy`` and ``surety`` on the validation videos where there are any."""
    normalisation: Normalisation
    """Means and deviations of each stream's channels, as its network is to be shown them."""


@dataclass
class _Run:
    """What changes while training."""

    epoch: int = 0
    best: State = field(default_factory=dict)
    best_epoch: int = 0
    improved: int = 0
    """The last epoch that was better than all before it, not only as good."""
    history: list[dict[str, float]] = field(default_factory=list)
    is_finished: bool = False


def train(
    lesson: Lesson,
    world: World,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    warn: Warn | None = None,
    save_every_s: float = SAVE_EVERY_S,
) -> Trained:
    """Train the networks of a unit.

    Args:
        lesson: What is to be learned.
        world: This process among its fellows.
        folder: Where checkpoints are kept; None for none.
        progress: Called with the share of epochs done, 0 to 1.
        warn: Told of a checkpoint that was damaged.
        save_every_s: Least time between two checkpoints, seconds.

    Returns:
        The networks of the best epoch.
    """
    networks = Networks.drawn(lesson.unit, lesson.outputs, lesson.options.seed).to(world.device)
    optimiser = torch.optim.AdamW(
        networks.parameters(), lr=lesson.options.learning_rate, weight_decay=lesson.options.weight_decay
    )
    path = None if folder is None else folder / f"{lesson.key(**_circumstances(world))}.checkpoint"
    run = _take_up(path, networks, optimiser, warn)
    if run.is_finished and progress is not None:
        progress(1.0)
    joined = world.joined(networks)
    saved_at = monotonic()
    with _deterministic(world):
        while not run.is_finished:
            loss = _epoch(lesson, run.epoch, joined, optimiser, world)
            run.epoch += 1
            verdict = _validate(lesson, networks, world) if world.is_first else {}
            run.history.append({"loss": loss, **world.hear(verdict)})
            _compare(run, networks, lesson)
            if progress is not None:
                progress(1.0 if run.is_finished else run.epoch / lesson.options.epochs)
            due = run.is_finished or monotonic() - saved_at >= save_every_s
            if path is not None and world.is_first and due:
                _put_down(path, run, networks, optimiser)
                saved_at = monotonic()
    tensors: dict[Stream, dict[str, torch.Tensor]] = {
        stream: {
            name.removeprefix(f"of.{stream}."): tensor
            for name, tensor in run.best.items()
            if name.startswith(f"of.{stream}.")
        }
        for stream in lesson.unit.streams
    }
    return Trained(tensors, run.best_epoch, tuple(run.history), lesson.normalisation)


def _circumstances(world: World) -> dict[str, object]:
    """What changes the last digits of sums, and so the result."""
    threads = torch.get_num_threads() if world.device.type == "cpu" else 0
    return {
        "device": world.device.type,
        "threads": threads,
        "processes": world.size,
        "torch": str(torch.__version__),
    }


def _epoch(
    lesson: Lesson, epoch: int, networks: torch.nn.Module, optimiser: torch.optim.Optimizer, world: World
) -> float:
    """Visit every training video once; returns the mean loss of a video (of this process's share)."""
    options, count = lesson.options, len(lesson.training)
    order = generator(options.seed, epoch).permutation(count)
    steps = -(-count // options.videos_per_batch)
    total, seen = 0.0, 0
    networks.train()
    for step in range(steps):
        batch = order[step * options.videos_per_batch : (step + 1) * options.videos_per_batch]
        mine = [int(number) for number in world.share(batch.tolist())]
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * _rate(epoch * steps + step, options.epochs * steps)
        optimiser.zero_grad()
        with torch.autocast(world.device.type, torch.bfloat16, enabled=world.device.type == "cuda"):
            # A process that got none still has to take part in averaging the gradients.
            loss = lesson.batch_loss(networks, epoch, mine or [int(batch[0])], world.device)
            # Gradients are averaged over processes: times their number, so that it is a mean over videos.
            loss = loss * (world.size / len(batch) if mine else 0.0)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += float(loss.detach()) * len(batch) / world.size
        seen += len(mine)
    return total / max(seen, 1)


def _rate(step: int, steps: int) -> float:
    """The share of the full learning rate at a step, above 0."""
    rise = max(1, steps // 10)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + cos(pi * (step - rise) / max(1, steps - rise)))


def _validate(lesson: Lesson, networks: Networks, world: World) -> dict[str, float]:
    if not lesson.validation:
        return {}
    networks.eval()
    videos = [(video.probabilities, video.targets) for video in lesson.validation]
    choices = [
        top(lesson.scores(networks, video, world.device, FRAMES_VALIDATED), lesson.k)
        for video in lesson.validation
    ]
    accuracy, surety = figures(videos, choices)
    return {"accuracy": accuracy, "surety": surety}


def _compare(run: _Run, networks: Networks, lesson: Lesson) -> None:
    """Keep the networks if they are the best so far; end where nothing better is to be expected."""
    now = run.history[-1]
    kept = run.history[run.best_epoch - 1] if run.best_epoch else None
    if kept is None or "accuracy" not in now or _merit(now) > _merit(kept):
        run.improved = run.epoch
    if kept is None or "accuracy" not in now or _merit(now) >= _merit(kept):
        run.best = copy.deepcopy({name: tensor.cpu() for name, tensor in networks.state_dict().items()})
        run.best_epoch = run.epoch
    patience = lesson.options.patience
    is_stuck = 0 < patience <= run.epoch - run.improved
    run.is_finished = is_stuck or run.epoch >= lesson.options.epochs


def _merit(epoch: dict[str, float]) -> tuple[float, float]:
    return epoch["accuracy"], epoch["surety"]


def _take_up(
    path: Path | None, networks: Networks, optimiser: torch.optim.Optimizer, warn: Warn | None
) -> _Run:
    """Go on where an earlier run stopped, or begin."""
    state = None if path is None else load_state(path, warn)
    if state is None:
        return _Run()
    networks.load_state_dict(state["networks"])
    optimiser.load_state_dict(state["optimiser"])
    return _Run(**{name: state[name] for name in _Run.__dataclass_fields__})


def _put_down(path: Path, run: _Run, networks: Networks, optimiser: torch.optim.Optimizer) -> None:
    state = {**vars(run), "networks": networks.state_dict(), "optimiser": optimiser.state_dict()}
    save_state(path, state)


@contextmanager
def _deterministic(world: World) -> Iterator[None]:
    if world.device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield
