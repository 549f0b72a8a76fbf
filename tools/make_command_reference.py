"""Writes docs/reference/commands.md: every command with its arguments and options, as ``--help`` knows them.

    PYTHONPATH=src python tools/make_command_reference.py

tests/test_docs_site.py holds the page to the command line.
"""

from __future__ import annotations

import inspect
import re
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import typer

from salientclips.cli.app import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "commands.md"
WORDS = {int: "int", float: "float", str: "text", Path: "path", bool: ""}
GROUPS = (
    ("Look into a file", ("probe", "vectors")),
    ("Score and select", ("score", "select", "demo")),
    ("Classify", ("classify",)),
    ("Make a sampler, judge it", ("fit", "evaluate")),
    ("Look at it", ("report", "view", "compare")),
    ("Hand over", ("export", "cut", "summary", "frames", "mcp")),
    ("About the installation", ("list", "doctor")),
)
"""What a user does, and the commands for it."""
HEAD = """# Commands

`salientclips COMMAND --help` says the same. Each command takes `--json` where it has something to tell a program
([the contract](../json.md)). Exit codes: 0 done, perhaps with warnings; 1 failed, with one line that names the file
and the remedy; 2 the command was not understood; 130 interrupted. Written by `tools/make_command_reference.py`.
"""


def page() -> str:
    """The whole page."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    missing = set(commands) ^ {name for _, names in GROUPS for name in names}
    if missing:
        raise SystemExit(f"GROUPS and the command line differ in {sorted(missing)}")
    parts = [HEAD]
    for group, names in GROUPS:
        parts.append(f"## {group}\n")
        parts += [section(name, commands[name]) for name in names]
    return "\n".join(parts)


def section(name: str, command: Any) -> str:
    """One command: what it does, how it is called, its options by group."""
    hints = get_type_hints(inspect.unwrap(command.callback))
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    call = " ".join(["salientclips", name, *(_argument(p) for p in arguments), "[OPTIONS]"])
    lines = [f"### {name}", "", inspect.cleandoc(command.help), "", f"    {call}"]
    if arguments:
        lines += ["", *(f"- `{_argument(p)}`: {_help(p)}" for p in arguments)]
    options = [p for p in command.params if p.param_type_name == "option" and p.name in hints]
    for panel in sorted({p.rich_help_panel or "" for p in options}):
        lines += ["", f"| {panel or 'option'} | what | default |", "|---|---|---|"]
        lines += [row(p, hints[p.name]) for p in options if (p.rich_help_panel or "") == panel]
    return "\n".join(lines) + "\n"


def row(option: Any, hint: Any) -> str:
    """One option as a row: its names and what it takes, what it is, its default."""
    names = sorted(option.opts, key=len, reverse=True) + list(option.secondary_opts)
    takes = _word(hint)
    text, default = _help(option), option.default
    if found := re.search(r" *\[default: (.*)\]$", text):
        text, said = text[: found.start()], found[1]
    elif option.show_default and default is not None and not isinstance(default, bool) and default != ():
        said = str(default)
    else:
        said = ""
    return f"| {', '.join(f'`{name}`' for name in names)} {takes}".rstrip() + f" | {text} | {said} |"


def _help(parameter: Any) -> str:
    return " ".join((parameter.help or "").replace("\\[", "[").replace("|", "\\|").split())


def _argument(parameter: Any) -> str:
    word = (parameter.metavar or parameter.name).upper()
    return f"{word}..." if parameter.nargs == -1 else word


def _word(hint: Any) -> str:
    """What an option takes, as a word; nothing for a switch."""
    if get_origin(hint) in (Union, types.UnionType):
        return _word(next(one for one in get_args(hint) if one is not type(None)))
    if get_origin(hint) in (list, tuple):
        return f"{_word(get_args(hint)[0])} (may be given again)"
    return WORDS[hint]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
