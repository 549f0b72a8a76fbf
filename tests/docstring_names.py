"""The public names of the source with their docstrings, taken apart: from the text of the files, nothing is imported.

Public are functions, classes, methods, properties and fields whose names, and the names of everything around them,
begin without an underscore, and ``__call__``. Docstrings are in Google style; that of a field is the string below it.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import salientclips

ROOT = Path(salientclips.__file__).parent
SECTIONS = ("Args", "Returns", "Yields", "Raises", "Example")
Function = ast.FunctionDef | ast.AsyncFunctionDef
Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True)
class Text:
    """A docstring, taken apart."""

    whole: str = ""
    sections: dict[str, str] = field(default_factory=dict)
    """Text by head: ``Args``, ``Returns`` ..."""
    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    """By section: by name, what is said of it."""

    @staticmethod
    def of(raw: str | None) -> Text:
        whole = inspect.cleandoc(raw or "")
        sections: dict[str, str] = {}
        head = ""
        for line in whole.splitlines():
            if line.endswith(":") and line[:-1] in SECTIONS:
                head = line[:-1]
                sections[head] = ""
            elif head and line[:1] in ("", " "):
                sections[head] += line[4:] + "\n"
            else:
                head = ""
        return Text(whole, sections, {name: _entries(text) for name, text in sections.items()})


def _entries(text: str) -> dict[str, str]:
    """``name: what it is``, also ``one, two: what they are``; what goes on is indented further."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        begun = re.match(r"([*\w][\w., *`]*?): *(.*)", line)
        if begun:
            names = [n.strip(" *`") for n in begun[1].split(",")]
            found |= dict.fromkeys(names, begun[2])
        elif line.strip():
            for name in names:
                found[name] += " " + line.strip()
    return {name: said for name, said in found.items() if said}


@dataclass(frozen=True, eq=False)
class Public:
    """One public name."""

    module: str
    """Dotted, without ``salientclips``."""
    name: str
    """Within the module: ``ClipScores.select``."""
    kind: str
    """function, class, method, property or field."""
    node: ast.AST
    text: Text
    owner: Public | None = None
    """The class that it is in."""

    @property
    def where(self) -> str:
        return f"{self.module}.{self.name}".lstrip(".")

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Module:
    """One file."""

    doc: str
    names: dict[str, Public]
    imports: dict[str, tuple[str, str]]
    """By local name, what comes from elsewhere in the package: (module, name there)."""
    helpers: dict[str, Function]
    """Functions and methods whose names begin with an underscore, by name, where there is one of that name."""
    aliases: dict[str, tuple[str, str]]
    """Annotations that have a name of their own, such as ``Scores = npt.NDArray[np.float64]``: what they stand for,
    and the string below."""


@cache
def modules() -> dict[str, Module]:
    """Every module of the package by its dotted name."""
    return dict(map(_parsed, sorted(ROOT.rglob("*.py"))))


def _parsed(file: Path) -> tuple[str, Module]:
    parts = file.relative_to(ROOT).with_suffix("").parts
    package = parts[:-1]
    name = ".".join(package if parts[-1] == "__init__" else parts)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    private = any(p[0] == "_" and p[:2] != "__" for p in parts)
    names = {} if private else {p.name: p for p in _public(name, tree.body, None)}
    aliases = {
        node.targets[0].id: (ast.unparse(node.value), _string(below) or "")
        for node, below in zip(tree.body, [*tree.body[1:], None], strict=True)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    doc = ast.get_docstring(tree) or ""
    return name, Module(doc, names, _imports(tree, package), _helpers(tree), aliases)


def _helpers(tree: ast.Module) -> dict[str, Function]:
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    found = [n for body in bodies for n in body if isinstance(n, Function) and re.match("_[^_]", n.name)]
    names = [n.name for n in found]
    return {n.name: n for n in found if names.count(n.name) == 1}


def _imports(tree: ast.Module, package: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            home = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                found[alias.asname or alias.name] = (home, alias.name)
    return found


def _public(module: str, body: list[ast.stmt], owner: Public | None) -> Iterator[Public]:
    prefix = f"{owner.name}." if owner else ""
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, Function | ast.ClassDef) and (node.name[0] != "_" or node.name == "__call__"):
            kind = "class" if isinstance(node, ast.ClassDef) else _kind(node, owner)
            if kind:
                here = Public(module, prefix + node.name, kind, node, Text.of(ast.get_docstring(node)), owner)
                yield here
                if isinstance(node, ast.ClassDef):
                    yield from _public(module, node.body, here)
        elif owner and (name := _field_name(node)):
            yield Public(module, prefix + name, "field", node, Text.of(_string(below)), owner)


def _field_name(node: ast.stmt) -> str:
    """Of an annotated field that is public; else empty."""
    name = node.target.id if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else ""
    return "" if name.startswith("_") else name


def _string(node: ast.stmt | None) -> str | None:
    said = node.value if isinstance(node, ast.Expr) else None
    return said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else None


def _kind(node: Function, owner: Public | None) -> str:
    marks = [ast.unparse(d).rpartition(".")[2] for d in node.decorator_list]
    if "overload" in marks or "setter" in marks:
        return ""
    if "property" in marks or "cached_property" in marks:
        return "property"
    return "method" if owner else "function"


def walk(node: ast.AST, kind: type[Node]) -> Iterator[Node]:
    """Nodes of a kind in a body, those of functions and classes inside it left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(child, kind):
            yield child
        yield from walk(child, kind)


def referred(module: str, text: str) -> list[Public]:
    """What a text refers to as ``:func:`name```, ``:attr:`Class.name``` or with the whole dotted name."""
    return [p for name in re.findall(r":\w+:`~?([\w.]+)`", text) if (p := find(module, name))]


def find(module: str, name: str) -> Public | None:
    """A public name as a module sees it: its own, imported, or dotted from the package on."""
    dotted = name.removeprefix("salientclips.")
    first = dotted.split(".")[0]
    if first in salientclips._HOME:
        dotted = f"{salientclips._HOME[first]}.{dotted}"
    above = [home for home in modules() if dotted.startswith(f"{home}.")]
    for home, inside in [(module, name), *((home, dotted[len(home) + 1 :]) for home in above)]:
        for where, tail in ((home, inside), _handed_on(home, inside)):
            if where in modules() and tail in modules()[where].names:
                return modules()[where].names[tail]
    return None


def _handed_on(module: str, name: str) -> tuple[str, str]:
    """Where a module has a name from; a package's ``__init__`` may have it from elsewhere in turn."""
    head, _, tail = name.partition(".")
    home = module
    while home in modules() and head in modules()[home].imports:
        home, head = modules()[home].imports[head]
    return home, f"{head}.{tail}" if tail else head


def spelled_out(module: str, annotation: str) -> tuple[str, str]:
    """An annotation with the names of others replaced by what they stand for, and what is said below those."""
    said = []

    def stands_for(match: re.Match[str]) -> str:
        home, name = modules()[module].imports.get(match[0], (module, match[0]))
        alias, below = modules()[home].aliases.get(name, ("", "")) if home in modules() else ("", "")
        # An annotation is a subscript or a union; other assignments, such as tuples of names, are none.
        if "[" not in alias or "(" in alias:
            return match[0]
        inner, further = spelled_out(home, alias)
        said.extend((below, further))
        return inner

    return re.sub(r"(?<![\w.])[A-Z]\w+", stands_for, annotation), " ".join(said)
