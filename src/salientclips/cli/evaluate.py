"""The command ``evaluate``: parse, call the verb, print, write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import InputError
from . import options as opt
from .machine import print_json

if TYPE_CHECKING:
    from ..datasets.manifest import Split
    from ..evaluation.metrics import Metric


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST",
            help="A CSV of videos and labels, or a folder with one folder a class.",
            show_default=False,
        ),
    ],
    classifier: opt.Classifier = "r2plus1d_18",
    weights: opt.Weights = None,
    random_weights: opt.RandomWeights = False,
    labels: opt.Labels = None,
    sampler: Annotated[
        list[str] | None,
        typer.Option(
            "--sampler", "-s", help="Who scores; give it several times to compare. \\[default: default]"
        ),
    ] = None,
    k: Annotated[
        str, typer.Option("--k", "-k", help="Clips looked at: numbers and ranges, 1..20 or 5,10.")
    ] = "1..20",
    table_k: Annotated[
        int | None, typer.Option(help="The K of the printed table. Default: 10.", show_default=False)
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="train, validation or test. Default: test where named.", show_default=False),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="top-1, mean-class, or map for several labels a video.")
    ] = "top-1",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write tables and figures to this folder.", show_default=False),
    ] = None,
    figures: Annotated[
        bool, typer.Option(help="Draw figures in the folder (needs the extra 'plots').")
    ] = True,
    cache: Annotated[
        Path | None, typer.Option(help="Where what was looked at is kept.", show_default=False)
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            help="Name of the set in the tables. Default: that of the manifest.", show_default=False
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Draws of random and empirical, averaged.", min=1)] = 10,
    clip_frames: opt.ClassifierFrames = None,
    frame_step: opt.ClassifierStep = None,
    crop_px: opt.CropPx = None,
    device: opt.Device = "auto",
    seed: opt.Seed = 0,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Compare every strategy on labelled videos: accuracy and time, as table, CSV and figures."""
    ks = parse_k(k)
    if out is not None:
        _check_folder(out, figures)
    from ..corpus.job import Looking
    from ..evaluation.tables import write_tables
    from ..folder_lock import alone_in
    from ..samplers import DEFAULT_SAMPLER
    from ..verbs.evaluate import evaluate as run
    from .progress import progress_bar
    from .show_evaluation import show_evaluation

    looking = Looking(
        classifier, weights, random_weights, labels, clip_frames, frame_step, crop_px, device=device
    )
    with progress_bar() as progress:
        found = run(
            source,
            looking.load(),
            sampler or [DEFAULT_SAMPLER],
            k=ks,
            table_k=table_k,
            # The verb checks the words, so that a wrong one is the same error here and in Python.
            split=cast("Split | None", split),
            metric=cast("Metric", metric),
            cache=cache,
            benchmark=benchmark,
            draws=draws,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    files: tuple[Path, ...] = ()
    if out is not None:
        with alone_in(out):
            files = write_tables(found, out)
            if figures:
                from ..evaluation.figures import draw_figures

                files += draw_figures(found, out)
    if as_json:
        from ..outputs.evaluation_json import evaluation_json

        print_json(evaluation_json(found, files))
    else:
        show_evaluation(found, files)


def parse_k(text: str) -> tuple[int, ...]:
    """The numbers of ``--k``.

    Args:
        text: Numbers and ranges joined by commas, such as ``1..5,10``.

    Returns:
        Each once, increasing.

    Raises:
        InputError: It is something else, or a number is below 1 or above 10000.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, dots, last = part.partition("..")
        try:
            begin = int(first)
            end = int(last) if dots else begin
        except ValueError:
            begin, end = 0, 0
        if not 1 <= begin <= end <= 10_000:
            raise InputError(f"--k {text!r} names no numbers of clips", "write it as 10, 5,10 or 1..20")
        found.update(range(begin, end + 1))
    return tuple(sorted(found))


def _check_folder(out: Path, figures: bool) -> None:
    """Find out before hours of work whether there is a place for the result, and something to draw it with."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".salientclips"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"'{out}' cannot be written to ({error.strerror})", "choose another folder"
        ) from error
    if figures:
        from ..evaluation.figures import check_can_draw

        check_can_draw()
