"""MkDocs hook: one text serves GitHub and the site.

Pages link to one another as GitHub wants it, by paths in the repository. What lies outside ``docs/`` becomes a page
of the site: README.md is its front page, other Markdown, and the source files and pictures that pages link to, are
under ``repository/``.
GitHub ends a paragraph where a list or a table begins; Python-Markdown wants a blank line there, so it gets one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
FRONT = "README.md"
PAGES = (FRONT, "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
"""Markdown outside ``docs/`` that is part of the site."""
NAMED = {FRONT: "index.md", "benchmarks/README.md": "repository/benchmarks.md"}
"""Those that would be the index of a folder, and have another name on the site."""
LANGUAGES = {".py": "python", ".cpp": "cpp", ".hpp": "cpp", ".toml": "toml", ".sh": "sh", ".csv": "text"}

PICTURES = (".svg", ".png")
"""Files that are shown as they are, not as the text of a page."""

LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
BEGINS = re.compile(r"([-*] |\d+\. |\|)")
"""A line that begins a list or a table."""


def site_uri(path: str) -> str:
    """The source address in the site of a file of the repository."""
    if path in NAMED:
        return NAMED[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"repository/{path}" if path.endswith((".md", *PICTURES)) else f"repository/{path}.md"


def repository_path(uri: str) -> str:
    """The file of the repository behind a source address: the way back."""
    for path, name in NAMED.items():
        if uri == name:
            return path
    return uri.removeprefix("repository/") if uri.startswith("repository/") else f"docs/{uri}"


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside ``docs/``, and what they and others link to: pictures, and source files as pages."""
    for path in PAGES:
        files.append(File.generated(config, site_uri(path), abs_src_path=str(ROOT / path)))
    for file in list(files.documentation_pages()):
        for target in linked(Path(str(file.abs_src_path)), repository_path(file.src_uri)):
            outside = not target.startswith("docs/") and target not in PAGES
            if outside and files.get_file_from_path(site_uri(target)) is None:
                is_picture = target.endswith(PICTURES)
                shown = (
                    {"abs_src_path": str(ROOT / target)} if is_picture else {"content": source_page(target)}
                )
                files.append(File.generated(config, site_uri(target), **shown))
    return files


def linked(file: Path, path: str) -> Iterator[str]:
    """The files of the repository that a page links to."""
    for _, target, _ in LINK.findall(without_code(file.read_text(encoding="utf-8"))):
        if found := resolve(path, target):
            yield found


def resolve(path: str, target: str) -> str | None:
    """What a link on the page ``path`` points to, from the repository's root; None for what is no file there."""
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return None if found.startswith("..") or not (ROOT / found).is_file() else found


def source_page(path: str) -> str:
    """A page that shows a source file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return f"# {path}\n\n````{LANGUAGES.get(Path(path).suffix, 'text')}\n{text}\n````\n"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links by place in the repository into links by place in the site, and set off lists and tables."""
    uri = page.file.src_uri
    if uri.startswith("repository/") and repository_path(uri) not in PAGES:
        return markdown
    path = repository_path(uri)
    if path == FRONT:
        page.meta["hide"] = ["navigation"]

    def turned(match: re.Match[str]) -> str:
        found = resolve(path, match[2])
        if found is None:
            return match[0]
        return match[1] + posixpath.relpath(site_uri(found), posixpath.dirname(uri) or ".") + match[3]

    return outside_code(markdown, lambda text: LINK.sub(turned, set_off(text)))


def set_off(text: str) -> str:
    """Put a blank line before a list or a table that follows a paragraph at once."""
    lines: list[str] = []
    for line in text.split("\n"):
        before = lines[-1] if lines else ""
        goes_on = BEGINS.match(before) or before.startswith(("#", " ", "<"))
        if BEGINS.match(line) and before.strip() and not goes_on:
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def without_code(text: str) -> str:
    """A page's text without its fenced blocks."""
    return "".join(re.split(r"(?ms)^```.*?^```$", text))


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change a page's text and leave its fenced blocks alone."""
    parts = re.split(r"(?ms)(^```.*?^```$)", text)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))
