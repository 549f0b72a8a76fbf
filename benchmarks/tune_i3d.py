"""Teaches I3D the classes of a set: its last two blocks and a new last layer; what is below stays Kinetics'.

    PYTHONPATH=src python -m benchmarks.i3d_trunk MANIFEST --weights i3d-kinetics-400.ckpt --out TRUNK
    PYTHONPATH=src python -m benchmarks.tune_i3d MANIFEST --weights i3d-kinetics-400.ckpt --trunk TRUNK --out OUT
        --opinions benchmarks/results/rendered-i3d-opinions.npz [--outside noFight] [--epochs 0]

A network that starts from nothing needs thousands of scenes and hours (``train_clips.py``); this one learns from the
set's own training videos in minutes, for :mod:`benchmarks.i3d_trunk` keeps what goes into these blocks. Clips that
lie at least half in a span have their video's label; those that touch none have the label ``--outside``, or are not
used where there is none, as classifiers of actions never see "nothing". Cross-entropy with smoothed labels, every
class alike, AdamW, a rate that falls as half a cosine, dropout before and after the blocks; the last layer begins as
the logistic regression of :mod:`benchmarks.logistic`, and with ``--epochs 0`` stays it.

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
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from benchmarks.i3d_tail import Recipe, Tail, Video, figures, says, tuned
from benchmarks.i3d_trunk import TAIL, clips_at, i3d, name_of
from benchmarks.opinions import Opinions, Remembered, save
from safetensors.torch import save_file
from torch import nn

from salientclips.classifiers.look import ClipLooker
from salientclips.classifiers.network import NetworkClassifier
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.datasets.spans import share_in_spans
from salientclips.media.demux import clip_grid, read_packets
from salientclips.whole_file import whole_file, write_text


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
    clips = clips_at(grid, range(min(16, len(grid))))
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
    parser.add_argument("--outside", help="class of clips outside all spans; without it they are not used")
    parser.add_argument("--crop-px", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    began = perf_counter()
    f = i3d(asked.weights, asked.crop_px)
    entries = list(read_entries(asked.manifest))
    labels = tuple(sorted({entry.labels[0] for entry in entries}))
    videos = [video_of(entry, f, labels, asked.trunk, asked.outside) for entry in entries]
    training = [v for v in videos if v.entry.split == "train" and v.is_known]
    validation = [v for v in videos if v.entry.split == "validation" and v.clips is not None]
    recipe = Recipe(asked.epochs, asked.rate, asked.seed)
    tail = tuned(f.network, training, validation, len(labels), recipe)
    report: dict[str, object] = {
        "crop_px": asked.crop_px,
        "outside": asked.outside,
        "recipe": asdict(recipe),
        "videos": {"train": len(training), "validation": len(validation)},
        "validation": figures([says(tail, video) for video in validation], validation),
    }
    print(json.dumps(report), f"{perf_counter() - began:.0f} s", flush=True)
    whole = assembled(f, tail, labels)
    check_whole(whole, validation[0], tail)
    asked.out.mkdir(parents=True, exist_ok=True)
    with whole_file(asked.out / "i3d.safetensors") as beside:
        save_file({name: tensor.contiguous() for name, tensor in whole.network.state_dict().items()}, beside)
    write_text(asked.out / "labels.txt", "".join(f"{label}\n" for label in labels))
    if asked.opinions is not None:
        asked_of = [video for video in videos if video.clips is not None]
        said = {v.entry.path.stem: says(tail, v) for v in asked_of if v.entry.split != "train"}
        for part in range(asked.parts):
            own = [v for v in training if part_of(v.entry, asked.parts) == part and v.clips is not None]
            others = [v for v in training if part_of(v.entry, asked.parts) != part]
            other = tuned(f.network, others, validation, len(labels), recipe)
            said |= {video.entry.path.stem: says(other, video) for video in own}
            found = figures([said[video.entry.path.stem] for video in own], own)
            report[f"training, part {part}, by another network"] = found
            print(part, found, f"{perf_counter() - began:.0f} s", flush=True)
        digest = hashlib.sha256(b"".join(said[name].tobytes() for name in sorted(said))).hexdigest()[:8]
        known = Remembered(f"i3d_rgb@{digest}", whole.input, labels)
        save(Opinions(known, seconds_per_clip(validation[0].entry, whole), said), asked.opinions)
    write_text(asked.out / "validation.json", json.dumps(report, indent=1) + "\n")


def video_of(
    entry: Entry, f: NetworkClassifier, labels: tuple[str, ...], trunk: Path, outside: str | None
) -> Video:
    """A video as far as the trunk has seen it.

    Args:
        entry: The video.
        f: I3D, for how long a clip is.
        labels: All classes.
        trunk: Where :mod:`benchmarks.i3d_trunk` wrote.
        outside: The class of clips outside all spans; None for none.

    Returns:
        It.
    """
    own, other = (trunk / name_of(entry, mirrored=mirrored) for mirrored in (False, True))
    shares = share_in_spans(clip_grid(read_packets(entry.path), f.input.clip_spec), entry.spans)
    label = labels.index(entry.labels[0])
    elsewhere = -1 if outside is None else labels.index(outside)
    truth = [label if 2 * share >= 1 else elsewhere if share == 0 else -1 for share in shares]
    return Video(
        entry,
        np.load(own, mmap_mode="r") if own.exists() else None,
        np.load(other, mmap_mode="r") if other.exists() else None,
        np.array(truth, dtype=np.int64),
        label,
    )


def assembled(f: NetworkClassifier, tail: Tail, labels: tuple[str, ...]) -> NetworkClassifier:
    """I3D with what was learned.

    Args:
        f: With Kinetics' weights; it stays as it is, for other tails begin with its blocks.
        tail: What was learned.
        labels: The classes of its last layer.

    Returns:
        f as every command knows it.
    """
    network = copy.deepcopy(f.network)
    for name, block in zip(TAIL[:-1], tail.blocks, strict=True):
        network.get_submodule(name).load_state_dict(block.state_dict())
    head = nn.Conv3d(1024, len(labels), 1)
    head.weight.data = tail.last.weight.data.reshape(len(labels), 1024, 1, 1, 1)
    head.bias = nn.Parameter(tail.last.bias.data)
    network.get_submodule(TAIL[-1]).conv3d = head
    return replace(f, labels=labels, network=network)


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
    said = ClipLooker(video.entry.path, whole, table).look(clips_at(grid, range(2)))
    np.testing.assert_allclose(said, says(tail, video)[:2], atol=1e-3)


if __name__ == "__main__":
    main()
