"""How long training takes: CPU seconds of one epoch of each network on 200 made-up videos of 60 clips.

    PYTHONPATH=src python benchmarks/fit_time.py [--share 0.1]

Inputs are noise of the right shape (4 frames a clip of 14 x 19 cells; sound of 40 x 200), for time does not depend
on what is in them. ``--share`` does a part of the videos and multiplies; CPU seconds of one thread, so that other
work on the machine counts little. Writes ``benchmarks/results/fit_time.csv``.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from time import process_time

import numpy as np
import torch

from salientclips.samplers.card import Architecture, Stream
from salientclips.samplers.nets import network_for
from salientclips.training import loop
from salientclips.training.lesson import Lesson, Unit
from salientclips.training.options import TrainingOptions
from salientclips.training.targets import Targets
from salientclips.training.videos import Held, TrainingVideo
from salientclips.training.world import World

VIDEOS, CLIPS, VALIDATION_SHARE = 200, 60, 0.2
SHAPES: dict[Stream, tuple[int, ...]] = {"md": (2, 14, 19), "rgbr": (3, 14, 19), "audio": (1, 40, 200)}
NETWORKS: tuple[tuple[Stream, Architecture], ...] = (
    ("md", "shufflenet26"),
    ("rgbr", "shufflenet26"),
    ("md", "resnet18"),
    ("audio", "vgg18"),
)


def make_video(number: int, stream: Stream) -> TrainingVideo:
    rng = np.random.default_rng(number)
    frames = 1 if stream == "audio" else 4
    surety = rng.random(CLIPS)
    noise = rng.standard_normal((CLIPS * frames, *SHAPES[stream]), dtype=np.float32)
    probabilities = np.stack([surety, 1 - surety], axis=1).astype(np.float32)
    targets = Targets(("a",), (0,), surety, surety > 0.5, True)
    held = {stream: Held(np.full(CLIPS, frames, dtype=np.int64), noise)}
    return TrainingVideo(Path(f"{number}.mp4"), str(number), targets, surety, probabilities, held)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=0.1)
    share = parser.parse_args().share
    torch.set_num_threads(1)
    network_for("md", "shufflenet26", 1)  # loads torchvision, which is not to be counted
    rows = []
    for stream, architecture in NETWORKS:
        count = round(VIDEOS * share)
        videos = [make_video(i, stream) for i in range(count)]
        held_back = round(VALIDATION_SHARE * count)
        channels = SHAPES[stream][0]
        lesson = Lesson(
            Unit((stream,), (architecture,), "sal-rank"),
            tuple(videos[held_back:]),
            tuple(videos[:held_back]),
            (),
            {stream: ((0.0,) * channels, (1.0,) * channels)},
            14,
            TrainingOptions(epochs=1),
            10,
        )
        began = process_time()
        loop.train(lesson, World(torch.device("cpu")))
        spent = (process_time() - began) / share
        rows.append([stream, architecture, VIDEOS, CLIPS, share, f"{spent:.1f}"])
        print(*rows[-1], flush=True)
    with Path(__file__).with_name("results").joinpath("fit_time.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stream", "architecture", "videos", "clips", "share_measured", "cpu_s_per_epoch"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
