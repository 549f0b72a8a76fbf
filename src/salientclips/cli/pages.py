"""The commands that make something to look at: report, view, compare."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as opt
from .machine import print_json


def report(
    video: opt.VideoFile,
    output: opt.Page,
    classifier: opt.MaybeClassifier = None,
    weights: opt.Weights = None,
    random_weights: opt.RandomWeights = False,
    labels: opt.Labels = None,
    dense: Annotated[
        bool, typer.Option("--dense", help="Let the classifier look at all clips, too (takes long).")
    ] = False,
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
    device: opt.Device = "auto",
    seed: opt.Seed = 0,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Write a page that shows the video, its saliency, the clips chosen, and what they cost."""
    from ..classifiers import load_classifier
    from ..outputs.contract import report_json
    from ..verbs.report import check_page, write_report
    from .progress import progress_bar
    from .show import show_report
    from .stored import clip_for, scores_for

    check_page(output, video)
    spec = opt.clip_spec(clip_frames, frame_step, clip_seconds)
    look = None
    if classifier is not None:
        look = load_classifier(
            classifier, weights=weights, random_weights=random_weights, labels=labels, device=device
        )
        spec = clip_for(look, spec, scores)
    ranked = scores_for(video, scores, sampler, frames_per_clip, seed, spec, threads, budget=budget)
    selection = ranked.select(k, min_gap_s=min_gap, coverage=coverage, threshold=threshold)
    with progress_bar() as progress:
        written = write_report(
            selection,
            output,
            min_gap_s=min_gap,
            classifier=look,
            dense=dense,
            threads=threads,
            progress=progress,
        )
    if as_json:
        print_json(report_json(**vars(written)))
    else:
        show_report(written)


def view(
    video: opt.VideoFile,
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    min_gap: opt.MinGap = 0.0,
    scores: opt.StoredScores = None,
    frames_per_clip: opt.FramesPerClip = None,
    budget: opt.BudgetName = None,
    clip_frames: opt.ClipFrames = None,
    frame_step: opt.FrameStep = None,
    clip_seconds: opt.ClipSeconds = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the web browser.")
    ] = True,
    seed: opt.Seed = 0,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Look at a video in the browser and try other K, gaps and samplers; serves this machine alone, until Ctrl-C."""
    from ..outputs.contract import SCHEMA
    from ..verbs.view import check_view, serve
    from .show import show_address, wait_for_ctrl_c
    from .stored import scores_for

    check_view()
    spec = opt.clip_spec(clip_frames, frame_step, clip_seconds)
    ranked = scores_for(video, scores, sampler, frames_per_clip, seed, spec, threads, budget=budget)
    with serve(ranked.select(k, min_gap_s=min_gap), min_gap_s=min_gap, seed=seed, threads=threads) as address:
        if as_json:
            print_json({"schema": SCHEMA, "path": str(video), "url": address})
        else:
            show_address(address)
        if browser:
            typer.launch(address)
        wait_for_ctrl_c()


def compare(
    video: opt.VideoFile,
    strategies: Annotated[
        list[str],
        typer.Argument(metavar="A B ...", help="Names of samplers, or score files of this video."),
    ],
    output: opt.MaybePage = None,
    k: opt.K = 10,
    min_gap: opt.MinGap = 0.0,
    clip_frames: opt.ClipFrames = None,
    frame_step: opt.FrameStep = None,
    clip_seconds: opt.ClipSeconds = None,
    budget: opt.BudgetName = None,
    seed: opt.Seed = 0,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Show what several strategies choose from one video, side by side on one time line."""
    from ..compressed.budget import check_budget
    from ..outputs.contract import comparison_json
    from ..verbs.compare import compare as put_side_by_side
    from .progress import progress_bar
    from .show import show_comparison

    spec = opt.clip_spec(clip_frames, frame_step, clip_seconds)
    with progress_bar() as progress:
        found = put_side_by_side(
            video,
            strategies,
            k=k,
            min_gap_s=min_gap,
            clip=spec,
            budget=check_budget(budget or "full"),
            output=output,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if as_json:
        print_json(
            comparison_json(found.path, found.output, found.strategies, found.selections, found.shared)
        )
    else:
        show_comparison(found)
