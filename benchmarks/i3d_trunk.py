"""What I3D says of every clip of a set before its last two blocks, kept, so that those can be tuned in minutes.

    PYTHONPATH=src python -m benchmarks.i3d_trunk MANIFEST --weights i3d-kinetics-400.ckpt --out TRUNK
        --crop-px 128 [--splits train,validation,test] [--mirrored] [--workers 2]

Nearly all of the network's work is below ``Mixed_5b``: what comes out there, 832 channels at 2 x 4 x 4 places for 16
frames of 128 pixels, is a tenth of a megabyte a clip and stays as Kinetics taught it. :mod:`benchmarks.tune_i3d`
learns what comes after. ``TRUNK/NAME.npy`` has the clips of one video; what is there is not looked at again. With
``--mirrored`` the salient clips are looked at in a mirror, into ``TRUNK/NAME.mirrored.npy``: more to learn from.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.frozen import blank_clip, freeze
from benchmarks.side_by_side import side_by_side
from torch import nn

from salientclips.classifiers import ClipInput, load_classifier
from salientclips.classifiers.look import ClipLooker
from salientclips.classifiers.network import NetworkClassifier
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.datasets.spans import salient_clips
from salientclips.errors import SalientClipsError
from salientclips.media.demux import clip_grid, read_packets
from salientclips.timeline import ClipGrid
from salientclips.types import SelectedClip
from salientclips.whole_file import whole_file

TAIL = ("Mixed_5b", "Mixed_5c", "logits")
"""The modules that come after."""


@dataclass(frozen=True)
class Trunk:
    """I3D up to ``Mixed_5b``, as :class:`ClipLooker` takes a classifier."""

    name: str
    input: ClipInput
    labels: tuple[str, ...]
    network: nn.Module
    mirrored: bool = False
    """Whether clips are seen in a mirror."""

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """What the tail is given.

        Args:
            clips: float32 (B, 3, T, H, W).

        Returns:
            float32 (B, 832, T / 8, H / 32, W / 32).
        """
        seen = clips.flip(-1) if self.mirrored else clips
        with torch.inference_mode():
            return torch.cat([self.network(clip) for clip in torch.split(seen, 1)])


def i3d(weights: str, crop_px: int) -> NetworkClassifier:
    """I3D as it looks at the sets here: 16 frames in a row, a clip at a time.

    Args:
        weights: Kinetics' checkpoint.
        crop_px: Side of what it is shown, pixels.

    Returns:
        The classifier, on the CPU.
    """
    found = load_classifier(
        "i3d_rgb", weights=weights, frames=16, frame_step=1, crop_px=crop_px, device="cpu", threads=1
    )
    assert isinstance(found, NetworkClassifier)
    return found


def clips_at(grid: ClipGrid, indices: Iterable[int]) -> list[SelectedClip]:
    """Clips of a grid as :class:`ClipLooker` takes them.

    Args:
        grid: All clips of a video.
        indices: Which are wanted, increasing.

    Returns:
        They, in the same order.
    """
    return [SelectedClip(i + 1, i, grid.starts[i], grid.ends[i], 0.0) for i in indices]


def trunk_of(classifier: NetworkClassifier) -> Trunk:
    """The part of a network that is not tuned.

    Args:
        classifier: ``i3d_rgb``.

    Returns:
        Its modules before :data:`TAIL`, frozen by TorchScript.
    """
    spec = classifier.input
    modules = [module for name, module in classifier.network.named_children() if name not in TAIL]
    return Trunk(
        classifier.name, spec, classifier.labels, freeze(nn.Sequential(*modules).eval(), blank_clip(spec))
    )


def look(entry: Entry, trunk: Trunk, kept: Path) -> npt.NDArray[np.float32]:
    """What the trunk says of all clips of a video; in a mirror, of the salient ones.

    Args:
        entry: The video.
        trunk: The network's first part.
        kept: The ``.npy`` of this video; written where it is missing.

    Returns:
        float32 (num_clips, 832, T / 8, H / 32, W / 32), in the order of the grid; on the disk until it is read.

    Raises:
        SalientClipsError: The video cannot be read.
    """
    if not kept.exists():
        table = read_packets(entry.path)
        grid = clip_grid(table, trunk.input.clip_spec)
        salient = salient_clips(grid, entry.spans)
        wanted = np.flatnonzero(salient).tolist() if trunk.mirrored else range(len(grid))
        said = ClipLooker(entry.path, trunk, table).look(clips_at(grid, wanted))
        with whole_file(kept) as beside, beside.open("wb") as file:
            np.save(file, said)
    found: npt.NDArray[np.float32] = np.load(kept, mmap_mode="r")
    return found


def name_of(entry: Entry, *, mirrored: bool) -> str:
    """The file that a video's clips are kept in.

    Args:
        entry: The video.
        mirrored: Whether they are seen in a mirror.

    Returns:
        Its name in the folder.
    """
    return f"{entry.path.stem}{'.mirrored' if mirrored else ''}.npy"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--crop-px", type=int, default=128)
    parser.add_argument("--splits", default="train,validation,test")
    parser.add_argument("--mirrored", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    side_by_side(work, asked)


def work(asked: argparse.Namespace, place: int) -> None:
    """One process: every so-manieth video, split after split.

    Args:
        asked: The command line.
        place: Which process this is.
    """
    torch.set_num_threads(1)
    trunk = replace(trunk_of(i3d(asked.weights, asked.crop_px)), mirrored=asked.mirrored)
    entries = list(read_entries(asked.manifest))
    for split in asked.splits.split(","):
        wanted = [entry for entry in entries if entry.split == split and entry.path.exists()]
        for entry in wanted[place :: asked.workers]:
            try:
                said = look(entry, trunk, asked.out / name_of(entry, mirrored=asked.mirrored))
                print(entry.path.name, len(said), flush=True)
            except SalientClipsError as error:
                print(entry.path.name, error.message, flush=True)


if __name__ == "__main__":
    main()
