"""The pages of the documentation, taken apart: code blocks, commands in them, code in prose."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(
    r"^(?:<!-- (?P<how>not run: (?P<reason>[^\n]*?)|compared) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    line: int
    """Where it begins in the page, from 1."""
    not_run: str = ""
    """Why it is not run, as the comment before it says; empty where it is."""
    is_compared: bool = False
    """Whether what the block before it prints must be this text."""

    def lines(self) -> list[str]:
        """What stands behind ``$`` in a console, each with its continuations."""
        joined = re.sub(r"\\\n(> )?\s*", "", self.text)
        return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            m["language"],
            m["text"],
            text.count("\n", 0, m.start("language")) + 1,
            m["reason"] or "",
            m["how"] == "compared",
        )
        for m in _BLOCK.finditer(text)
    ]


def words_of(line: str) -> list[str]:
    """A command as a shell splits it; a comment ends it."""
    return shlex.split(line, comments=True)


def is_ours(line: str) -> bool:
    return line.startswith("salientclips ")


def needs_shell(line: str) -> bool:
    """Whether more is asked for than to run one command: pipes, redirections, patterns, variables."""
    return bool(re.search(r"[|<>&;*?$`]", re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", line)))


def prose_of(page: Path) -> str:
    """A page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def code_in_prose(page: Path) -> Iterator[str]:
    """What stands in back-quotes, and what is indented by four."""
    text = prose_of(page)
    for match in re.finditer(r"`([^`]+)`|^ {4}(\S.*)$", text, re.M):
        yield " ".join((match[1] or match[2]).split())
