"""Every ``Example:`` of a docstring is run, top to bottom, in a folder with the files that it names."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the classifiers of the examples need torch")
pytest.importorskip("jinja2", reason="write_report needs Jinja2")

import torch

import salientclips
from docstring_names import Public, find, modules
from example_files import make_classifiers_small, make_source, put_files
from salientclips.compressed.extension import extension

if extension() is None:
    pytest.skip("the examples read bitstreams, and the extension is not built", allow_module_level=True)

EXAMPLES = [it for m in modules().values() for it in m.names.values() if ">>>" in it.text.whole]
MUST_HAVE = {
    "ClipGrid",
    "ClipScores.select",
    "Selection",
    "Selection.export",
    "VideoClassifier",
    *(n for n in salientclips.__all__ if (p := find("", n)) and p.kind == "function"),
}
FLAGS = doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_source(tmp_path_factory.mktemp("examples"))


@pytest.fixture
def place(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that an example runs in; torch has one thread, for the convolutions are small."""
    place = tmp_path / "place"
    place.mkdir()
    put_files(place, source)
    monkeypatch.chdir(place)
    make_classifiers_small(monkeypatch)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield place
    torch.set_num_threads(before)


def test_the_functions_that_users_call_have_an_example() -> None:
    having = {it.where for it in EXAMPLES}
    assert sorted(n for n in MUST_HAVE if (p := find("", n)) is None or p.where not in having) == []


@pytest.mark.parametrize("it", EXAMPLES, ids=lambda it: it.where)
def test_example(it: Public, place: Path) -> None:
    value = importlib.import_module(f"salientclips.{it.module}".rstrip("."))
    for name in it.name.split("."):
        value = getattr(value, name)
    (found,) = (t for t in doctest.DocTestFinder(recurse=False).find(value, it.where, globs={}) if t.examples)
    told: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(found, out=told.append)
    assert not told, "".join(told)


def test_an_example_that_is_wrong_is_found(place: Path) -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    told: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=told.append)
    assert "Got:\n    2" in "".join(told)
