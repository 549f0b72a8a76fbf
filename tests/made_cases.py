"""Made-up evaluated videos whose every number is known: f is right on some clips, samplers know it or guess."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from builders import make_scores
from salientclips.cache.types import DensePredictions
from salientclips.datasets.manifest import Entry
from salientclips.evaluation.case import Case, Judgement
from salientclips.evaluation.decoding import DecodePlan
from salientclips.timeline import ClipGrid
from salientclips.types import Fingerprint

LABELS = ("run", "jump", "sit")


def grid_of(count: int) -> ClipGrid:
    """Clips of one second."""
    return ClipGrid.from_spans([(Fraction(i), Fraction(i + 1)) for i in range(count)])


def make_case(
    probabilities: Sequence[Sequence[float]],
    truth: int,
    scores: dict[str, Sequence[float]] | None = None,
    *,
    name: str = "v.mp4",
    group: str = "",
    spans: tuple[tuple[int, int], ...] = (),
    gop: int = 1,
    streams: dict[str, np.ndarray] | None = None,
) -> Case:
    """A video with one row of ``probabilities`` a clip; each clip has 10 frames, a key frame every ``gop`` clips."""
    count = len(probabilities)
    grid = grid_of(count)
    of = Fingerprint(len(name), name.encode().hex().ljust(64, "0")[:64])
    dense = DensePredictions(
        fingerprint=of,
        classifier="f@0",
        labels=LABELS[: len(probabilities[0])],
        grid=grid,
        probabilities=np.array(probabilities, dtype=np.float32),
        seconds={"demux": 0.0, "decode": 2.0 * count, "prepare": 1.0 * count, "classifier": 4.0 * count},
        gflops_per_clip=40.0,
    )
    first = np.arange(count, dtype=np.int64) // gop * gop * 10
    plan = DecodePlan(first, (np.arange(count, dtype=np.int64) + 1) * 10)
    judgements = {
        title: Judgement(
            make_scores(
                list(values),
                grid=grid,
                sampler=title,
                fingerprint=of,
                seconds={"demux": 0.1, "features": 0.5, "sampler": 0.25},
                streams=streams or {},
                warnings=(),
            ),
            gflops=1.5,
        )
        for title, values in (scores or {}).items()
    }
    entry = Entry(
        Path(name),
        (LABELS[truth],),
        group,
        spans=tuple((Fraction(a), Fraction(b)) for a, b in spans),
    )
    return Case(entry, (truth,), dense, plan, judgements, demux_s=0.125)


def made_set(videos: int = 24, clips: int = 30, seed: int = 0) -> list[Case]:
    """Videos of which a short part is telling: f is right there, and led astray elsewhere.

    The sampler ``good`` sees the part through noise, ``fair`` through more of it.
    """
    random = np.random.default_rng(seed)
    cases = []
    for number in range(videos):
        truth = number % 3
        begin = int(random.integers(0, clips - 5))
        telling = np.zeros(clips, dtype=bool)
        telling[begin : begin + 5] = True
        logits = random.normal(0, 1.0, (clips, 3))
        logits[telling, truth] += 2.5
        logits[~telling, (truth + 1) % 3] += random.uniform(0.2, 0.8)
        rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        scores = {
            "good": (telling + random.normal(0, 0.35, clips)).tolist(),
            "fair": (telling + random.normal(0, 1.0, clips)).tolist(),
        }
        spans = ((begin, begin + 5),)
        cases.append(
            make_case(
                rows.tolist(),
                truth,
                scores,
                name=f"{number:02}.mp4",
                group=f"g{number // 2}",
                spans=spans,
                gop=3,
            )
        )
    return cases
