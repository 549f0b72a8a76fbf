"""Multinomial logistic regression on features, with the penalty that does best on other videos.

Features are brought to mean 0 and variance 1 first, and that is put into the weights at the end. Every class has the
same say, however many rows it has. Newton-like steps (L-BFGS) to the optimum, which is unique, so no seed decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

Array = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]

PENALTIES: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Of the squared weights' sum, per class-balanced mean loss of a row."""
_STEPS = 300


@dataclass(frozen=True)
class Linear:
    """A last layer: ``features @ weight.T + bias``."""

    weight: Array
    """(num_classes, num_features)."""
    bias: Array
    """(num_classes,)."""

    def probabilities(self, features: npt.NDArray[np.floating]) -> Array:
        """Class probabilities.

        Args:
            features: (n, num_features).

        Returns:
            (n, num_classes), each row sums to 1.
        """
        logits = features.astype(np.float64) @ self.weight.T + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Array = powers / powers.sum(axis=1, keepdims=True)
        return found


@dataclass(frozen=True)
class Judged:
    """How a layer does on rows that it has not seen; every class counts the same in the last two."""

    accuracy: float
    balanced_accuracy: float
    log_loss: float
    """Mean of the negative logarithm of the true class's probability, nats."""


def fit(features: npt.NDArray[np.floating], classes: Classes, num_classes: int, penalty: float) -> Linear:
    """Train a layer.

    Args:
        features: (n, num_features), finite.
        classes: (n,), each class at least once.
        num_classes: How many there are.
        penalty: L2, above 0.

    Returns:
        The layer.

    Raises:
        ValueError: A class has no row.
    """
    weights = _balanced(classes, num_classes)
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    # A feature that never changes says nothing; its weight stays 0.
    spread = np.where(spread > 1e-6, spread, np.inf)
    x = torch.from_numpy((features - mean) / spread)
    y, w = torch.from_numpy(classes), torch.from_numpy(weights)
    weight = torch.zeros(num_classes, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(num_classes, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weight, bias], max_iter=_STEPS, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        rows = cross_entropy(x @ weight.T + bias, y, reduction="none")
        total: torch.Tensor = (rows * w).sum() + penalty * weight.square().sum() / 2
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    scaled: Array = weight.detach().numpy() / spread
    return Linear(scaled, bias.detach().numpy() - scaled @ mean)


def judge(layer: Linear, features: npt.NDArray[np.floating], classes: Classes) -> Judged:
    """Try a layer on other rows.

    Args:
        layer: The layer.
        features: (n, num_features).
        classes: (n,); classes without rows are passed over.

    Returns:
        The figures.
    """
    said = layer.probabilities(features)
    right = said.argmax(axis=1) == classes
    loss = -np.log(np.maximum(said[np.arange(len(classes)), classes], 1e-12))
    there = np.unique(classes)
    return Judged(
        accuracy=float(right.mean()),
        balanced_accuracy=float(np.mean([right[classes == c].mean() for c in there])),
        log_loss=float(np.mean([loss[classes == c].mean() for c in there])),
    )


def fit_best(
    training: tuple[npt.NDArray[np.floating], Classes],
    validation: tuple[npt.NDArray[np.floating], Classes],
    num_classes: int,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[Linear, float, dict[float, Judged]]:
    """Train a layer with each penalty, and keep the one with the least loss on validation.

    The loss and not the accuracy: it tells penalties apart where few rows give the same accuracy, and the layer's
    probabilities will be averaged and compared, so they should mean something.

    Args:
        training: Features and classes.
        validation: Features and classes of other videos.
        num_classes: How many classes there are.
        penalties: L2 penalties tried.

    Returns:
        The layer, its penalty, and how every penalty did.
    """
    layers = {penalty: fit(*training, num_classes, penalty) for penalty in penalties}
    judged = {penalty: judge(layer, *validation) for penalty, layer in layers.items()}
    best = min(judged, key=lambda penalty: judged[penalty].log_loss)
    return layers[best], best, judged


def _balanced(classes: Classes, num_classes: int) -> Array:
    counts = np.bincount(classes, minlength=num_classes)
    if (counts == 0).any():
        raise ValueError(f"no training row is of class {int(np.flatnonzero(counts == 0)[0])}")
    weights: Array = 1.0 / (num_classes * counts[classes])
    return weights
