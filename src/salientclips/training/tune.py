"""What is chosen on the validation videos once the networks are trained: two numbers that no gradient sees.

How much each visual stream counts in their mean (the paper: alike), and how many neighbours have a say in a clip's
score (the paper: none). Both are judged by how sure f is of the truth on the K clips that would be chosen, which
moves with every clip; accuracy moves with whole videos only. Among equals the paper's own choice stands first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..cache.types import VideoFeatures
from ..ranking import choose, with_median
from ..samplers.card import SamplerCard, Stream, StreamCard
from ..samplers.combine import put_together, rule_of
from ..samplers.learned import LearnedSampler
from ..timeline import ClipGrid
from .targets import Targets
from .validate import figures
from .videos import TrainingVideo

Streams = dict[str, npt.NDArray[np.float64]]

WEIGHTS = (1.0, 0.0, 0.25, 0.5)
"""Of a visual stream beside others; not all are 0."""
NEIGHBOURS = (0, 1, 2, 3)


@dataclass(frozen=True, eq=False)
class Opinion:
    """What the streams of a sampler say of one video, and what is true of it."""

    streams: Streams
    """Of :class:`salientclips.samplers.saliency.Runner`, float64 (num_clips,) each, nothing weighed yet."""
    grid: ClipGrid
    """The clips."""
    probabilities: npt.NDArray[np.float32]
    """f's, of every clip (num_clips, num_classes)."""
    targets: Targets


def opinions(
    sampler: LearnedSampler, videos: Sequence[TrainingVideo], features: Callable[[Path], VideoFeatures]
) -> tuple[Opinion, ...]:
    """Ask the streams of a sampler, once for all that is made of it.

    Args:
        sampler: Its streams count alike, and it hears no neighbours.
        videos: The videos.
        features: The cached features of a video, by its path.

    Returns:
        One item a video.
    """
    found = []
    for video in videos:
        read = features(video.path)
        streams = sampler.judge_features(read).streams
        found.append(Opinion(streams, read.grid, video.probabilities, video.targets))
    return tuple(found)


def tuned(
    card: SamplerCard,
    said: Sequence[Opinion],
    k: int,
    *,
    neighbours: int | None,
    weighs_streams: bool,
) -> SamplerCard:
    """The card with the weights and neighbours that do best.

    Args:
        card: Of a trained sampler; its streams count alike and it hears no neighbours.
        said: What its streams say of videos that training has not seen; none leaves the card as it is.
        k: Clips chosen of a video.
        neighbours: How many, where that is not to be chosen.
        weighs_streams: Whether to choose what visual streams count.

    Returns:
        The card; a stream that does not count is no part of it, so that nobody pays for it.
    """
    card = card if neighbours is None else replace(card, neighbours=neighbours)
    if not said:
        return card

    def merit(candidate: SamplerCard) -> float:
        choices = [chosen(candidate, one, k)[0] for one in said]
        return figures([(one.probabilities, one.targets) for one in said], choices)[1]

    if weighs_streams:
        card = max(_weighted(card), key=merit)
    if neighbours is None:
        card = max((replace(card, neighbours=n) for n in NEIGHBOURS), key=merit)
    return _without_idle(card)


def chosen(card: SamplerCard, said: Opinion, k: int) -> tuple[tuple[int, ...], Streams]:
    """The K clips that a sampler of that card takes, and its streams as they went into the choice.

    Args:
        card: How the streams are put together.
        said: What they say of a video.
        k: Clips taken.

    Returns:
        Clips, best first, and streams (num_clips,) each.
    """
    scores, streams = put_together(card, said.streams)
    taken = choose(
        with_median(scores),
        said.grid,
        k,
        rule=rule_of(card.combination),
        streams=streams,
        visual_share=card.visual_share,
    )
    return tuple(taken.indices), streams


def _without_idle(card: SamplerCard) -> SamplerCard:
    idle = [s.stream for s in card.streams if s.weight == 0]
    if not idle:
        return card
    kept = tuple(s for s in card.streams if s.stream not in idle)
    return replace(card, streams=kept, options={**card.options, "left_out": " ".join(idle)})


def _weighted(card: SamplerCard) -> list[SamplerCard]:
    """The card with each weighting of its visual streams, the paper's first."""
    visual = [s for s in card.streams if s.stream != "audio"]
    # Under AC the class probabilities are averaged before the largest is taken, so these networks count alike.
    alike = tuple(s.stream for s in visual if s.objective == "ac")
    parts: list[tuple[Stream, ...]] = [(s.stream,) for s in visual if s.objective != "ac"]
    if alike:
        parts.insert(0, alike)
    if len(parts) < 2:
        return [card]
    found = []
    for weights in product(WEIGHTS, repeat=len(parts)):
        if max(weights) == 1.0:
            given = {stream: w for part, w in zip(parts, weights, strict=True) for stream in part}
            streams: tuple[StreamCard, ...] = tuple(
                replace(s, weight=given.get(s.stream, 1.0)) for s in card.streams
            )
            found.append(replace(card, streams=streams))
    return found
