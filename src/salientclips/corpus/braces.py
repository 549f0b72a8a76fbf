"""Brace patterns of shards, ``shard-{000..012}.tar``, expanded as WebDataset expands them (as bash does, nearly).

``{a,b}`` gives each of a list, ``{1..9}`` and ``{a..e}`` each of a range (``{0..9..3}`` every third), padded with
zeros where an end is written so. Braces may stand in braces, several pairs give every combination, and a backslash
takes the meaning from the letter behind it. Braces that hold neither a list nor a range stay.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import islice, product

from ..errors import InputError
from .names import shown_name

_NUMBERS = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})(?:\.\.-?(\d{1,18}))?", re.ASCII)
_LETTERS = re.compile(r"([A-Za-z])\.\.([A-Za-z])(?:\.\.-?(\d+))?")
_MOST_SHARDS = 1_000_000
_MOST_LEVELS = 20
_ALPHABET = string.ascii_uppercase + string.ascii_lowercase


def expand_braces(pattern: str) -> Iterator[str]:
    """Expand a pattern.

    Args:
        pattern: A path or URL with any number of braces, also none.

    Returns:
        What it stands for, one after the other: the last pair of braces changes fastest.

    Raises:
        InputError: A brace is not closed, or was never opened, or there is no end to what it stands for.
    """
    for text in _expanded(pattern, pattern, _MOST_LEVELS):
        yield re.sub(r"\\(.)", r"\1", text)


def _expanded(text: str, whole: str, levels: int) -> Iterator[str]:
    """All that a text stands for, backslashes still in it."""
    pieces: list[list[str]] = []
    count = 1
    for piece, in_braces in _pieces(text, whole):
        choices = list(islice(_choices(piece, whole, levels), _MOST_SHARDS + 1)) if in_braces else [piece]
        count *= len(choices)
        if count > _MOST_SHARDS or not levels:
            raise InputError(
                f"the braces of '{shown_name(whole):.100}' stand for too much",
                f"name at most {_MOST_SHARDS} shards",
            )
        pieces.append(choices)
    for choice in product(*pieces):
        yield "".join(choice)


def _pieces(text: str, whole: str) -> Iterator[tuple[str, bool]]:
    """The text cut at its outermost braces: what, and whether it stood in some."""
    depth, start = 0, 0
    for place, letter in _letters(text):
        if letter == "{":
            depth += 1
            if depth == 1:
                yield text[start:place], False
                start = place + 1
        elif letter == "}":
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                yield text[start:place], True
                start = place + 1
    if depth:
        raise InputError(
            f"the braces of '{shown_name(whole)}' do not match", "close every { with a }, or write \\{"
        )
    yield text[start:], False


def _choices(inside: str, whole: str, levels: int) -> Iterator[str]:
    """What a pair of braces stands for."""
    if numbers := _NUMBERS.fullmatch(inside):
        yield from _number_range(*numbers.groups())
    elif letters := _LETTERS.fullmatch(inside):
        first, last = (_ALPHABET.index(letter) for letter in letters.groups()[:2])
        yield from (_ALPHABET[place] for place in _range(first, last, letters[3]))
    elif len(parts := _list(inside)) > 1:
        for part in parts:
            yield from _expanded(part, whole, levels - 1)
    else:
        yield from (f"{{{text}}}" for text in _expanded(inside, whole, levels - 1))


def _number_range(first: str, last: str, step: str | None) -> Iterator[str]:
    padded = any(re.match("-?0.", end) for end in (first, last))
    width = max(len(first), len(last)) if padded else 0
    return (f"{number:0{width}d}" for number in _range(int(first), int(last), step))


def _range(first: int, last: int, step: str | None) -> range:
    stride = int(step or 1) or 1
    return range(first, last + 1, stride) if first < last else range(first, last - 1, -stride)


def _list(inside: str) -> list[str]:
    """The parts between the commas that stand in no further braces."""
    depth, start, parts = 0, 0, []
    for place, letter in _letters(inside):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(inside[start:place])
            start = place + 1
    return [*parts, inside[start:]]


def _letters(text: str) -> Iterator[tuple[int, str]]:
    """Every letter that no backslash has robbed of its meaning, with its place."""
    place = 0
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        yield place, text[place]
        place += 1
