"""What is to be done to every video of a corpus: one of the verbs with its options, as something that can be sent.

A job is plain data: it goes to worker processes and other machines by pickle, and what of it decides the rows is
written beside them (:meth:`Job.facts`), so that a later run with other options is refused instead of mixed in.

Jobs are this project's own (docs/decisions.md, decision 52); what K, the strategies and the classifiers are is
the paper's.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from .. import classifiers
from ..compressed.budget import check_budget
from ..errors import InputError, UnknownNameError
from ..ranking import STRATEGIES, check_choice
from ..samplers import DEFAULT_SAMPLER, SAMPLERS, Sampler, make_sampler
from ..timeline import ClipSpec
from ..types import Budget

Verb = Literal["score", "select", "classify"]

ENGINES: tuple[str, ...] = ("local", "ray")
"""Who can work on a corpus: processes of this machine, or a Ray cluster (:mod:`salientclips.engines`)."""


@dataclass(frozen=True)
class Scoring:
    """How clips are scored: the options of ``score``.

    Raises:
        UnknownNameError: There is no such budget.
    """

    sampler: str = DEFAULT_SAMPLER
    """A name from ``salientclips list``, or the folder or hub name of a learned sampler."""
    seed: int = 0
    """Seed of ``random``."""
    frames_per_clip: int | None = None
    """Frames read per clip; None for the sampler's own number, 0 for all."""
    clip: ClipSpec | None = None
    """How long a clip is; None for the sampler's, or the classifier's, own length."""
    budget: Budget = "full"
    """How much is decoded where motion cannot be parsed."""

    def __post_init__(self) -> None:
        check_budget(self.budget)

    def judge(self) -> Sampler:
        """Make the sampler, or load it.

        Returns:
            The sampler.

        Raises:
            SalientClipsError: As :func:`salientclips.make_sampler`.
        """
        return make_sampler(self.sampler, seed=self.seed, frames_per_clip=self.frames_per_clip)


@dataclass(frozen=True)
class Choosing:
    """How clips are chosen: the options of ``select``."""

    k: int = 10
    """Clips wanted (K of the paper)."""
    min_gap_s: float = 0.0
    """Seconds that must lie between two selected clips."""
    coverage: float = 0.0
    """Share of the K places, 0 to 1, that goes to the best clips of equal parts of the video."""
    threshold: float | None = None
    """Clips whose score is below it are never selected; None for no threshold."""

    def check(self) -> None:
        """See before any work that the options make sense, as :meth:`ClipScores.select` would of each video.

        Raises:
            InputError: One is out of range.
        """
        check_choice(self.k, self.min_gap_s, self.coverage, self.threshold)

    def facts(self) -> dict[str, Any]:
        """What decides which clips are chosen.

        Returns:
            The four options by name, as JSON can hold them.
        """
        return {
            "k": self.k,
            "min_gap_s": float(self.min_gap_s),
            "coverage": float(self.coverage),
            "threshold": None if self.threshold is None else float(self.threshold),
        }


@dataclass(frozen=True)
class Looking:
    """Who looks at the clips: the options of ``classify`` and of :func:`salientclips.load_classifier`."""

    classifier: str = "r2plus1d_18"
    """A name that :func:`salientclips.load_classifier` knows."""
    weights: str | None = None
    """A path or URL, or ``"default"``; None where ``random_weights`` is True, and for ``hf:`` names."""
    random_weights: bool = False
    """Whether it is filled with random numbers, for trying things out only."""
    labels: Path | None = None
    """Class names, one a line, where they are not Kinetics-400's."""
    clip_frames: int | None = None
    """Frames of a clip (T); None for the network's own number."""
    frame_step: int | None = None
    """Source frames from one frame of a clip to the next; None for the network's own number."""
    crop_px: int | None = None
    """Side of the square picture, pixels; None for the network's own."""
    strategy: str = "sampler"
    """How clips are chosen; the oracle takes the video's label from the manifest."""
    top: int = 5
    """Classes kept in the row of a video."""
    device: str = "auto"
    """Where it runs; a GPU's numbers are close to a processor's, not the same bits. No fact of the job."""

    @property
    def wants_gpu(self) -> bool:
        """Whether it runs on a GPU where there is one, whichever it is given."""
        return self.device in ("auto", "cuda")

    def check(self) -> None:
        """See before any work that the options make sense.

        Raises:
            InputError: There is no such strategy, or no class is to be kept.
        """
        if self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, STRATEGIES)
        if self.top < 1:
            raise InputError(f"top = {self.top} classes cannot be kept", "give 1 or more")

    def facts(self) -> dict[str, Any]:
        """What decides what it says; files by their content, not by where they lie.

        Returns:
            All fields by name but ``device``, as JSON can hold them.
        """
        facts = {key: value for key, value in asdict(self).items() if key != "device"}
        return {**facts, "weights": _content(self.weights), "labels": _content(self.labels)}

    def load(self, *, threads: int | None = None, device: str | None = None) -> classifiers.ClipClassifier:
        """Load the classifier.

        Args:
            threads: Clips side by side on a CPU; None for torch's number of threads.
            device: Where it is to run, if elsewhere than ``device`` says.

        Returns:
            The classifier.

        Raises:
            SalientClipsError: As :func:`salientclips.load_classifier`.
        """
        return classifiers.load_classifier(
            self.classifier,
            weights=self.weights,
            random_weights=self.random_weights,
            labels=self.labels,
            frames=self.clip_frames,
            frame_step=self.frame_step,
            crop_px=self.crop_px,
            device=device or self.device,
            threads=threads,
        )


@dataclass(frozen=True)
class Job:
    """One verb and its options.

    Raises:
        InputError: There is no such verb, a classifier is missing or too many, or an option is out of range.
    """

    verb: Verb = "score"
    """What is done: ``"score"``, ``"select"`` or ``"classify"``."""
    scoring: Scoring = field(default_factory=Scoring)
    """How clips are scored; of ``classify`` too, where its strategy scores."""
    choosing: Choosing = field(default_factory=Choosing)
    """Counts for ``select`` and ``classify`` (of which only ``k``)."""
    looking: Looking | None = None
    """Counts for ``classify``, where it must be there."""

    def __post_init__(self) -> None:
        if self.verb not in ("score", "select", "classify"):
            raise InputError(f"there is no corpus verb {self.verb!r}", "use score, select or classify")
        if (self.verb == "classify") != (self.looking is not None):
            raise InputError(
                "a classifier goes with classify, and only with it", "give Job.looking to classify"
            )
        self.choosing.check()
        if self.looking is not None:
            self.looking.check()

    def facts(self) -> dict[str, Any]:
        """What decides the rows, as JSON can hold it.

        Returns:
            The verb, the sampler with all that decides its numbers (of a learned one the hash of its weights), clip
            length, choice, classifier and the hash of its weights. Two jobs that differ in them are not mixed.

        Raises:
            SalientClipsError: There is no such sampler, or it does not load.
        """
        how, looking = self.scoring, self.looking
        judge = how.judge()
        facts: dict[str, Any] = {"verb": self.verb}
        if looking is None or looking.strategy in ("sampler", "empirical"):
            facts |= {
                "sampler": judge.name,
                "sampler_parameters": judge.parameters,
                "feature_parameters": replace(judge.feature_parameters, budget=how.budget).facts(),
            }
        clip = how.clip or getattr(judge, "clip_spec", None) or ClipSpec()
        facts["clip"] = _clip_facts(clip)
        if self.verb == "select":
            facts["choosing"] = self.choosing.facts()
        if looking is not None:
            facts |= {"k": self.choosing.k, "looking": looking.facts()}
            if looking.strategy in ("random", "empirical"):
                facts["seed"] = how.seed
        return facts

    def absolute(self) -> Job:
        """The same job with absolute paths, for processes that run elsewhere.

        Returns:
            Folders of samplers, weights and lists of labels that are here go by their absolute paths.
        """
        looking = self.looking
        if looking is not None:
            labels = None if looking.labels is None else looking.labels.absolute()
            weights = None if looking.weights is None else _absolute(looking.weights)
            looking = replace(looking, labels=labels, weights=weights)
        scoring = replace(self.scoring, sampler=_absolute(self.scoring.sampler))
        return replace(self, scoring=scoring, looking=looking)


def _absolute(word: str) -> str:
    """A path where there is something, absolute; any other word, such as a name, as it is."""
    return word if word in SAMPLERS or not os.path.exists(word) else str(Path(word).absolute())


def _clip_facts(clip: ClipSpec) -> dict[str, Any]:
    seconds = None if clip.seconds is None else str(clip.seconds)
    return {"frames": clip.frames, "frame_step": clip.frame_step, "seconds": seconds}


def _content(source: str | Path | None) -> str | None:
    """What is known of a file by its content, not by where it lies; of a URL or a word, itself."""
    if source is None or not os.path.isfile(source):
        return None if source is None else str(source)
    with Path(source).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
