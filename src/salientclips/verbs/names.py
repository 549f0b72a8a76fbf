"""Every name that a user can pass, in one place (the verb ``list``)."""

from __future__ import annotations

from ..classifiers import CLASSIFIERS
from ..samplers import SAMPLERS
from ..types import FEATURES
from .classify import STRATEGIES


def names() -> dict[str, tuple[str, ...]]:
    """All names by kind.

    Returns:
        Kinds ``samplers``, ``objectives``, ``combinations``, ``strategies``, ``classifiers`` and ``features``;
        a kind that this version has none of is empty.
    """
    return {
        "samplers": SAMPLERS,
        "objectives": (),
        "combinations": (),
        "strategies": STRATEGIES,
        "classifiers": CLASSIFIERS,
        "features": FEATURES,
    }
