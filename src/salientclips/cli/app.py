"""The commands, each a few lines: what is parsed goes to a verb, what comes back is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from . import corpus, pages
from . import options as opt
from .evaluate import evaluate
from .fit import fit
from .handover import handover
from .machine import print_json
from .words import is_one_video

if TYPE_CHECKING:
    from ..compressed.frame_vectors import Frames
    from ..compressed.reader import Backend

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"salientclips {__version__}")
        raise typer.Exit


@app.callback()
def every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find the K clips of a long video worth looking at, before the video is decoded."""


@app.command()
def probe(video: opt.Video, as_json: opt.AsJson = False) -> None:
    """Say what is in a file, which features it can give, by which back end, and why."""
    from ..outputs.contract import probe_json
    from ..verbs.probe import probe as look
    from .show import show_probe

    found = look(video)
    if as_json:
        print_json(probe_json(found))
    else:
        show_probe(found)


@app.command()
def score(
    videos: corpus.Videos,
    sampler: opt.SamplerName = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to a .parquet, .json or .csv file; of many videos to this folder.",
            show_default=False,
        ),
    ] = None,
    frames_per_clip: opt.FramesPerClip = None,
    budget: opt.BudgetName = None,
    clip_frames: opt.ClipFrames = None,
    frame_step: opt.FrameStep = None,
    clip_seconds: opt.ClipSeconds = None,
    scenes: opt.Scenes = None,
    seed: opt.Seed = 0,
    threads: opt.ManyThreads = None,
    engine: corpus.EngineName = "local",
    address: corpus.Address = None,
    workers: corpus.Workers = None,
    time_limit: corpus.TimeLimit = 3600.0,
    memory_limit: corpus.MemoryLimit = None,
    max_failures: corpus.MaxFailures = None,
    retry_failed: corpus.RetryFailed = False,
    commit_every: corpus.CommitEvery = 30.0,
    as_json: opt.AsJson = False,
) -> None:
    """Give every clip of a video one saliency; of many videos, write a data set."""
    from ..outputs.contract import scores_json
    from ..outputs.score_files import check_writable, save_scores
    from .show import show_scores
    from .stored import scores_for

    spec = opt.clip_spec(clip_frames, frame_step, clip_seconds)
    how = corpus.Many(
        engine, address, workers, threads, time_limit, memory_limit, max_failures, retry_failed, commit_every
    )
    if not is_one_video(videos):
        how.refuse(scenes=scenes)
        job = corpus.make_job("score", sampler, seed, frames_per_clip, spec, budget=budget)
        corpus.run(videos, output, job, how, as_json)
        return
    video = how.only(videos)
    if output is not None:
        check_writable(output)
    scores = scores_for(
        video, None, sampler, frames_per_clip, seed, spec, threads or 1, scenes, budget=budget
    )
    if output is not None:
        save_scores(scores, output)
    if as_json:
        print_json(scores_json(scores))
    else:
        show_scores(scores, output)


@app.command()
def select(
    videos: corpus.Videos,
    output: corpus.Output = None,
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    min_gap: opt.MinGap = 0.0,
    coverage: opt.Coverage = 0.0,
    threshold: opt.Threshold = None,
    scores: opt.StoredScores = None,
    frames_per_clip: opt.FramesPerClip = None,
    budget: opt.BudgetName = None,
    clip_frames: opt.ClipFrames = None,
    frame_step: opt.FrameStep = None,
    clip_seconds: opt.ClipSeconds = None,
    scenes: opt.Scenes = None,
    seed: opt.Seed = 0,
    threads: opt.ManyThreads = None,
    engine: corpus.EngineName = "local",
    address: corpus.Address = None,
    workers: corpus.Workers = None,
    time_limit: corpus.TimeLimit = 3600.0,
    memory_limit: corpus.MemoryLimit = None,
    max_failures: corpus.MaxFailures = None,
    retry_failed: corpus.RetryFailed = False,
    commit_every: corpus.CommitEvery = 30.0,
    as_json: opt.AsJson = False,
) -> None:
    """Rank the clips of a video and show the top K with their times; of many videos, write a data set."""
    from ..outputs.contract import selection_json
    from .show import show_selection
    from .stored import scores_for

    spec = opt.clip_spec(clip_frames, frame_step, clip_seconds)
    how = corpus.Many(
        engine, address, workers, threads, time_limit, memory_limit, max_failures, retry_failed, commit_every
    )
    if not is_one_video(videos):
        how.refuse(scenes=scenes, scores=scores)
        job = corpus.make_job(
            "select", sampler, seed, frames_per_clip, spec, k, min_gap, coverage, threshold, budget=budget
        )
        corpus.run(videos, output, job, how, as_json)
        return
    video = how.only(videos, output)
    ranked = scores_for(
        video, scores, sampler, frames_per_clip, seed, spec, threads or 1, scenes, budget=budget
    )
    selection = ranked.select(k, min_gap_s=min_gap, coverage=coverage, threshold=threshold)
    if as_json:
        print_json(selection_json(selection))
    else:
        show_selection(selection)


@app.command()
def classify(
    videos: corpus.Videos,
    output: corpus.Output = None,
    classifier: opt.Classifier = "r2plus1d_18",
    weights: opt.Weights = None,
    random_weights: opt.RandomWeights = False,
    labels: opt.Labels = None,
    strategy: Annotated[
        str, typer.Option(help="How clips are chosen: sampler, dense, uniform, random, empirical or oracle.")
    ] = "sampler",
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    label: Annotated[
        str | None, typer.Option(help="The true class, for the oracle.", show_default=False)
    ] = None,
    scores: opt.StoredScores = None,
    frames_per_clip: opt.FramesPerClip = None,
    budget: opt.BudgetName = None,
    clip_frames: opt.ClassifierFrames = None,
    frame_step: opt.ClassifierStep = None,
    crop_px: opt.CropPx = None,
    top: Annotated[int, typer.Option(help="Classes to show.", min=1)] = 5,
    device: opt.Device = "auto",
    seed: opt.Seed = 0,
    threads: opt.ManyThreads = None,
    engine: corpus.EngineName = "local",
    address: corpus.Address = None,
    workers: corpus.Workers = None,
    time_limit: corpus.TimeLimit = 3600.0,
    memory_limit: corpus.MemoryLimit = None,
    max_failures: corpus.MaxFailures = None,
    retry_failed: corpus.RetryFailed = False,
    commit_every: corpus.CommitEvery = 30.0,
    as_json: opt.AsJson = False,
) -> None:
    """Label a video from K of its clips: the mean of their class probabilities; or many videos."""
    from ..compressed.budget import check_budget
    from ..corpus.job import Looking
    from ..outputs.contract import prediction_json
    from ..samplers import DEFAULT_SAMPLER, make_sampler
    from ..verbs.classify import VideoClassifier
    from .progress import progress_bar
    from .show import show_prediction
    from .stored import load_for

    how = corpus.Many(
        engine, address, workers, threads, time_limit, memory_limit, max_failures, retry_failed, commit_every
    )
    looking = Looking(
        classifier,
        weights,
        random_weights,
        labels,
        clip_frames,
        frame_step,
        crop_px,
        strategy,
        top,
        device,
    )
    if not is_one_video(videos):
        how.refuse(scores=scores, label=label)
        job = corpus.make_job(
            "classify", sampler, seed, frames_per_clip, None, k, looking=looking, budget=budget
        )
        corpus.run(videos, output, job, how, as_json)
        return
    video = how.only(videos, output)
    judge = make_sampler(sampler or DEFAULT_SAMPLER, seed=seed, frames_per_clip=frames_per_clip)
    spent = check_budget(budget or "full")
    ready = None
    if scores is not None:
        ready = load_for(video, scores, sampler, frames_per_clip, seed, None, budget)
    whole = VideoClassifier(looking.load(), judge, k, strategy, seed, threads or 1, budget=spent)
    with progress_bar() as progress:
        prediction = whole(video, label=label, scores=ready, progress=progress)
    if as_json:
        print_json(prediction_json(prediction, top))
    else:
        show_prediction(prediction, top)


@app.command()
def vectors(
    video: opt.Video,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write to this .parquet or .csv file.", show_default=False)
    ],
    frames: Annotated[
        str, typer.Option(help="P for P-frames, all for B-frames too (which must be decoded).")
    ] = "P",
    backend: Annotated[str, typer.Option(help="Who reads: auto, bitstream or decoded.")] = "auto",
    sub_8x8: Annotated[bool, typer.Option("--sub-8x8", help="Write H.264's partitions below 8x8.")] = False,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Write the motion vectors of a video to a table, where possible without decoding it."""
    from ..outputs.contract import vectors_json
    from ..verbs.vectors import write_vectors
    from .show import show_vectors

    # The verb checks the words, so that a wrong one is the same error here and in Python.
    written = write_vectors(video, output, cast("Backend", backend), cast("Frames", frames), sub_8x8, threads)
    if as_json:
        print_json(vectors_json(**vars(written)))
    else:
        show_vectors(written)


app.command()(fit)


@app.command("list")
def list_names(as_json: opt.AsJson = False) -> None:
    """Name everything that an option accepts: samplers, strategies, classifiers."""
    from dataclasses import asdict

    from ..outputs.contract import SCHEMA
    from ..verbs.names import names, released_samplers
    from .show import show_names, show_released

    found, trained = names(), released_samplers()
    if as_json:
        print_json({"schema": SCHEMA, **found, "released": [asdict(one) for one in trained]})
    else:
        show_names(found)
        show_released(trained)


@app.command()
def demo(
    keep: Annotated[
        Path | None, typer.Option(help="Keep the demo's video in this file.", show_default=False)
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make a small video with a known salient part, and find it."""
    from ..outputs.contract import selection_json
    from ..verbs.demo import run_demo
    from .show import show_demo

    outcome = run_demo(keep)
    if as_json:
        found = {"true_start_s": outcome.true_start_s, "true_end_s": outcome.true_end_s}
        print_json({**selection_json(outcome.selection), **found, "hits": outcome.hits})
    else:
        show_demo(outcome)


@app.command()
def doctor(as_json: opt.AsJson = False) -> None:
    """Say what is installed, what loads, what is missing and how to get it."""
    from dataclasses import asdict

    from ..outputs.contract import SCHEMA
    from ..verbs.doctor import examine
    from .show import show_doctor

    findings = examine()
    if as_json:
        print_json({"schema": SCHEMA, "parts": [asdict(finding) for finding in findings]})
    else:
        show_doctor(findings)


app.command()(evaluate)
app.command()(pages.report)
app.command()(pages.view)
app.command()(pages.compare)
app.add_typer(handover)
