"""The verb ``score``: from a path to one saliency for every clip (paper, section 3).

One demultiplexing pass gives the exact times and the clip grid; then the sampler pulls the features it needs,
clip by clip, and only its numbers are kept. Memory holds the packet table (30 bytes a frame) and nothing that
grows faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

from ..compressed.budget import check_budget
from ..compressed.reader import MOTION, Backend, FeatureReader, backend_of
from ..media.container import video_path
from ..media.demux import clip_grid, read_packets
from ..media.fingerprint import fingerprint
from ..ranking import with_median
from ..samplers import DEFAULT_SAMPLER, Judged, Sampler, VideoEvidence, make_sampler
from ..timeline import ClipGrid, ClipSpec
from ..types import Budget, ClipFeatures, ClipScores, FeatureParameters, PacketTable

Progress = Callable[[str, float], None]
"""Called with what is being done ("demux", "features", ...) and its share done, 0 to 1."""


def part_of(progress: Progress | None, part: str) -> Callable[[float], None] | None:
    """The progress callback of one part of the work.

    Args:
        progress: That of the whole; None where nobody is watching.
        part: What is being done.

    Returns:
        Called with its share done, 0 to 1; None where nobody is watching.
    """
    return None if progress is None else partial(progress, part)


def score(
    path: str | Path,
    sampler: str | Sampler = DEFAULT_SAMPLER,
    *,
    clip: ClipSpec | None = None,
    grid: ClipGrid | None = None,
    threads: int = 1,
    backend: Backend = "auto",
    budget: Budget = "full",
    table: PacketTable | None = None,
    progress: Progress | None = None,
) -> ClipScores:
    """Give every clip of a video a saliency.

    Args:
        path: A local video file, any container and codec that FFmpeg reads.
        sampler: A name from ``salientclips list``, the folder or hub name of a learned sampler, or a sampler of
            your own (see :class:`salientclips.Sampler`).
        clip: How long a clip is; by default what the sampler has as ``clip_spec`` (a learned one was trained on
            it), else 16 frames at step 2, about a second.
        grid: Score these clips instead, for example scenes; times in seconds on the timeline.
        threads: Threads that parse or decode; the result does not depend on it.
        backend: Who reads motion and residuals: ``"bitstream"`` without decoding, ``"decoded"``, or
            ``"auto"``, the first of them that can.
        budget: How much is decoded where motion cannot be parsed: ``"full"``, ``"balanced"`` or ``"fast"``
            (docs/budget.md). It changes the scores of such files, and nothing of others.
        table: The file's packet table where it was read already; saves a pass.
        progress: Called as the work goes on.

    Returns:
        Scores float64 (num_clips,) with the grid and everything needed to trust them later. Clips of which
        nothing could be read get the median of the others, and ``warnings`` says how many they are.

    Raises:
        InputError: ``path`` is no path: bytes and open files are not read.
        FileMissingError: There is no such file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It holds no moving pictures.
        NoFramesError: It holds no frame that is shown.
        UnknownNameError: There is no sampler or budget of that name.
        InputError: The sampler asks for fewer than 0 frames a clip.
        MissingExtraError: The sampler needs a package that does not load.
        CardError, WeightsError: A learned sampler is damaged; see :mod:`salientclips.samplers.sharing`.
        FeatureUnavailableError: The back end that was asked for cannot read this file.

    Example:
        >>> from salientclips import score
        >>> scores = score("climb.mp4")
        >>> len(scores), scores.sampler, scores.features_used
        (8, 'default', ('md (bitstream)', 'rgbr (bitstream)', 'packets (demux)'))
        >>> scores.scores.shape, scores.scores.dtype
        ((8,), dtype('float64'))
    """
    path, budget = video_path(path), check_budget(budget)
    judge = make_sampler(sampler) if isinstance(sampler, str) else sampler
    # A learned sampler knows the clips that it was trained on.
    spec = clip or getattr(judge, "clip_spec", None) or ClipSpec()
    watch = _Stopwatch()

    began = perf_counter()
    if table is None:
        table = read_packets(path, progress=part_of(progress, "demux"))
    clips = grid or clip_grid(table, spec)
    watch.seconds["demux"] = perf_counter() - began

    reader = FeatureReader(
        path, table, clips, threads=threads, backend=backend, progress=part_of(progress, "features")
    )

    def features(parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        return watch.timed("features", reader.read(replace(parameters, budget=budget)))

    began = perf_counter()
    said = judge(VideoEvidence(table, clips, features, path))
    judged = said if isinstance(said, Judged) else Judged(said, {})
    watch.seconds["sampler"] = perf_counter() - began - watch.seconds.get("features", 0.0)
    scores, missing = _fill(judged.scores, judge.name)
    parameters = replace(judge.feature_parameters, budget=budget)
    return ClipScores(
        path=path,
        fingerprint=fingerprint(path),
        sampler=judge.name,
        sampler_parameters=judge.parameters,
        feature_parameters=parameters,
        clip_spec=spec,
        grid=clips,
        scores=scores,
        rule=judge.rule,
        features_used=_used(parameters, reader),
        warnings=(*table.warnings, *reader.warnings, *judged.warnings, *missing),
        seconds=watch.seconds,
        streams=judged.streams,
    )


def _used(parameters: FeatureParameters, reader: FeatureReader) -> tuple[str, ...]:
    """What was read and by whom, for example ``"md (bitstream)"`` or ``"md (decoded, fast)"``."""
    names = {name: reader.used.get(name, backend_of(name, "decoded")) for name in parameters.features}
    thrifty = () if parameters.budget == "full" else MOTION
    return tuple(
        f"{name} ({who}, {parameters.budget})" if name in thrifty and who == "decoded" else f"{name} ({who})"
        for name, who in names.items()
    )


def _fill(raw: npt.NDArray[np.float64], sampler: str) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Clips without a score get the median: neither chosen for it nor left out for it."""
    lost = np.isnan(raw)
    if not lost.any():
        return raw, ()
    if lost.all():
        why = f"no clip gave anything that '{sampler}' reads, so all have the score 0"
        return np.zeros_like(raw), (f"{why}; uniform and packet-cost score every video",)
    return with_median(raw), (f"{lost.sum()} of {len(raw)} clips gave no features and have the median score",)


@dataclass
class _Stopwatch:
    """Where the time goes."""

    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, items: Iterator[ClipFeatures]) -> Iterator[ClipFeatures]:
        """Pass items on, and book the time they took to come."""
        while True:
            began = perf_counter()
            item = next(items, None)
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - began
            if item is None:
                return
            yield item
