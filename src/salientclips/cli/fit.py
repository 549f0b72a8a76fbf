"""The command ``fit``: its many options, parsed and handed to the verb."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import InputError
from . import corpus
from . import options as opt
from .machine import print_json

if TYPE_CHECKING:
    from ..samplers.card import Architecture, Combination, Objective, Stream

_SAMPLER = "The sampler"
_TRAINING = "Training"

Videos = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEOS",
        help="A folder (one sub-folder a class, or videos without labels), a CSV manifest; or files, globs, lists, "
        "Parquet manifests, WebDataset shards, URLs.",
        show_default=False,
    ),
]


def fit(
    videos: Videos,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the sampler; made, or its sampler replaced.")
    ] = Path("sampler"),
    classifier: Annotated[
        str, typer.Option("--classifier", "-c", help="Whose judgement is learned: see `salientclips list`.")
    ] = "r2plus1d_18",
    weights: Annotated[
        str | None,
        typer.Option(help="The classifier's weights: a path, a URL, or 'default'.", show_default=False),
    ] = None,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Use an untrained classifier (for trying things out).")
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="The classifier's class names, one a line, where not Kinetics-400's.", show_default=False
        ),
    ] = None,
    without_labels: Annotated[
        bool,
        typer.Option("--without-labels", help="Take the classifier's own verdict for every video's label."),
    ] = False,
    from_spans: Annotated[
        bool,
        typer.Option(
            "--from-spans", help="Learn the spans that the manifest marks; no classifier is needed."
        ),
    ] = False,
    streams: Annotated[
        str,
        typer.Option(
            help="What it looks at: md, rgbr, stats, if, motion, packets, audio.", rich_help_panel=_SAMPLER
        ),
    ] = "md,rgbr,audio",
    architecture: Annotated[
        str,
        typer.Option(
            help="Its visual networks: shufflenet26, resnet18, or mobilenetv2 (I-frames, with --front-weights).",
            rich_help_panel=_SAMPLER,
        ),
    ] = "shufflenet26",
    front_weights: Annotated[
        Path | None,
        typer.Option(
            help="MobileNetV2's weights by ImageNet: it looks at I-frames then, and only its last layer learns.",
            rich_help_panel=_SAMPLER,
            show_default=False,
        ),
    ] = None,
    objective: Annotated[
        str, typer.Option(help="What they learn: ac, sal-cl or sal-rank.", rich_help_panel=_SAMPLER)
    ] = "sal-rank",
    audio_objective: Annotated[
        str | None,
        typer.Option(help="What the audio network learns, if another.", rich_help_panel=_SAMPLER),
    ] = None,
    audio_architecture: Annotated[
        str,
        typer.Option(
            help="Its audio network: vgg18, or bands, one layer that learns in seconds.",
            rich_help_panel=_SAMPLER,
        ),
    ] = "vgg18",
    combination: Annotated[
        str,
        typer.Option(help="How sound and picture meet: see `salientclips list`.", rich_help_panel=_SAMPLER),
    ] = "av-union-list",
    frames_per_clip: Annotated[
        int, typer.Option(help="Frames read per clip; 0 for all.", min=0, rich_help_panel=_SAMPLER)
    ] = 4,
    neighbours: Annotated[
        int | None,
        typer.Option(
            help="Clips on either side with a say in a clip's score. Default: chosen on validation videos.",
            min=0,
            rich_help_panel=_SAMPLER,
        ),
    ] = None,
    weigh_streams: Annotated[
        bool,
        typer.Option(
            help="Choose on validation videos how much each visual stream counts.", rich_help_panel=_SAMPLER
        ),
    ] = True,
    clip_frames: Annotated[
        int | None,
        typer.Option(help="Frames of a clip that the classifier looks at, where not its usual."),
    ] = None,
    frame_step: Annotated[
        int | None, typer.Option(help="Source frames from one of them to the next, where not its usual.")
    ] = None,
    crop_px: opt.CropPx = None,
    clip_seconds: opt.ClipSeconds = None,
    name: Annotated[
        str, typer.Option(help="Its name. \\[default: the folder's]", rich_help_panel=_SAMPLER)
    ] = "",
    licence: Annotated[str, typer.Option(help="Licence of its weights.", rich_help_panel=_SAMPLER)] = "",
    k: Annotated[
        int, typer.Option("-k", "--k", help="Clips it will be asked for.", rich_help_panel=_TRAINING)
    ] = 10,
    validation_share: Annotated[
        float,
        typer.Option(help="Share of the videos held back for validation.", rich_help_panel=_TRAINING),
    ] = 0.2,
    epochs: Annotated[
        int | None, typer.Option(help="Most visits to each video.", rich_help_panel=_TRAINING)
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Epochs without improvement before it stops.", rich_help_panel=_TRAINING),
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of AdamW.", rich_help_panel=_TRAINING)] = None,
    videos_per_batch: Annotated[
        int | None, typer.Option(help="Videos of one step.", rich_help_panel=_TRAINING)
    ] = None,
    clips_per_video: Annotated[
        int | None, typer.Option(help="Clips drawn of a video at a visit.", rich_help_panel=_TRAINING)
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="sal-rank: margin of the hinge.", rich_help_panel=_TRAINING)
    ] = None,
    pairs_per_video: Annotated[
        int | None,
        typer.Option(help="sal-rank: pairs drawn at a visit; 0 for all.", rich_help_panel=_TRAINING),
    ] = None,
    tie_gap: Annotated[
        float | None,
        typer.Option(
            help="sal-rank: clips nearer than this in certainty are tied.", rich_help_panel=_TRAINING
        ),
    ] = None,
    pair_weight: Annotated[
        str | None, typer.Option(help="sal-rank: equal, or gap.", rich_help_panel=_TRAINING)
    ] = None,
    sal_cl_target: Annotated[
        str | None,
        typer.Option(
            help="sal-cl: right (whether the classifier is), or surety (its probability of the true class).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Where labels and features are kept. \\[default: ~/.cache/salientclips/videos]",
            show_default=False,
        ),
    ] = None,
    device: opt.Device = "auto",
    seed: opt.Seed = 0,
    threads: opt.Threads = 1,
    engine: corpus.EngineName = "local",
    address: corpus.Address = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that read and label. \\[default: this one alone; of a Ray cluster, all cores]",
            min=1,
            rich_help_panel="Many videos",
            show_default=False,
        ),
    ] = None,
    time_limit: corpus.TimeLimit = 3600.0,
    memory_limit: corpus.MemoryLimit = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make a sampler for your classifier from your videos, with or without labels.

    Stop it at any time: started again, it goes on where it was.
    """
    from ..corpus.job import Looking
    from ..outputs.fit_json import fit_json
    from ..training.options import TrainingOptions
    from ..training.plan import SamplerPlan
    from ..verbs.fit import fit as fit_sampler
    from .fit_corpus import prepared
    from .progress import progress_bar
    from .show_fit import show_fit

    # The verb's types check the words, so that a wrong one is the same error here and in Python.
    plan = SamplerPlan(
        streams=cast("tuple[Stream, ...]", tuple(word.strip() for word in streams.split(","))),
        architecture=cast("Architecture", architecture),
        front_weights=front_weights,
        objective=cast("Objective", objective),
        audio_objective=cast("Objective | None", audio_objective),
        audio_architecture=cast("Architecture", audio_architecture),
        combination=cast("Combination", combination),
        frames_per_clip=frames_per_clip,
        neighbours=neighbours,
        weighs_streams=weigh_streams,
    )
    given = {
        "epochs": epochs,
        "patience": patience,
        "learning_rate": learning_rate,
        "videos_per_batch": videos_per_batch,
        "clips_per_video": clips_per_video,
        "margin": margin,
        "pairs_per_video": pairs_per_video,
        "tie_gap": tie_gap,
        "pair_weight": pair_weight,
        "sal_cl_target": sal_cl_target,
    }
    options = TrainingOptions(
        seed=seed,
        **{key: value for key, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
    looking = Looking(
        classifier, weights, random_weights, labels, clip_frames, frame_step, crop_px, device=device
    )
    if from_spans:
        if weights or random_weights or labels or without_labels or crop_px:
            raise InputError(
                "with --from-spans no classifier is asked", "leave its options out, or --from-spans"
            )
        f, spec = None, opt.clip_spec(clip_frames, frame_step, clip_seconds)
    else:
        f = looking.load(device=_own_device(device))
        spec = opt.clip_spec(f.input.frames, f.input.frame_step, clip_seconds)
    ready = prepared(
        videos,
        corpus.Many(engine, address, workers, None, time_limit, memory_limit),
        cache=cache,
        clip=spec or (None if f is None else f.input.clip_spec),
        parameters=plan.feature_parameters,
        looking=None if from_spans else looking,
        as_json=as_json,
    )
    with progress_bar() as progress:
        fitted = fit_sampler(
            ready.videos,
            f,
            plan=plan,
            options=options,
            output=output,
            use_labels=not without_labels,
            clip=spec,
            k=k,
            validation_share=validation_share,
            cache=cache,
            name=name,
            licence=licence,
            device=device,
            threads=threads,
            source=ready.source,
            progress=progress,
        )
    fitted = replace(fitted, left_out=(*ready.left_out, *fitted.left_out))
    if not _is_first():
        return
    if as_json:
        left_out = [(out.path, out.reason) for out in fitted.left_out]
        about = fit_json(
            fitted.card,
            folder=fitted.folder,
            videos=fitted.videos,
            left_out=left_out,
            history=fitted.history,
            seconds=fitted.seconds,
            warnings=fitted.warnings,
        )
        print_json(about)
    else:
        show_fit(fitted)


def _own_device(device: str) -> str:
    """Under ``torchrun`` each process has a GPU of its own; its classifier runs there too."""
    local = os.environ.get("LOCAL_RANK")
    if local is None or device not in ("auto", "cuda"):
        return device
    from ..networks.extras import pick_device

    return f"cuda:{local}" if pick_device(device).type == "cuda" else device


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"
