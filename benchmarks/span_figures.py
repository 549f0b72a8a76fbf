"""How samplers do by the true spans of a set, without any classifier: the figures, their intervals, their table.

Two figures a video: the area under the ROC curve of a sampler's scores, and the salient clips among the ten that it
chooses, as a share of the most that ten could hold. Intervals are 95 % bootstraps over groups; ``over_motion`` is the
difference to ``motion`` on the same draws.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from salientclips.evaluation.metrics import area_under_roc, group_weights, interval
from salientclips.timeline import ClipSpec

Array = npt.NDArray[np.float64]
Table = list[dict[str, str | int]]

K = 10
CLIP = ClipSpec(16, 1)
UNTRAINED = ("motion", "packet-cost", "cumulative-motion", "uniform")
FOLDS = ("fold0", "fold1", "fold2")


@dataclass(frozen=True)
class Result:
    """How a sampler does on one video."""

    auc: float
    hits: float
    """Share of the K chosen clips that are salient."""
    found: float
    """Salient clips among the K chosen, as a share of the most that K could hold."""


def result(scores: Array, salient: npt.NDArray[np.bool_], chosen: Sequence[int] | None = None) -> Result:
    """Judge the scores of one video.

    Args:
        scores: Of every clip (num_clips,).
        salient: Which clips are (num_clips,); some, and not all.
        chosen: Indices of those that are taken, where the rule is another than the K highest.

    Returns:
        The figures.
    """
    taken = np.argsort(-scores, kind="stable")[:K] if chosen is None else np.array(chosen)
    hits = float(salient[taken].sum())
    most = float(min(salient.sum(), len(taken)))
    return Result(area_under_roc(scores, salient), hits / len(taken), hits / most)


def of_samplers(found: Mapping[str, Sequence[Result]]) -> dict[str, dict[str, Array]]:
    """Results by sampler as :func:`table_of` takes them."""
    return {
        name: {
            figure: np.array([getattr(one, figure) for one in told]) for figure in ("auc", "hits", "found")
        }
        for name, told in found.items()
    }


def table_of(values: Mapping[str, Mapping[str, Array]], groups: Sequence[str]) -> Table:
    """Means, intervals and the differences to ``motion``.

    Args:
        values: By sampler and figure, one a video (num_videos,).
        groups: Of the videos.

    Returns:
        One row a sampler.
    """
    weights = group_weights(groups)
    table: Table = []
    for name, of_sampler in values.items():
        row: dict[str, str | int] = {"sampler": name, "videos": len(groups), "groups": len(set(groups))}
        for figure, own in of_sampler.items():
            less = own - values["motion"][figure]
            for title, one in ((figure, own), (f"{figure}_over_motion", less)):
                low, high = interval(weights @ one / weights.sum(axis=1))
                row |= {
                    title: f"{one.mean():.3f}",
                    f"{title}_low": f"{low:.3f}",
                    f"{title}_high": f"{high:.3f}",
                }
        table.append(row)
    return table


def write(table: Table, path: Path) -> None:
    """Write a table, and print it without the differences."""
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, table[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    for row in table:
        print(*(value for name, value in row.items() if "over" not in name))


def folded(folder: Path) -> list[Path]:
    """A set's manifests: its folds, or the one."""
    return [folder / f"{fold}.csv" for fold in FOLDS if (folder / f"{fold}.csv").exists()] or [
        folder / "manifest.csv"
    ]


def standard(scores: Array) -> Array:
    """Mean 0, deviation 1 within the video; 0 where all are alike."""
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))
