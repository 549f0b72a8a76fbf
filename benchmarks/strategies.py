"""The poster's tables on a set: every strategy, sampler and K, into ``results/SET-strategies.csv`` and beside it.

    PYTHONPATH=src python -m benchmarks.strategies composed FOLDER --weights I3D --cache CACHE [--draws 3]
    PYTHONPATH=src python -m benchmarks.strategies rendered FOLDER --classifier r3d_18 --weights F --labels LABELS
        --clip-frames 8 --frame-step 2 --crop-px 64 --cache CACHE
    PYTHONPATH=src python -m benchmarks.strategies cctv-fight FOLDER --weights HEAD --labels LABELS --cache CACHE
    PYTHONPATH=src python -m benchmarks.strategies rendered FOLDER --cache CACHE
        --opinions benchmarks/results/rendered-i3d-opinions.npz

Samplers are fitted here on the set's training videos (on ``composed`` once a fold, so that none has seen the source
of what it judges) and are judged on its test videos, or with ``--split validation`` on those by which one chooses.
``--sampler NAME=FOLDER`` adds finished ones. What f and the samplers say is kept in the cache; ``look_at_all.py``
fills it with several processes beforehand, and ``--opinions`` from a file, so that f itself is not needed. Beside
``strategies`` stand ``samplers`` (AUC against the true spans, cost) and ``quartiles``: accuracies within quarters of
the videos, by how well ``motion`` alone finds their spans. Rows of other classifiers stay in the files.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import torch
from benchmarks import opinions
from benchmarks.asked_classifier import add_options, asked_classifier
from benchmarks.frame_sampler import FrameSampler
from benchmarks.fused import chosen
from benchmarks.result_files import write
from benchmarks.variants import VARIANTS, Judge, fitted

from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, Split, split_entries
from salientclips.samplers import Sampler, make_sampler
from salientclips.verbs.evaluate import tabulate
from salientclips.verbs.gather import Gathered, gather

RESULTS = Path(__file__).parent / "results"
BASELINES = ("packet-cost", "motion", "cumulative-motion")
FOLDS = ("fold0", "fold1", "fold2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=VARIANTS)
    parser.add_argument("folder", type=Path, help="where the set was built")
    known = parser.add_mutually_exclusive_group(required=True)
    known.add_argument("--weights", help="its weights")
    known.add_argument("--opinions", type=Path, help="what it says of every clip, instead (opinions.py)")
    add_options(parser)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--fitted", type=Path, help="where fitted samplers are kept; by default nowhere")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument(
        "--codec", help="rendered: judge the test videos that exist in several codecs, in this one"
    )
    parser.add_argument("--draws", type=int, default=3, help="composed: videos of each target")
    parser.add_argument("--only", help="fit these variants only, by name, joined by commas")
    parser.add_argument("--sampler", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument(
        "--layers", type=Path, help="folder of frame_sampler.py's layers, MANIFEST.safetensors each"
    )
    parser.add_argument(
        "--mobilenet", type=Path, help="the weights that they, and I-frames, are looked at with"
    )
    parser.add_argument("--fuse", help="samplers of the table to be fused, by name, joined by commas")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--name", help="how the files' names begin; by default with the set's")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    f = judge_of(asked)
    with tempfile.TemporaryDirectory() as scratch:
        where = asked.fitted or Path(scratch)
        folds = list(gathered(asked, f, where))
    found = tabulate(folds, benchmark=asked.set if asked.codec is None else f"{asked.set}, {asked.codec}")
    stem = asked.name or (asked.set if asked.codec is None else f"{asked.set}-codecs")
    write(found, asked.out, stem if asked.split == "test" else f"{stem}-validation")


def judge_of(asked: argparse.Namespace) -> Judge:
    """The classifier by its weights, or as far as its opinions are known: those are put into the cache.

    Args:
        asked: The command line.

    Returns:
        f.
    """
    if asked.opinions is None:
        classifier = asked_classifier(asked)
        return Judge(classifier, classifier.input.clip_spec)
    known = opinions.load(asked.opinions)
    for manifest, _ in parts(asked):
        known.put(there(manifest, asked), asked.cache)
    return Judge(known.classifier, known.classifier.input.clip_spec, frozenset(known.said))


def gathered(asked: argparse.Namespace, f: Judge, where: Path) -> Iterable[Gathered]:
    """What f and all samplers say, of the one test split or fold by fold.

    Args:
        asked: The command line.
        f: The classifier.
        where: For fitted samplers.

    Yields:
        One item, or one a fold.
    """
    for manifest, judged in parts(asked):
        # Copies in other codecs are of test videos only: whatever the codec, samplers learn from H.264.
        teaching = manifest if asked.codec is None else asked.folder / "manifest.csv"
        known = tuple(e for e in there(teaching, asked) if e.split != "test")
        shown = tuple(e for e in there(manifest, asked) if e.split == judged)
        samplers: dict[str, str | Sampler] = {name: name for name in BASELINES}
        samplers |= dict(cast("tuple[str, str]", tuple(one.split("=", 1))) for one in asked.sampler)
        if asked.layers is not None:
            layer = asked.layers / f"{teaching.stem}.safetensors"
            samplers["decoded-frames"] = FrameSampler.load(layer, asked.mobilenet)
        for variant in VARIANTS[asked.set]:
            if asked.only is None or variant.name in asked.only.split(","):
                folder = where / f"{teaching.stem}-{variant.name}"
                samplers[variant.name] = fitted(
                    variant, known, f, folder, cache=asked.cache, mobilenet=asked.mobilenet
                )
        if asked.fuse:
            named = [samplers[name] for name in asked.fuse.split(",")]
            judges = [make_sampler(one) if isinstance(one, str) else one for one in named]
            mixed = chosen(judges, split_entries(known)["validation"], f.classifier, f.clip, asked.cache)
            print(manifest.stem, "fused", mixed.weights, mixed.neighbours, flush=True)
            samplers["fused"] = mixed
        yield gather(shown, f.classifier, samplers, split=judged, cache=asked.cache, progress=None)


def there(manifest: Path, asked: argparse.Namespace) -> Iterable[Entry]:
    """The videos of a manifest that are made, on ``composed`` those of the draws that are asked for.

    Args:
        manifest: The file.
        asked: The command line.

    Yields:
        Its entries.
    """
    for entry in read_entries(manifest):
        if entry.path.exists() and (
            asked.set != "composed" or int(entry.path.name.split("-")[0]) < asked.draws
        ):
            yield entry


def parts(asked: argparse.Namespace) -> Iterable[tuple[Path, Split]]:
    """The manifests, and which of their videos are judged.

    Args:
        asked: The command line.

    Returns:
        Pairs.
    """
    if asked.set == "composed":
        return [(asked.folder / f"{fold}.csv", "test") for fold in FOLDS]
    manifest = "manifest.csv" if asked.codec is None else f"codec-{asked.codec}.csv"
    return [(asked.folder / manifest, asked.split)]


if __name__ == "__main__":
    main()
