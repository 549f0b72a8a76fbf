"""What a person sees: tables on stdout, warnings on stderr. Machines get ``--json`` instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from rich.table import Table

from ..probed import Probe
from ..types import ClipScores, SelectedClip, Selection, VideoPrediction
from ..verbs.compare import Compared
from ..verbs.demo import DemoOutcome
from ..verbs.doctor import Finding
from ..verbs.names import Released
from ..verbs.report import ReportWritten
from ..verbs.vectors import VectorsWritten
from .console import OUT, clock, say, warn
from .plain import escape

_LONGEST_TABLE = 40


def show_probe(probe: Probe) -> None:
    """Print what is in a file."""
    video = probe.video
    _title(probe.path)
    table = _facts()
    rate = "variable, " if video.variable_frame_rate else ""
    spacing = video.key_frame_spacing_s
    rows = {
        "container": f"{probe.container}, {probe.size_bytes:,} bytes",
        "video": f"{video.codec} {video.profile or ''} {video.width_px} x {video.height_px}".strip()
        + f", {video.pixel_format or 'unknown pixel format'}, turned {video.rotation_deg} degrees",
        "duration": f"{clock(video.duration_s)}, starts at {video.start_s:.3f} s",
        "frame rate": f"{rate}{video.frame_rate:.3f} frames/s",
        "frames": ", ".join(
            f"{count} {kind} of {video.mean_packet_bytes[kind]:,.0f} bytes"
            for kind, count in video.frames.items()
            if count
        ),
        "key frames": "only one" if spacing is None else f"every {spacing:.2f} s",
    }
    for name, value in rows.items():
        table.add_row(name, escape(value))
    for number, track in enumerate(probe.audio):
        table.add_row(
            f"audio {number}",
            f"{escape(track.codec)}, {track.sample_rate_hz} Hz, {track.channels} channels, "
            f"starts at {track.start_s:.3f} s",
        )
    if not probe.audio:
        table.add_row("audio", "none")
    for feature, support in probe.features.items():
        table.add_row(f"feature {feature}", escape(f"{support.backend}: {support.why}"))
    OUT.print(table)
    warn(probe.warnings)


def show_scores(scores: ClipScores, output: Path | None) -> None:
    """Print the scores in order of time, or where they were written.

    Args:
        scores: The scores.
        output: Where they were written; None where they were not.
    """
    if output is not None:
        OUT.print(f"{len(scores)} clips scored by {escape(scores.sampler)}, written to {escape(str(output))}")
        warn(scores.warnings)
        return
    _title(scores.path, f"saliency by {escape(scores.sampler)}")
    table = Table()
    for heading in ("clip", "start", "end", "score", ""):
        table.add_column(heading, justify="left" if heading == "" else "right")
    # From 0, where a rule such as motion has it that nothing moves; a learned sampler's zero means nothing.
    lowest = float(scores.scores.min(initial=0.0))
    span = max(float(scores.scores.max(initial=lowest)) - lowest, 1e-12)
    shown = range(len(scores)) if len(scores) <= _LONGEST_TABLE else range(_LONGEST_TABLE)
    for i in shown:
        value = float(scores.scores[i])
        bar = "#" * round(20 * (value - lowest) / span)
        table.add_row(str(i), clock(scores.grid.start_s[i]), clock(scores.grid.end_s[i]), f"{value:.4f}", bar)
    OUT.print(table)
    if len(scores) > _LONGEST_TABLE:
        OUT.print(f"... and {len(scores) - _LONGEST_TABLE} more clips; --output FILE or --json gives all")
    warn(scores.warnings)


def show_vectors(written: VectorsWritten) -> None:
    """Print where vectors were written, and how many."""
    OUT.print(
        f"{written.vectors:,} vectors of {written.frames:,} frames ({written.backend}) written to {written.output}",
        markup=False,
    )
    warn(written.warnings)


def show_selection(selection: Selection) -> None:
    """Print the selected clips in rank order."""
    scores = selection.scores
    _title(scores.path, f"{len(selection.clips)} of {len(scores)} clips by {escape(scores.sampler)}")
    OUT.print(_clip_table(selection.clips))
    say(selection.note)
    warn(scores.warnings)


def show_prediction(prediction: VideoPrediction, top: int) -> None:
    """Print a video's classes, the clips looked at, and what it took.

    Args:
        prediction: What the classifier said.
        top: How many classes are shown.
    """
    _title(prediction.path, f"{prediction.classifier}, {prediction.strategy}")
    table = Table()
    table.add_column("class")
    table.add_column("probability", justify="right")
    for guess in prediction.predictions[:top]:
        table.add_row(escape(guess.label), f"{guess.probability:.4f}")
    OUT.print(table)
    if len(prediction.clips) <= _LONGEST_TABLE:
        OUT.print(_clip_table(prediction.clips))
    OUT.print(f"{len(prediction.clips)} clips looked at")
    parts = ", ".join(f"{part} {value:.2f}" for part, value in prediction.seconds.items())
    cost = "" if prediction.gflops is None else f"; {prediction.gflops:,.0f} GFLOPs"
    OUT.print(f"seconds: {parts}{cost}")
    say(prediction.note)
    warn(prediction.warnings)


def show_report(written: ReportWritten) -> None:
    """Print where a page was written."""
    size = f"{written.size_bytes / 1000:,.0f} kB"
    OUT.print(f"{written.clips} clips shown in {written.output} ({size})", markup=False, soft_wrap=True)
    OUT.print("It plays the video from where that lies: move the two together.")
    warn(written.warnings)


def show_address(address: str) -> None:
    """Print where a page is served.

    Args:
        address: Its URL, with the token that lets somebody in.
    """
    OUT.print(f"Serving {address}", markup=False, soft_wrap=True)
    OUT.print("To this machine alone, and to whoever knows the address. Ctrl-C ends it.")


def wait_for_ctrl_c() -> None:
    """Return when the user presses Ctrl-C."""
    # How a command ends that runs until it is told to is no failure.
    with suppress(KeyboardInterrupt):
        Event().wait()


def show_comparison(found: Compared) -> None:
    """Print what strategies chose, and what they share."""
    _title(found.path, "clips in common")
    table = Table()
    for heading in ("strategy", "clips", *found.strategies, "best clips"):
        table.add_column(
            escape(heading), justify="left" if heading in ("strategy", "best clips") else "right"
        )
    for name, selection, shared in zip(found.strategies, found.selections, found.shared, strict=True):
        best = ", ".join(clock(clip.start_s) for clip in selection.clips[:3])
        table.add_row(escape(name), str(len(selection.clips)), *map(str, shared), best)
    OUT.print(table)
    if found.output is not None:
        OUT.print(f"Side by side in {found.output}", markup=False, soft_wrap=True)
    warn(found.warnings)


def show_names(names: Mapping[str, Sequence[str]]) -> None:
    """Print every name an option accepts.

    Args:
        names: Names by kind.
    """
    table = Table()
    table.add_column("kind")
    table.add_column("names")
    for kind, known in names.items():
        table.add_row(kind, ", ".join(known) or "none yet")
    OUT.print(table)


def show_released(samplers: Sequence[Released]) -> None:
    """Print what each trained sampler looks at, its licence and its data; nothing where none is installed."""
    if not samplers:
        return
    table = Table()
    for heading in ("trained sampler", "looks at", "licence", "trained on"):
        table.add_column(heading, overflow="fold")
    for one in samplers:
        table.add_row(*map(escape, (one.name, ", ".join(one.streams), one.licence, one.data)))
    OUT.print(table)


def show_demo(outcome: DemoOutcome) -> None:
    """Print what the demo hid and what was found."""
    begin, end = clock(outcome.true_start_s), clock(outcome.true_end_s)
    OUT.print(f"Made a video of {clock(outcome.duration_s)}; something moves from {begin} to {end}.")
    show_selection(outcome.selection)
    OUT.print(f"{outcome.hits} of {len(outcome.selection.clips)} selected clips lie there.")
    OUT.print("Now your own: [bold]salientclips select YOUR_VIDEO -k 10[/bold]")


def show_doctor(findings: Iterable[Finding]) -> None:
    """Print the state of the installation, and below it one line a remedy, which can be copied."""
    table = Table()
    for heading in ("part", "state", "what it is for"):
        table.add_column(heading, overflow="fold")
    remedies: dict[str, list[str]] = {}
    for finding in findings:
        state = escape(finding.version) if finding.works else f"[yellow]{escape(finding.problem)}[/yellow]"
        table.add_row(finding.part, state, escape(finding.purpose))
        if finding.remedy:
            remedies.setdefault(finding.remedy, []).append(finding.part)
    OUT.print(table)
    for remedy, parts in remedies.items():
        OUT.print(f"{', '.join(parts)}: {escape(remedy)}", soft_wrap=True)


def _title(path: Path, what: str = "") -> None:
    OUT.print(f"[bold]{escape(str(path))}[/bold]{': ' if what else ''}{what}", soft_wrap=True)


def _facts() -> Table:
    table = Table(show_header=False)
    table.add_column("fact", no_wrap=True)
    table.add_column("value")
    return table


def _clip_table(clips: Sequence[SelectedClip]) -> Table:
    table = Table()
    for heading in ("rank", "clip", "start", "end", "score"):
        table.add_column(heading, justify="right")
    for clip in clips:
        table.add_row(
            str(clip.rank), str(clip.index), clock(clip.start_s), clock(clip.end_s), f"{clip.score:.4f}"
        )
    return table
