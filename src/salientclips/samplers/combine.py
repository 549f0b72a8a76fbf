"""Sound and picture put together: the five combinations of the paper (section 3.3, "audio-visual"; poster).

Each network gives every clip a saliency; a combination makes one judgement of the two. Four of them are a score
that does not depend on K and are made here. The fifth, AV-union-list, is a rule of choosing (how many places go to
each list depends on K) and lives in :mod:`salientclips.ranking`; here it gives the score that is shown.

One principle for what is missing: **a clip that lacks one of the two is judged by the other alone**; one that lacks
both stays NaN. So a video without sound is judged by its pictures, whatever the combination.

What the paper leaves open and is decided here: how scores are made comparable (``Scale``), and that the position of
a clip in a list is the number of clips that score *strictly higher*. Equal scores then share a position, and a
silent track, on which the audio network says the same of every clip, has no say; positions that break ties by time
would prefer the beginning of the video. Nothing here knows of K or of files.

Visual streams meet before that, as the paper has it: in the mean of what their networks say, or a weighted one.
Where one of them is a rule (``motion``, ``packets``) or a layer on statistics (``stats``), all are first brought to
mean 0 and deviation 1 within the video, as AV-convex-score does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UnknownNameError
from ..ranking import Rule, mean_of_those_there
from .card import COMBINATIONS, LINEAR, SCALES, Combination, SamplerCard, Scale
from .context import with_neighbours

Scores = npt.NDArray[np.float64]


def rule_of(combination: Combination | None) -> Rule:
    """The rule by which clips are taken from the scores of a combination.

    Args:
        combination: One of ``COMBINATIONS``, or None for a sampler of one modality.

    Returns:
        ``"av-union-list"`` for that one, ``"top"`` for all others.
    """
    return "av-union-list" if combination == "av-union-list" else "top"


def put_together(card: SamplerCard, said: Mapping[str, Scores]) -> tuple[Scores, dict[str, Scores]]:
    """The scores of a sampler from what its networks say.

    Args:
        card: How its streams are weighed, how many neighbours have a say, how sound and picture meet.
        said: Saliency by stream, and ``visual``, that of all visual networks together and alike, where there are
            any; float64 (num_clips,) each.

    Returns:
        The scores (num_clips,), and the streams as they went into them.

    Raises:
        InputError: As for :func:`combine`.
    """
    streams = {**said, **_visual(card, said)}
    streams = {name: with_neighbours(scores, card.neighbours) for name, scores in streams.items()}
    if card.combination is None:
        return streams.get("visual", streams.get("audio", np.zeros(0))), streams
    both = combine(
        card.combination,
        streams["visual"],
        streams["audio"],
        visual_weight=card.visual_weight,
        scale=card.score_scale,
    )
    return both, streams


def _visual(card: SamplerCard, said: Mapping[str, Scores]) -> dict[str, Scores]:
    """What the visual streams of a card say together, as ``visual``; nothing where there are none."""
    streams = [s for s in card.streams if s.stream != "audio"]
    has_rule = any(not s.has_network for s in streams)
    if len(streams) > 1 and not has_rule and streams[0].objective == "ac":
        # Class probabilities were averaged before the largest was taken.
        return {"visual": said["visual"]}
    if not streams:
        return {}
    # A rule's scores are of another scale than a network's, and not even of the same from video to video; a linear
    # layer says more extreme things than the networks of pictures do.
    is_mixed = has_rule or any(s.architecture == LINEAR for s in streams)
    scale: Scale = "standard" if is_mixed and len(streams) > 1 else "none"
    opinions = np.stack([_scaled(said[s.stream], scale) for s in streams])
    return {"visual": mean_of_those_there(opinions, np.array([s.weight for s in streams]))}


def combine(
    combination: Combination,
    visual: Scores,
    audio: Scores | None,
    *,
    visual_weight: float = 0.5,
    scale: Scale = "standard",
) -> Scores:
    """One score a clip from what picture and sound say.

    * ``av-convex-score``: ``w * v + (1 - w) * a`` of the scores made comparable by ``scale``.
    * ``av-convex-list``: the same of the positions in the two lists, negated.
    * ``av-intersect-list``: the deeper of the two positions, negated; its top K are the clips that the shortest
      heads of both lists have in common.
    * ``av-joint-training``: the mean; the two were trained together on it.
    * ``av-union-list``: the visual score, to be shown and compared with a threshold; clips are chosen by the rule
      of that name. Where a video has no visual score at all, the audio score.

    Args:
        combination: One of ``COMBINATIONS``.
        visual: Saliency by the pictures, float64 (num_clips,); NaN where a clip has none.
        audio: Saliency by the sound, likewise (num_clips,); None where the video has no sound.
        visual_weight: w, the weight of the visual score or position, 0 to 1.
        scale: For ``av-convex-score`` only.

    Returns:
        float64 (num_clips,), higher is more salient; NaN where a clip has neither.

    Raises:
        UnknownNameError: There is no such combination or scale.
        InputError: The weight is out of range, the arrays differ in length, or a score is infinite.
    """
    if combination not in COMBINATIONS:
        raise UnknownNameError("combination", combination, COMBINATIONS)
    if scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    heard = np.full_like(visual, np.nan) if audio is None else audio
    _check(visual, heard, visual_weight)
    match combination:
        case "av-union-list":
            return heard.copy() if np.isnan(visual).all() else visual.copy()
        case "av-convex-score":
            return _convex(_scaled(visual, scale), _scaled(heard, scale), visual_weight)
        case "av-convex-list":
            return -_convex(positions(visual), positions(heard), visual_weight)
        case "av-intersect-list":
            return -np.fmax(positions(visual), positions(heard))
        case "av-joint-training":
            return _convex(visual, heard, 0.5)


def positions(scores: Scores) -> Scores:
    """The position of each clip in the list of all clips, best first; equal scores share one.

    Args:
        scores: float64 (num_clips,); NaN where a clip has none.

    Returns:
        float64 (num_clips,): how many clips score strictly higher, 0 for the best. Where only some clips have a
        score, theirs are spread over the whole list (times num_clips / clips with a score); the others have NaN.
    """
    found = np.full(scores.shape, np.nan)
    there = ~np.isnan(scores)
    if there.any():
        kept = scores[there]
        higher = len(kept) - np.searchsorted(np.sort(kept), kept, side="right")
        found[there] = higher * (len(scores) / len(kept))
    return found


def _check(visual: Scores, audio: Scores, weight: float) -> None:
    if visual.shape != audio.shape or visual.ndim != 1:
        raise InputError(
            f"visual scores {visual.shape} and audio scores {audio.shape} are not of the same clips",
            "give one score a clip in both",
        )
    if not 0 <= weight <= 1:
        raise InputError(f"visual_weight = {weight} is no weight", "give a number from 0 to 1")
    if np.isinf(visual).any() or np.isinf(audio).any():
        raise InputError("a score is infinite", "give finite scores, and NaN where a clip has none")


def _scaled(scores: Scores, scale: Scale) -> Scores:
    """Scores made comparable within the video; all 0 where they are all equal: such a list has no opinion."""
    there = ~np.isnan(scores)
    if scale == "none" or not there.any():
        return scores
    kept = scores[there]
    # Before the spread is taken, so that scores near the end of the float range do not overflow.
    kept = kept / max(float(np.abs(kept).max()), np.finfo(np.float64).tiny)
    found = np.full(scores.shape, np.nan)
    low, spread = float(kept.min()), float(np.ptp(kept))
    if spread == 0.0:
        found[there] = 0.0
    elif scale == "unit":
        found[there] = (kept - low) / spread
    else:
        unit = (kept - low) / spread
        found[there] = (unit - unit.mean()) / unit.std()
    return found


def _convex(visual: Scores, audio: Scores, weight: float) -> Scores:
    """``weight * visual + (1 - weight) * audio``; where one is NaN, the other."""
    both = weight * visual + (1 - weight) * audio
    alone = np.where(np.isnan(visual), audio, visual)
    return np.where(np.isnan(both), alone, both)
