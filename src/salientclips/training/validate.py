"""How well a sampler's choice serves f: accuracy over the top K clips, as a look-up into f's dense predictions.

It decides when training stops and what the card says. Beside the sampler's own figures stand those of uniform
sampling, of all clips (dense) and of the oracle on the same videos, for a figure alone says little. Intervals, other
metrics and the poster's tables are made by ``evaluation/``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..ranking import choose
from ..timeline import ClipGrid
from .targets import Targets

Scores = npt.NDArray[np.float64]
Probabilities = npt.NDArray[np.float32]
"""What f says of the clips of a video (num_clips, num_classes)."""


def k_for(clip_counts: Sequence[int], k: int = 10) -> int:
    """The K at which samplers are compared.

    Args:
        clip_counts: Clips of each validation video.
        k: The K of the paper.

    Returns:
        ``k``; less where the videos are so short that it would take more than a quarter of the clips of the median
        one, for a choice of nearly everything tells nothing. At least 1.
    """
    if not clip_counts:
        return k
    return max(1, min(k, int(np.median(clip_counts)) // 4))


def judged(probabilities: Probabilities, targets: Targets, chosen: Sequence[int]) -> tuple[bool, float]:
    """What f says of a video from some of its clips.

    Args:
        probabilities: f's, of every clip (num_clips, num_classes).
        targets: What is true.
        chosen: The clips looked at; at least one.

    Returns:
        Whether the most probable class of their mean is a true one, and their mean probability of the true classes.
    """
    rows = probabilities[list(chosen)].astype(np.float64)
    # Right if the verdict is one of the true classes: the class columns that ``surety`` was summed over.
    return int(np.argmax(rows.mean(axis=0))) in targets.indices, float(targets.surety[list(chosen)].mean())


def top(scores: Scores, k: int) -> list[int]:
    """The K clips of highest score, earlier ones first among equals; a clip without a score comes last.

    Args:
        scores: One a clip (num_clips,), NaN where there is none.
        k: Clips wanted.

    Returns:
        Indices of clips, best first; all of them where there are fewer than K.
    """
    return [int(i) for i in np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable")[:k]]


def figures(
    videos: Sequence[tuple[Probabilities, Targets]], choices: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Accuracy and mean surety over videos.

    Args:
        videos: Of each, what f says and what is true; at least one.
        choices: The clips chosen of each.

    Returns:
        The share of videos that f gets right from the chosen clips, and the mean of its probability of the true
        classes on them.
    """
    found = [judged(p, targets, chosen) for (p, targets), chosen in zip(videos, choices, strict=True)]
    return float(np.mean([right for right, _ in found])), float(np.mean([surety for _, surety in found]))


def card_figures(
    videos: Sequence[tuple[Probabilities, Targets]],
    grids: Sequence[ClipGrid],
    choices: Sequence[Sequence[int]],
    k: int,
) -> dict[str, float]:
    """The figures that a sampler's card shows.

    Args:
        videos: Of each validation video, what f says and what is true; at least one.
        grids: Their clips.
        choices: The sampler's K clips of each.
        k: K.

    Returns:
        Accuracies of the sampler, of uniform sampling, of the oracle at K and of all clips, and the number of
        videos; shares from 0 to 1.
    """
    uniform = [choose(np.ones(len(grid)), grid, k, rule="cumulative").indices for grid in grids]
    oracle = [top(targets.surety, k) for _, targets in videos]
    everything = [range(len(grid)) for grid in grids]
    accuracy, surety = figures(videos, choices)
    return {
        "videos": float(len(videos)),
        "k": float(k),
        f"accuracy_at_{k}": accuracy,
        f"surety_at_{k}": surety,
        f"uniform_at_{k}": figures(videos, uniform)[0],
        f"oracle_at_{k}": figures(videos, oracle)[0],
        "dense": figures(videos, everything)[0],
    }
