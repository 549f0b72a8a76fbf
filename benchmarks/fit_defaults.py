"""Which defaults of SAL-RANK do best on made-up videos that training has not seen.

    PYTHONPATH=src:tests python -m benchmarks.fit_defaults two-levels
    PYTHONPATH=src:tests python -m benchmarks.fit_defaults graded [SEED ...]

MD and ShuffleNet-26, K = 4 of 16 clips, 12 epochs, the networks of the last one. Adds to
``benchmarks/results/fit_defaults.csv`` what is not there yet: delete a row to have it measured again. The column
``f`` says which classifier it was.

- ``two-levels``: the videos of ``tests/action_videos.py`` (kind ``apart``), 10 to train on, 5 to judge by, and its
  classifier, which is sure or is not. One option at a time is changed from the first line. ``tie_gap`` and
  ``pair_weight`` make no difference to it. One clip more or less is 0.05 of ``hit_rate``, the share of the chosen
  clips that show the action, so only ``epochs_to_best`` tells: the first epoch after which nothing got better.
- ``graded``: the videos and the classifier of ``graded_action.py``, whose certainty varies with how much is seen and
  errs by up to 0.1: every ``tie_gap`` with every ``pair_weight``, three seeds each. A seed draws which 24 videos are
  trained on and which 24 judge, and all that training draws.

``certainty`` is f's mean probability of the true class on the chosen clips of the unseen videos; ``share_of_gain``
is how far that lies between uniform sampling (0) and the oracle (1).
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.graded_action import GradedClassifier, make_graded_videos

from action_videos import ActionVideo, ColourClassifier, make_action_videos
from salientclips.classifiers import ClipClassifier
from salientclips.ranking import choose
from salientclips.timeline import ClipSpec
from salientclips.training.lesson import Lesson, Networks, Normalisation, Unit
from salientclips.training.loop import FRAMES_VALIDATED, train
from salientclips.training.options import PAIR_WEIGHTS, TrainingOptions
from salientclips.training.prepare import Preparation
from salientclips.training.validate import top
from salientclips.training.videos import InputKeeper, TrainingVideo, channel_statistics
from salientclips.training.world import World
from salientclips.types import FeatureParameters

RESULTS = Path(__file__).with_name("results") / "fit_defaults.csv"
EPOCHS, K = 12, 4
HERE = World(torch.device("cpu"))

CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"margin": 0.25},
    {"margin": 4.0},
    {"learning_rate": 3e-4},
    {"learning_rate": 3e-3},
    {"clips_per_video": 4},
    {"pairs_per_video": 8},
    {"zoom": 1.0, "flip": False},
)
TIE_GAPS = (0.0, 0.02, 0.05, 0.1, 0.2)
SEEDS = (0, 1, 2)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        if sys.argv[1] == "two-levels":
            two_levels(Path(name))
        else:
            graded(Path(name), [int(word) for word in sys.argv[2:]] or SEEDS)


def two_levels(folder: Path) -> None:
    videos, _ = prepare(folder, make_action_videos(folder / "videos", "apart", 15), ColourClassifier())
    usual = TrainingOptions(epochs=EPOCHS, patience=0, videos_per_batch=4, learning_rate=1e-3)
    for change in CHANGES:
        words = " ".join(f"{key}={value}" for key, value in change.items()) or "learning_rate=0.001"
        if is_known("two-levels", words, 0):
            continue
        lesson = make_lesson(videos[:10], videos[10:], replace(usual, **change))
        certainty = [epoch["surety"] for epoch in train(lesson, HERE).history]
        # f gives 0.9 to the true class where the action is and 0.3 elsewhere
        hit_rate = (certainty[-1] - 0.3) / 0.6
        best = certainty.index(max(certainty)) + 1
        add("two-levels", words, 0, f"{hit_rate:.3f}", f"{certainty[-1]:.3f}", "", best)


def graded(folder: Path, seeds: Sequence[int]) -> None:
    videos, uniform = prepare(folder, make_graded_videos(folder / "videos", 48), GradedClassifier())
    for seed, tie_gap, weight in product(seeds, TIE_GAPS, PAIR_WEIGHTS):
        words = f"tie_gap={tie_gap} pair_weight={weight}"
        if is_known("graded", words, seed):
            continue
        order = np.random.default_rng(seed).permutation(len(videos))
        training, unseen = order[:24], order[24:]
        options = TrainingOptions(
            epochs=EPOCHS, patience=0, videos_per_batch=4, tie_gap=tie_gap, pair_weight=weight, seed=seed
        )
        # without videos to validate on the last epoch's networks are kept, and no time is spent on the others
        lesson = make_lesson([videos[i] for i in training], [], options)
        networks = Networks.drawn(lesson.unit, lesson.outputs, seed)
        networks.of["md"].load_state_dict(train(lesson, HERE).tensors["md"])
        networks.eval()
        scores = [lesson.scores(networks, videos[i], HERE.device, FRAMES_VALIDATED) for i in unseen]
        sureties = [videos[i].targets.surety for i in unseen]
        rows = zip(sureties, scores, unseen, strict=True)
        found = [(s[top(mine, K)].mean(), s[uniform[i]].mean(), s[top(s, K)].mean()) for s, mine, i in rows]
        by_sampler, least, most = (float(value) for value in np.mean(found, axis=0))
        share = (by_sampler - least) / (most - least)
        add("graded", words, seed, "", f"{by_sampler:.3f}", f"{share:.3f}", "")


def is_known(f: str, change: str, seed: int) -> bool:
    with RESULTS.open(newline="") as file:
        return any(row[:3] == [f, change, str(seed)] for row in csv.reader(file))


def add(*cells: str | int) -> None:
    print(*cells, flush=True)
    with RESULTS.open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(cells)


def prepare(
    folder: Path, made: Sequence[ActionVideo], f: ClipClassifier
) -> tuple[list[TrainingVideo], list[list[int]]]:
    """The videos ready for training, and which clips of each uniform sampling looks at."""
    work = Preparation(f, ClipSpec(4, 2), FeatureParameters(2, ("md",)), folder / "cache", HERE)
    entries = [v.entry() for v in made]
    found = work.prepare(entries, InputKeeper(("md",), 14, folder), use_labels=True)
    grids = [work.predictions(entry).grid for entry in entries if entry.path in found]
    uniform = [choose(np.ones(len(grid)), grid, K, rule="cumulative").indices for grid in grids]
    return list(found.values()), [list(indices) for indices in uniform]


def make_lesson(
    training: Sequence[TrainingVideo], unseen: Sequence[TrainingVideo], options: TrainingOptions
) -> Lesson:
    unit = Unit(("md",), ("shufflenet26",), "sal-rank")
    statistics: Normalisation = {"md": channel_statistics(training, "md")}
    return Lesson(unit, tuple(training), tuple(unseen), (), statistics, 14, options, K)


if __name__ == "__main__":
    main()
