"""The verb ``classify``: the label of a video from K of its clips (paper, section 3; poster, "Strategies").

Clips are chosen by a strategy, only they are decoded, the clip classifier f looks at each, and the video's class
probabilities are the mean of the clips'. The strategies are those of the poster: ``sampler`` (any sampler, top K),
``uniform``, ``random``, ``dense`` (every clip) and ``oracle`` (the K clips on which f is surest of the true class: an
upper bound, at dense cost).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..classifiers import ClipClassifier, ClipInput, prepare_clip, shrink_frames
from ..errors import InputError, UnknownNameError
from ..media.decode import FrameReader
from ..media.demux import lazy_times, read_packets
from ..samplers import Random, Sampler, Uniform
from ..timeline import ClipSpec
from ..types import ClipScores, PacketTable, Prediction, SelectedClip, Selection, VideoPrediction
from .score import DEFAULT_SAMPLER, Progress, score

if TYPE_CHECKING:
    import torch

STRATEGIES: tuple[str, ...] = ("sampler", "dense", "uniform", "random", "oracle")
"""How clips can be chosen."""

_FRAMES_AT_ONCE = 8

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class VideoClassifier:
    """A clip classifier made into a video classifier: call it with a path."""

    classifier: ClipClassifier
    """f: looks at one clip."""
    sampler: str | Sampler = DEFAULT_SAMPLER
    """Who chooses under the strategy ``sampler``."""
    k: int = 10
    """Clips looked at (K of the paper)."""
    strategy: str = "sampler"
    """One of ``STRATEGIES``."""
    seed: int = 0
    """Seed of the strategy ``random``."""
    threads: int = 1
    """Decoder threads; the result does not depend on it."""
    batch_clips: int = 4
    """Clips given to the classifier at once; bounds the memory."""

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, STRATEGIES)
        if self.k < 1:
            raise InputError(f"k = {self.k} clips cannot be selected", "give k of at least 1")

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
        path = Path(path)
        began = perf_counter()
        table = read_packets(path)
        demux_s = perf_counter() - began
        scores = self._scores(path, table, scores, progress)
        candidates = self._candidates(scores)
        looked = self._look(path, candidates.clips, table, progress)
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
        elif self.strategy != "sampler":
            judge = Uniform()
        spec = ClipSpec(self.classifier.input.frames, self.classifier.input.frame_step)
        return score(path, judge, clip=spec, threads=self.threads, table=table, progress=progress)

    def _candidates(self, scores: ClipScores) -> Selection:
        everything = self.strategy in ("dense", "oracle")
        return scores.select(max(1, len(scores)) if everything else self.k)

    def _look(
        self,
        path: Path,
        clips: Sequence[SelectedClip],
        table: PacketTable,
        progress: Progress | None,
    ) -> _Looked:
        """Run f on clips, in order of time so that the decoder only moves forward."""
        looker = _Looker(path, self.classifier, table, self.threads, self.batch_clips)
        ordered = sorted(clips, key=lambda c: c.start)
        row_of = {c.index: row for row, c in enumerate(ordered)}
        probabilities = looker.look(ordered, progress)[[row_of[c.index] for c in clips]]
        return _Looked(probabilities, looker.seconds, len(clips), looker.warnings)

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


class _Looker:
    """Decodes clips and shows them to f, a few at a time."""

    def __init__(
        self,
        path: Path,
        classifier: ClipClassifier,
        table: PacketTable,
        threads: int,
        batch_clips: int,
    ) -> None:
        self._path, self._classifier, self._table = path, classifier, table
        self._times = lazy_times(table)
        self._threads, self._batch_clips = threads, batch_clips
        self.seconds = {"decode": 0.0, "classifier": 0.0}
        self.warnings: tuple[str, ...] = ()

    def look(self, clips: Sequence[SelectedClip], progress: Progress | None) -> Probabilities:
        """Class probabilities of clips in order of time; float32 (num_clips, num_classes)."""
        import torch

        rows: list[Probabilities] = []
        with FrameReader(self._path, self._table, threads=self._threads) as reader:
            tensors = self._decoded(reader, clips)
            while batch := list(islice(tensors, self._batch_clips)):
                began = perf_counter()
                rows.append(self._classifier(torch.stack(batch)).cpu().numpy())
                self.seconds["classifier"] += perf_counter() - began
                if progress is not None:
                    progress("classifier", sum(map(len, rows)) / len(clips))
            if reader.decode_failures:
                self.warnings = (f"{reader.decode_failures} packets of the chosen clips were broken",)
        return np.concatenate(rows)

    def _decoded(self, reader: FrameReader, clips: Sequence[SelectedClip]) -> Iterator[torch.Tensor]:
        wanted = self._classifier.input
        for clip in clips:
            began = perf_counter()
            times = iter(clip_frame_times(clip, self._times, wanted))
            # A few large frames at a time: a clip of 64 frames of 4K would fill 1.6 GB.
            parts = []
            while some := list(islice(times, _FRAMES_AT_ONCE)):
                frames = np.stack([frame.rgb for frame in reader.frames_at(some)])
                parts.append(shrink_frames(frames, wanted))
            tensor = prepare_clip(np.concatenate(parts), wanted)
            self.seconds["decode"] += perf_counter() - began
            yield tensor


def clip_frame_times(
    clip: SelectedClip, shown: Sequence[Fraction], wanted: ClipInput
) -> tuple[Fraction, ...]:
    """The times of the frames of a clip that a classifier is shown.

    T frames at the classifier's step, centred in the clip. A clip that is too short for that (a scene, fixed
    seconds, the end of a video) has its frames spread evenly over T places, repeating some, so nothing outside
    the clip is ever looked at; a clip without any frame shows the one before it.

    Args:
        clip: Where to look.
        shown: Display times of all frames of the video, increasing, seconds on the timeline.
        wanted: Clip length and frame step of the classifier.

    Returns:
        ``wanted.frames`` times from ``shown``, not decreasing.
    """
    first, stop = bisect_left(shown, clip.start), bisect_left(shown, clip.end)
    if stop == first:
        first = max(0, first - 1)
        stop = first + 1
    count, step = wanted.frames, wanted.frame_step
    spare = (stop - first) - ((count - 1) * step + 1)
    if spare >= 0:
        begin = first + spare // 2
        return tuple(shown[begin + j * step] for j in range(count))
    return tuple(shown[first + (2 * j + 1) * (stop - first) // (2 * count)] for j in range(count))
