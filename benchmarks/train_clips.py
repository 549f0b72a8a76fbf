"""Teaches f the actions of ``rendered`` from nothing: R3D-18, MC3-18 or R(2+1)D-18, on ``rendered.drill``.

    PYTHONPATH=src python -m benchmarks.train_clips DRILL --network r3d_18 --out OUT
        --phases 40:17000

Clips of 8 frames at a step of 2 and 64 pixels instead of torchvision's 16 and 112: a tenth of the operations, for
want of a GPU. The scenes' textures are louder than the person in them, and from right and wrong alone a network of
this size learned nothing in 3,200 clips; so it is taught where to look. What is not the person fades in over the
first third of a run from nothing, and what the first layer says of a place is to tell which part of the body is
there (a linear layer on it, thrown away in the end). AdamW, a rate that falls as half a cosine, batches of 32;
first at few pixels, which costs least, then at more (``--phases``; with ``--start`` it goes on from earlier
weights). The stem and the two first layers, most of the work, are computed in bfloat16 where the processor can. (Not
the others: with torch 2.14 the gradients of some of their kernels are garbage or not a number.) Each clip is drawn
anew: place of action, first frame, crop, mirror, light, colours. Every twentieth part of the drill is kept to measure
on, by pictures alone. Nothing of a set is read.

It may be stopped at any time: the same command goes on with what the last measurement left in ``OUT``.

``OUT`` then has ``NETWORK.safetensors`` and ``labels.txt`` for ``--weights`` and ``--labels`` of every command, and
``training.csv``: loss and accuracy as they went.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.drill_clips import CAPTURED, CROP_PX, FRAMES, MOMENTS, Drill, plain, read, varied
from benchmarks.flat_convolutions import flattened
from benchmarks.rendered.screenplay import ACTIONS
from benchmarks.rendered.stage import BODY
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy, interpolate

from salientclips.classifiers import load_classifier
from salientclips.classifiers.network import NetworkClassifier
from salientclips.whole_file import whole_file, write_text

STATE = "state.pt"
"""In ``OUT``: what a run that was stopped goes on from."""
_HAS_BFLOAT16 = torch.backends.cpu.get_cpu_capability() == "AVX512"
"""Elsewhere it is done step by step, which takes ten times as long as float32."""
_PART_WEIGHTS = torch.tensor([0.2, *[1.0] * (len(BODY) + 1)])
"""Most of a picture is no part of the body."""


class Said(NamedTuple):
    """What a network says of n clips."""

    what: torch.Tensor
    """(n, classes)."""
    where: torch.Tensor
    """(n, parts, FRAMES, side / 2, side / 2)."""
    when: torch.Tensor
    """(n, moments)."""


@dataclass(frozen=True)
class Teacher:
    """A network, how it is fed, and how it is measured."""

    network: torch.nn.Module
    where: torch.nn.Module
    """From the first layer to the parts of the body."""
    when: torch.nn.Module
    """From what the last layer is given to the moments of the captured clips."""
    mean: torch.Tensor
    std: torch.Tensor

    def parts(self) -> tuple[torch.nn.Module, ...]:
        """All that learns."""
        return self.network, self.where, self.when

    def parameters(self) -> list[torch.nn.Parameter]:
        """Of all that learns."""
        return [parameter for part in self.parts() for parameter in part.parameters()]

    def says(self, clips: npt.NDArray[np.float32], side_px: int) -> Said:
        """What the network says of clips (n, FRAMES, CROP_PX, CROP_PX, 3)."""
        shown = ((torch.from_numpy(clips) - self.mean) / self.std).permute(0, 4, 1, 2, 3)
        if side_px != CROP_PX:
            flat = shown.transpose(1, 2).flatten(0, 1)
            small = interpolate(flat, size=(side_px, side_px), mode="bilinear", antialias=True)
            shown = torch.unflatten(small, 0, (len(clips), FRAMES)).transpose(1, 2)
        shown = shown.contiguous(memory_format=torch.channels_last_3d)
        net: Any = self.network
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_HAS_BFLOAT16):
            first = net.layer1(net.stem(shown))
            second = net.layer2(first)
        last = net.avgpool(net.layer4(net.layer3(second.float()))).flatten(1)
        return Said(net.fc(last), self.where(first.float()), self.when(last))

    def losses(
        self,
        clips: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int64],
        moments: npt.NDArray[np.int64],
        side_px: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of the classes, the parts of the body and the moments: clips (n, FRAMES, CROP_PX, CROP_PX, 4)."""
        said = self.says(np.ascontiguousarray(clips[..., :3]), side_px)
        parts = torch.from_numpy(np.ascontiguousarray(clips[..., 3]))
        there = interpolate(parts, size=said.where.shape[-2:], mode="nearest").long()
        return (
            cross_entropy(said.what, torch.from_numpy(labels), label_smoothing=0.1),
            cross_entropy(said.where, there, weight=_PART_WEIGHTS),
            cross_entropy(said.when, torch.from_numpy(moments), label_smoothing=0.1),
        )

    def accuracy(self, drill: Drill, side_px: int, most: int) -> tuple[float, npt.NDArray[np.int64]]:
        """Share of plain clips that are recognised, and (truth, said) counts."""
        self.network.eval()
        table = np.zeros((len(ACTIONS), len(ACTIONS)), dtype=np.int64)
        shown = [
            (clip, label)
            for place, label in zip(drill.places, drill.labels, strict=True)
            for clip in plain(place)[:2]
        ]
        shown = shown[:most]
        with torch.inference_mode():
            for at in range(0, len(shown), 32):
                said = self.says(np.stack([clip for clip, _ in shown[at : at + 32]]), side_px).what
                np.add.at(table, ([label for _, label in shown[at : at + 32]], said.argmax(dim=1).numpy()), 1)
        self.network.train()
        return float(np.trace(table) / table.sum()), table


def teach(teacher: Teacher, folder: Path, out: Path, name: str, asked: argparse.Namespace) -> None:
    """Train in the asked phases; weights, figures and the state to go on from are written as it goes."""
    drill, held = read(folder, kept_back=False), read(folder, kept_back=True)
    sides = [side_px for side_px, clips in asked.phases for _ in range(clips // asked.batch)]
    optimiser = torch.optim.AdamW(teacher.parameters(), lr=asked.rate, weight_decay=0.02)
    done = State.read(out / STATE, teacher, optimiser)
    rows, began, total = done.rows, time.monotonic(), []
    for step in range(done.step + 1, len(sides) + 1):
        share, side_px = step / len(sides), sides[step - 1]
        warm = min(1.0, step / (0.04 * len(sides) + 1))
        for group in optimiser.param_groups:
            group["lr"] = asked.rate * warm * 0.5 * (1 + math.cos(math.pi * share))
        world = 1.0 if asked.start else min(1.0, 0.1 + 3 * share)
        # Of its own for each step: a run that was stopped goes on as if it had not been.
        clips, labels, moments = batch(drill, np.random.default_rng([asked.seed, step]), asked.batch, world)
        losses = teacher.losses(clips, labels, moments, side_px)
        optimiser.zero_grad()
        (losses[0] + 0.5 * losses[1] + 0.5 * losses[2]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total.append([float(loss.detach()) for loss in losses])
        if step % asked.every == 0 or step == len(sides):
            right, table = teacher.accuracy(held, side_px, 10**6 if step == len(sides) else 400)
            rows.append((step * asked.batch, len(drill.places), *np.mean(total, axis=0).tolist(), right))
            total = []
            print(*(f"{number:.3f}" for number in rows[-1]), f"{time.monotonic() - began:.0f} s", flush=True)
            save(teacher, out, name, rows, table)
            State(step, rows).write(out / STATE, teacher, optimiser)
            drill = read(folder, kept_back=False)  # of a drill that is still being made, the new parts too


def batch(
    drill: Drill, random: np.random.Generator, size: int, world: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Clips (size, FRAMES, CROP_PX, CROP_PX, 4) as they were never seen, their classes and their moments (size,)."""
    chosen = random.integers(len(drill.places), size=size)
    firsts = [int(random.integers(len(drill.places[one]) - FRAMES + 1)) for one in chosen]
    pairs = list(zip(chosen, firsts, strict=True))
    clips = np.stack([varied(drill.places[one], first, random, world) for one, first in pairs])
    return clips, drill.labels[chosen], np.array([drill.moment(one, first) for one, first in pairs])


@dataclass(frozen=True)
class State:
    """How far a training is."""

    step: int
    """Batches that were learned."""
    rows: list[tuple[float, ...]]
    """Of ``training.csv``."""

    @classmethod
    def read(cls, file: Path, teacher: Teacher, optimiser: torch.optim.Optimizer) -> State:
        """Go on from what was written, weights and all; from nothing where there is no file."""
        if not file.exists():
            return cls(0, [])
        kept = torch.load(file, weights_only=True)
        for part, weights in zip(teacher.parts(), kept["parts"], strict=True):
            part.load_state_dict(weights)
        optimiser.load_state_dict(kept["optimiser"])
        return cls(kept["step"], [tuple(row) for row in kept["rows"]])

    def write(self, file: Path, teacher: Teacher, optimiser: torch.optim.Optimizer) -> None:
        """Keep it, with all that learns."""
        parts = [part.state_dict() for part in teacher.parts()]
        kept = {"step": self.step, "rows": self.rows, "parts": parts, "optimiser": optimiser.state_dict()}
        with whole_file(file) as beside:
            torch.save(kept, beside)


def save(
    teacher: Teacher,
    out: Path,
    name: str,
    rows: list[tuple[float, ...]],
    table: npt.NDArray[np.int64],
) -> None:
    """Write weights, labels and figures."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.detach().contiguous() for key, value in teacher.network.state_dict().items()}
    with whole_file(out / f"{name}.safetensors") as beside:
        save_file(tensors, beside)
    write_text(out / "labels.txt", "".join(f"{label}\n" for label in ACTIONS))
    figures = [
        "clips,places,loss,parts_loss,moments_loss,accuracy",
        *(",".join(f"{n:.4g}" for n in row) for row in rows),
    ]
    write_text(out / "training.csv", "\n".join(figures) + "\n")
    lines = [",".join(["truth", *ACTIONS])]
    lines += [",".join(map(str, [label, *row])) for label, row in zip(ACTIONS, table.tolist(), strict=True)]
    write_text(out / "confusion.csv", "\n".join(lines) + "\n")


def summed(tensors: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of R3D-18 for MC3-18: filters summed over time where the network has none of it there.

    Args:
        tensors: The weights that are there.
        wanted: Those of the network, for their shapes.

    Returns:
        Weights that fit; of the same network as they were.
    """
    return {
        name: tensor.sum(dim=2, keepdim=True)
        if tensor.ndim == 5 and tensor.shape != wanted[name].shape
        else tensor
        for name, tensor in tensors.items()
    }


def _phases(text: str) -> list[tuple[int, int]]:
    pairs = [one.split(":") for one in text.split(",")]
    return [(int(side_px), int(clips)) for side_px, clips in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("drill", type=Path)
    parser.add_argument("--network", choices=("r3d_18", "mc3_18", "r2plus1d_18"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phases", type=_phases, required=True, help="pixels:clips, joined by commas")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--every", type=int, default=100, help="batches between two measurements")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="weights to begin with instead of nothing")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    f = load_classifier(
        asked.network,
        random_weights=True,
        labels=ACTIONS,
        frames=FRAMES,
        frame_step=2,
        crop_px=CROP_PX,
        device="cpu",
    )
    assert isinstance(f, NetworkClassifier)
    if asked.start is not None:
        f.network.load_state_dict(summed(load_file(asked.start), f.network.state_dict()))
    network = flattened(f.network).requires_grad_(True).train().to(memory_format=torch.channels_last_3d)
    teach(
        Teacher(
            network,
            torch.nn.Conv3d(64, len(BODY) + 2, 1),
            torch.nn.Linear(512, MOMENTS * len(CAPTURED)),
            torch.tensor(f.input.mean),
            torch.tensor(f.input.std),
        ),
        asked.drill,
        asked.out,
        asked.network,
        asked,
    )


if __name__ == "__main__":
    main()
