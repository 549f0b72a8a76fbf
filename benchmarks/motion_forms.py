"""Which form of motion and residual should the `motion` sampler use, and over how many frames of a clip?

Usage: ``python benchmarks/motion_forms.py DATA_DIR``; DATA_DIR holds ``clips256/labels.csv``. Writes
``results/motion_forms.csv``: for each form and number of frames, the AUC of single clips of Kinetics classes
against quiet surveillance clips, and of fights against quiet clips of the same kind of camera.

It can show which form separates lively clips from dull ones. It cannot show accuracy of a classifier: that is
another issue's benchmark, and its test splits are not opened here beyond these two labels.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from salientclips.compressed.reader import FeatureReader
from salientclips.media.demux import end_time, read_packets, shown_times
from salientclips.samplers.baselines import moving, unpredicted
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import FeatureParameters

Series = npt.NDArray[np.float64]

FORMS: dict[str, Callable[[Series, Series], Series]] = {
    "log(1+m) + log(1+r)": lambda m, r: np.log1p(m) + np.log1p(r),
    "log(1+m*r)": lambda m, r: np.log1p(m * r),
    "log(1+m) * log(1+r)": lambda m, r: np.log1p(m) * np.log1p(r),
    "m": lambda m, r: m,
    "r": lambda m, r: r,
}
FRAMES = (1, 2, 4, 0)


def main() -> None:
    folder = Path(sys.argv[1]) / "clips256"
    with (folder / "labels.csv").open() as file:
        videos = [v for v in csv.DictReader(file) if v["set"] in ("k400_clips", "fight_surv", "vioperu")]
    groups: dict[str, list[tuple[Series, Series]]] = {"target": [], "fight": [], "noFight": []}
    for video in videos:
        group = "target" if video["set"] == "k400_clips" else video["label"]
        groups[group] += clips_of(folder / video["file"])
    out = Path(__file__).parent / "results" / "motion_forms.csv"
    with out.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["form", "frames_per_clip", "auc_kinetics_noFight", "auc_fight_noFight"])
        for form, combine in FORMS.items():
            for frames in FRAMES:
                values = {
                    name: [float(combine(spread(m, frames), spread(r, frames)).mean()) for m, r in clips]
                    for name, clips in groups.items()
                }
                row = [auc(values[name], values["noFight"]) for name in ("target", "fight")]
                table.writerow([form, frames or "all", *(f"{x:.3f}" for x in row)])
                print(form, frames or "all", *(f"{x:.3f}" for x in row))


def clips_of(path: Path) -> list[tuple[Series, Series]]:
    """Motion and residual of every P-frame of every clip."""
    packets = read_packets(path)
    grid = ClipGrid.from_frame_times(shown_times(packets), end_time(packets), ClipSpec())
    reader = FeatureReader(path, packets, grid)
    clips = reader.read(FeatureParameters(0, ("md", "rgbr")))
    return [(moving(clip), unpredicted(clip)) for clip in clips if clip.times]


def spread(values: Series, count: int) -> Series:
    """``count`` values evenly spread; all for 0."""
    if count == 0 or len(values) <= count:
        return values
    return values[[(2 * j + 1) * len(values) // (2 * count) for j in range(count)]]


def auc(positive: list[float], negative: list[float]) -> float:
    """Probability that a positive lies above a negative; ties count half."""
    a, b = np.array(positive)[:, None], np.array(negative)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


if __name__ == "__main__":
    main()
