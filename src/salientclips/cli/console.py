"""What the commands print with: answers on stdout, warnings and errors on stderr, times as a clock shows them."""

from __future__ import annotations

from collections.abc import Sequence

from .plain import PlainConsole, escape

# Codes of emoji and markup in file names stay text.
OUT = PlainConsole(emoji=False, highlight=False)
"""For answers."""
ERR = PlainConsole(stderr=True, emoji=False, highlight=False, soft_wrap=True)
"""For what is no answer, so that a pipe gets answers alone."""


def say(note: str) -> None:
    """Print a note below an answer.

    Args:
        note: Nothing is printed of an empty one.
    """
    if note:
        OUT.print(escape(note))


def warn(warnings: Sequence[str]) -> None:
    """Print warnings.

    Args:
        warnings: One line each.
    """
    for warning in warnings:
        ERR.print(f"[yellow]warning:[/yellow] {escape(warning)}")


def clock(seconds: float) -> str:
    """Seconds as ``h:mm:ss.mmm``, hours only where there are any.

    Args:
        seconds: Any time, also before zero.

    Returns:
        The text; milliseconds are rounded.
    """
    sign = "-" if seconds < 0 else ""
    total_ms = round(abs(seconds) * 1000)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{ms / 1000:06.3f}"
    return f"{sign}{hours}:{minutes:02}:{tail}" if hours else f"{sign}{minutes}:{tail}"
