"""Class names: the 400 of Kinetics-400, or the user's own.

``kinetics400.txt`` is the alphabetical list in the order that every published Kinetics-400 checkpoint named
in this room uses: DeepMind's I3D (its ``label_map.txt``), mmaction2's, IG-65M's and torchvision's agree
name by name (``tests/test_classifiers.py`` holds torchvision to it).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from ..errors import FileMissingError, InputError


@cache
def kinetics400_labels() -> tuple[str, ...]:
    """The class names of Kinetics-400.

    Returns:
        400 names in alphabetical order, the order of the networks' outputs.

    Source:
        Kay et al., "The Kinetics Human Action Video Dataset", arXiv 1705.06950, appendix.
    """
    text = files(__package__).joinpath("kinetics400.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def labels_from(given: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Class names as the user gives them.

    Args:
        given: The names in order of the outputs, or the path of a UTF-8 text file with one name a line. A
            single string is a path.

    Returns:
        The names.

    Raises:
        FileMissingError: There is no such file.
        InputError: The file is not UTF-8 text, a name is empty, or one occurs twice.
    """
    if isinstance(given, str | Path):
        path = Path(os.path.expanduser(given))
        if not path.is_file():
            raise FileMissingError(path)
        try:
            names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        except UnicodeDecodeError as error:
            raise InputError(f"'{path}' is not UTF-8 text", "write one label a line") from error
    else:
        names = tuple(given)
    if not names or not all(names):
        raise InputError("a label is empty", "give one name for each class")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the label {twice!r} occurs twice", "give each class its own name")
    return names


def default_labels(num_classes: int) -> tuple[str, ...]:
    """Names for a network whose classes nobody named.

    Args:
        num_classes: Number of outputs.

    Returns:
        Those of Kinetics-400 for 400 classes, else ``class_0``, ``class_1`` ...
    """
    if num_classes == len(kinetics400_labels()):
        return kinetics400_labels()
    return tuple(f"class_{i}" for i in range(num_classes))
