"""What is drawn of the videos at each step: clips, frames, pairs, and how they are cut and mirrored.

Everything is drawn by a generator that is seeded with the run's seed, the epoch and the video's number, so a visit is
the same whoever makes it: a run that was stopped, or one process of several, draws what the whole run would have.

Under SAL-CL and SAL-RANK the clips of a visit are spread over f's opinion: the clips are put in order of surety,
cut into as many equal parts as clips are drawn, and one is drawn of each. Few clips of a long video are salient, and
plain draws would miss them at most visits. Under AC clips are drawn evenly: every clip bears the video's label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import grid_sample

from ..samplers.card import Objective, Stream
from ..samplers.inputs import Inputs
from .options import TrainingOptions

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class View:
    """How the pictures of each clip of a visit are cut (num_clips,) each."""

    mirrored: npt.NDArray[np.bool_]
    """Whether left is right (num_clips,)."""
    zoom: npt.NDArray[np.float64]
    """Enlargement (num_clips,), at least 1."""
    across: npt.NDArray[np.float64]
    """Where the cut lies (num_clips,), 0 (left) to 1 (right)."""
    down: npt.NDArray[np.float64]
    """Where the cut lies (num_clips,), 0 (top) to 1 (bottom)."""
    speed: npt.NDArray[np.float64]
    """By what displacements are multiplied (num_clips,), above 0."""


@dataclass(frozen=True, eq=False)
class Visit:
    """What is drawn of one video at one step."""

    clips: Indices
    """Which clips (num_clips,), different ones, in order of time."""
    frames: npt.NDArray[np.float64]
    """Which frame of each clip (num_clips, num_frames), as a share of those it has, 0 to 1 (1 excluded)."""
    view: View


def generator(*seeds: int) -> np.random.Generator:
    """A generator of its own for each combination of numbers.

    Args:
        seeds: The run's seed, the epoch, the video's number ...; at least 0 each.

    Returns:
        The generator.
    """
    return np.random.default_rng(seeds)


def draw_visit(
    surety: npt.NDArray[np.float64],
    eligible: Indices,
    objective: Objective,
    options: TrainingOptions,
    rng: np.random.Generator,
) -> Visit:
    """Draw clips and frames of one video.

    Args:
        surety: f's probability of the true class, of each clip of the video (num_clips,).
        eligible: The clips that can be drawn (n,): those that have something of every stream; at least one.
        objective: What is trained.
        options: How many, and how they are cut.
        rng: Draws.

    Returns:
        The visit; fewer clips than asked for where fewer are eligible.
    """
    count = min(options.clips_per_video, len(eligible))
    if objective == "ac":
        clips = rng.choice(eligible, count, replace=False)
    else:
        ordered = eligible[np.argsort(surety[eligible], kind="stable")]
        edges = np.linspace(0, len(ordered), count + 1).astype(np.int64)
        clips = ordered[rng.integers(edges[:-1], edges[1:])]
    mirrored = rng.random(count) < 0.5 if options.flip else np.zeros(count, dtype=np.bool_)
    return Visit(
        clips=np.sort(clips),
        frames=rng.random((count, options.frames_per_visit)),
        view=View(
            mirrored=mirrored,
            zoom=1 + (options.zoom - 1) * rng.random(count),
            across=rng.random(count),
            down=rng.random(count),
            speed=options.speed ** (2 * rng.random(count) - 1),
        ),
    )


def take_frames(inputs: Sequence[Inputs], visit: Visit) -> torch.Tensor:
    """The drawn frames of the drawn clips.

    Args:
        inputs: Of every clip of the video (n, C, h, w), all of one h and w; n > 0 for the drawn ones.
        visit: What was drawn.

    Returns:
        float32 (num_clips, num_frames, C, h, w).
    """
    rows = [
        inputs[clip][(shares * len(inputs[clip])).astype(np.int64)]
        for clip, shares in zip(visit.clips.tolist(), visit.frames, strict=True)
    ]
    return torch.from_numpy(np.stack(rows))


def cut(frames: torch.Tensor, stream: Stream, view: View, size: tuple[int, int]) -> torch.Tensor:
    """Enlarge, cut and mirror pictures; sound is left as it is.

    All frames of a clip are treated the same. Displacements grow with the picture, and point the other way across
    where it is mirrored.

    Args:
        frames: float32 (num_clips, num_frames, C, h, w), not normalised.
        stream: What they are of.
        view: How each clip is cut.
        size: (h', w') wanted, no larger than (h, w).

    Returns:
        float32 (num_clips, num_frames, C, h', w').
    """
    if stream == "audio":
        return frames
    clips, count, channels, height, width = frames.shape
    zoom = torch.from_numpy(view.zoom).float()
    sign = torch.from_numpy(np.where(view.mirrored, -1.0, 1.0)).float()
    # The cut's half width and middle on grid_sample's axis, which runs from -1 to 1 over the whole picture.
    half_w, half_h = size[1] / width / zoom, size[0] / height / zoom
    across = (2 * torch.from_numpy(view.across).float() - 1) * (1 - half_w)
    down = (2 * torch.from_numpy(view.down).float() - 1) * (1 - half_h)
    xs = across[:, None] + (sign * half_w)[:, None] * _places(size[1])
    ys = down[:, None] + half_h[:, None] * _places(size[0])
    shape = (clips, *size)
    grid = torch.stack([xs[:, None, :].expand(shape), ys[:, :, None].expand(shape)], dim=3)
    flat = frames.reshape(clips, count * channels, height, width)
    found = grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    found = found.reshape(clips, count, channels, *size)
    if stream == "md":
        larger = zoom * torch.from_numpy(view.speed).float()
        found = found * larger[:, None, None, None, None]
        found[:, :, 0] *= sign[:, None, None, None]
    return found


def _places(count: int) -> torch.Tensor:
    """The middles of equal parts of the axis from -1 to 1 (count,)."""
    return (2 * torch.arange(count).float() + 1) / count - 1


def common_size(shapes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The largest picture that can be cut from all.

    Args:
        shapes: (h, w) of each.

    Returns:
        (h, w).
    """
    return min(h for h, _ in shapes), min(w for _, w in shapes)
