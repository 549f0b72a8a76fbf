"""The poster's tables on a set: every strategy, sampler and K, into ``results/SET-strategies.csv`` and beside it.

    PYTHONPATH=src python -m benchmarks.strategies composed FOLDER --weights I3D --cache CACHE [--draws 3]
    PYTHONPATH=src python -m benchmarks.strategies rendered FOLDER --network r3d_18 --weights F --labels LABELS
        --clip-frames 8 --frame-step 2 --crop-px 64 --cache CACHE
    PYTHONPATH=src python -m benchmarks.strategies cctv-fight FOLDER --weights HEAD --labels LABELS --cache CACHE
    PYTHONPATH=src python -m benchmarks.strategies rendered FOLDER --cache CACHE
        --opinions benchmarks/results/rendered-i3d-opinions.npz

Samplers are fitted here on the set's training videos (on ``composed`` once a fold, so that none has seen the source
of what it judges) and are judged on its test videos, or with ``--split validation`` on those by which one chooses.
``--sampler NAME=FOLDER`` adds finished ones. What f and the samplers say is kept in the cache; ``look_at_all.py``
fills it with several processes beforehand, and ``--opinions`` from a file, so that f itself is not needed. Beside
``strategies`` stand ``samplers`` (AUC against the true spans, cost) and ``quartiles``: accuracies within quarters of
the videos, by how well ``motion`` alone finds their spans.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from benchmarks import opinions
from benchmarks.frame_sampler import FrameSampler
from benchmarks.fused import chosen

from salientclips import SamplerPlan, TrainingOptions, fit, load_classifier
from salientclips.classifiers import ClipClassifier
from salientclips.datasets.folder import read_entries
from salientclips.datasets.manifest import Entry, Split, split_entries
from salientclips.datasets.spans import salient_clips
from salientclips.evaluation.figures import draw_figures
from salientclips.evaluation.metrics import area_under_roc
from salientclips.evaluation.report import Evaluation
from salientclips.evaluation.tables import write_csv, write_tables
from salientclips.samplers import Sampler, make_sampler
from salientclips.samplers.card import Architecture, Objective, Stream
from salientclips.timeline import ClipSpec
from salientclips.training.options import SalClTarget
from salientclips.verbs.evaluate import tabulate
from salientclips.verbs.gather import Gathered, gather

RESULTS = Path(__file__).parent / "results"
BASELINES = ("packet-cost", "motion", "cumulative-motion")
FOLDS = ("fold0", "fold1", "fold2")


VISUAL: tuple[Stream, ...] = ("md", "rgbr")
WITH_RULES: tuple[Stream, ...] = ("md", "rgbr", "motion", "packets")
EVERYTHING: tuple[Stream, ...] = ("md", "rgbr", "stats", "motion", "packets")


@dataclass(frozen=True)
class Variant:
    """A sampler to be fitted."""

    name: str
    objective: Objective = "sal-rank"
    streams: tuple[Stream, ...] = ("md", "rgbr", "audio")
    by_spans: bool = False
    """Whether the true spans teach, not f."""
    frames_per_clip: int = 4
    architecture: Architecture = "shufflenet26"
    epochs: int = 20
    """At most; a fifth of them may bring nothing before training ends."""
    sal_cl_target: SalClTarget = "right"
    """What SAL-CL learns of a clip."""
    is_fronted: bool = False
    """Whether ImageNet's MobileNetV2 looks at I-frames, and only a last layer on it learns."""


VARIANTS: dict[str, tuple[Variant, ...]] = {
    "composed": (
        Variant("sal-rank", streams=VISUAL),
        Variant("sal-cl", "sal-cl", VISUAL),
        Variant("ac", "ac", VISUAL),
        Variant("spans", by_spans=True),
        Variant("resnet18", streams=VISUAL, architecture="resnet18"),
    ),
    "rendered": (
        Variant("sal-rank", streams=VISUAL, frames_per_clip=0, epochs=60),
        Variant("sal-cl", "sal-cl", VISUAL, frames_per_clip=0, epochs=60),
        Variant("ac", "ac", VISUAL, frames_per_clip=0, epochs=60),
        Variant("resnet18", streams=VISUAL, architecture="resnet18", frames_per_clip=0, epochs=60),
        Variant("spans", streams=VISUAL, by_spans=True, frames_per_clip=0, epochs=60),
        Variant("stats", streams=("stats",), frames_per_clip=0),
        Variant("stats-sal-cl", "sal-cl", ("stats",), frames_per_clip=0),
        Variant("stats-sal-cl-surety", "sal-cl", ("stats",), frames_per_clip=0, sal_cl_target="surety"),
        Variant("stats-ac", "ac", ("stats",), frames_per_clip=0),
        Variant("stats-spans", streams=("stats",), by_spans=True, frames_per_clip=0),
        Variant("stats-spans-4-frames", streams=("stats",), by_spans=True),
        Variant("all-spans", streams=EVERYTHING, by_spans=True, frames_per_clip=0, epochs=60),
        Variant("spans-rules", streams=WITH_RULES, by_spans=True, frames_per_clip=0, epochs=60),
        Variant("spans-4-frames", by_spans=True),
        Variant("spans-2-frames", streams=VISUAL, by_spans=True, frames_per_clip=2),
        Variant("spans-1-frame", streams=VISUAL, by_spans=True, frames_per_clip=1),
        Variant("i-frames", "sal-cl", ("if", "motion", "packets"), by_spans=True, is_fronted=True),
    ),
    "cctv-fight": (
        Variant("spans", by_spans=True),
        Variant("sal-rank"),
        Variant("stats", streams=("stats",)),
        Variant("stats-spans", streams=("stats",), by_spans=True),
        Variant("stats-spans-rules", streams=("stats", "motion", "packets"), by_spans=True),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=VARIANTS)
    parser.add_argument("folder", type=Path, help="where the set was built")
    parser.add_argument(
        "--network", default="i3d_rgb", help="the classifier; rows of others stay in the tables"
    )
    known = parser.add_mutually_exclusive_group(required=True)
    known.add_argument("--weights", help="its weights")
    known.add_argument("--opinions", type=Path, help="what it says of every clip, instead (opinions.py)")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--clip-frames", type=int, default=16)
    parser.add_argument("--frame-step", type=int, default=1)
    parser.add_argument("--crop-px", type=int)
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
    asked = parser.parse_args()
    torch.set_num_threads(1)
    # The videos that f can teach by: all of them, where it can be asked.
    asked.judged_by_f = None
    classifier = classifier_of(asked)
    with tempfile.TemporaryDirectory() as scratch:
        where = asked.fitted or Path(scratch)
        folds = list(gathered(asked, classifier, where))
    found = tabulate(folds, benchmark=asked.set if asked.codec is None else f"{asked.set}, {asked.codec}")
    stem = asked.set if asked.codec is None else f"{asked.set}-codecs"
    write(found, asked.out, stem if asked.split == "test" else f"{stem}-validation")


def classifier_of(asked: argparse.Namespace) -> ClipClassifier:
    """The classifier by its weights, or as far as its opinions are known: those are put into the cache.

    Args:
        asked: The command line.

    Returns:
        f.
    """
    if asked.opinions is None:
        return load_classifier(
            asked.network,
            weights=asked.weights,
            labels=asked.labels,
            frames=asked.clip_frames,
            frame_step=asked.frame_step,
            crop_px=asked.crop_px,
            device="cpu",
        )
    known = opinions.load(asked.opinions)
    spec = known.classifier.input
    asked.clip_frames, asked.frame_step = spec.frames, spec.frame_step
    asked.judged_by_f = frozenset(known.said)
    for manifest, _ in parts(asked):
        known.put(there(manifest, asked), asked.cache)
    return known.classifier


def gathered(asked: argparse.Namespace, classifier: ClipClassifier, where: Path) -> Iterable[Gathered]:
    """What f and all samplers say, of the one test split or fold by fold.

    Args:
        asked: The command line.
        classifier: f.
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
                samplers[variant.name] = fitted(variant, known, classifier, asked, folder)
        if asked.fuse:
            named = [samplers[name] for name in asked.fuse.split(",")]
            judges = [make_sampler(one) if isinstance(one, str) else one for one in named]
            clip = ClipSpec(asked.clip_frames, asked.frame_step)
            mixed = chosen(judges, split_entries(known)["validation"], classifier, clip, asked.cache)
            print(manifest.stem, "fused", mixed.weights, mixed.neighbours, flush=True)
            samplers["fused"] = mixed
        yield gather(shown, classifier, samplers, split=judged, cache=asked.cache, progress=None)


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


def fitted(
    variant: Variant,
    known: Sequence[Entry],
    classifier: ClipClassifier,
    asked: argparse.Namespace,
    folder: Path,
) -> Sampler:
    """A sampler of a variant, from its folder where it was fitted before.

    Args:
        variant: Which.
        known: Videos to learn from; those without a split are dealt to training and validation.
        classifier: f.
        asked: The command line.
        folder: Where it is kept.

    Returns:
        The sampler.
    """
    if not (folder / "config.json").is_file():
        if not variant.by_spans and asked.judged_by_f is not None:
            known = [entry for entry in known if entry.path.stem in asked.judged_by_f]
        made = fit(
            known,
            None if variant.by_spans else classifier,
            plan=SamplerPlan(
                streams=variant.streams,
                architecture=variant.architecture,
                objective=variant.objective,
                frames_per_clip=variant.frames_per_clip,
                front_weights=asked.mobilenet if variant.is_fronted else None,
            ),
            options=TrainingOptions(
                clips_per_video=16,
                epochs=variant.epochs,
                patience=max(6, variant.epochs // 5),
                sal_cl_target=variant.sal_cl_target,
            ),
            output=folder,
            name=variant.name,
            clip=ClipSpec(asked.clip_frames, asked.frame_step),
            cache=asked.cache,
            device="cpu",
        )
        print(folder.name, made.videos, made.card.validation, f"{made.seconds['training']:.0f} s", flush=True)
    return make_sampler(str(folder))


def write(found: Evaluation, out: Path, stem: str) -> None:
    """The result files of a set.

    Args:
        found: The evaluation.
        out: Their folder.
        stem: First part of their names.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tables = {path.stem: path for path in write_tables(found, Path(scratch))}
        tables["quartiles"] = write_csv(
            Path(scratch) / "quartiles.csv",
            ("strategy", "sampler", "k", "quartile", "videos", "accuracy"),
            quartiles(found),
        )
        for name in ("strategies", "samplers", "quartiles"):
            add(out / f"{stem}-{name}.csv", tables[name], found)
        drawn = draw_figures(found, Path(scratch))
        for figure in (path for path in drawn if path.stem == "accuracy_over_k" and path.suffix == ".svg"):
            (out / f"{stem}-accuracy_over_k.svg").write_bytes(figure.read_bytes())
    for row in found.rows:
        if row.k in (None, 1, 5, 10, 20):
            interval = f"[{row.accuracy_low:.3f}, {row.accuracy_high:.3f}]"
            print(f"{row.strategy.title:24} {row.k or '':>4} {row.accuracy:.3f} {interval}")
    print(csv_text(out / f"{stem}-samplers.csv"), *found.warnings[:5], sep="\n")


def add(table: Path, new: Path, found: Evaluation) -> None:
    """Put the rows of an evaluation into a result file; those of other networks f, or other benchmarks, stay.

    Args:
        table: The result file. It names the benchmark and f in each row, whether or not the new table does.
        new: The table of the evaluation.
        found: The evaluation.
    """

    def of(row: dict[str, str]) -> tuple[str, str]:
        # Without the hash of the weights; a file from before it named them is all of one evaluation.
        return row.get("benchmark", found.benchmark), row.get("classifier", found.classifier).split("@")[0]

    named = {"benchmark": found.benchmark, "split": found.split, "classifier": found.classifier}
    with new.open(newline="", encoding="utf-8") as file:
        rows = [named | row for row in csv.DictReader(file)]
    kept: list[dict[str, str]] = []
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if of(row) != of(named)]
    heading = list(rows[0])
    write_csv(table, heading, [[row.get(name, "") for name in heading] for row in (*kept, *rows)])


def quartiles(found: Evaluation) -> list[list[str | int | float]]:
    """Accuracy at the tables' K within quarters of the videos, by how well ``motion`` alone finds their spans.

    Args:
        found: The evaluation; ``motion`` is among its samplers.

    Returns:
        Rows: strategy, sampler, K, quartile (1: motion misleads most), videos, accuracy.
    """
    areas = np.full(len(found.bench.cases), np.nan)
    for row, case in enumerate(found.bench.cases):
        if case.entry.spans:
            scores = case.judgements["motion"].scores
            areas[row] = area_under_roc(scores.scores, salient_clips(scores.grid, case.entry.spans))
    known = np.flatnonzero(~np.isnan(areas))
    quarters = np.array_split(known[np.argsort(areas[known], kind="stable")], 4)
    rows: list[list[str | int | float]] = []
    for outcome in found.at_k():
        right = np.array([choice.correct for choice in outcome.choices], dtype=np.float64)
        for number, quarter in enumerate(quarters, start=1):
            strategy = outcome.row.strategy
            share = float(right[quarter].mean())
            rows.append([strategy.name, strategy.sampler, outcome.row.k or "", number, len(quarter), share])
    return rows


def csv_text(path: Path) -> str:
    """A small CSV file as aligned lines.

    Args:
        path: The file.

    Returns:
        The text.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


if __name__ == "__main__":
    main()
