"""The three objectives: AC, SAL-CL and SAL-RANK (poster, "Objectives"), for one network or several together.

A clip's verdict is a mean over its frames and over the networks that are trained together, exactly as the finished
sampler takes it (``samplers/learned.py``): of class probabilities under AC, of the probability of being right under
SAL-CL, of raw scores under SAL-RANK. The loss is taken of that mean. Means of probabilities are worked out as
logarithms, so that a network that is sure of the wrong thing still learns.

- **AC**: minus the logarithm of the probability of the video's true class; where several are true, of all together.
- **SAL-CL**: binary cross-entropy against whether f is right on the clip, or (not in the paper) against f's
  probability of the true class.
- **SAL-RANK**: ``max(0, eta - o * (s_i - s_j))`` over pairs of clips of one video, o = 1 where f is surer of the true
  class on i, -1 where on j; pairs come in the order (better, worse), so o is always 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import logsigmoid

from .options import PairWeight

Weighted = tuple[torch.Tensor, float]
"""Logits of one network, float32 (num_clips, num_frames, outputs), and its weight; weights sum to 1."""

Indices = npt.NDArray[np.int64]


def class_log_probabilities(networks: Sequence[Weighted]) -> torch.Tensor:
    """AC: the logarithm of the mean class probabilities.

    Args:
        networks: Logits, one output a class.

    Returns:
        float32 (num_clips, num_classes); its exponential sums to 1 in each row.
    """
    return _log_mean([(torch.log_softmax(logits, dim=2), weight) for logits, weight in networks])


def ac_loss(networks: Sequence[Weighted], truth: torch.Tensor) -> torch.Tensor:
    """AC: cross-entropy of the mean class probabilities.

    Args:
        networks: Logits, one output a class.
        truth: bool (num_clips, num_classes), at least one true class a clip.

    Returns:
        The loss of each clip, float32 (num_clips,), at least 0.
    """
    log_p = class_log_probabilities(networks).masked_fill(~truth, -torch.inf)
    # a rounding error above 1 must not give a loss below 0
    return -torch.logsumexp(log_p, dim=1).clamp(max=0.0)


def sal_cl_loss(networks: Sequence[Weighted], taught: torch.Tensor) -> torch.Tensor:
    """SAL-CL: binary cross-entropy of the mean probability that f is right.

    Args:
        networks: Logits, one output.
        taught: What that probability should be: float (num_clips,), 0 to 1; or bool, whether f is right, which
            gives the same bits as 1 and 0.

    Returns:
        The loss of each clip, float32 (num_clips,), at least 0; least where the mean probability is what is taught,
        and 0 there only if that is 0 or 1.
    """
    yes = _log_mean([(logsigmoid(logits), weight) for logits, weight in networks])[:, 0]
    no = _log_mean([(logsigmoid(-logits), weight) for logits, weight in networks])[:, 0]
    share = taught.to(yes.dtype)
    # Whole answers are picked out, not multiplied: 0 times a logarithm of minus infinity would be no number.
    both = torch.where(share == 0, no, share * yes + (1 - share) * no)
    return -torch.where(share == 1, yes, both).clamp(max=0.0)


def sal_rank_loss(
    networks: Sequence[Weighted], pairs: torch.Tensor, weights: torch.Tensor, margin: float
) -> torch.Tensor:
    """SAL-RANK: the hinge over pairs of clips.

    Args:
        networks: Logits, one output.
        pairs: int64 (num_pairs, 2): the clip that should rank higher, then the other.
        weights: float32 (num_pairs,), at least 0: how much each pair counts.
        margin: eta, at least 0.

    Returns:
        The weighted loss of each pair, float32 (num_pairs,), at least 0.
    """
    scores = raw_scores(networks)
    return weights * torch.relu(margin - (scores[pairs[:, 0]] - scores[pairs[:, 1]]))


def raw_scores(networks: Sequence[Weighted]) -> torch.Tensor:
    """SAL-RANK: the mean score.

    Args:
        networks: Logits, one output.

    Returns:
        float32 (num_clips,).
    """
    return sum((weight * logits.mean(dim=1)[:, 0] for logits, weight in networks), torch.zeros(()))


def _log_mean(networks: Sequence[Weighted]) -> torch.Tensor:
    """The logarithm of the mean over networks and frames of what is given as logarithms (clips, frames, n)."""
    parts = [values + np.log(weight / values.shape[1]) for values, weight in networks]
    return torch.logsumexp(torch.cat(parts, dim=1), dim=1)


def make_pairs(
    surety: npt.NDArray[np.float64],
    *,
    tie_gap: float,
    most: int,
    weight: PairWeight,
    rng: np.random.Generator,
) -> tuple[Indices, npt.NDArray[np.float32]]:
    """SAL-RANK: which clips of a video are compared.

    Args:
        surety: f's probability of the true class, of each clip drawn (num_clips,).
        tie_gap: Clips that differ by no more are no pair.
        most: Pairs wanted, drawn by lot; 0 for all.
        weight: ``"equal"``, or ``"gap"`` for the difference of the two.
        rng: Draws.

    Returns:
        Pairs int64 (num_pairs, 2), the better clip first, and their weights float32 (num_pairs,), which sum to 1;
        none where all clips are tied.
    """
    gaps = surety[:, None] - surety[None, :]
    pairs = np.argwhere(gaps > tie_gap)
    if 0 < most < len(pairs):
        pairs = pairs[np.sort(rng.choice(len(pairs), most, replace=False))]
    counts = np.ones(len(pairs)) if weight == "equal" else gaps[pairs[:, 0], pairs[:, 1]]
    return pairs, (counts / counts.sum() if len(pairs) else counts).astype(np.float32)
