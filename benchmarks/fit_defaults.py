"""Which defaults of SAL-RANK do best on made-up videos that training has not seen.

    PYTHONPATH=src:tests python benchmarks/fit_defaults.py

The videos are those of ``tests/action_videos.py`` (kind ``apart``): 10 to train on, 5 to judge by; MD and
ShuffleNet-26. One option at a time is changed from the first line. f has two levels of certainty here, so
``tie_gap`` and ``pair_weight`` make no difference and are not among them. Writes
``benchmarks/results/fit_defaults.csv``: the share of the K = 4 clips chosen of unseen videos that show the action,
the mean of f's certainty on them after the last epoch, and the first epoch after which nothing got better. One clip
more or less is 0.05 of the share, so only the epochs tell.
"""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from action_videos import ColourClassifier, make_action_videos
from salientclips.timeline import ClipSpec
from salientclips.training.lesson import Lesson, Unit
from salientclips.training.loop import train
from salientclips.training.options import TrainingOptions
from salientclips.training.prepare import Preparation
from salientclips.training.videos import InputKeeper, channel_statistics
from salientclips.training.world import World
from salientclips.types import FeatureParameters

EPOCHS, TRAINING, K = 12, 10, 4
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


def main() -> None:
    torch.set_num_threads(1)
    here = World(torch.device("cpu"))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = make_action_videos(folder / "videos", "apart", TRAINING + 5)
        work = Preparation(
            ColourClassifier(), ClipSpec(4, 2), FeatureParameters(2, ("md",)), folder / "cache", here
        )
        found = work.prepare([v.entry() for v in truth], InputKeeper(("md",), 14, folder), use_labels=True)
        videos = tuple(found.values())
        for change in CHANGES:
            usual = TrainingOptions(epochs=EPOCHS, patience=0, videos_per_batch=4, learning_rate=1e-3)
            options = replace(usual, **change)
            lesson = Lesson(
                Unit(("md",), ("shufflenet26",), "sal-rank"),
                videos[:TRAINING],
                videos[TRAINING:],
                (),
                {"md": channel_statistics(videos[:TRAINING], "md")},
                14,
                options,
                K,
            )
            history = train(lesson, here).history
            certainty = [epoch["surety"] for epoch in history]
            best = max(certainty)
            first = certainty.index(best) + 1
            words = " ".join(f"{key}={value}" for key, value in change.items()) or "learning_rate=0.001"
            # f gives 0.9 to the true class where the action is and 0.3 elsewhere
            rows.append([words, f"{(certainty[-1] - 0.3) / 0.6:.3f}", f"{certainty[-1]:.3f}", first])
            print(*rows[-1], flush=True)
    with Path(__file__).with_name("results").joinpath("fit_defaults.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["change", "hit_rate", "certainty", "epochs_to_best"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
