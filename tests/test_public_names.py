"""The public names are those of `__all__`: sorted, importable, documented, and nothing else."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import salientclips


def test_all_is_sorted_and_complete() -> None:
    assert salientclips.__all__ == sorted(salientclips.__all__, key=lambda n: (n[0].islower(), n))
    assert set(salientclips.__all__) == set(salientclips._HOME)


@pytest.mark.parametrize("name", salientclips.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(salientclips, name)
    assert inspect.getdoc(value)
    assert name in dir(salientclips)


@pytest.mark.parametrize(
    "name", [n for n in salientclips.__all__ if inspect.isfunction(getattr(salientclips, n))]
)
def test_every_public_function_documents_its_arguments(name: str) -> None:
    function = getattr(salientclips, name)
    text = inspect.getdoc(function) or ""
    sections = [s for s in ("Args:", "Raises:") if s not in text]
    assert sections == []
    assert "Returns:" in text or inspect.signature(function).return_annotation == "None"
    arguments = text.split("Args:")[1]
    assert [p for p in inspect.signature(function).parameters if f"{p}:" not in arguments] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        salientclips.nonsense  # noqa: B018


def test_no_public_name_needs_torch_until_it_is_used() -> None:
    code = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("no torch", name="torch")
sys.meta_path.insert(0, Without())
import salientclips
from salientclips.errors import MissingExtraError
for name in salientclips.__all__:
    getattr(salientclips, name)
try:
    salientclips.load_classifier("r3d_18", random_weights=True)
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'salientclips[torch]'" in done.stdout
