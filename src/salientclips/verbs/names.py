"""Every name that a user can pass, in one place (the verb ``list``)."""

from __future__ import annotations

from ..classifiers import CLASSIFIERS
from ..samplers import SAMPLERS
from ..samplers.card import ARCHITECTURES, COMBINATIONS, OBJECTIVES, STREAMS
from ..types import FEATURES
from .classify import STRATEGIES


def names() -> dict[str, tuple[str, ...]]:
    """All names by kind.

    Returns:
        Kinds ``samplers``, ``streams``, ``architectures``, ``objectives``, ``combinations``, ``strategies``,
        ``classifiers`` and ``features``.
    """
    return {
        "samplers": SAMPLERS,
        "streams": STREAMS,
        "architectures": ARCHITECTURES,
        "objectives": OBJECTIVES,
        "combinations": COMBINATIONS,
        "strategies": STRATEGIES,
        "classifiers": CLASSIFIERS,
        "features": FEATURES,
    }
