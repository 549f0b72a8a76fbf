"""Teaches I3D the actions of ``rendered``: its last two blocks and a new last layer; what is below stays Kinetics'.

    PYTHONPATH=src python -m benchmarks.i3d_trunk MANIFEST --weights i3d-kinetics-400.ckpt --out TRUNK
    PYTHONPATH=src python -m benchmarks.tune_i3d MANIFEST --weights i3d-kinetics-400.ckpt --trunk TRUNK --out OUT
        --opinions benchmarks/results/rendered-i3d-opinions.npz

A network that starts from nothing needs thousands of scenes and hours (``train_clips.py``); this one learns from the
salient clips of the set's own training videos in minutes, for :mod:`benchmarks.i3d_trunk` keeps what goes into these
blocks. Cross-entropy with smoothed labels, every class alike, AdamW, a rate that falls as half a cosine, dropout
before and after the blocks; the last layer begins as the logistic regression of :mod:`benchmarks.logistic`.

f knows its own training videos by heart, and a sampler that learns from what it says of them learns that. So what it
says of a training video is **said by another network**, made in the same way from the training videos of the other
parts (``--parts``). ``OUT`` has ``i3d.safetensors``, ``labels.txt`` for ``--weights`` and ``--labels`` of every
command, and ``validation.json``.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.i3d_trunk import TAIL, name_of
from benchmarks.logistic import fit_best
from benchmarks.opinions import Opinions, Remembered, save
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import cross_entropy, dropout

from salientclips.classifiers import load_classifier
from salientclips.classifiers.look import ClipLooker
from salientclips.classifiers.network import NetworkClassifier
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.datasets.spans import salient_clips
from salientclips.media.demux import clip_grid, read_packets
from salientclips.types import SelectedClip
from salientclips.whole_file import whole_file, write_text

BATCH = 32
PENALTIES = (0.03, 0.1, 0.3, 1.0)
"""Of the first last layer."""


@dataclass(frozen=True, eq=False)
class Video:
    """One video as the tail is shown it."""

    entry: Entry
    truth: int
    """Its class."""
    clips: npt.NDArray[np.float32]
    """What the trunk says of every clip (num_clips, 832, T / 8, H / 32, W / 32); on the disk until it is read."""
    mirrored: npt.NDArray[np.float32] | None
    """The same of the salient clips in a mirror; None where it was not looked at."""
    salient: npt.NDArray[np.bool_]
    """Which clips lie at least half in a span (num_clips,)."""


class Tail(nn.Module):
    """The blocks after the trunk, and a last layer.

    Args:
        network: I3D, of which the blocks are copied.
        num_classes: Of the last layer.
    """

    def __init__(self, network: nn.Module, num_classes: int) -> None:
        super().__init__()
        blocks = [copy.deepcopy(network.get_submodule(name)) for name in TAIL[:-1]]
        # Batch norms keep Kinetics' statistics: a batch of ours is small and of few scenes.
        self.blocks = nn.Sequential(*blocks).eval().requires_grad_(True)
        self.last = nn.Linear(1024, num_classes)

    def features(self, clips: torch.Tensor) -> torch.Tensor:
        """What the last layer is given.

        Args:
            clips: float32 (B, 832, T / 8, H / 32, W / 32), T / 8 = 2.

        Returns:
            float32 (B, 1024), the mean over all places, as I3D takes it.
        """
        found: torch.Tensor = self.blocks(clips).mean(dim=(2, 3, 4))
        return found

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of clips; while training with dropout.

        Args:
            clips: As for :meth:`features`.

        Returns:
            float32 (B, num_classes).
        """
        seen = self.features(dropout(clips, 0.1, self.training))
        found: torch.Tensor = self.last(dropout(seen, 0.5, self.training))
        return found

    def says(self, clips: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Class probabilities of clips.

        Args:
            clips: As for :meth:`features`.

        Returns:
            float32 (num_clips, num_classes).
        """
        self.eval()
        with torch.inference_mode():
            # Copied, for what lies on the disk cannot be written to, and torch warns of that.
            parts = [
                torch.softmax(self(torch.from_numpy(clips[at : at + 64].copy())), dim=1)
                for at in range(0, len(clips), 64)
            ]
        return torch.cat(parts).numpy()


def rows(videos: Sequence[Video], *, mirrored: bool) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The salient clips of videos, and their classes.

    Args:
        videos: At least one with a salient clip.
        mirrored: Whether those in a mirror are there too, as far as they are known.

    Returns:
        (n, 832, ...) and (n,).
    """
    parts = [(video.clips[video.salient], video.truth) for video in videos]
    if mirrored:
        parts += [(video.mirrored, video.truth) for video in videos if video.mirrored is not None]
    classes = [truth for clips, truth in parts for _ in clips]
    return np.concatenate([clips for clips, _ in parts]), np.array(classes, dtype=np.int64)


def tuned(
    network: nn.Module,
    training: Sequence[Video],
    validation: Sequence[Video],
    num_classes: int,
    asked: argparse.Namespace,
    batch: int = BATCH,
) -> Tail:
    """Learn from the salient clips of videos.

    Args:
        network: I3D with Kinetics' weights; it stays as it is.
        training: Every class has a salient clip in some.
        validation: Their loss chooses the penalty of the first last layer, and nothing else.
        num_classes: How many there are.
        asked: The command line.
        batch: Clips in one step.

    Returns:
        The tail.
    """
    torch.manual_seed(asked.seed)
    tail = Tail(network, num_classes)
    (clips, classes), held = rows(training, mirrored=True), rows(validation, mirrored=False)
    with torch.inference_mode():
        seen, seen_held = (
            torch.cat([tail.features(part) for part in torch.split(torch.from_numpy(of), 64)]).numpy()
            for of in (clips, held[0])
        )
    first, _, _ = fit_best((seen, classes), (seen_held, held[1]), num_classes, PENALTIES)
    tail.last.weight.data = torch.from_numpy(first.weight).float()
    tail.last.bias.data = torch.from_numpy(first.bias).float()
    rates = (asked.rate, 3 * asked.rate)
    optimiser = torch.optim.AdamW(
        [{"params": tail.blocks.parameters()}, {"params": tail.last.parameters()}], weight_decay=0.05
    )
    counts = np.bincount(classes, minlength=num_classes)
    weights = torch.from_numpy(counts.mean() / counts).float()
    inputs, truth = torch.from_numpy(clips), torch.from_numpy(classes)
    a_round = len(classes) // batch
    steps = asked.epochs * a_round
    tail.train()
    tail.blocks.eval()
    for step in range(steps):
        if step % a_round == 0:
            order = torch.randperm(len(classes))
        share = min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        chosen = order[step % a_round * batch :][:batch]
        loss = cross_entropy(tail(inputs[chosen]), truth[chosen], weights, label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return tail.eval()


def figures(said: Sequence[npt.NDArray[np.float32]], videos: Sequence[Video]) -> dict[str, float]:
    """How a network does on salient clips.

    Args:
        said: Class probabilities of all clips of each video.
        videos: They.

    Returns:
        ``clips``, ``accuracy`` of a clip, and of the mean over the salient clips of a video.
    """
    right, of_means = [], []
    for rows_, video in zip(said, videos, strict=True):
        salient = rows_[video.salient]
        right += (salient.argmax(axis=1) == video.truth).tolist()
        if len(salient):
            of_means.append(int(salient.mean(axis=0).argmax()) == video.truth)
    return {
        "clips": len(right),
        "accuracy": float(np.mean(right)),
        "accuracy_of_means_by_video": float(np.mean(of_means)),
    }


def part_of(entry: Entry, parts: int) -> int:
    """The part of a training video, by its group.

    Args:
        entry: The video.
        parts: How many there are.

    Returns:
        0 to ``parts`` - 1.
    """
    return int.from_bytes(hashlib.sha256(str(entry.group).encode()).digest()[:4], "big") % parts


def seconds_per_clip(entry: Entry, classifier: NetworkClassifier) -> dict[str, float]:
    """What looking at a clip takes, from the first 16 of one video.

    Args:
        entry: The video.
        classifier: f.

    Returns:
        ``decode``, ``prepare``, ``classifier``.
    """
    table = read_packets(entry.path)
    grid = clip_grid(table, classifier.input.clip_spec)
    clips = [SelectedClip(i + 1, i, grid.starts[i], grid.ends[i], 0.0) for i in range(min(16, len(grid)))]
    looker = ClipLooker(entry.path, classifier, table)
    looker.look(clips[:1])
    looker = ClipLooker(entry.path, classifier, table)
    looker.look(clips)
    return {part: seconds / len(clips) for part, seconds in looker.seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--trunk", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--opinions", type=Path, help="where to keep what f says of every clip")
    parser.add_argument("--crop-px", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    began = perf_counter()
    f = load_classifier(
        "i3d_rgb",
        weights=asked.weights,
        frames=16,
        frame_step=1,
        crop_px=asked.crop_px,
        device="cpu",
        threads=1,
    )
    assert isinstance(f, NetworkClassifier)
    entries = [e for e in read_entries(asked.manifest) if (asked.trunk / name_of(e, mirrored=False)).exists()]
    labels = tuple(sorted({entry.labels[0] for entry in entries}))
    videos = [video_of(entry, f, labels, asked.trunk) for entry in entries]
    training = [video for video in videos if video.entry.split == "train"]
    validation = [video for video in videos if video.entry.split == "validation"]
    tail = tuned(f.network, training, validation, len(labels), asked)
    report = {
        "videos": len(training),
        "validation": figures([tail.says(v.clips) for v in validation], validation),
    }
    print(json.dumps(report), f"{perf_counter() - began:.0f} s", flush=True)
    whole = assembled(f, tail, labels)
    check_whole(whole, videos[0], tail)
    asked.out.mkdir(parents=True, exist_ok=True)
    with whole_file(asked.out / "i3d.safetensors") as beside:
        save_file({name: tensor.contiguous() for name, tensor in whole.network.state_dict().items()}, beside)
    write_text(asked.out / "labels.txt", "".join(f"{label}\n" for label in labels))
    if asked.opinions is not None:
        said = {v.entry.path.stem: tail.says(v.clips) for v in videos if v.entry.split != "train"}
        for part in range(asked.parts):
            others = [v for v in training if part_of(v.entry, asked.parts) != part]
            own = [v for v in training if part_of(v.entry, asked.parts) == part]
            other = tuned(f.network, others, validation, len(labels), asked)
            said |= {v.entry.path.stem: other.says(v.clips) for v in own}
            print(f"part {part}", figures([said[v.entry.path.stem] for v in own], own), flush=True)
        report["training, by other networks"] = figures([said[v.entry.path.stem] for v in training], training)
        digest = hashlib.sha256(b"".join(said[name].tobytes() for name in sorted(said))).hexdigest()[:8]
        known = Remembered(f"i3d_rgb@{digest}", whole.input, labels)
        save(Opinions(known, seconds_per_clip(validation[0].entry, f), said), asked.opinions)
    write_text(asked.out / "validation.json", json.dumps(report, indent=1) + "\n")
    print(json.dumps(report), f"{perf_counter() - began:.0f} s")


def video_of(entry: Entry, f: NetworkClassifier, labels: tuple[str, ...], trunk: Path) -> Video:
    """A video whose clips the trunk has seen.

    Args:
        entry: The video.
        f: I3D, for how long a clip is.
        labels: All classes.
        trunk: Where :mod:`benchmarks.i3d_trunk` wrote.

    Returns:
        It.
    """
    grid = clip_grid(read_packets(entry.path), f.input.clip_spec)
    own, other = (trunk / name_of(entry, mirrored=mirrored) for mirrored in (False, True))
    return Video(
        entry,
        labels.index(entry.labels[0]),
        np.load(own, mmap_mode="r"),
        np.load(other, mmap_mode="r") if other.exists() else None,
        salient_clips(grid, entry.spans),
    )


def assembled(f: NetworkClassifier, tail: Tail, labels: tuple[str, ...]) -> NetworkClassifier:
    """I3D with what was learned.

    Args:
        f: With Kinetics' weights; its network is changed.
        tail: What was learned.
        labels: The classes of its last layer.

    Returns:
        f as every command knows it.
    """
    for name, block in zip(TAIL[:-1], tail.blocks, strict=True):
        f.network.get_submodule(name).load_state_dict(block.state_dict())
    head = nn.Conv3d(1024, len(labels), 1)
    head.weight.data = tail.last.weight.data.reshape(len(labels), 1024, 1, 1, 1)
    head.bias = nn.Parameter(tail.last.bias.data)
    f.network.get_submodule(TAIL[-1]).conv3d = head
    return replace(f, labels=labels)


def check_whole(whole: NetworkClassifier, video: Video, tail: Tail) -> None:
    """Ask the whole network about some clips: it has to say what trunk and tail say.

    Args:
        whole: f.
        video: Any.
        tail: What was learned.

    Raises:
        AssertionError: It does not.
    """
    table = read_packets(video.entry.path)
    grid = clip_grid(table, whole.input.clip_spec)
    clips = [SelectedClip(i + 1, i, grid.starts[i], grid.ends[i], 0.0) for i in range(2)]
    said = ClipLooker(video.entry.path, whole, table).look(clips)
    np.testing.assert_allclose(said, tail.says(video.clips[:2]), atol=1e-3)


if __name__ == "__main__":
    main()
