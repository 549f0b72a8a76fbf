"""What a front says of the I-frames of a video, computed once: :func:`load_or_show` is the front with a memory.

One I-frame stands for many clips, so pictures are shown once each, and clips name those that are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..samplers.front import Front
from ..samplers.inputs import without_repeats
from .store import Stored, Warn, key_of, load_or_none, save
from .types import VideoFeatures


@dataclass(frozen=True, eq=False)
class Shown:
    """What a front says of the I-frames of all clips."""

    said: npt.NDArray[np.float32]
    """Of each picture (num_pictures, channels)."""
    counts: npt.NDArray[np.int64]
    """I-frames of each clip (num_clips,)."""
    places: npt.NDArray[np.int64]
    """Which picture each of these is, clip after clip (sum of counts,)."""


def load_or_show(
    features: VideoFeatures,
    front: Front,
    short_side_cells: int,
    *,
    name: str,
    folder: Path,
    device: torch.device,
    warn: Warn | None = None,
) -> Shown:
    """What a front says of a video, from the cache where it is there.

    Args:
        features: The features of the video, I-frames among them.
        front: The front.
        short_side_cells: Shorter side at which it sees them, cells of 16 pixels.
        name: What tells these features from all others.
        folder: The cache.
        device: Where the front is computed.
        warn: Told of an entry that was damaged and is made again.

    Returns:
        What it says.
    """
    key = key_of(kind="stills", features=name, front=front.sha256, side=short_side_cells, device=device.type)
    entry = folder / "stills" / f"{key}.safetensors"
    stored = load_or_none(entry, warn)
    if stored is not None:
        return Shown(**stored.arrays)
    stills = [() if clip.iframes is None else clip.iframes for clip in features.clips]
    pictures, places = without_repeats([picture for clip in stills for picture in clip])
    counts = np.array([len(clip) for clip in stills], dtype=np.int64)
    shown = Shown(front.look(pictures, short_side_cells, device), counts, places)
    save(entry, Stored({"said": shown.said, "counts": counts, "places": places}, {}))
    return shown
