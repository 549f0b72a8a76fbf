"""The last two blocks of I3D and a last layer, learned from what the trunk says of clips (``tune_i3d.py``)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.i3d_trunk import TAIL
from benchmarks.logistic import fit_best
from torch import nn
from torch.nn.functional import cross_entropy, dropout

from salientclips.datasets.manifest import Entry

BATCH = 32
PENALTIES = (0.03, 0.1, 0.3, 1.0)
"""Of the first last layer."""


@dataclass(frozen=True)
class Recipe:
    """How a tail learns."""

    epochs: int = 12
    """0 leaves the blocks and the first last layer as they are."""
    rate: float = 3e-4
    """Of the blocks; the last layer's is three times that."""
    seed: int = 0
    batch: int = BATCH
    """Clips in one step."""


@dataclass(frozen=True, eq=False)
class Video:
    """One video as the tail is shown it."""

    entry: Entry
    clips: npt.NDArray[np.float32] | None
    """What the trunk says of every clip (num_clips, 832, T / 8, H / 32, W / 32), on the disk until it is read; None
    where it was not asked."""
    mirrored: npt.NDArray[np.float32] | None
    """The same of the salient clips in a mirror; None where it was not asked."""
    truth: npt.NDArray[np.int64]
    """The class of each clip (num_clips,); -1 for one that is not learned from."""
    label: int
    """The class of the salient ones."""

    @property
    def is_known(self) -> bool:
        """Whether the trunk was asked at all."""
        return self.clips is not None or self.mirrored is not None


class Tail(nn.Module):
    """The blocks after the trunk, and a last layer.

    Args:
        network: I3D, of which the blocks are copied.
        num_classes: Of the last layer.
    """

    def __init__(self, network: nn.Module, num_classes: int) -> None:
        super().__init__()
        blocks = [copy.deepcopy(network.get_submodule(name)) for name in TAIL[:-1]]
        # Batch norms keep Kinetics' statistics: a batch of ours is small and of few scenes.
        self.blocks = nn.Sequential(*blocks).eval().requires_grad_(True)
        self.last = nn.Linear(1024, num_classes)

    def features(self, clips: torch.Tensor) -> torch.Tensor:
        """What the last layer is given.

        Args:
            clips: float32 (B, 832, T / 8, H / 32, W / 32), T / 8 = 2.

        Returns:
            float32 (B, 1024), the mean over all places, as I3D takes it.
        """
        found: torch.Tensor = self.blocks(clips).mean(dim=(2, 3, 4))
        return found

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of clips; while training with dropout.

        Args:
            clips: As for :meth:`features`.

        Returns:
            float32 (B, num_classes).
        """
        seen = self.features(dropout(clips, 0.1, self.training))
        found: torch.Tensor = self.last(dropout(seen, 0.5, self.training))
        return found

    def says(self, clips: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Class probabilities of clips.

        Args:
            clips: As for :meth:`features`.

        Returns:
            float32 (num_clips, num_classes).
        """
        self.eval()
        with torch.inference_mode():
            # Copied, for what lies on the disk cannot be written to, and torch warns of that.
            parts = [
                torch.softmax(self(torch.from_numpy(clips[at : at + 64].copy())), dim=1)
                for at in range(0, len(clips), 64)
            ]
        return torch.cat(parts).numpy()


def rows(videos: Sequence[Video], *, mirrored: bool) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The clips of videos that are learned from, and their classes.

    Args:
        videos: At least one with such a clip.
        mirrored: Whether those in a mirror are there too, as far as they are known.

    Returns:
        (n, 832, ...) and (n,).
    """
    parts = [(v.clips[v.truth >= 0], v.truth[v.truth >= 0]) for v in videos if v.clips is not None]
    if mirrored:
        shown = ((video.mirrored, video.label) for video in videos)
        parts += [(clips, np.full(len(clips), label)) for clips, label in shown if clips is not None]
    return np.concatenate([clips for clips, _ in parts]), np.concatenate([classes for _, classes in parts])


def tuned(
    network: nn.Module,
    training: Sequence[Video],
    validation: Sequence[Video],
    num_classes: int,
    recipe: Recipe,
) -> Tail:
    """Learn from the salient clips of videos.

    Args:
        network: I3D with Kinetics' weights; it stays as it is.
        training: Every class has a salient clip in some.
        validation: Their loss chooses the penalty of the first last layer, and nothing else.
        num_classes: How many there are.
        recipe: How.

    Returns:
        The tail.
    """
    torch.manual_seed(recipe.seed)
    tail = Tail(network, num_classes)
    (clips, classes), held = rows(training, mirrored=True), rows(validation, mirrored=False)
    with torch.inference_mode():
        seen, seen_held = (
            torch.cat([tail.features(part) for part in torch.split(torch.from_numpy(of), 64)]).numpy()
            for of in (clips, held[0])
        )
    first, _, _ = fit_best((seen, classes), (seen_held, held[1]), num_classes, PENALTIES)
    tail.last.weight.data = torch.from_numpy(first.weight).float()
    tail.last.bias.data = torch.from_numpy(first.bias).float()
    rates = (recipe.rate, 3 * recipe.rate)
    optimiser = torch.optim.AdamW(
        [{"params": tail.blocks.parameters()}, {"params": tail.last.parameters()}], weight_decay=0.05
    )
    counts = np.bincount(classes, minlength=num_classes)
    weights = torch.from_numpy(counts.mean() / counts).float()
    inputs, truth = torch.from_numpy(clips), torch.from_numpy(classes)
    a_round = len(classes) // recipe.batch
    steps = recipe.epochs * a_round
    tail.train()
    tail.blocks.eval()
    for step in range(steps):
        if step % a_round == 0:
            order = torch.randperm(len(classes))
        share = min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        chosen = order[step % a_round * recipe.batch :][: recipe.batch]
        loss = cross_entropy(tail(inputs[chosen]), truth[chosen], weights, label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return tail.eval()


def figures(said: Sequence[npt.NDArray[np.float32]], videos: Sequence[Video]) -> dict[str, float]:
    """How a network does on clips whose class is known.

    Args:
        said: Class probabilities of all clips of each video.
        videos: They.

    Returns:
        ``clips``, ``accuracy`` of a clip, ``balanced_accuracy`` (every class alike), and that of the mean over the
        clips of one class of a video.
    """
    right, classes, of_means = [], [], []
    for rows_, video in zip(said, videos, strict=True):
        right += (rows_.argmax(axis=1) == video.truth)[video.truth >= 0].tolist()
        classes += video.truth[video.truth >= 0].tolist()
        of_means += [
            int(rows_[video.truth == c].mean(axis=0).argmax()) == c for c in set(video.truth.tolist()) - {-1}
        ]
    by_class = [np.mean([r for r, of in zip(right, classes, strict=True) if of == c]) for c in set(classes)]
    return {
        "clips": len(right),
        "accuracy": float(np.mean(right)),
        "balanced_accuracy": float(np.mean(by_class)),
        "accuracy_of_means_by_video_and_class": float(np.mean(of_means)),
    }


def says(tail: Tail, video: Video) -> npt.NDArray[np.float32]:
    """Class probabilities of all clips of a video that the trunk was asked about.

    Args:
        tail: The network's last part.
        video: The video.

    Returns:
        float32 (num_clips, num_classes).
    """
    assert video.clips is not None
    return tail.says(video.clips)
