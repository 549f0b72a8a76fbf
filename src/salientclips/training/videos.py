"""The videos of a training run as the loop needs them: what f says of each clip, and what the networks are shown.

Inputs are made of the features once. They are kept in memory as long as they fit a budget, and beyond it in files
that are mapped into memory. At 14 cells a clip of four frames takes 21 KB for MD and RGB-R together (4:3 pictures)
and 32 KB for sound, so 2 GiB hold eleven hours of video in clips of a second. The files are written anew by each run:
nothing from an earlier one is believed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..cache.stills import Shown
from ..cache.types import VideoFeatures
from ..samplers.card import Stream
from ..samplers.inputs import Inputs, stream_input
from ..whole_file import write_atomically
from .targets import Targets

BUDGET_BYTES = 2 << 30
"""Inputs kept in memory."""

Look = Callable[[str, VideoFeatures], Shown]
"""What a front says of the I-frames of a video, by the video's name and features."""


@dataclass(frozen=True, eq=False)
class Held:
    """The inputs of one stream of one video."""

    counts: npt.NDArray[np.int64]
    """Frames of each clip (num_clips,); 0 where a clip has nothing of the stream."""
    frames: Inputs | Path
    """All frames, clip after clip, float32 (sum of counts, C, h, w), or the file that holds them. Where a front has
    looked, what it says stands for each: (sum of counts, C, 1, 1)."""

    def clips(self) -> tuple[Inputs, ...]:
        """The frames of each clip: float32 (n, C, h, w), all of one h and w."""
        frames = self.frames if isinstance(self.frames, np.ndarray) else np.load(self.frames, mmap_mode="r")
        return tuple(np.split(frames, np.cumsum(self.counts)[:-1]))


@dataclass(frozen=True, eq=False)
class TrainingVideo:
    """One video, ready."""

    path: Path
    """The file."""
    name: str
    """What tells its content and its features from any other's; goes into the names of checkpoints."""
    targets: Targets
    middles: npt.NDArray[np.float64]
    """Where the middle of each clip lies, as a share of the video's length (num_clips,)."""
    probabilities: npt.NDArray[np.float32]
    """What f says (num_clips, num_classes)."""
    held: dict[Stream, Held] = field(repr=False)
    """What the networks are shown."""

    def eligible(self, streams: Sequence[Stream]) -> npt.NDArray[np.int64]:
        """The clips that can be learned from.

        Args:
            streams: What is trained.

        Returns:
            Indices (n,) of the clips that have something of every one of the streams, in order of time.
        """
        return np.flatnonzero(np.all([self.held[stream].counts > 0 for stream in streams], axis=0))


@dataclass
class InputKeeper:
    """Makes inputs of features and keeps them, in memory or in files."""

    streams: tuple[Stream, ...]
    """What is shown."""
    short_side_cells: int
    """At which size."""
    folder: Path
    """Where files go."""
    budget_bytes: int = BUDGET_BYTES
    """How much is kept in memory."""
    look: Look | None = None
    """What looks at I-frames before the network that is trained; None where that network sees pictures."""

    def keep(self, name: str, features: VideoFeatures) -> dict[Stream, Held]:
        """Make the inputs of a video.

        Args:
            name: The video's name, for a file.
            features: Its features.

        Returns:
            What each network is shown.
        """
        return {stream: self._keep(name, stream, features) for stream in self.streams}

    def _keep(self, name: str, stream: Stream, features: VideoFeatures) -> Held:
        if stream == "if" and self.look is not None:
            shown = self.look(name, features)
            return Held(shown.counts, shown.said[shown.places][:, :, None, None])
        found = [
            stream_input(clip, stream, short_side_cells=self.short_side_cells) for clip in features.clips
        ]
        shapes = [one.shape[2:] for one in found if len(one)]
        # A video whose picture size changes half way: clips of the rarer shape are left out of training.
        usual = max(dict.fromkeys(shapes), key=shapes.count) if shapes else None
        kept = [one if one.shape[2:] == usual else one[:0] for one in found]
        counts = np.array([len(one) for one in kept], dtype=np.int64)
        frames = np.concatenate([one for one in kept if len(one)] or found[:1])
        if frames.nbytes <= self.budget_bytes:
            self.budget_bytes -= frames.nbytes
            return Held(counts, frames)
        path = self.folder / f"{name}-{stream}-{self.short_side_cells}.npy"
        buffer = io.BytesIO()
        np.save(buffer, frames)
        write_atomically(path, buffer.getvalue())
        return Held(counts, path)


def channel_statistics(
    videos: Iterable[TrainingVideo], stream: Stream
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each input channel over all frames.

    Args:
        videos: The training videos; at least one frame among them.
        stream: Which network.

    Returns:
        Means and deviations (num_channels,) each, in the feature's unit; a deviation is 1 where a channel never
        changes.
    """
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for video in videos:
        for one in video.held[stream].clips():
            if len(one) == 0:
                continue
            exact = one.astype(np.float64)
            count += one.size // one.shape[1]
            total = total + exact.sum(axis=(0, 2, 3))
            squares = squares + np.square(exact).sum(axis=(0, 2, 3))
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    deviation[deviation < 1e-6] = 1.0
    return tuple(map(float, mean)), tuple(map(float, deviation))
