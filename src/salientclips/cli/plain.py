"""Text of others as a terminal may have it: a file name can hold what moves the cursor or sets the window's title.

``rich`` takes care of markup and not of control characters, and file names, tags and stored scores may hold both.
"""

from __future__ import annotations

from typing import Any

from rich import markup
from rich.console import Console


def plain(text: str) -> str:
    """A text that a terminal shows and does not obey.

    Args:
        text: Any text.

    Returns:
        The text; whatever is not printable is ``?``, but for ends of lines.
    """
    return "".join(c if c.isprintable() or c == "\n" or "\ud800" <= c <= "\udfff" else "?" for c in text)


def escape(text: str) -> str:
    """The same for a text that goes between marks of ``rich``.

    Args:
        text: Any text.

    Returns:
        The text, with brackets that are no marks.
    """
    return markup.escape(plain(text))


class PlainConsole(Console):
    """A console that prints texts by :func:`plain`; what stands in tables goes through :func:`escape` before."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as ``rich`` does.

        Args:
            objects: Texts and tables.
            options: As for ``rich``.
        """
        super().print(*(plain(o) if isinstance(o, str) else o for o in objects), **options)
