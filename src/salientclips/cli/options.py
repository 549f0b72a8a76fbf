"""The options that several commands share, each said once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from . import standard_input

if TYPE_CHECKING:
    from ..timeline import ClipSpec

VideoFile = Annotated[
    Path,
    typer.Argument(
        metavar="VIDEO", help="A video file.", show_default=False, callback=standard_input.refused
    ),
]
"""One that has to stay where it is, because what is written points to it."""
Video = Annotated[
    Path,
    typer.Argument(
        metavar="VIDEO",
        help="A video file, or - for standard input.",
        show_default=False,
        callback=standard_input.copied,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON (schema 1, see docs/json.md).")]
SamplerName = Annotated[
    str | None,
    typer.Option(
        "--sampler",
        "-s",
        help="Who scores: see `salientclips list`, or a learned sampler's folder or hub name. \\[default: default]",
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of what is drawn by lot.")]
Threads = Annotated[int, typer.Option(help="Decoder threads; the result does not depend on it.", min=1)]
ManyThreads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        help="Decoder threads, of each worker; no result depends on it. \\[default: 1; the cores divided by workers]",
        min=1,
        show_default=False,
    ),
]
FramesPerClip = Annotated[
    int | None,
    typer.Option(
        help="Frames read per clip by motion and cumulative-motion; 0 for all. Learned samplers, the default among "
        "them, read as many as they were trained on.",
        min=0,
    ),
]
BudgetName = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="How much is decoded where motion cannot be parsed (HEVC, VP9, AV1 ...): fast, balanced or full; see "
        "docs/budget.md. \\[default: full]",
        show_default=False,
    ),
]
ClipFrames = Annotated[
    int | None, typer.Option(help="Frames of a clip that a classifier looks at. \\[default: 16]")
]
FrameStep = Annotated[
    int | None, typer.Option(help="Source frames from one of them to the next. \\[default: 2]")
]
ClassifierFrames = Annotated[
    int | None,
    typer.Option("--clip-frames", help="Frames of a clip, where it is not the classifier's own number."),
]
ClassifierStep = Annotated[
    int | None, typer.Option("--frame-step", help="Source frames from one to the next, likewise.")
]
CropPx = Annotated[
    int | None,
    typer.Option(help="Side of the square picture that the classifier sees, pixels, where not its usual."),
]
ClipSeconds = Annotated[
    float | None, typer.Option(help="Make clips this many seconds long instead.", show_default=False)
]
K = Annotated[int, typer.Option("-k", "--k", help="Clips wanted.")]
MinGap = Annotated[float, typer.Option(help="Least seconds between two selected clips.")]
Coverage = Annotated[float, typer.Option(help="Share of K, 0 to 1, spread over equal parts of the video.")]
Threshold = Annotated[float | None, typer.Option(help="Least score of a selected clip.", show_default=False)]
StoredScores = Annotated[
    Path | None,
    typer.Option("--scores", help="Use scores that `score --output` wrote.", show_default=False),
]
Page = Annotated[
    Path, typer.Option("--output", "-o", help="Write the page to this .html file.", show_default=False)
]
MaybePage = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write a page to this .html file.", show_default=False)
]
Classifier = Annotated[
    str, typer.Option("--classifier", "-c", help="Who looks: see `salientclips list`, or hf:NAME.")
]
MaybeClassifier = Annotated[
    str | None,
    typer.Option(
        "--classifier", "-c", help="Who looks: see `salientclips list`, or hf:NAME.", show_default=False
    ),
]
Weights = Annotated[
    str | None, typer.Option(help="Its weights: a path, a URL, or 'default'.", show_default=False)
]
RandomWeights = Annotated[
    bool, typer.Option("--random-weights", help="Use untrained weights (for timing only).")
]
Labels = Annotated[
    Path | None,
    typer.Option(help="Class names, one a line, where they are not Kinetics-400's.", show_default=False),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]

Scenes = Annotated[
    Path | None,
    typer.Option("--scenes", help="Take these scenes as clips: PySceneDetect's CSV.", show_default=False),
]


def clip_spec(frames: int | None, frame_step: int | None, seconds: float | None) -> ClipSpec | None:
    """The clip length that was asked for.

    Args:
        frames: ``--clip-frames``.
        frame_step: ``--frame-step``.
        seconds: ``--clip-seconds``.

    Returns:
        The specification; None where no option was given.

    Raises:
        InputError: A value is out of range.
    """
    if frames is None and frame_step is None and seconds is None:
        return None
    # Here and not above: it brings numpy, and --help is to be instant.
    from ..timeline import ClipSpec

    usual = ClipSpec()
    exact = None
    if seconds is not None:
        if not 0 < seconds < float("inf"):
            raise InputError(f"--clip-seconds {seconds} is not a length", "give more than 0 seconds")
        # What the user typed, not its nearest binary fraction: 0.1 is a tenth.
        exact = Fraction(str(seconds))
    return ClipSpec(
        usual.frames if frames is None else frames,
        usual.frame_step if frame_step is None else frame_step,
        exact,
    )
