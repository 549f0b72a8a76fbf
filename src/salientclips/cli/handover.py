"""The commands that hand a selection over: export, cut, summary, frames, mcp. They join those of app.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from . import options as opt
from .machine import print_json

if TYPE_CHECKING:
    from ..adapters.openai import Detail
    from ..types import Selection

handover = typer.Typer()


@handover.command()
def export(
    video: opt.VideoFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write to this file.", show_default=False)],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Format, where the suffix does not say it: csv, json, parquet, webvtt, ffmetadata, otio, edl, "
            "fiftyone, label-studio, ffmpeg, ffmpeg-filter.",
            show_default=False,
        ),
    ] = None,
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    min_gap: opt.MinGap = 0.0,
    coverage: opt.Coverage = 0.0,
    threshold: opt.Threshold = None,
    scores: opt.StoredScores = None,
    clip_seconds: opt.ClipSeconds = None,
    scenes: opt.Scenes = None,
    budget: opt.BudgetName = None,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Write the top K clips for another tool: a player, an editor, an annotator, ffmpeg."""
    from ..errors import UnknownNameError
    from ..outputs.exports import FORMATS, format_of
    from ..outputs.exports import export as write
    from ..outputs.handover_contract import export_json
    from .show_handover import show_export

    # Before the long work, so that a wrong word costs nothing.
    name = format_of(output) if to is None else to
    if name not in FORMATS:
        raise UnknownNameError("export format", name, tuple(FORMATS))
    chosen = _select(
        video, k, sampler, min_gap, coverage, threshold, scores, clip_seconds, scenes, threads, budget
    )
    done = write(chosen, output, name)
    if as_json:
        print_json(export_json(video, done.path, done.format, done.clips, done.notes, chosen))
    else:
        show_export(done, chosen)


@handover.command()
def cut(
    video: opt.Video,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the clips to this folder.", show_default=False)
    ],
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy from the key frame before, instead of encoding again.")
    ] = False,
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    min_gap: opt.MinGap = 0.0,
    coverage: opt.Coverage = 0.0,
    threshold: opt.Threshold = None,
    scores: opt.StoredScores = None,
    clip_seconds: opt.ClipSeconds = None,
    scenes: opt.Scenes = None,
    budget: opt.BudgetName = None,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Write each of the top K clips to a video file of its own, exact to the frame."""
    from ..outputs.handover_contract import CutRow, cut_json
    from ..verbs.cut import cut as write
    from .progress import progress_bar
    from .show_handover import show_cut

    chosen = _select(
        video, k, sampler, min_gap, coverage, threshold, scores, clip_seconds, scenes, threads, budget
    )
    with progress_bar() as progress:
        done = write(chosen, output, copy=copy, threads=threads, progress=progress)
    if as_json:
        rows = [
            CutRow(c.clip, c.path, float(c.start), float(c.end), c.starts_early_s, c.ends_late_s)
            for c in done.clips
        ]
        print_json(cut_json(video, copy, rows, chosen.note, done.warnings))
    else:
        show_cut(done, copy, chosen.note)


@handover.command()
def summary(
    video: opt.Video,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write to this .mp4 file.", show_default=False)
    ],
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    min_gap: opt.MinGap = 0.0,
    coverage: opt.Coverage = 0.0,
    threshold: opt.Threshold = None,
    scores: opt.StoredScores = None,
    clip_seconds: opt.ClipSeconds = None,
    scenes: opt.Scenes = None,
    budget: opt.BudgetName = None,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Write one short video of the top K clips, in order of time, with their sound."""
    from ..outputs.handover_contract import summary_json
    from ..verbs.cut import summary as write
    from .progress import progress_bar
    from .show_handover import show_summary

    chosen = _select(
        video, k, sampler, min_gap, coverage, threshold, scores, clip_seconds, scenes, threads, budget
    )
    with progress_bar() as progress:
        done = write(chosen, output, threads=threads, progress=progress)
    if as_json:
        parts = [(part.clip, float(part.at)) for part in done.parts]
        print_json(
            summary_json(
                video, done.path, float(done.duration), done.has_sound, parts, chosen.note, done.warnings
            )
        )
    else:
        show_summary(done, chosen.note)


@handover.command()
def frames(
    video: opt.Video,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="A .json file of content parts for a chat model, or a folder for JPEG files.",
            show_default=False,
        ),
    ],
    number: Annotated[
        int | None,
        typer.Option("--frames", help="Frames in all, at most. \\[default: 32]", show_default=False),
    ] = None,
    tokens: Annotated[int | None, typer.Option(help="Tokens in all, at most.", show_default=False)] = None,
    tokens_per_frame: Annotated[
        int | None,
        typer.Option(help="What a frame costs the model. \\[default: OpenAI's rule]", show_default=False),
    ] = None,
    detail: Annotated[str, typer.Option(help="How closely the model looks: low or high.")] = "low",
    size: Annotated[int, typer.Option(help="Shorter side of the pictures at most, pixels.", min=1)] = 512,
    k: opt.K = 10,
    sampler: opt.SamplerName = None,
    min_gap: opt.MinGap = 0.0,
    coverage: opt.Coverage = 0.0,
    threshold: opt.Threshold = None,
    scores: opt.StoredScores = None,
    clip_seconds: opt.ClipSeconds = None,
    scenes: opt.Scenes = None,
    budget: opt.BudgetName = None,
    threads: opt.Threads = 1,
    as_json: opt.AsJson = False,
) -> None:
    """Spread a budget of frames over the top K clips and write them with their times, for a chat model."""
    from ..adapters.frame_files import write_frames
    from ..adapters.openai import frame_parts
    from ..errors import UnknownNameError
    from ..outputs.handover_contract import frames_json
    from .show_handover import show_frames

    if detail not in ("low", "high"):
        raise UnknownNameError("detail", detail, ("low", "high"))
    chosen = _select(
        video, k, sampler, min_gap, coverage, threshold, scores, clip_seconds, scenes, threads, budget
    )
    made = frame_parts(
        chosen,
        number,
        token_budget=tokens,
        tokens_per_frame=tokens_per_frame,
        detail=cast("Detail", detail),
        shorter_side_px=size,
        threads=threads,
    )
    write_frames(made, output, video)
    if as_json:
        rows = [(frame.number, frame.time_s, frame.clip.rank) for frame in made.frames]
        print_json(frames_json(video, output, made.tokens, rows, chosen.note, chosen.scores.warnings))
    else:
        show_frames(made, output, chosen.note)


@handover.command()
def mcp(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders whose videos may be read.", show_default=False)
    ],
    threads: opt.Threads = 1,
) -> None:
    """Serve probe, select and frames to an assistant over standard input and output (MCP)."""
    from ..adapters.mcp import make_server

    make_server(folders, threads=threads).run("stdio")


def _select(
    video: Path,
    k: int,
    sampler: str | None,
    min_gap_s: float,
    coverage: float,
    threshold: float | None,
    stored: Path | None,
    clip_seconds: float | None,
    scenes: Path | None,
    threads: int,
    budget: str | None,
) -> Selection:
    from .stored import scores_for

    spec = opt.clip_spec(None, None, clip_seconds)
    ranked = scores_for(video, stored, sampler, None, 0, spec, threads, scenes, budget=budget)
    return ranked.select(k, min_gap_s=min_gap_s, coverage=coverage, threshold=threshold)
