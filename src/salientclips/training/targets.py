"""What a video teaches: which class is true, and how well f does on each of its clips (poster, "Objectives").

With labels the true classes are given. **Without labels** the true class is f's own verdict over the whole video, the
mean over all its clips: f sees the whole better than any part, and a sampler that leads to the same verdict from few
clips is what is wanted. So a sampler can be fitted to any classifier on raw footage.

**Without a classifier** the spans of a manifest teach (not in the paper): a clip is as salient as the share of it
that lies in one. :func:`say_spans` puts that as the predictions of an f of two classes, so that all else is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..cache.types import DensePredictions
from ..datasets.spans import Span, share_in_spans
from ..errors import InputError
from ..timeline import ClipGrid
from ..types import Fingerprint
from .options import SalClTarget


@dataclass(frozen=True, eq=False)
class Targets:
    """What is known of one video."""

    classes: tuple[str, ...]
    """The true classes, by f's names; at least one."""
    indices: tuple[int, ...]
    """The same as columns of f's predictions."""
    surety: npt.NDArray[np.float64]
    """f's probability of the true classes together, of each clip (num_clips,), 0 to 1."""
    right: npt.NDArray[np.bool_]
    """Whether f's most probable class of a clip is a true one (num_clips,)."""
    is_labelled: bool
    """Whether the true classes were given, not f's own verdict."""

    def taught(self, target: SalClTarget) -> npt.NDArray[np.bool_] | npt.NDArray[np.float64]:
        """Say what SAL-CL learns of each clip.

        Args:
            target: As in :class:`~.options.TrainingOptions`.

        Returns:
            ``right`` or ``surety`` (num_clips,).
        """
        return self.surety if target == "surety" else self.right


def make_targets(predictions: DensePredictions, labels: Sequence[str] = ()) -> Targets:
    """Say what a video teaches.

    Args:
        predictions: What f says of every clip; at least one.
        labels: The true classes; empty where they are not known.

    Returns:
        The targets.

    Raises:
        InputError: A label is none of f's classes.
    """
    probabilities = predictions.probabilities.astype(np.float64)
    unknown = [label for label in labels if label not in predictions.labels]
    if unknown:
        known = ", ".join(predictions.labels[:3])
        raise InputError(
            f"the label {unknown[0]!r} is none of the classifier's {len(predictions.labels)} classes",
            f"use its names ({known} ...), or fit without labels",
        )
    if labels:
        truth = [predictions.labels.index(label) for label in labels]
    else:
        truth = [int(np.argmax(probabilities.mean(axis=0)))]
    return Targets(
        classes=tuple(predictions.labels[i] for i in truth),
        indices=tuple(truth),
        surety=probabilities[:, truth].sum(axis=1).clip(0.0, 1.0),
        right=np.isin(probabilities.argmax(axis=1), truth),
        is_labelled=bool(labels),
    )


SPAN_CLASSES = ("salient", "dull")
"""The classes of :func:`say_spans`."""


def say_spans(of: Fingerprint, grid: ClipGrid, spans: Sequence[Span]) -> DensePredictions:
    """Put marked spans as the predictions of a classifier that knows them.

    Args:
        of: The video.
        grid: Its clips.
        spans: Where it is salient; none if nowhere.

    Returns:
        Predictions (num_clips, 2): the share of each clip in a span, and the rest.
    """
    shares = np.array([float(share) for share in share_in_spans(grid, spans)], dtype=np.float32)
    return DensePredictions(
        fingerprint=of,
        classifier="spans",
        labels=SPAN_CLASSES,
        grid=grid,
        probabilities=np.stack([shares, 1 - shares], axis=1),
    )


def histogram_of_best(
    videos: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]], k: int, parts: int = 10
) -> tuple[float, ...]:
    """Where f's best clips lie: the paper's "empirical" strategy draws from it.

    Args:
        videos: Of each video the surety of its clips (num_clips,), and where the middle of each clip lies as a
            share of the video's length (num_clips,), 0 to 1.
        k: How many of a video's clips count as best.
        parts: Equal parts of a video's length.

    Returns:
        The share of best clips in each part (parts,), every video counting the same; sums to 1.
    """
    total = np.zeros(parts)
    for surety, middles in videos:
        # a stable sort ranks ties by time
        best = np.argsort(-surety, kind="stable")[:k]
        places = np.minimum((middles[best] * parts).astype(np.int64), parts - 1)
        total += np.bincount(places, minlength=parts) / len(best)
    return tuple(float(share) for share in total / total.sum())
