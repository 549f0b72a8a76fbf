"""What a docstring must say and does not: the rule that tests/test_docstrings.py states, as code."""

from __future__ import annotations

import ast
import builtins
import re

import salientclips.errors
from docstring_names import Function, Node, Public, Text, find, modules, referred, spelled_out, walk

ARRAY = re.compile(r"\b(NDArray|ndarray|Tensor)\b")
SHAPE = re.compile(r"\((\w[^(),]*|\.\.\.|ceil\([^()]*\))?,.*?\)|\(\)|\b(any|same|the) shapes?\b|\bscalar\b")
DTYPE = re.compile(
    r"\b(u?int(8|16|32|64)|float(16|32|64)|bool|(any|same) dtype)\b|\bVECTOR_DTYPE\b|AVMotionVector"
)
TYPED = re.compile(r"np\.(\w+\d|bool_|str_|floating|integer|unsignedinteger)\b")
"""An annotation that says the dtype: mypy sees to it that it is true."""
QUANTITY = re.compile(r"_(s|px|hz|bytes|deg|mib)$")
UNITS = """
accuracy bytes? cells? channels? class(es)? clips? clockwise columns? cores degrees? digits draws?
epochs? events? factor failures files? fps frames? gflops gib hertz hours? hz index items? kib layers?
levels? lines? mib minutes? multiply-adds no_unit how_many number pairs? parts? percent pixels? places?
probabilit(y ies) process(es)? px rank ratio rows? saliency samples? scores? seconds? seed shares? steps?
threads? ticks? times tokens? updates videos? visits? weights? workers? 0_to_1
"""
UNIT = re.compile(rf"\b({'|'.join(UNITS.split()).replace('_', ' ')})\b", re.I)
"""A unit, what is counted, or what kind of number without a unit it is."""
SOURCE = re.compile(
    r"\b(paper|SCSampler|MGSampler|ICCV|CVPR|arXiv|ISO/IEC|ITU-T|RFC \d+|SMPTE|H\.264|MPEG-4|WebVTT|OpenTimelineIO"
    r"|CMX|FFmpeg|decisions? \d+|this project's own|docs/\w+\.md)"
)
SAID_FIRST = re.compile(
    r"(The|A|An|All|Every|Each|What|Which|Whether|Where|Who|Why|How|When|Their|Its|Of each)\b"
)
"""How a first sentence begins that says what is returned, and not what is done."""


def shortfalls(it: Public, *, shown: bool) -> list[str]:
    """What is missing, a line each.

    Args:
        it: A public name.
        shown: Whether it is of the first ring, which users see.
    """
    if it.kind == "field":
        return _field(it, shown)
    if not it.text.whole:
        return ["has no docstring"]
    lacks = _class(it, shown) if it.kind == "class" else _function(it, shown)
    if shown and not it.owner and not SOURCE.search(it.text.whole + modules()[it.module].doc):
        lacks.append("gives no source")
    return lacks


def _field(it: Public, shown: bool) -> list[str]:
    assert isinstance(it.node, ast.AnnAssign)
    assert it.owner
    said = it.text.whole or it.owner.text.entries.get("Args", {}).get(it.last, "")
    return _value(it, it.last, ast.unparse(it.node.annotation), said, shown)


def _class(it: Public, shown: bool) -> list[str]:
    """Its constructor; the parameters of a dataclass's are its fields."""
    assert isinstance(it.node, ast.ClassDef)
    lacks = []
    for node in it.node.body:
        if isinstance(node, Function) and node.name in ("__init__", "__post_init__"):
            lacks += _raises(it, node, it.text.entries.get("Raises", {}), shown)
            if node.name == "__init__":
                lacks += _parameters(it, node, it.text.entries.get("Args", {}), shown)
    return lacks


def _function(it: Public, shown: bool) -> list[str]:
    assert isinstance(it.node, Function)
    text = it.text
    elsewhere = _elsewhere(it)
    if elsewhere and not shown:
        there = elsewhere.text
        text = Text(text.whole, {**there.sections, **text.sections}, {**there.entries, **text.entries})
    lacks = _parameters(it, it.node, text.entries.get("Args", {}), shown)
    lacks += _returns(it, ast.unparse(it.node.returns or ast.Constant(None)), text, shown)
    return lacks + _raises(it, it.node, text.entries.get("Raises", {}), shown)


def _returns(it: Public, annotation: str, text: Text, shown: bool) -> list[str]:
    if annotation in ("None", "NoReturn", "Never"):
        return []
    said = text.sections.get("Returns", text.sections.get("Yields", ""))
    if not said and (it.kind == "property" or (not shown and SAID_FIRST.match(text.whole))):
        said = text.whole
    for other in referred(it.module, said):
        said += other.text.sections.get("Returns", "")
    return _array(it, "what is returned", annotation, said) if said else ["does not say what is returned"]


def _parameters(it: Public, node: Function, said: dict[str, str], shown: bool) -> list[str]:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arguments += [a for a in (node.args.vararg, node.args.kwarg) if a]
    bound = (it.kind != "function") and "staticmethod" not in map(ast.unparse, node.decorator_list)
    lacks = []
    for argument in arguments[1 if bound else 0 :]:
        if argument.arg[0] != "_":
            annotation = ast.unparse(argument.annotation) if argument.annotation else ""
            lacks += _value(it, argument.arg, annotation, said.get(argument.arg, ""), shown)
    return lacks


def _value(it: Public, name: str, annotation: str, said: str, shown: bool) -> list[str]:
    """A parameter or a field."""
    annotation = annotation.strip("'\"")
    if not said and not shown:
        said = _said_in_prose(it, name)
        if not said and _is_ours(it.module, annotation):
            return []
    for other in referred(it.module, said):
        said += " " + (other.text.entries.get("Args", {}).get(name, "") or other.text.whole)
    if not said:
        return [f"does not describe {name}"]
    lacks = _array(it, name, annotation, said)
    bare = re.sub(r"[\"' ]|\|None", "", annotation)
    if shown and (QUANTITY.search(name) or bare in ("int", "float")) and not UNIT.search(said):
        lacks.append(f"does not give the unit of {name}: {said}")
    return lacks


def _said_in_prose(it: Public, name: str) -> str:
    """The text that names it in double back-quotes; for a member, also what a class that it refers to says of it."""
    here = it.owner or it
    for text in (it.text.whole, here.text.whole if it.kind == "field" else ""):
        if f"``{name}``" in text:
            return text
    if it.kind == "field":
        found = _elsewhere(it)
        return found.text.whole if found else ""
    return ""


def _elsewhere(it: Public) -> Public | None:
    """The same member of a class that its own class inherits from, or that its class or module refers to.

    So a protocol says once for all what the members of those that keep it are.
    """
    if not it.owner:
        return None
    assert isinstance(it.owner.node, ast.ClassDef)
    bases = [find(it.module, ast.unparse(b)) for b in it.owner.node.bases]
    for other in [*filter(None, bases), *referred(it.module, it.owner.text.whole + modules()[it.module].doc)]:
        member = modules()[other.module].names.get(f"{other.name}.{it.last}")
        if member and member.text.whole:
            return member
    return None


def _is_ours(module: str, annotation: str) -> bool:
    """Whether all that is named in an annotation are classes of this package: their docstrings say what they are."""
    several = r"\bNone\b|\.\.\.|\b(tuple|list|Sequence|Iterable|Iterator)\b"
    names = re.findall(r"[\w.]+", re.sub(several, "", annotation))
    found = [find(module, n) for n in names]
    return bool(names) and all(f is not None and f.kind == "class" for f in found)


def _array(it: Public, name: str, annotation: str, said: str) -> list[str]:
    annotation, below = spelled_out(it.module, annotation)
    annotation = re.sub(r"Callable\[.*", "", annotation)
    if not ARRAY.search(annotation):
        return []
    lacks = []
    if not SHAPE.search(f"{said} {below}"):
        lacks.append(f"does not give the shape of {name}: {said}")
    if not DTYPE.search(f"{said} {below}") and not TYPED.search(annotation):
        lacks.append(f"does not give the dtype of {name}: {said}")
    return lacks


def _raises(it: Public, node: Function, said: dict[str, str], shown: bool) -> list[str]:
    errors = _raised_below(it, node) if shown else {}
    errors |= _raised_by(it, node, frozenset())
    return [
        f"does not say that it raises {e}{by}" for e, by in sorted(errors.items()) if not _covers(said, e)
    ]


def _raised_by(it: Public, node: Function, seen: frozenset[str]) -> dict[str, str]:
    """What the body and the private helpers raise that it calls: of its own class or module."""
    found = {}
    for statement, caught in _not_caught(node, ast.Raise):
        name = _error_of(statement)
        if name and not _covers(caught, name):
            found[name] = f" (in {node.name})" if seen else ""
    helpers = modules()[it.module].helpers
    for call, caught in _not_caught(node, ast.Call):
        called = ast.unparse(call.func).removeprefix("self.").removeprefix("cls.")
        if called in helpers and called not in seen:
            inner = _raised_by(it, helpers[called], seen | {called})
            found |= {e: by for e, by in inner.items() if not _covers(caught, e)}
    return found


def _error_of(node: ast.Raise) -> str:
    """The class of ``raise X`` and ``raise X(...)``; AssertionError says that it cannot be reached."""
    made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    name = ast.unparse(made) if isinstance(made, ast.Name) else ""
    return name if _error(name) and name not in ("AssertionError", "NotImplementedError") else ""


def _error(name: str) -> type[BaseException] | None:
    found = getattr(salientclips.errors, name, getattr(builtins, name, None))
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _covers(said: dict[str, str], name: str) -> bool:
    """Whether the error or one that it is a kind of is listed."""
    error = _error(name)
    return any(b.__name__ in said for b in (error.__mro__ if error else ())) or name in said


def _raised_below(it: Public, node: Function) -> dict[str, str]:
    """What the public functions of the package that are called by name say they raise."""
    found = {}
    for call, caught in _not_caught(node, ast.Call):
        callee = find(it.module, call.func.id) if isinstance(call.func, ast.Name) else None
        if callee and callee.kind == "function":
            for error in callee.text.entries.get("Raises", {}):
                if not _covers(caught, error):
                    found[error] = f" ({callee.name} does)"
    return found


def _not_caught(node: ast.AST, kind: type[Node]) -> list[tuple[Node, dict[str, str]]]:
    """Nodes of a kind in a body, each with the errors that a ``try`` around it catches."""
    around: dict[ast.AST, dict[str, str]] = {}
    for block in walk(node, ast.Try):
        types = [ast.unparse(h.type) if h.type else "BaseException" for h in block.handlers]
        caught = dict.fromkeys(re.findall(r"\w+", " ".join(types)), "")
        for inner in (i for line in block.body for i in ast.walk(line)):
            around[inner] = around.get(inner, {}) | caught
    return [(inner, around.get(inner, {})) for inner in walk(node, kind)]
