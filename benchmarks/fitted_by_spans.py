"""Finished samplers, folders that ``fit`` wrote, judged by the true spans of a set: no classifier is asked.

    PYTHONPATH=src python -m benchmarks.fitted_by_spans SET --fitted FITTED --csv CSV [--split validation]
        [--sampler NAME=FOLDER] [--layer LAYER --mobilenet MOBILENET] [--manifest codec-hevc.csv]

``FITTED/NAME/FOLD`` is the sampler ``NAME`` of a fold (of a set without folds, ``FITTED/NAME/manifest``).
``--sampler`` adds one that was fitted on other footage, the same for every fold. Beside them stand the samplers that
need no training, and with ``--layer`` the sampler of decoded frames (frame_sampler.py). Where there are folds each is
the test once; else the split that is named is judged, and no other is opened. ``--split all`` is for sets of another
seed, of which no sampler has seen anything.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from benchmarks.frame_sampler import FrameSampler
from benchmarks.span_figures import CLIP, UNTRAINED, K, Result, folded, of_samplers, result, table_of, write

from salientclips import score
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, Split, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.ranking import with_median
from salientclips.samplers import Sampler, make_sampler
from salientclips.samplers.learned import LearnedSampler
from salientclips.timeline import ClipSpec


def main() -> None:
    asked = arguments()
    torch.set_num_threads(1)
    others = dict(one.split("=", 1) for one in asked.sampler)
    names = sorted(folder.name for folder in asked.fitted.iterdir()) if asked.fitted else []
    found: dict[str, list[Result]] = {name: [] for name in (*UNTRAINED, *names, *others)}
    groups: list[str] = []
    decoded: dict[str, Sampler] = {}
    if asked.layer is not None:
        decoded = {"decoded-frames": FrameSampler.load(asked.layer, asked.mobilenet)}
    found |= {name: [] for name in decoded}
    manifests = folded(asked.folder) if asked.manifest is None else [asked.folder / asked.manifest]
    for manifest in manifests:
        samplers: dict[str, Sampler] = {name: make_sampler(name) for name in UNTRAINED}
        samplers |= {name: fitted(asked.fitted / name / manifest.stem) for name in names}
        samplers |= {name: fitted(Path(folder)) for name, folder in others.items()} | decoded
        there = [entry for entry in read_entries(manifest) if entry.path.exists()]
        is_whole = asked.split == "all"
        split: Split = "test" if len(manifests) > 1 else asked.split
        for entry in there if is_whole else split_entries(there)[split]:
            told = {
                name: judged(entry, sampler, ClipSpec(asked.clip_frames, 1))
                for name, sampler in samplers.items()
            }
            if None not in told.values():
                groups.append(entry.group or entry.path.name)
                for name, one in told.items():
                    assert one is not None
                    found[name].append(one)
        print(manifest.stem, len(groups), flush=True)
    write(table_of(of_samplers(found), groups), asked.csv)


def fitted(folder: Path) -> LearnedSampler:
    """A sampler from its folder, meant for clips of any usual length: sets have clips of 16 frames."""
    return replace(LearnedSampler.from_pretrained(folder), any_length=True)


def judged(entry: Entry, sampler: Sampler, clip: ClipSpec) -> Result | None:
    """How a sampler does on a video.

    Args:
        entry: The video and its spans.
        sampler: The sampler.
        clip: How the video is divided.

    Returns:
        The figures; None where nothing, or all, is salient.
    """
    scores = score(entry.path, sampler, clip=clip)
    salient = salient_clips(scores.grid, entry.spans)
    if not salient.any() or salient.all():
        return None
    chosen = [clip.index for clip in scores.select(min(K, len(scores))).clips]
    return result(with_median(scores.scores), salient, chosen)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the set")
    parser.add_argument("--fitted", type=Path, help="samplers by name and fold")
    parser.add_argument("--sampler", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--layer", type=Path, help="of frame_sampler.py")
    parser.add_argument("--mobilenet", type=Path, help="the weights that it was trained on")
    parser.add_argument("--manifest", help="another of the set's manifests than its own or its folds")
    parser.add_argument("--split", default="test", choices=("validation", "test", "all"))
    parser.add_argument("--clip-frames", type=int, default=CLIP.frames)
    parser.add_argument("--csv", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
