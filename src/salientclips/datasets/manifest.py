"""A manifest: the videos of a data set, each with its label, its group and its split.

One row a video. It is what ``fit`` and ``evaluate`` take; the loaders of the other modules here (folders,
Kinetics-400, Sports1M, ActivityNet) make the same rows from other sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Entry:
    """One video of a data set."""

    path: Path
    """The file."""
    labels: tuple[str, ...] = ()
    """Its true classes; several where the data set has several; empty where it is not labelled."""
    group: str = ""
    """Videos of one source share a group and never lie in different splits; empty: a group of its own."""
    split: Split | None = None
    """Which split it belongs to; None where the manifest does not say."""
    spans: tuple[tuple[Fraction, Fraction], ...] = ()
    """Where the labelled thing happens, where that is known: (start, end), seconds on the timeline."""
