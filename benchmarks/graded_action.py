"""Made-up videos whose clips show more or less of an action, and a classifier as sure as it sees much of it.

Helper of ``fit_defaults.py``. Eight of the 16 clips show the action of ``tests/action_videos.py``, a coloured
square that goes across (red) or down (green), with a side drawn between 8 and 48 pixels; in five others a grey square
of such a size wanders; three show nothing. f's probability of the true class grows with the coloured area, and each
clip has an error of its own, up to 0.1 either way, that hangs on its pixels alone: asked twice, f says the same. So
clips that show as much differ by f's error only, and a sampler that learns their order learns noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import torch

from action_videos import (
    CLIP_FRAMES,
    CLIPS,
    COLOURS,
    HEIGHT_PX,
    LABELS,
    WIDTH_PX,
    ActionVideo,
    ColourClassifier,
    paint,
    write_video,
)

SMALLEST_PX, LARGEST_PX = 8, 48
ACTIVE, WANDERING = 8, 5
ERROR = 0.1


class GradedClassifier:
    """0.3 to 0.9 for "across" by how much red it sees, likewise for "down" and green; give or take its error."""

    name = "graded-colour"
    labels = LABELS
    input = ColourClassifier.input

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Probabilities (B, 3) from clips (B, 3, T, H, W)."""
        red, green, blue = clips.unbind(1)
        amounts = [
            (mask.flatten(1).sum(1) / (clips.shape[2] * LARGEST_PX**2)).clamp(max=1.0)
            for mask in ((red - torch.maximum(green, blue)) > 0.15, (green - torch.maximum(red, blue)) > 0.15)
        ]
        rows = []
        for clip, across, down in zip(clips, *amounts, strict=True):
            content = (clip * 255).round().byte().contiguous().numpy().tobytes()
            error = float(np.random.default_rng(crc32(content)).uniform(-ERROR, ERROR))
            if across == down == 0:
                rows.append([0.3 + error, 0.3 - error, 0.4])
                continue
            sure = 0.3 + 0.6 * float(max(across, down)) + error
            rest = (1 - sure) / 2
            rows.append([sure, rest, rest] if across > down else [rest, sure, rest])
        return torch.tensor(rows, dtype=torch.float32)


def make_graded_videos(folder: Path, count: int) -> list[ActionVideo]:
    """Write videos, half of each class, without sound."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_make(folder / f"graded{i}.mp4", i) for i in range(count)]


def _make(path: Path, number: int) -> ActionVideo:
    rng = np.random.default_rng([number, 2])
    order = rng.permutation(CLIPS)
    active = frozenset(order[:ACTIVE].tolist())
    wandering = frozenset(order[ACTIVE : ACTIVE + WANDERING].tolist())
    write_video(path, _frames(rng, number % 2, active, wandering), None)
    return ActionVideo(path, LABELS[number % 2], active, frozenset())


def _frames(
    rng: np.random.Generator, which: int, active: frozenset[int], wandering: frozenset[int]
) -> Iterator[npt.NDArray[np.uint8]]:
    coarse = rng.integers(90, 150, (HEIGHT_PX // 4, WIDTH_PX // 4, 1))
    background = np.repeat(np.repeat(np.repeat(coarse, 4, 0), 4, 1), 3, 2).astype(np.uint8)
    pattern = rng.integers(-25, 25, (LARGEST_PX // 4, LARGEST_PX // 4, 1)).repeat(4, 0).repeat(4, 1)
    for clip in range(CLIPS):
        side = int(rng.integers(SMALLEST_PX, LARGEST_PX + 1))
        for step in range(CLIP_FRAMES):
            picture = background.copy()
            far = 6 * step
            if clip in active:
                left, top = (16 + far, 24) if which == 0 else (40, far)
                paint(picture, left, top, pattern[:side, :side], COLOURS[which])
            elif clip in wandering:
                paint(picture, 16 + far, far, pattern[:side, :side], (120, 120, 120))
            yield picture
