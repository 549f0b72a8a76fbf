"""Scores for a command: from a file where one is given, else worked out now."""

from __future__ import annotations

from pathlib import Path

from ..classifiers import ClipClassifier
from ..compressed.budget import check_budget
from ..datasets.scenes import load_scenes
from ..errors import InputError, StoredScoresError
from ..media.demux import read_packets
from ..outputs.score_files import load_scores
from ..samplers import DEFAULT_SAMPLER, make_sampler
from ..timeline import ClipSpec
from ..types import ClipScores
from ..verbs.score import score
from .progress import progress_bar


def scores_for(
    video: Path,
    stored: Path | None,
    sampler: str | None,
    frames_per_clip: int | None,
    seed: int,
    clip: ClipSpec | None,
    threads: int,
    scenes: Path | None = None,
    *,
    budget: str | None = None,
) -> ClipScores:
    """The scores of a video.

    Args:
        video: A video file.
        stored: A score file, or None to score now.
        sampler: Name of the sampler; None for the default, or for whatever made the file.
        frames_per_clip: As for :func:`salientclips.samplers.make_sampler`.
        seed: Seed of ``random``.
        clip: Clip length; None for the default, or for whatever is in the file.
        threads: Decoder threads.
        scenes: A CSV of scenes, which are then the clips.
        budget: How much is decoded; None for ``full``, or for whatever is in the file.

    Returns:
        The scores.

    Raises:
        InputError: Scenes are given beside another source of clips, or cannot be read.
        StoredScoresError: The file is of another video, or an option contradicts it.
        SalientClipsError: Whatever scoring raises.
    """
    if scenes is not None and (stored is not None or clip is not None):
        raise InputError("--scenes says what the clips are", "leave out --scores and the length of clips")
    if stored is not None:
        return load_for(video, stored, sampler, frames_per_clip, seed, clip, budget)
    spent = check_budget(budget or "full")
    judge = make_sampler(sampler or DEFAULT_SAMPLER, seed=seed, frames_per_clip=frames_per_clip)
    table = None if scenes is None else read_packets(video)
    grid = None if scenes is None else load_scenes(scenes, video, table=table)
    with progress_bar() as progress:
        return score(
            video,
            judge,
            clip=clip,
            grid=grid,
            budget=spent,
            threads=threads,
            table=table,
            progress=progress,
        )


def load_for(
    video: Path,
    stored: Path,
    sampler: str | None,
    frames_per_clip: int | None,
    seed: int,
    clip: ClipSpec | None,
    budget: str | None = None,
) -> ClipScores:
    """Stored scores, checked against the video and against every option that was given.

    Args:
        video: The video that they must be of.
        stored: The score file.
        sampler: If given, the sampler that must have made them.
        frames_per_clip: Goes with ``sampler``; without one, the frames a clip that they must have been made of.
        seed: Goes with ``sampler``.
        clip: If given, the clip length that they must be for.
        budget: If given, the budget that they must have been made with.

    Returns:
        The scores.

    Raises:
        StoredScoresError: They do not fit.
        UnknownNameError: There is no such budget.
    """
    judge = None if sampler is None else make_sampler(sampler, seed=seed, frames_per_clip=frames_per_clip)
    spent = None if budget is None else check_budget(budget)
    scores = load_scores(stored, video, sampler=judge, clip=clip, budget=spent)
    have = scores.feature_parameters.frames_per_clip
    if frames_per_clip not in (None, have):
        raise StoredScoresError(
            f"'{stored}' was made with {have or 'all'} frames a clip, not {frames_per_clip or 'all'}",
            "score again, or leave out the options that differ",
        )
    return scores


def clip_for(classifier: ClipClassifier, asked: ClipSpec | None, stored: Path | None) -> ClipSpec | None:
    """The clip length where a classifier will look at the clips.

    Args:
        classifier: f.
        asked: What the options say; None where they say nothing.
        stored: A score file, which says it, or None.

    Returns:
        What was asked for; else what the classifier was trained on; None where the score file says it.
    """
    if asked is not None or stored is not None:
        return asked
    return classifier.input.clip_spec
