"""Public docstrings say what a caller has to know; this measures it, and nothing under 100 % passes.

The rule (tests/docstring_rule.py), for every public name of the source, in Google style:

1. It has a docstring; a field has a string below it, or an entry in the ``Args`` of its class.
2. Every parameter is described in ``Args``, those of a constructor in the docstring of the class.
3. What a function returns is said in ``Returns`` or ``Yields``; what a property is, in its docstring.
4. Every error that a body raises by ``raise X``, itself or in a private helper of its class or module, and does not
   catch, is named in ``Raises``, or an error that it is a kind of. ``AssertionError`` is not: it says that a place
   cannot be reached. The constructor of a class counts as its body.
5. Where an annotation holds an array or a tensor, also behind a name such as ``Scores``, the text says the shape,
   ``(num_clips,)`` or "any shape"; and the dtype, where the annotation does not.

The first ring is what users see: ``salientclips.__all__`` with all methods, properties and fields. There also:

6. A number, and whatever is called ``..._s``, ``_px``, ``_hz``, ``_bytes``, has its unit, or it is said what is
   counted, or that it has no unit.
7. What the package's own functions that are called by name say they raise is named as well.
8. A source is given, in the docstring or in that of the module: the paper, a standard, a decision, or that it is this
   project's own.

The second ring is every other public name, whether its module needs an extra or not: the text is read, not imported.
There a parameter or field may instead be named in the text in double back-quotes, or need nothing more than its
annotation where that is a class of this package, which has its own docstring; a first sentence that says what is
returned ("The ...", "Whether ...") will do for ``Returns``; and what a protocol says of a member need not be said
again by the classes that refer to it. Commands are measured otherwise: each of their arguments and options has a
help text.

What no measure can see is whether a text is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

import salientclips
from docstring_names import Public, find, modules
from docstring_rule import shortfalls
from salientclips.cli.app import app

FIRST = {p.where for name in salientclips.__all__ if (p := find("", name))}
COMMANDS = {
    f"{c.__module__.removeprefix('salientclips.')}.{c.__name__}"
    for group in (app, *(g.typer_instance for g in app.registered_groups))
    for registered in (*group.registered_commands, *filter(None, [group.registered_callback]))
    if (c := registered.callback)
}
NAMES = [p for module in modules().values() for p in module.names.values() if p.where not in COMMANDS]


def is_shown(it: Public) -> bool:
    return it.where in FIRST or (it.owner is not None and is_shown(it.owner))


def percentage(names: list[Public], *, shown: bool) -> tuple[float, list[str]]:
    """The share of names that lack nothing, and what the others lack, a line each."""
    found = {it.where: shortfalls(it, shown=shown) for it in names}
    faults = [f"{where}: {lack}" for where, lacks in found.items() for lack in lacks]
    return 100 * sum(not lacks for lacks in found.values()) / len(found), faults


def test_both_rings_are_all_there() -> None:
    assert len(FIRST) == len(salientclips.__all__)
    assert len(COMMANDS) > 15
    assert {it.kind for it in NAMES} == {"function", "class", "method", "property", "field"}
    assert len([it for it in NAMES if is_shown(it)]) > 200
    assert len(NAMES) > 1700


@pytest.mark.parametrize("shown", [True, False], ids=["what users see", "the other public names"])
def test_docstrings_say_it_all(shown: bool, record_property: Any) -> None:
    share, faults = percentage([it for it in NAMES if is_shown(it) == shown], shown=shown)
    record_property("percentage", share)
    print(f"{share:.2f} %")
    assert not faults, f"{share:.2f} % of public docstrings are complete; these are not:\n" + "\n".join(
        faults
    )


def options_of(command: Any, path: str = "salientclips") -> Iterator[tuple[str, Any]]:
    for parameter in command.params:
        yield f"{path} {parameter.name}", parameter
    for name, inner in getattr(command, "commands", {}).items():
        yield from options_of(inner, f"{path} {name}")


def test_every_option_has_a_help_text() -> None:
    found = dict(options_of(typer.main.get_command(app)))
    assert len(found) > 150
    assert [where for where, parameter in found.items() if not (parameter.help or "").strip()] == []


# The measure itself, on texts that are wrong in one way each.
RIGHT = '''"""Of this project's own making."""
import numpy as np
import numpy.typing as npt
from .errors import InputError

Scores = npt.NDArray[np.float64]


def judge(scores: Scores, gap_s: float) -> Scores:
    """Judge.

    Args:
        scores: One a clip (num_clips,).
        gap_s: Seconds between clips.

    Returns:
        The better ones (n,).

    Raises:
        InputError: The gap is below 0.
    """
    _check(gap_s)
    return scores


def _check(gap_s):
    if gap_s < 0:
        raise InputError("no")


class Judge:
    """Judges.

    Args:
        threads: Threads in use.

    Raises:
        WeightsError: There are none.
    """

    kept: npt.NDArray[np.void]
    """What is kept, float32 (n, 2)."""

    def __init__(self, threads: int) -> None:
        try:
            raise KeyError("none")
        except KeyError as error:
            raise WeightsError("none") from error

    @property
    def length_s(self) -> float:
        """The length, seconds."""
'''
WRONG = [
    ("        scores: One a clip (num_clips,).\n", "", "does not describe scores"),
    ("One a clip (num_clips,)", "One a clip", "shape of scores"),
    ("The better ones (n,)", "The better ones", "shape of what is returned"),
    ("    Returns:\n        The better ones (n,).\n", "", "does not say what is returned"),
    ("Seconds between clips", "What lies between", "unit of gap_s"),
    ("    Raises:\n        InputError: The gap is below 0.\n", "", "raises InputError"),
    ("        InputError: The", "        ValueError: The", "raises InputError"),
    ("        WeightsError: There", "        InputError: There", "raises WeightsError"),
    ("        threads: Threads in use.\n", "", "does not describe threads"),
    ("What is kept, float32 (n, 2)", "What is kept (n, 2)", "dtype of kept"),
    ('    """What is kept, float32 (n, 2)."""\n', "", "does not describe kept"),
    ('        """The length, seconds."""\n', "        return 0.0\n", "no docstring"),
    ("Of this project's own making", "Something", "source"),
]


@pytest.fixture
def measured(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import docstring_names

    def measure(text: str) -> list[str]:
        (tmp_path / "made.py").write_text(text)
        modules.cache_clear()
        names = list(modules()["made"].names.values())
        return [f"{it.where}: {lack}" for it in names for lack in shortfalls(it, shown=True)]

    monkeypatch.setattr(docstring_names, "ROOT", tmp_path)
    yield measure
    modules.cache_clear()


def test_the_measure_finds_nothing_where_nothing_is_missing(measured: Any) -> None:
    assert measured(RIGHT) == []


@pytest.mark.parametrize(("there", "instead", "lack"), WRONG, ids=[w[2] for w in WRONG])
def test_the_measure_finds_what_is_missing(measured: Any, there: str, instead: str, lack: str) -> None:
    assert RIGHT.count(there) == 1
    faults = measured(RIGHT.replace(there, instead))
    assert faults
    assert all(lack in fault for fault in faults)
