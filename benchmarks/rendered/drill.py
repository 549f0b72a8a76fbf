"""Actions by the thousand, to teach f: scenes like those of the set, from another seed, and only the action of each.

    python -m benchmarks.rendered.drill OUT [--scenes 6000] [--workers 2]

A set has some 350 places of action to learn from, which is far too few for a network that starts from nothing. Here
a scene costs a fifth of a second, for nothing but its action is rendered, and of that every second frame (f is
shown no others). The seed differs from the set's, so camera, light, dress, textures, phase and speed are none of
the set's; captured clips are the same, as they are in its splits.

Pictures are those that go to the encoder, made as small as f is shown them. ``OUT/N.frames`` has the frames of part
N one after another, uint8 (74, 98, 4) each: red, green, blue, and which part of the body is there
(``stage.Seen.parts``), for a network learns sooner where it is also told what it sees. ``OUT/N.csv`` has a line for
each place of action: label, how many frames. A part that is there is not made again.
"""

from __future__ import annotations

import argparse
import csv
import functools
import multiprocessing
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .draw import draw
from .screenplay import Screenplay, Settings
from .sensor import finished

SEED = 1
"""Of the scenes; a set that f is to be judged on has another."""
STEP = 2
"""Of the frames, one in so many."""
SCENES_A_PART = 50
SIZE_PX = (74, 98)
"""Height and width: what torchvision's networks resize to where they crop 64 pixels instead of 112."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=int, default=6000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    parts = [n for n in range(asked.scenes // SCENES_A_PART) if not (asked.out / f"{n}.csv").exists()]
    with multiprocessing.get_context("spawn").Pool(asked.workers) as pool:
        for done in pool.imap_unordered(functools.partial(make_part, asked.out), parts):
            print(f"part {done}", flush=True)


def make_part(out: Path, number: int) -> int:
    """Render one part.

    Args:
        out: The folder.
        number: Which part.

    Returns:
        The number.
    """
    import torch

    torch.set_num_threads(1)
    settings, rows = Settings(seed=SEED), []
    unfinished = out / f"{number}.part"
    with unfinished.open("wb") as file:
        for index in range(number * SCENES_A_PART, (number + 1) * SCENES_A_PART):
            play = draw(settings, index)
            frames = action(play, settings)
            file.write(frames.tobytes())
            rows += [(play.label, len(range(start, end, STEP))) for start, end in play.spans]
    unfinished.replace(out / f"{number}.frames")
    with (out / f"{number}.csv").open("w", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows([("label", "frames"), *rows])
    return number


def action(play: Screenplay, settings: Settings) -> npt.NDArray[np.uint8]:
    """The action of a scene, as f is shown it.

    Args:
        play: The scene.
        settings: Size and frame rate.

    Returns:
        uint8 (frames, height, width, 4) of ``SIZE_PX``, RGB and the body's parts: every ``STEP``-th frame of each
        place, one after another.
    """
    from salientclips.classifiers import ClipInput, shrink_frames

    from .stage import frames_of

    wanted = [frame for start, end in play.spans for frame in range(start, end, STEP)]
    seen = list(frames_of(play, settings, frozenset(wanted), parts=True))
    shown = finished(play, (one.picture for one in seen), wanted)
    large = np.asarray(np.stack([frame.to_ndarray(format="rgb24") for frame in shown]), np.uint8)
    height, width = SIZE_PX
    small = shrink_frames(
        large, ClipInput(8, STEP, SIZE_PX, 64, (0.0,) * 3, (1.0,) * 3, None, antialias=False)
    )
    rows = (2 * np.arange(height) + 1) * large.shape[1] // (2 * height)
    columns = (2 * np.arange(width) + 1) * large.shape[2] // (2 * width)
    parts = np.stack([one.parts for one in seen if one.parts is not None])[:, rows][:, :, columns]
    return np.concatenate([small, parts[..., None]], axis=3)


if __name__ == "__main__":
    main()
