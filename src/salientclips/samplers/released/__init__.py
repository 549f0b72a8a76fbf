"""The samplers that come with the package, trained and ready: one folder each beside this file.

A folder is what ``save_pretrained`` writes: ``model.safetensors``, ``config.json`` (the card: what it was trained on,
how well it did, its licence) and ``README.md``. Dropping one in is all that it takes to offer it. ``default`` looks
at the picture alone, ``default-audio`` listens, ``default-av`` does both; ``research`` was trained on data whose
licence does not cover every use, see its card.

They always run without torch (plain_networks.py), so a score does not depend on what else is installed. They are
class-agnostic and meant for clips of any usual length: they ask for none of their own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..card import SamplerCard
    from ..learned import LearnedSampler

_FOLDER = Path(__file__).parent
_NAMES = ("default", "default-audio", "default-av", "research")


def released_names() -> tuple[str, ...]:
    """The names of the samplers that are there, in the order in which to offer them."""
    return tuple(name for name in _NAMES if (_FOLDER / name / "config.json").is_file())


def load_released(name: str) -> LearnedSampler:
    """Load a sampler that came with the package; from its files once a process.

    Args:
        name: One of :func:`released_names`.

    Returns:
        The sampler, computed by numpy. It is the same object every time, and nothing of it changes.

    Raises:
        CardError: The card is damaged, or of features of another version.
        WeightsError: A file is missing, or the weights do not fit the card.
    """
    return _load(_FOLDER / name)


@cache
def _load(folder: Path) -> LearnedSampler:
    # Here and not above: a list of names needs neither numpy nor safetensors.
    from ..learned import LearnedSampler
    from ..plain_networks import PlainNetworks
    from ..sharing import read

    stored = read(folder)
    return LearnedSampler(stored.card, PlainNetworks(stored.card, stored.weights), any_length=True)


def released_cards() -> tuple[SamplerCard, ...]:
    """The cards of :func:`released_names`; no weights are read.

    Raises:
        CardError: A card is damaged, or of features of another version.
        WeightsError: A file is missing.
    """
    from ..sharing import read_card

    return tuple(read_card(_FOLDER / name) for name in released_names())
