"""f's accuracy on the clips that samplers choose, where f is asked about these clips alone.

    PYTHONPATH=src python -m benchmarks.chosen_clips COMPOSED --fitted FITTED --weights I3D --kept KEPT --csv CSV

``strategies.py`` asks f about every clip, which takes an hour; what a few samplers choose takes half of that. FITTED
holds a folder a row of the table, in that a sampler a fold, each made by ``salientclips fit COMPOSED/foldN.csv
--from-spans --clip-frames 16 --frame-step 1 ... -o FITTED/ROW/foldN``; ``--sampler NAME=FOLDER`` adds one that was
fitted on other footage, the same for every fold. They are compared with ``motion`` at each K.
Videos go in an order drawn by lot, so that a run that was stopped has a fair sample of them; what f said of a clip is
kept. Intervals are bootstraps over groups.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.asked_classifier import asked_classifier
from benchmarks.frozen import frozen_classifier
from benchmarks.span_figures import CLIP, Array, folded, table_of, write

from salientclips import score
from salientclips.classifiers.look import ClipLooker
from salientclips.datasets.folder import read_entries
from salientclips.media.demux import clip_grid, read_packets
from salientclips.samplers import Sampler, make_sampler
from salientclips.samplers.learned import LearnedSampler
from salientclips.types import SelectedClip

KS = (1, 5, 10, 20)


def look_up(asked: argparse.Namespace) -> None:
    """Ask f about the clips that the samplers choose, video by video; what it says of a clip is kept."""
    classifier = asked_classifier(asked)
    fast = frozen_classifier(classifier)
    asked.kept.mkdir(parents=True, exist_ok=True)
    tests = [
        (manifest.stem, entry)
        for manifest in folded(asked.folder)
        for entry in read_entries(manifest)
        if entry.split == "test" and int(entry.path.stem.split("-")[0]) < asked.draws and entry.path.exists()
    ]
    samplers = {fold: samplers_of(asked, fold) for fold in {fold for fold, _ in tests}}
    for place in np.random.default_rng(0).permutation(len(tests)):
        fold, entry = tests[place]
        table = read_packets(entry.path)
        grid = clip_grid(table, CLIP)
        chosen = choices(entry.path, samplers[fold])
        known = answers(asked.kept / f"{entry.path.stem}.npz")
        missing = sorted({clip for clips in chosen.values() for clip in clips} - known.keys())
        if missing:
            spans = [SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0) for i in missing]
            said = ClipLooker(entry.path, fast, table).look(spans)
            known |= dict(zip(missing, said, strict=True))
        truth = [classifier.labels.index(label) for label in entry.labels if label in classifier.labels]
        kept: dict[str, Any] = {
            "indices": np.array(list(known)),
            "said": np.stack(list(known.values())),
            "truth": np.array(truth),
            "group": np.array(entry.group),
            **{f"by-{name}": np.array(clips) for name, clips in chosen.items()},
        }
        np.savez(asked.kept / f"{entry.path.stem}.npz", **kept)
        print(fold, entry.path.name, len(missing), flush=True)


def samplers_of(asked: argparse.Namespace, fold: str) -> dict[str, Sampler | str]:
    """The samplers that are judged on the videos of a fold, by name."""
    learned = {folder.name: make_sampler(str(folder / fold)) for folder in sorted(asked.fitted.iterdir())}
    others = {
        name: replace(LearnedSampler.from_pretrained(folder), any_length=True)
        for name, folder in (one.split("=", 1) for one in asked.sampler)
    }
    return {"motion": "motion", "packet-cost": "packet-cost", **learned, **others}


def choices(path: Path, samplers: dict[str, Sampler | str]) -> dict[str, list[int]]:
    """The clips of each sampler, best first, as many as the largest K."""
    said = {name: score(path, sampler, clip=CLIP) for name, sampler in samplers.items()}
    return {name: [clip.index for clip in one.select(max(KS)).clips] for name, one in said.items()}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of composed")
    parser.add_argument("--fitted", type=Path, required=True)
    parser.add_argument("--sampler", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--crop-px", type=int, default=160)
    # What is kept of a clip does not say how long it was, so nobody may choose another length.
    form = {"clip_frames": CLIP.frames, "frame_step": CLIP.frame_step}
    parser.set_defaults(classifier="i3d_rgb", labels=None, **form)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--kept", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    look_up(asked)
    write(table_of(*accuracies(asked.kept)), asked.csv)


if __name__ == "__main__":
    main()
