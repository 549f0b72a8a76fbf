"""What a network says before its last layer, for the clips of labelled videos that a new last layer learns from.

Which clips: those that lie at least half in a true span have their video's label; those that touch none have the
label given for what is outside, or are not used where none is given, as classifiers of actions never see "nothing".
Clips that touch a span by less than half are neither. Of a video without spans all clips are outside. A long video
gives its clips in spans, and so many of the others, evenly spread, that there are ``most`` in all.

Features are kept a file a video, so that a run may be stopped, or meet more videos the next time.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from salientclips.cache.predictions import identity
from salientclips.classifiers.look import ClipLooker
from salientclips.classifiers.network import NetworkClassifier
from salientclips.classifiers.protocol import ClipInput
from salientclips.datasets.manifest import Entry
from salientclips.datasets.spans import share_in_spans
from salientclips.media.demux import clip_grid, read_packets
from salientclips.media.fingerprint import fingerprint
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import PacketTable, SelectedClip
from salientclips.whole_file import whole_file

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LabelledClip:
    """One clip and what it shows."""

    start: Fraction
    """Seconds on the timeline."""
    end: Fraction
    """Seconds on the timeline, not included."""
    label: str


@dataclass(frozen=True)
class Choice:
    """Which clips of a video are learned from."""

    outside: str | None = None
    """Label of clips outside all spans; None where they are not used."""
    most: int = 12
    """Clips a video at most, but for those in spans."""
    phases: int = 1
    """How many grids a video has, each shifted by a part of a clip: 2 for a second one, half a clip later."""


def labelled_clips(entry: Entry, grid: ClipGrid, choice: Choice) -> list[LabelledClip]:
    """The clips of one grid that are learned from.

    Args:
        entry: The video, its label and its spans.
        grid: Its clips.
        choice: Which of them.

    Returns:
        In order of time.
    """
    shares = share_in_spans(grid, entry.spans)
    inside = [i for i, share in enumerate(shares) if 2 * share >= 1]
    outside = [i for i, share in enumerate(shares) if share == 0] if choice.outside is not None else []
    room = max(0, choice.most - len(inside))
    kept = {outside[(2 * j + 1) * len(outside) // (2 * room)] for j in range(room)} if outside else set()
    label = {**dict.fromkeys(kept, choice.outside), **dict.fromkeys(inside, entry.labels[0])}
    return [LabelledClip(grid.starts[i], grid.ends[i], str(label[i])) for i in sorted(label)]


def clips_of(entry: Entry, table: PacketTable, spec: ClipSpec, choice: Choice) -> list[LabelledClip]:
    """The clips of a video that are learned from, on the usual grid and on those shifted against it.

    Args:
        entry: The video.
        table: Its packets.
        spec: The length of a clip.
        choice: Which clips.

    Returns:
        In order of time.
    """
    grid, found = clip_grid(table, spec), []
    for phase in range(choice.phases):
        # Only whole clips: the one before the last ends where the last would begin.
        pairs = (
            zip(grid.starts, grid.ends, strict=True) if phase == 0 else _shifted(grid, phase, choice.phases)
        )
        found += labelled_clips(entry, ClipGrid.from_spans(pairs), choice)
    return sorted(found, key=lambda clip: clip.start)


def _shifted(grid: ClipGrid, phase: int, phases: int) -> list[tuple[Fraction, Fraction]]:
    return [
        (a + (b - a) * phase / phases, b + (c - b) * phase / phases)
        for a, b, c in zip(grid.starts, grid.ends, grid.ends[1:], strict=False)
    ]


@dataclass(frozen=True)
class Backbone:
    """A classifier without its last layer, as :class:`ClipLooker` takes it: clips to features."""

    name: str
    """Tells it from every other, weights and input included."""
    input: ClipInput
    labels: tuple[str, ...]
    network: Callable[[torch.Tensor], torch.Tensor]
    """float32 (1, 3, T, H, W) to (1, num_features)."""
    mirrored: bool = False
    """Whether clips are seen in a mirror."""

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Features of clips.

        Args:
            clips: float32 (B, 3, T, H, W).

        Returns:
            float32 (B, num_features).
        """
        seen = clips.flip(-1) if self.mirrored else clips
        with torch.inference_mode():
            return torch.cat([self.network(clip) for clip in torch.split(seen, 1)])


def i3d_backbone(classifier: NetworkClassifier) -> Backbone:
    """I3D without its last layer, frozen by TorchScript.

    The last layer is linear at every place, and the mean over places follows it; so the mean can as well go first,
    and 1024 numbers a clip are all that another last layer needs.

    Args:
        classifier: ``i3d_rgb``; left without its last layer.

    Returns:
        Clips to 1024 features.
    """
    name, spec = identity(classifier), classifier.input
    network = classifier.network
    network.logits = nn.Identity()
    example = torch.zeros(1, 3, spec.frames, spec.crop_px, spec.crop_px)
    return Backbone(name, spec, classifier.labels, freeze(network, example))


def freeze(network: nn.Module, example: torch.Tensor) -> torch.jit.ScriptModule:
    """A network that runs faster on a CPU and says the same to a small rounding.

    Args:
        network: In eval mode.
        example: An input; later ones have its shape.

    Returns:
        It with its batch norms folded into its convolutions.
    """
    with warnings.catch_warnings():
        # TorchScript is deprecated, and there is nothing yet that folds and prepacks without a compiler.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, example)  # type: ignore[no-untyped-call]
        return torch.jit.optimize_for_inference(torch.jit.freeze(traced))


@dataclass(frozen=True)
class VideoFeatures:
    """What is known of the clips of one video."""

    features: Array
    """(num_clips, num_features)."""
    labels: tuple[str, ...]
    """Of each clip."""


def load_or_read(entry: Entry, backbone: Backbone, choice: Choice, folder: Path) -> VideoFeatures:
    """The features of a video's clips, from the cache where they are there.

    Args:
        entry: The video; labels are not cached, so spans and labels may change.
        backbone: The network.
        choice: Which clips.
        folder: The cache; made where it is missing.

    Returns:
        Features and labels.

    Raises:
        SalientClipsError: The video cannot be read.
    """
    table = read_packets(entry.path)
    clips = clips_of(entry, table, backbone.input.clip_spec, choice)
    key = json.dumps([asdict(fingerprint(entry.path)), backbone.name, backbone.mirrored])
    file = folder / f"{entry.path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    known = _read(file)
    missing = [clip for clip in clips if _name(clip) not in known]
    if missing:
        looker = ClipLooker(entry.path, backbone, table)
        said = looker.look([SelectedClip(1, 0, clip.start, clip.end, 0.0) for clip in missing])
        known |= {_name(clip): row for clip, row in zip(missing, said, strict=True)}
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as beside:
            save_arrays(beside, known)
    rows = [known[_name(clip)] for clip in clips]
    features = np.stack(rows) if rows else np.zeros((0, 0), np.float32)
    return VideoFeatures(features, tuple(clip.label for clip in clips))


def save_arrays(file: Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Write arrays by their names as ``.npz``.

    Args:
        file: Where.
        arrays: By name; ``file`` and ``allow_pickle`` are no names, for they mean something else to numpy.
    """
    np.savez(file, **arrays)  # type: ignore[arg-type]


def _name(clip: LabelledClip) -> str:
    return f"{clip.start}~{clip.end}".replace("/", ":")


def _read(file: Path) -> dict[str, Array]:
    if not file.exists():
        return {}
    with np.load(file) as stored:
        return {name: stored[name] for name in stored.files}
