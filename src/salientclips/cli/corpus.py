"""Many videos instead of one: the options of ``score``, ``select`` and ``classify``, and the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from . import standard_input
from .corpus_progress import progress_line

if TYPE_CHECKING:
    from ..corpus.job import Job, Looking, Verb
    from ..corpus.rows import Outcome
    from ..engines.run import Engine, Tally
    from ..timeline import ClipSpec

_PANEL = "Many videos"

Videos = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEO",
        help="A video file, or - for standard input. Or many: files, folders, globs, lists (.txt), manifests "
        "(.csv, .parquet), WebDataset shards (.tar), URLs; then --output names a folder for the data set.",
        show_default=False,
        callback=standard_input.copied_if_alone,
    ),
]
EngineName = Annotated[
    str,
    typer.Option(
        "--engine", help="Who works: local (processes of this machine) or ray.", rich_help_panel=_PANEL
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="ray: the cluster's address. \\[default: RAY_ADDRESS, else one of its own on this machine]",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Processes. \\[default: one a core]", min=1, rich_help_panel=_PANEL, show_default=False
    ),
]
TimeLimit = Annotated[
    float, typer.Option(help="Seconds after which a video is given up.", rich_help_panel=_PANEL)
]
MemoryLimit = Annotated[
    int | None,
    typer.Option(
        help="MiB of memory at which a video is given up. \\[default: a worker's share of the machine's]",
        min=1,
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        help="Stop when more videos than this have failed.",
        min=0,
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed", help="Try videos again that failed in an earlier run.", rich_help_panel=_PANEL
    ),
]
CommitEvery = Annotated[
    float,
    typer.Option(
        help="Seconds after which rows are written: what a kill can cost, at most, of what is done. Each time makes "
        "two files.",
        min=0.1,
        rich_help_panel=_PANEL,
    ),
]

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Folder for the data set of many videos.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Many:
    """How many videos are worked on, as the options say."""

    engine: str = "local"
    """``"local"`` or ``"ray"``."""
    address: str | None = None
    """Of the Ray cluster; None to start one here."""
    workers: int | None = None
    """Processes of this machine; None for one a core."""
    threads: int | None = None
    """Decoder threads, of each worker; None for 1, or for the cores divided by the workers."""
    time_limit_s: float = 3600.0
    """Seconds after which a video is given up."""
    memory_limit_mib: int | None = None
    """MiB at which a video is given up; None for a share of the memory."""
    max_failures: int | None = None
    """Failures after which the run ends; None for never."""
    retry_failed: bool = False
    """Whether videos that failed before are tried again."""
    commit_every_s: float = 30.0
    """Seconds after which rows are written."""

    def refuse(self, **given: object) -> None:
        """Refuse options that belong to a single video.

        Args:
            given: Options by name.

        Raises:
            InputError: One of them was given.
        """
        for name, value in given.items():
            if value is not None:
                raise InputError(
                    f"--{name} belongs to a single video", "leave it out, or name one video file"
                )

    def only(self, videos: Sequence[str], output: Path | None = None) -> Path:
        """The single video, where nothing was said that many videos are meant by.

        Args:
            videos: One word.
            output: Folder of a data set, where the command makes none of a single video.

        Returns:
            Its path.

        Raises:
            InputError: An option belongs to many videos.
        """
        usual = Many(threads=self.threads)
        said = [name for name in vars(usual) if getattr(self, name) != getattr(usual, name)]
        if said or output is not None:
            name = said[0].removesuffix("_s").removesuffix("_mib").replace("_", "-") if said else "output"
            raise InputError(
                f"--{name} belongs to many videos", f"leave it out, or name more than '{videos[0]}'"
            )
        return Path(videos[0])


def make_job(
    verb: Verb,
    sampler: str | None,
    seed: int,
    frames_per_clip: int | None,
    clip: ClipSpec | None,
    k: int = 10,
    min_gap_s: float = 0.0,
    coverage: float = 0.0,
    threshold: float | None = None,
    looking: Looking | None = None,
    *,
    budget: str | None = None,
) -> Job:
    """What is to be done to each video, from the options of a command.

    Args:
        verb: The command.
        sampler: ``--sampler``; None for the default.
        seed: ``--seed``.
        frames_per_clip: ``--frames-per-clip``.
        clip: Clip length; None where nothing was said.
        k: ``-k``.
        min_gap_s: ``--min-gap``.
        coverage: ``--coverage``.
        threshold: ``--threshold``.
        looking: The classifier and its options.
        budget: ``--budget``; None for the default.

    Returns:
        The job.

    Raises:
        InputError: An option is out of range.
        UnknownNameError: There is no such budget.
    """
    from ..compressed.budget import check_budget
    from ..corpus.job import Choosing, Job, Scoring
    from ..samplers import DEFAULT_SAMPLER

    spent = check_budget(budget or "full")
    scoring = Scoring(sampler or DEFAULT_SAMPLER, seed, frames_per_clip, clip, spent)
    return Job(verb, scoring, Choosing(k, min_gap_s, coverage, threshold), looking)


def run(videos: Sequence[str], output: Path | None, job: Job, options: Many, as_json: bool) -> None:
    """Work on many videos, show how it goes, and leave with an exit code that says whether all went well.

    Args:
        videos: What the user named.
        output: Folder of the data set.
        job: What is done to each video.
        options: How.
        as_json: Whether events go to stdout as JSON lines.

    Raises:
        InputError: No folder was given, or the options contradict one another.
        typer.Exit: With code 1 where a video failed.
    """
    from ..engines.run import run_corpus
    from .corpus_events import Events
    from .show_corpus import show_corpus

    if output is None:
        more = f" and {len(videos) - 1} more mean" if len(videos) > 1 else " means"
        from ..corpus.names import shown_name

        raise InputError(
            f"'{shown_name(videos[0])}'{more} many videos, which make a data set", "give -o FOLDER for it"
        )
    engine = engine_for(options)
    with progress_line(as_json) as show:
        events = Events(output) if as_json else None

        def watch(tally: Tally, outcome: Outcome | None) -> None:
            if events is not None:
                events.watch(tally, outcome)
            if show is not None:
                show(tally)

        report = run_corpus(
            list(videos),
            output,
            job,
            engine=engine,
            retry_failed=options.retry_failed,
            max_failures=options.max_failures,
            part_seconds=options.commit_every_s,
            watch=watch,
        )
    if events is not None:
        events.end(report)
    else:
        show_corpus(report, job.verb)
    if report.failed or report.stopped:
        raise typer.Exit(1)


def engine_for(options: Many) -> Engine:
    """The engine that the options name.

    Args:
        options: How many videos are worked on.

    Returns:
        The engine; nothing is started yet.

    Raises:
        InputError: The options contradict one another.
    """
    from ..corpus.job import ENGINES
    from ..engines.limits import Limits
    from ..engines.local import LocalEngine
    from ..engines.ray import RayEngine

    memory = None if options.memory_limit_mib is None else options.memory_limit_mib << 20
    limits = Limits(options.time_limit_s, memory)
    if options.engine == "ray":
        return RayEngine(options.address, options.workers, options.threads or 1, limits)
    if options.engine != "local":
        from ..errors import UnknownNameError

        raise UnknownNameError("engine", options.engine, ENGINES)
    if options.address is not None:
        raise InputError("--address is where a Ray cluster is", "give --engine ray, or leave it out")
    return LocalEngine(options.workers, options.threads, limits)
