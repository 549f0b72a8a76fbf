"""The verb ``classify``: the label of a video from K of its clips (paper, section 3; poster, "Strategies").

Clips are chosen by a strategy, only they are decoded, the clip classifier f looks at each, and the video's class
probabilities are the mean of the clips'. The strategies are those of the poster: ``sampler`` (any sampler, top K),
``uniform``, ``random``, ``empirical`` (drawn from where f's best clips lay in the training videos, as a learned
sampler's card says), ``dense`` (every clip) and ``oracle`` (the K clips on which f is surest of the true class: an
upper bound, at dense cost).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from ..classifiers import ClipClassifier
from ..classifiers.look import ClipLooker, Probabilities
from ..compressed.budget import check_budget
from ..errors import InputError, UnknownNameError
from ..media.container import video_path
from ..media.demux import read_packets
from ..ranking import STRATEGIES
from ..samplers import DEFAULT_SAMPLER, Empirical, Random, Sampler, Uniform, make_sampler
from ..samplers.card import SamplerCard
from ..types import Budget, ClipScores, PacketTable, Prediction, Selection, VideoPrediction
from .score import Progress, part_of, score


@dataclass(frozen=True)
class VideoClassifier:
    """A clip classifier made into a video classifier: call it with a path.

    Raises:
        UnknownNameError: There is no such strategy or sampler.
        InputError: ``k`` is below 1, or ``empirical`` finds no histogram in the sampler's card.
        CardError, WeightsError, MissingExtraError: The learned sampler of ``empirical`` does not load.

    Example:
        >>> from salientclips import VideoClassifier, load_classifier
        >>> f = load_classifier("r3d_18", random_weights=True, frames=8, crop_px=32)
        >>> said = VideoClassifier(f, k=2)("climb.mp4")
        >>> len(said.clips), len(said.predictions), said.strategy
        (2, 400, 'sampler')
    """

    classifier: ClipClassifier
    """f: looks at one clip."""
    sampler: str | Sampler = DEFAULT_SAMPLER
    """Who chooses under the strategy ``sampler``; whose card has the histogram for ``empirical``."""
    k: int = 10
    """Clips looked at (K of the paper)."""
    strategy: str = "sampler"
    """One of ``STRATEGIES``."""
    seed: int = 0
    """Seed of the strategies ``random`` and ``empirical``."""
    threads: int = 1
    """Decoder threads; the result does not depend on it."""
    batch_clips: int = 4
    """Clips given to the classifier at once; bounds the memory."""
    budget: Budget = "full"
    """How much is decoded for the sampler where motion cannot be parsed, as :func:`salientclips.score` takes it."""

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, STRATEGIES)
        check_budget(self.budget)
        if self.k < 1:
            raise InputError(f"k = {self.k} clips cannot be selected", "give k of at least 1")
        if self.strategy == "empirical" and isinstance(self.sampler, str):
            object.__setattr__(self, "sampler", make_sampler(self.sampler))
        if self.strategy == "empirical":
            self._empirical()

    def __call__(
        self,
        path: str | Path,
        *,
        label: str | None = None,
        scores: ClipScores | None = None,
        progress: Progress | None = None,
    ) -> VideoPrediction:
        """Classify one video.

        Args:
            path: A local video file.
            label: The true class, by name; needed by ``oracle`` only.
            scores: Scores of this video that are there already; the strategy ``sampler`` then reads no feature.
            progress: Called with ("demux" | "features" | "classifier", share done).

        Returns:
            Class probabilities, the clips looked at, and where the time went.

        Raises:
            InputError: ``oracle`` without a label that the classifier knows.
            MediaError: The video cannot be read; see :mod:`salientclips.errors`.
        """
        path = video_path(path)
        began = perf_counter()
        table = read_packets(path)
        demux_s = perf_counter() - began
        scores = self._scores(path, table, scores, progress)
        candidates = self._candidates(scores)
        candidates, looked = self._look(path, candidates, table, progress)
        looked.seconds["demux"] = demux_s
        if self.strategy == "oracle":
            candidates, looked = self._oracle(candidates, looked, label)
        return self._prediction(path, scores, candidates, looked)

    def _scores(
        self, path: Path, table: PacketTable, scores: ClipScores | None, progress: Progress | None
    ) -> ClipScores:
        if self.strategy == "sampler" and scores is not None:
            # What scoring cost was paid elsewhere; this call pays for looking only.
            return replace(scores, seconds={})
        judge: str | Sampler = self.sampler
        if self.strategy == "random":
            judge = Random(self.seed)
        elif self.strategy == "empirical":
            judge = self._empirical()
        elif self.strategy != "sampler":
            judge = Uniform()
        spec = self.classifier.input.clip_spec
        return score(
            path, judge, clip=spec, budget=self.budget, threads=self.threads, table=table, progress=progress
        )

    def _empirical(self) -> Empirical:
        card = getattr(self.sampler, "card", None)
        if not isinstance(card, SamplerCard) or not card.histogram:
            given = self.sampler if isinstance(self.sampler, str) else self.sampler.name
            raise InputError(
                f"the strategy 'empirical' needs a histogram of salient places, and the sampler '{given}' has none",
                "give --sampler the folder of one that `salientclips fit` made",
            )
        return Empirical(card.histogram, self.seed)

    def _candidates(self, scores: ClipScores) -> Selection:
        everything = self.strategy in ("dense", "oracle")
        return scores.select(max(1, len(scores)) if everything else self.k)

    def _look(
        self,
        path: Path,
        candidates: Selection,
        table: PacketTable,
        progress: Progress | None,
    ) -> tuple[Selection, _Looked]:
        """Run f on clips, in order of time so that the decoder only moves forward; some may be damaged."""
        looker = ClipLooker(path, self.classifier, table, self.threads, self.batch_clips)
        ordered = sorted(candidates.clips, key=lambda c: c.start)
        said = looker.look(ordered, part_of(progress, "classifier"), leave_out_lost=True)
        row_of = {c.index: row for row, c in enumerate(ordered) if row not in looker.lost}
        clips = tuple(c for c in candidates.clips if c.index in row_of)
        probabilities = said[[row_of[c.index] for c in clips]]
        looked = _Looked(probabilities, looker.seconds, len(clips), looker.warnings)
        return replace(candidates, clips=clips), looked

    def _oracle(self, candidates: Selection, looked: _Looked, label: str | None) -> tuple[Selection, _Looked]:
        if label is None or label not in self.classifier.labels:
            known = ", ".join(self.classifier.labels[:3])
            raise InputError(
                f"the oracle needs the true class, and {label!r} is none of {self.classifier.name}'s",
                f"give a label such as {known}",
            )
        surest = looked.probabilities[:, self.classifier.labels.index(label)].astype(np.float64)
        # candidates come in order of time, so a stable sort ranks ties by time
        order = np.argsort(-surest, kind="stable")[: self.k]
        clips = tuple(
            replace(candidates.clips[i], rank=rank, score=float(surest[i]))
            for rank, i in enumerate(order, start=1)
        )
        note = "" if len(clips) == self.k else f"{len(clips)} of {self.k} clips: the video has no more"
        kept = replace(looked, probabilities=looked.probabilities[order])
        return replace(candidates, k=self.k, clips=clips, note=note), kept

    def _prediction(
        self, path: Path, scores: ClipScores, chosen: Selection, looked: _Looked
    ) -> VideoPrediction:
        mean = looked.probabilities.mean(axis=0, dtype=np.float64)
        ranked = np.argsort(-mean, kind="stable")
        seconds = dict.fromkeys(("demux", "features", "sampler", "decode", "classifier"), 0.0)
        for spent in (scores.seconds, looked.seconds):
            for part, value in spent.items():
                if part in seconds:
                    seconds[part] += value
        cost = self.classifier.input.gflops
        return VideoPrediction(
            path=path,
            strategy=self.strategy,
            k=len(chosen.clips) if self.strategy == "dense" else self.k,
            classifier=self.classifier.name,
            predictions=tuple(Prediction(self.classifier.labels[i], float(mean[i])) for i in ranked),
            clips=chosen.clips,
            seconds=seconds,
            gflops=None if cost is None else cost * looked.clips_looked_at,
            note=chosen.note,
            warnings=(*scores.warnings, *looked.warnings),
        )


@dataclass(frozen=True)
class _Looked:
    """What f said of some clips, and what that took."""

    probabilities: Probabilities
    """(num_clips, num_classes), in the order of the clips."""
    seconds: dict[str, float]
    clips_looked_at: int
    warnings: tuple[str, ...]
