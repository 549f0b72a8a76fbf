"""Does a network over neighbouring clips do better than a layer on each and a mean over neighbours?

    PYTHONPATH=src:. python -m benchmarks.temporal_head RENDERED/manifest.csv --cache CACHE --csv CSV [--frames 4]

A clip's embedding is its 66 statistics, as the stream ``stats`` has them. On the training videos three heads learn
SAL-RANK (hinge over all pairs of a salient clip and another) of the true spans: a linear layer on each clip; two
convolutions over time, which see nine clips; a recurrent layer in both directions, which sees the video. A fifth of
the training videos says when to stop; all are judged on the validation videos, by the true spans, the mean of
several seeds. The linear layer also with one and two neighbours on either side, as samplers have them. Test videos
are not read.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.span_figures import CLIP, Result, result
from torch import nn

from salientclips.cache.features import load_or_read
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.samplers.card import features_of
from salientclips.samplers.context import with_neighbours
from salientclips.samplers.statistics import STATISTICS, clip_statistics
from salientclips.types import FeatureParameters

SEEDS, EPOCHS, PATIENCE = 3, 60, 8
WIDTH = 16


@dataclass(frozen=True, eq=False)
class Video:
    """What is known of a video."""

    rows: torch.Tensor
    """Statistics of its clips, float32 (num_clips, 66); of a clip without any, the mean of the others."""
    salient: npt.NDArray[np.bool_]
    """(num_clips,), some and not all."""


class Linear(nn.Module):
    """A layer on each clip."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(len(STATISTICS), 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(num_clips, 66) to (num_clips,)."""
        said: torch.Tensor = self.fc(rows)[:, 0]
        return said


class Convolutions(nn.Module):
    """Two convolutions of five clips."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(len(STATISTICS), WIDTH, 5, padding=2),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Conv1d(WIDTH, 1, 5, padding=2),
        )

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(num_clips, 66) to (num_clips,)."""
        said: torch.Tensor = self.layers(rows.T[None])[0, 0]
        return said


class Recurrent(nn.Module):
    """A gated recurrent layer in both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(len(STATISTICS), WIDTH, bidirectional=True)
        self.fc = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * WIDTH, 1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(num_clips, 66) to (num_clips,)."""
        said: torch.Tensor = self.fc(self.gru(rows)[0])[:, 0]
        return said


HEADS: dict[str, tuple[Callable[[], nn.Module], Sequence[int]]] = {
    "a layer on each clip": (Linear, (0, 1, 2)),
    "convolutions over nine clips": (Convolutions, (0,)),
    "recurrent in both directions": (Recurrent, (0,)),
}
"""Each head, and the neighbours that have a say in its scores."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=4, help="P-frames read of a clip")
    parser.add_argument("--csv", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    splits = split_entries([entry for entry in read_entries(asked.manifest) if entry.path.exists()])
    known = {name: of_split(splits[name], asked) for name in ("train", "validation")}
    mean, spread = moments(known["train"])
    training, judged = (
        [Video((video.rows - mean) / spread, video.salient) for video in known[name]]
        for name in ("train", "validation")
    )
    rows = []
    for name, (build, neighbours) in HEADS.items():
        found: dict[int, list[Result]] = {count: [] for count in neighbours}
        for seed in range(SEEDS):
            head = taught(build, training, seed)
            for count in neighbours:
                found[count] += judge(head, judged, count)
        for count, results in found.items():
            figures = [float(np.mean([getattr(one, what) for one in results])) for what in ("auc", "found")]
            rows.append((name, count, len(training), len(judged), SEEDS, *(f"{one:.3f}" for one in figures)))
            print(*rows[-1], flush=True)
    with asked.csv.open("w", newline="") as file:
        heading = (
            "head",
            "neighbours",
            "training_videos",
            "validation_videos",
            "seeds",
            "auc",
            "found_at_10",
        )
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])


def of_split(entries: Sequence[Entry], asked: argparse.Namespace) -> list[Video]:
    """The videos of a split in which some clips are salient, and not all.

    Args:
        entries: Of the split.
        asked: The command line.

    Returns:
        What is known of them.
    """
    parameters = FeatureParameters(asked.frames, features_of(("stats",)))
    found = []
    for entry in entries:
        features = load_or_read(entry.path, parameters, CLIP, folder=asked.cache)
        said = [clip_statistics(clip) for clip in features.clips]
        salient = salient_clips(features.grid, entry.spans)
        there = [one for one in said if one is not None]
        if there and salient.any() and not salient.all():
            usual = np.mean(there, axis=0)
            rows = np.stack([usual if one is None else one for one in said])
            found.append(Video(torch.from_numpy(rows.astype(np.float32)), salient))
    return found


def moments(videos: Sequence[Video]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each statistic over all clips, (66,) each."""
    rows = torch.cat([video.rows for video in videos])
    return rows.mean(dim=0), rows.std(dim=0).clamp_min(1e-6)


def taught(build: Callable[[], nn.Module], videos: Sequence[Video], seed: int) -> nn.Module:
    """A head, as it was when a fifth of the videos, which it does not learn from, liked it best.

    Args:
        build: Makes the head.
        videos: Training videos.
        seed: Of its weights and of the order of videos.

    Returns:
        The head, in eval mode.
    """
    torch.manual_seed(seed)
    order = torch.randperm(len(videos)).tolist()
    kept_back = [videos[place] for place in order[: len(videos) // 5]]
    teaches = [videos[place] for place in order[len(videos) // 5 :]]
    head = build()
    optimiser = torch.optim.AdamW(head.parameters(), lr=3e-3, weight_decay=0.05)
    best, kept, since = -1.0, head.state_dict(), 0
    for _ in range(EPOCHS):
        head.train()
        for place in torch.randperm(len(teaches)).tolist():
            said = head(teaches[place].rows)
            salient = torch.from_numpy(teaches[place].salient)
            loss = (1 - (said[salient][:, None] - said[~salient])).clamp_min(0).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        merit = float(np.mean([one.found + one.auc for one in judge(head, kept_back, 0)]))
        since += 1
        if merit > best:
            best, since = merit, 0
            kept = {name: tensor.clone() for name, tensor in head.state_dict().items()}
        if since >= PATIENCE:
            break
    head.load_state_dict(kept)
    return head.eval()


def judge(head: nn.Module, videos: Sequence[Video], neighbours: int) -> list[Result]:
    """How a head does, by the true spans.

    Args:
        head: The head.
        videos: Any.
        neighbours: Clips on either side that have a say in a clip's score.

    Returns:
        One result a video.
    """
    head.eval()
    with torch.inference_mode():
        scores = [head(video.rows).double().numpy() for video in videos]
    return [
        result(with_neighbours(one, neighbours), video.salient)
        for one, video in zip(scores, videos, strict=True)
    ]


if __name__ == "__main__":
    main()
