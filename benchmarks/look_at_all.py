"""Lets a classifier look at every clip of a set once, and keeps what it says where ``evaluate`` and ``fit`` find it.

They would do it by themselves, one video after the other; this goes through the videos with several processes, in the
manifest's order, and may be stopped and started again. The network is frozen by TorchScript first, its batch norms
folded into its convolutions: on a CPU that halves the time of I3D, and moves a logit by less than 1e-4. So the
``classifier`` seconds that a cache made here remembers are those of the frozen network.

    PYTHONPATH=src python benchmarks/look_at_all.py MANIFEST --cache DIR --classifier i3d_rgb --weights FILE
        --clip-frames 16 --crop-px 160
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import warnings
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--classifier", default="i3d_rgb")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--clip-frames", type=int)
    parser.add_argument("--frame-step", type=int)
    parser.add_argument("--crop-px", type=int)
    parser.add_argument("--split")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    places = range(asked.workers)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=look, args=(asked, place)) for place in places]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def look(asked: argparse.Namespace, place: int) -> None:
    """One process: every so-manieth video of the manifest.

    Args:
        asked: The command line.
        place: Which process this is.
    """
    import torch

    from salientclips.cache.predictions import identity, load_or_look
    from salientclips.classifiers import load_classifier
    from salientclips.classifiers.network import NetworkClassifier
    from salientclips.datasets.folder import read_entries
    from salientclips.errors import SalientClipsError

    torch.set_num_threads(1)
    classifier = load_classifier(
        asked.classifier,
        weights=asked.weights,
        labels=asked.labels,
        frames=asked.clip_frames,
        frame_step=asked.frame_step,
        crop_px=asked.crop_px,
        device="cpu",
        threads=1,
    )
    assert isinstance(classifier, NetworkClassifier)
    name = identity(classifier)
    side = classifier.input.crop_px
    with warnings.catch_warnings():
        # TorchScript is deprecated, and there is nothing yet that folds and prepacks without a compiler.
        warnings.simplefilter("ignore")
        example = torch.zeros(1, 3, classifier.input.frames, side, side)
        traced = torch.jit.trace(classifier.network, example)  # type: ignore[no-untyped-call]
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
    fast = dataclasses.replace(classifier, network=frozen)
    entries = [e for e in read_entries(asked.manifest) if asked.split in (None, e.split)]
    for entry in entries[place :: asked.workers]:
        if entry.path.exists():
            try:
                load_or_look(entry.path, fast, folder=asked.cache, name=name)
                print(entry.path.name, flush=True)
            except SalientClipsError as error:
                print(entry.path.name, error.message, flush=True)


if __name__ == "__main__":
    main()
