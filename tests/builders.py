"""Small made-up values of the package's types, for tests that need no video."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from salientclips.samplers import Motion, VideoEvidence
from salientclips.timeline import ClipGrid, ClipSpec, Timeline
from salientclips.types import (
    ClipFeatures,
    ClipScores,
    FeatureParameters,
    Fingerprint,
    PacketTable,
)

NTSC = Fraction(1001, 30000)


def make_scores(values: list[float], **changes: Any) -> ClipScores:
    """Scores of clips of 32 NTSC frames."""
    spans = [(32 * i * NTSC, 32 * (i + 1) * NTSC) for i in range(len(values))]
    fields: dict[str, Any] = {
        "path": Path("holiday.mp4"),
        "fingerprint": Fingerprint(1234, "ab" * 32),
        "sampler": "motion",
        "sampler_parameters": {},
        "feature_parameters": Motion().feature_parameters,
        "clip_spec": ClipSpec(),
        "grid": ClipGrid.from_spans(spans),
        "scores": np.array(values, dtype=np.float64),
        "features_used": ("md (decoded)",),
        "warnings": ("2 packets are marked as corrupt",),
        "seconds": {"demux": 0.25, "features": 1.5, "sampler": 0.01},
    }
    return ClipScores(**{**fields, **changes})


def make_table(
    types: str, sizes: list[int], *, pts: list[int] | None = None, time_base: Fraction = NTSC
) -> PacketTable:
    """A packet table with one letter of ``types`` a packet; the first I is a key frame."""
    count = len(types)
    return PacketTable(
        timeline=Timeline(time_base, Fraction(0)),
        pts=np.array(range(count) if pts is None else pts, dtype=np.int64),
        duration=np.ones(count, dtype=np.int32),
        size_bytes=np.array(sizes, dtype=np.int32),
        is_key=np.array([t == "I" for t in types]),
        is_shown=np.ones(count, dtype=np.bool_),
        frame_type=np.frombuffer(types.encode(), dtype=np.uint8).copy(),
    )


def make_features(
    index: int, md: np.ndarray[Any, Any], energy: float = 0.0, valid: np.ndarray[Any, Any] | None = None
) -> ClipFeatures:
    """Features of a clip from motion fields (n, 2, h, w)."""
    n, _, h, w = md.shape
    return ClipFeatures(
        index=index,
        times=tuple(Fraction(index * 32 + i) for i in range(n)),
        md=md.astype(np.float32),
        md_valid=np.ones((n, h, w), dtype=np.bool_) if valid is None else valid,
        rgbr=np.zeros((n, 3, h, w), dtype=np.float32),
        energy=np.full((n, h, w), energy, dtype=np.float32),
    )


def make_evidence(table: PacketTable, grid: ClipGrid, features: list[ClipFeatures]) -> VideoEvidence:
    """Evidence whose features are there already."""

    def read(parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        return iter(features)

    return VideoEvidence(table, grid, read)
