"""What is chosen on the validation videos once the networks are trained: two numbers that no gradient sees.

How much each visual stream counts in their mean (the paper: alike), and how many neighbours have a say in a clip's
score (the paper: none). Both are judged by how sure f is of the truth on the K clips that would be chosen, which
moves with every clip; accuracy moves with whole videos only. Among equals the paper's own choice stands first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt

from ..cache.types import VideoFeatures
from ..ranking import choose, with_median
from ..samplers.card import SamplerCard, StreamCard
from ..samplers.combine import put_together, rule_of
from ..samplers.learned import LearnedSampler
from .validate import figures
from .videos import TrainingVideo

Streams = dict[str, npt.NDArray[np.float64]]

WEIGHTS = (1.0, 0.0, 0.25, 0.5)
"""Of a visual stream beside others; not all are 0."""
NEIGHBOURS = (0, 1, 2, 3)


def tuned(
    sampler: LearnedSampler,
    validation: Sequence[TrainingVideo],
    features: Callable[..., VideoFeatures],
    k: int,
    *,
    neighbours: int | None,
    weighs_streams: bool,
) -> SamplerCard:
    """The card with the weights and neighbours that do best.

    Args:
        sampler: Trained; its streams count alike and it hears no neighbours.
        validation: Videos that training has not seen; none leaves the card as it is.
        features: The cached features of a video, by its path.
        k: Clips chosen of a video.
        neighbours: How many, where that is not to be chosen.
        weighs_streams: Whether to choose what visual streams count.

    Returns:
        The card; a stream that does not count is no part of it, so that nobody pays for it.
    """
    card = sampler.card if neighbours is None else replace(sampler.card, neighbours=neighbours)
    if not validation:
        return card
    videos = [(features(video.path), video) for video in validation]
    said = [(sampler.judge_features(read).streams, read, video) for read, video in videos]

    def merit(candidate: SamplerCard) -> float:
        choices = []
        for streams, read, _ in said:
            scores, streams = put_together(candidate, streams)
            choices.append(
                choose(
                    with_median(scores),
                    read.grid,
                    k,
                    rule=rule_of(candidate.combination),
                    streams=streams,
                    visual_share=candidate.visual_share,
                ).indices
            )
        return figures([(video.probabilities, video.targets) for _, _, video in said], choices)[1]

    if weighs_streams:
        card = max(_weighted(card), key=merit)
    if neighbours is None:
        card = max((replace(card, neighbours=n) for n in NEIGHBOURS), key=merit)
    return _without_idle(card)


def _without_idle(card: SamplerCard) -> SamplerCard:
    idle = [s.stream for s in card.streams if s.weight == 0]
    if not idle:
        return card
    kept = tuple(s for s in card.streams if s.stream not in idle)
    return replace(card, streams=kept, options={**card.options, "left_out": " ".join(idle)})


def _weighted(card: SamplerCard) -> list[SamplerCard]:
    """The card with each weighting of its visual streams, the paper's first."""
    visual = [s for s in card.streams if s.stream != "audio"]
    if len(visual) < 2 or visual[0].objective == "ac":
        # Under AC the class probabilities are averaged before the largest is taken.
        return [card]
    found = []
    for weights in product(WEIGHTS, repeat=len(visual)):
        if max(weights) == 1.0:
            given = dict(zip((s.stream for s in visual), weights, strict=True))
            streams: tuple[StreamCard, ...] = tuple(
                replace(s, weight=given.get(s.stream, 1.0)) for s in card.streams
            )
            found.append(replace(card, streams=streams))
    return found
