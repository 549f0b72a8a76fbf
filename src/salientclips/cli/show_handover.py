"""What a person sees of the commands that hand a selection over."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from ..adapters.openai import FrameParts
from ..outputs.exports import Exported
from ..types import Selection
from ..verbs.cut import CutResult, SummaryResult
from .console import OUT, clock, say, warn
from .plain import escape


def show_export(done: Exported, selection: Selection) -> None:
    """Print what was written, and how to use it."""
    OUT.print(f"{done.clips} clips written to {done.path} ({done.format})", markup=False)
    for note in done.notes:
        OUT.print(note, markup=False, soft_wrap=True)
    say(selection.note)
    warn(selection.scores.warnings)


def show_cut(done: CutResult, copied: bool, note: str) -> None:
    """Print the files, and for copies how far they reach beyond their clips.

    Args:
        done: What was written.
        copied: Whether packets were copied.
        note: Why there are fewer than K clips; empty where there are not.
    """
    table = Table()
    headings = ("rank", "start", "end", *(("early", "late") if copied else ()), "file")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "file" else "right", overflow="fold")
    for made in done.clips:
        off = (f"{made.starts_early_s:.3f} s", f"{made.ends_late_s:.3f} s") if copied else ()
        times = (clock(float(made.start)), clock(float(made.end)))
        table.add_row(str(made.clip.rank), *times, *off, escape(str(made.path)))
    OUT.print(table)
    say(note)
    warn(done.warnings)


def show_summary(done: SummaryResult, note: str) -> None:
    """Print where the summary is, and where each clip lies in it.

    Args:
        done: What was written.
        note: Why there are fewer than K clips; empty where there are not.
    """
    sound = "with sound" if done.has_sound else "without sound"
    length = clock(float(done.duration))
    OUT.print(f"{len(done.parts)} clips, {length}, {sound}, written to {done.path}", markup=False)
    table = Table()
    for heading in ("at", "rank", "start", "end"):
        table.add_column(heading, justify="right")
    for part in done.parts:
        clip = part.clip
        table.add_row(clock(float(part.at)), str(clip.rank), clock(clip.start_s), clock(clip.end_s))
    OUT.print(table)
    say(note)
    warn(done.warnings)


def show_frames(made: FrameParts, output: Path, note: str) -> None:
    """Print how many frames were written, and what they cost.

    Args:
        made: The frames.
        output: Where they were written.
        note: Why there are fewer than K clips; empty where there are not.
    """
    OUT.print(f"{len(made.frames)} frames, about {made.tokens:,} tokens, written to {output}", markup=False)
    say(note)
