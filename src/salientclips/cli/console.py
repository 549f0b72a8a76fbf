"""What every command prints with: results on stdout, warnings on stderr, times as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

# Codes of emoji and markup in file names stay text.
out = Console(emoji=False, highlight=False)
err = Console(stderr=True, emoji=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """A time or duration for a person.

    Args:
        seconds: How many; may be negative.

    Returns:
        ``h:mm:ss.mmm``, hours only where there are any.
    """
    sign = "-" if seconds < 0 else ""
    total_ms = round(abs(seconds) * 1000)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{ms / 1000:06.3f}"
    return f"{sign}{hours}:{minutes:02}:{tail}" if hours else f"{sign}{minutes}:{tail}"


def say(note: str) -> None:
    """Print what is to be known of a result.

    Args:
        note: One line; nothing is printed where it is empty.
    """
    if note:
        out.print(escape(note))


def warn(warnings: Sequence[str]) -> None:
    """Print what went wrong without stopping the work.

    Args:
        warnings: One line each.
    """
    for warning in warnings:
        err.print(f"[yellow]warning:[/yellow] {escape(warning)}")
