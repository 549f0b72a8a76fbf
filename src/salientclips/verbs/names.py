"""Every name that a user can pass, in one place (the verb ``list``)."""

from __future__ import annotations

from dataclasses import dataclass

from ..classifiers import CLASSIFIERS
from ..corpus.job import ENGINES
from ..ranking import STRATEGIES
from ..samplers import SAMPLERS
from ..samplers.card import ARCHITECTURES, BANDS, COMBINATIONS, OBJECTIVES, PRETRAINED, STREAMS
from ..samplers.released import released_cards
from ..types import FEATURES


def names() -> dict[str, tuple[str, ...]]:
    """All names by kind.

    Returns:
        Kinds ``samplers``, ``streams``, ``architectures``, ``objectives``, ``combinations``, ``strategies``,
        ``classifiers``, ``features`` and ``engines``.
    """
    return {
        "samplers": SAMPLERS,
        "streams": STREAMS,
        "architectures": (*ARCHITECTURES, *PRETRAINED, BANDS),
        "objectives": OBJECTIVES,
        "combinations": COMBINATIONS,
        "strategies": STRATEGIES,
        "classifiers": CLASSIFIERS,
        "features": FEATURES,
        "engines": ENGINES,
    }


@dataclass(frozen=True)
class Released:
    """A sampler that came with the package, in a line."""

    name: str
    """The word for ``--sampler``."""
    streams: tuple[str, ...]
    """What it looks at."""
    licence: str
    """Licence of its weights."""
    data: str
    """What it was trained on."""


def released_samplers() -> tuple[Released, ...]:
    """The samplers that were trained and came with the package.

    Returns:
        One each, the default first.

    Raises:
        CardError: A card is damaged.
    """
    return tuple(
        Released(card.name, tuple(s.stream for s in card.streams), card.licence, card.data)
        for card in released_cards()
    )
