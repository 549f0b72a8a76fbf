"""Made-up videos whose salient clips are known, and a small classifier that is sure on just these.

Helper of the tests, not a test. A coloured square on a still background is the action: red ones go across, green ones
go down, each with a tone of its own pitch. A video shows it in some clips; in others a grey square wanders, which
means nothing. In a video of the kind ``together`` the square moves and sounds in the same clips. In one of the kind
``apart`` it moves silently in four clips, and stands still with its tone in another: pictures tell of the first,
sound of the second, and the classifier is sure on all five, for it sees the colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import numpy.typing as npt
import torch

from salientclips.classifiers import ClipInput
from salientclips.datasets.manifest import Entry, Split

LABELS = ("across", "down", "nothing")
CLIPS, CLIP_FRAMES, RATE_HZ = 16, 8, 25
WIDTH_PX, HEIGHT_PX, SIDE_PX = 128, 96, 32
SOUND_HZ = 16000
PITCH_HZ = (500.0, 2000.0)
COLOURS = ((200, 40, 40), (40, 180, 40))

Kind = Literal["together", "apart"]


@dataclass(frozen=True)
class ActionVideo:
    """One made-up video and its truth."""

    path: Path
    label: str
    seen: frozenset[int]
    """Clips in which the square moves."""
    heard: frozenset[int]
    """Clips with its tone."""

    @property
    def salient(self) -> frozenset[int]:
        """Clips that show the action in any way."""
        return self.seen | self.heard

    def entry(self, split: Split | None = None, *, labelled: bool = True) -> Entry:
        """A row of a manifest."""
        return Entry(self.path, (self.label,) if labelled else (), split=split)


class ColourClassifier:
    """Sure of "across" where it sees red, of "down" where it sees green; else it leans to "nothing"."""

    name = "colour"
    labels = LABELS
    input = ClipInput(4, 2, (HEIGHT_PX, WIDTH_PX), HEIGHT_PX, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), gflops=0.1)

    def __init__(self) -> None:
        self.looked_at = 0

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Probabilities (B, 3) from clips (B, 3, T, H, W)."""
        self.looked_at += len(clips)
        red, green, blue = clips.mean(dim=2).unbind(1)
        rows = []
        for is_red, is_green in zip(
            ((red - green) > 0.15).flatten(1).sum(1) > 200,
            ((green - torch.maximum(red, blue)) > 0.15).flatten(1).sum(1) > 200,
            strict=True,
        ):
            row = [0.9, 0.05, 0.05] if is_red else [0.05, 0.9, 0.05] if is_green else [0.3, 0.3, 0.4]
            rows.append(row)
        return torch.tensor(rows, dtype=torch.float32)


def make_action_videos(folder: Path, kind: Kind, count: int, *, with_sound: bool = True) -> list[ActionVideo]:
    """Write videos, half of each class."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_make(folder / f"{kind}{i}.mp4", kind, i, with_sound) for i in range(count)]


def _make(path: Path, kind: Kind, number: int, with_sound: bool) -> ActionVideo:
    rng = np.random.default_rng([number, kind == "apart"])
    which = number % 2
    if kind == "together":
        start = int(rng.integers(1, CLIPS - 4))
        seen = heard = frozenset(range(start, start + 3))
    else:
        start = int(rng.integers(4, CLIPS - 5))
        seen, heard = frozenset(range(start, start + 4)), frozenset({int(rng.integers(0, 3))})
    free = [i for i in range(CLIPS) if i not in seen | heard]
    wandering = {int(i) for i in rng.choice(free, 3, replace=False)}
    frames = _frames(rng, which, seen, heard, wandering)
    write_video(path, frames, _sound(rng, which, heard, wandering) if with_sound else None)
    return ActionVideo(path, LABELS[which], seen, heard if with_sound else frozenset())


def _frames(
    rng: np.random.Generator, which: int, seen: frozenset[int], heard: frozenset[int], wandering: set[int]
) -> Iterator[npt.NDArray[np.uint8]]:
    coarse = rng.integers(90, 150, (HEIGHT_PX // 4, WIDTH_PX // 4, 1))
    background = np.repeat(np.repeat(np.repeat(coarse, 4, 0), 4, 1), 3, 2).astype(np.uint8)
    pattern = rng.integers(-25, 25, (SIDE_PX // 4, SIDE_PX // 4, 1)).repeat(4, 0).repeat(4, 1)
    for clip in range(CLIPS):
        for step in range(CLIP_FRAMES):
            picture = background.copy()
            far = 8 * step
            if clip in seen:
                left, top = (16 + far, 32) if which == 0 else (48, far)
                paint(picture, left, top, pattern, COLOURS[which])
            elif clip in heard:
                paint(picture, 48, 32, pattern, COLOURS[which])
            elif clip in wandering:
                paint(picture, 16 + far, far, pattern, (120, 120, 120))
            yield picture


def paint(
    picture: npt.NDArray[np.uint8],
    left: int,
    top: int,
    pattern: npt.NDArray[np.int64],
    colour: Sequence[int],
) -> None:
    """Put a square into a picture; what lies beyond its edge is cut."""
    square = np.clip(np.array(colour) + pattern, 0, 255).astype(np.uint8)
    place = picture[top : top + len(square), left : left + len(square)]
    place[:] = square[: place.shape[0], : place.shape[1]]


def _sound(
    rng: np.random.Generator, which: int, heard: frozenset[int], rustling: set[int]
) -> npt.NDArray[np.float32]:
    """The tone where it belongs, and noise as loud where the grey square wanders."""
    count = CLIPS * CLIP_FRAMES * SOUND_HZ // RATE_HZ
    times = np.arange(count) / SOUND_HZ
    clip = np.minimum((times * RATE_HZ / CLIP_FRAMES).astype(np.int64), CLIPS - 1)
    tone = 0.4 * np.sin(2 * np.pi * PITCH_HZ[which] * times) * np.isin(clip, sorted(heard))
    level = np.where(np.isin(clip, sorted(rustling)), 0.3, 0.01)
    sound: npt.NDArray[np.float32] = (tone + level * rng.standard_normal(count)).astype(np.float32)
    return sound


def write_video(
    path: Path, frames: Iterator[npt.NDArray[np.uint8]], sound: npt.NDArray[np.float32] | None
) -> None:
    """Encode pictures and, where there is any, sound."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        video.codec_context.gop_size = 12
        video.codec_context.thread_count = 1
        audio = None if sound is None else output.add_stream("aac", rate=SOUND_HZ, layout="mono")
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if audio is not None and sound is not None:
            for at in range(0, len(sound), 1024):
                block = np.ascontiguousarray(sound[None, at : at + 1024])
                piece = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = SOUND_HZ, at, Fraction(1, SOUND_HZ)
                output.mux(audio.encode(piece))
            output.mux(audio.encode(None))
