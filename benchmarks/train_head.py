"""Gives I3D a new last layer, for the classes of a set of ours: everything below stays as Kinetics taught it.

    PYTHONPATH=src python -m benchmarks.train_head MANIFEST --weights i3d-kinetics-400.ckpt --out OUT
        --crop-px 112 --frame-step 2 [--outside LABEL] [--flip] [--phases 2]

Runs the network without its last layer over clips of the training and validation videos
(:mod:`benchmarks.clip_features` says which), keeps the features, and fits a multinomial logistic regression, its
penalty chosen on validation. The test split is not read. OUT then has

- ``i3d.safetensors``: a whole checkpoint, for ``load_classifier("i3d_rgb", weights=..., labels=...)``;
- ``labels.txt``: its classes, in order;
- ``validation.json``: how it does on the clips of the validation videos, for every penalty.

Videos of the manifest that are not there yet are passed over; run again, only new ones are looked at.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.clip_features import (
    Backbone,
    Choice,
    VideoFeatures,
    i3d_backbone,
    load_or_read,
)
from benchmarks.logistic import Linear, fit_best
from safetensors.torch import save_file

from salientclips.classifiers import load_classifier
from salientclips.classifiers.network import NetworkClassifier
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry
from salientclips.errors import SalientClipsError
from salientclips.whole_file import whole_file, write_text

HEAD = "logits.conv3d"


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    entries = [e for e in read_entries(asked.manifest) if e.labels and e.path.exists()]
    classifier = load_classifier(
        "i3d_rgb",
        weights=asked.weights,
        frames=asked.clip_frames,
        frame_step=asked.frame_step,
        crop_px=asked.crop_px,
        device="cpu",
        threads=1,
    )
    assert isinstance(classifier, NetworkClassifier)
    tensors = {name: tensor.clone() for name, tensor in classifier.network.state_dict().items()}
    backbone = i3d_backbone(classifier)
    shown, asked_for = Choice(asked.outside, asked.most), asked.features
    read = {
        "train": look(entries, "train", backbone, replace(shown, phases=asked.phases), asked_for),
        "validation": look(entries, "validation", backbone, shown, asked_for),
    }
    mirrored = replace(backbone, mirrored=True)
    more = (
        look(entries, "train", mirrored, replace(shown, phases=asked.phases), asked_for) if asked.flip else []
    )
    labels = tuple(sorted({label for videos in read.values() for video in videos for label in video.labels}))
    training, validation = rows([*read["train"], *more], labels), rows(read["validation"], labels)
    layer, penalty, judged = fit_best(training, validation, len(labels))
    report = {
        "manifest": str(asked.manifest),
        "weights": str(asked.weights),
        "clip": {"frames": asked.clip_frames, "frame_step": asked.frame_step, "crop_px": asked.crop_px},
        "training": {"flip": asked.flip, "phases": asked.phases, "outside": asked.outside},
        "videos": {split: len(videos) for split, videos in read.items()},
        "clips": {
            split: dict(Counter(label for video in videos for label in video.labels))
            for split, videos in read.items()
        },
        "penalty": penalty,
        "validation": asdict(judged[penalty]) | by_video(layer, read["validation"], labels),
        "confusion": {"labels": labels, "rows_are_true": confusion(layer, validation, len(labels))},
        "penalties": {str(p): asdict(found) for p, found in judged.items()},
    }
    save(asked.out, tensors, layer, labels, report)
    print(json.dumps({key: report[key] for key in ("videos", "clips", "penalty", "validation")}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--features", type=Path, help="where features are kept; by default OUT/features")
    parser.add_argument("--clip-frames", type=int, default=16)
    parser.add_argument("--frame-step", type=int, default=1)
    parser.add_argument("--crop-px", type=int, default=112)
    parser.add_argument("--outside", help="label of clips outside all spans; without it they are not used")
    parser.add_argument("--most", type=int, default=12, help="clips a video, but for those in spans")
    parser.add_argument("--flip", action="store_true", help="train on mirrored clips too")
    parser.add_argument("--phases", type=int, default=1, help="train on grids shifted by parts of a clip too")
    asked = parser.parse_args()
    asked.features = asked.features or asked.out / "features"
    return asked


def look(
    entries: list[Entry], split: str, backbone: Backbone, choice: Choice, folder: Path
) -> list[VideoFeatures]:
    """The features of all videos of a split that can be read."""
    wanted, found = [entry for entry in entries if entry.split == split], []
    for number, entry in enumerate(wanted, start=1):
        try:
            found.append(load_or_read(entry, backbone, choice, folder))
            print(f"{split} {number}/{len(wanted)} {entry.path.name} {len(found[-1].labels)}", flush=True)
        except SalientClipsError as error:
            print(f"{split} {entry.path.name} left out: {error.message}", flush=True)
    return [video for video in found if video.labels]


def rows(
    videos: list[VideoFeatures], labels: tuple[str, ...]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """All clips of all videos, and their classes."""
    classes = [labels.index(label) for video in videos for label in video.labels]
    return np.concatenate([video.features for video in videos]), np.array(classes, dtype=np.int64)


def by_video(layer: Linear, videos: list[VideoFeatures], labels: tuple[str, ...]) -> dict[str, float]:
    """Accuracy of the mean probabilities over the clips of one label of a video: one verdict for each such group."""
    right = []
    for video in videos:
        said = layer.probabilities(video.features)
        of = np.array([labels.index(label) for label in video.labels])
        right += [said[of == c].mean(axis=0).argmax() == c for c in np.unique(of)]
    return {"accuracy_of_means_by_video_and_label": float(np.mean(right))}


def confusion(
    layer: Linear, rows: tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]], num_classes: int
) -> list[list[int]]:
    """How often clips of one class are taken for another."""
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(table, (rows[1], layer.probabilities(rows[0]).argmax(axis=1)), 1)
    counted: list[list[int]] = table.tolist()
    return counted


def save(
    out: Path,
    tensors: dict[str, torch.Tensor],
    layer: Linear,
    labels: tuple[str, ...],
    report: dict[str, object],
) -> None:
    """Write the checkpoint with the new layer, its labels and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    # A 1 x 1 x 1 convolution: the layer at every place.
    tensors[f"{HEAD}.weight"] = torch.from_numpy(layer.weight).float().reshape(len(labels), -1, 1, 1, 1)
    tensors[f"{HEAD}.bias"] = torch.from_numpy(layer.bias).float()
    with whole_file(out / "i3d.safetensors") as beside:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, beside)
    write_text(out / "labels.txt", "".join(f"{label}\n" for label in labels))
    write_text(out / "validation.json", json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
