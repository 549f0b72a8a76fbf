"""A sampler's card as JSON: written from a :class:`SamplerCard`, read back field by field.

``config.json`` may come from anywhere, so nothing in it is believed: each field has a type and a range, unknown
fields and names are refused (a later version may have put there what decides the numbers), and fields that contradict
one another are an error. What is read back equals what was written.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from math import isclose, isfinite
from typing import Any, TypeVar

from ..errors import CardError, InputError
from ..timeline import ClipSpec, exact_seconds
from .card import (
    ARCHITECTURES,
    BANDS,
    CHANNELS,
    COMBINATIONS,
    FEATURE_VERSION,
    LINEAR,
    OBJECTIVES,
    PRETRAINED,
    RULES,
    SCALES,
    STREAMS,
    SamplerCard,
    StreamCard,
)
from .context import MOST_NEIGHBOURS

Json = dict[str, Any]

SCHEMA = 1
MODEL_TYPE = "salientclips-sampler"

_MOST_TEXT = 2000
_MOST_ITEMS = 100_000
_REMEDY = "get the sampler again, or update salientclips if the sampler is newer"

_Name = TypeVar("_Name", bound=str)


def card_to_json(card: SamplerCard) -> str:
    """Write a card.

    Args:
        card: The card.

    Returns:
        The text of ``config.json``: keys are the card's fields, and ``model_type`` and ``schema`` say what it is.

    Raises:
        CardError: The card contradicts itself, so that it could not be read back.
    """
    check_card(card)
    content: Json = {"model_type": MODEL_TYPE, "schema": SCHEMA, **asdict(card)}
    seconds = card.clip.seconds
    content["clip"]["seconds"] = None if seconds is None else str(seconds)
    try:
        text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CardError(
            f"the card of '{card.name}' cannot be written ({error})", "give plain values"
        ) from error
    # What could not be read back must not be written: the weights would be lost with it.
    if card_from_json(text, card.name) != card:
        raise CardError(f"the card of '{card.name}' would not come back as it is", "give plain values")
    return text


def card_from_json(text: str, source: str) -> SamplerCard:
    """Read a card that may be hostile.

    Args:
        text: Content of a ``config.json``.
        source: Where it comes from, for errors.

    Returns:
        The card.

    Raises:
        CardError: A field is missing, unknown, of the wrong type or out of range, fields contradict one another, or
            the features are defined in another version.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CardError(f"'{source}' is no JSON ({error or 'nested too deeply'})", _REMEDY) from error
    if not isinstance(content, dict) or content.get("model_type") != MODEL_TYPE:
        raise CardError(f"'{source}' is not the card of a salientclips sampler", "give a sampler's folder")
    if content.get("schema") != SCHEMA:
        raise CardError(f"'{source}' has schema {content.get('schema')!r:.40}, not {SCHEMA}", _REMEDY)
    read = _Reader(content, source, "")
    del content["model_type"], content["schema"]
    version = read.whole("feature_version", 0, 10**9)
    if version != FEATURE_VERSION:
        raise CardError(
            f"'{source}' was trained on features of version {version}; this salientclips makes version"
            f" {FEATURE_VERSION}",
            "train the sampler again, or install the salientclips that made it",
        )
    read.only(f.name for f in fields(SamplerCard))
    card = SamplerCard(
        name=read.text("name"),
        streams=tuple(_stream(item) for item in read.parts("streams")),
        clip=_clip(read.part("clip")),
        frames_per_clip=read.whole("frames_per_clip", 0, 10_000),
        short_side_cells=read.whole("short_side_cells", 7, 64),
        combination=None if content.get("combination") is None else read.name("combination", COMBINATIONS),
        visual_share=read.number("visual_share", 0, 1),
        visual_weight=read.number("visual_weight", 0, 1),
        neighbours=read.whole("neighbours", 0, MOST_NEIGHBOURS),
        score_scale=read.name("score_scale", SCALES),
        classes=read.texts("classes"),
        classifier=read.text("classifier"),
        data=read.text("data"),
        videos=read.whole("videos", 0, 10**12),
        licence=read.text("licence"),
        options=read.options("options"),
        validation=read.figures("validation"),
        histogram=read.numbers("histogram", 0, 1),
        feature_version=version,
        versions=read.words("versions"),
    )
    check_card(card, source)
    return card


def _stream(read: _Reader) -> StreamCard:
    read.only(f.name for f in fields(StreamCard))
    return StreamCard(
        stream=read.name("stream", STREAMS),
        architecture=read.name("architecture", (*ARCHITECTURES, *PRETRAINED, LINEAR, BANDS, "none")),
        objective=read.name("objective", (*OBJECTIVES, "none")),
        mean=read.numbers("mean", -1e6, 1e6),
        std=read.numbers("std", 1e-9, 1e9),
        parameters=read.whole("parameters", 0, 10**12),
        mmacs=read.number("mmacs", 0, 1e12),
        weight=read.number("weight", 0, 1),
    )


def _clip(read: _Reader) -> ClipSpec:
    read.only(f.name for f in fields(ClipSpec))
    frames, step = read.whole("frames", 1, 10**6), read.whole("frame_step", 1, 10**6)
    if read.content["seconds"] is None:
        return ClipSpec(frames, step)
    try:
        return ClipSpec(frames, step, exact_seconds(read.text("seconds")))
    except (ValueError, ZeroDivisionError, InputError) as error:
        raise read.fault("seconds", "is no length of time") from error


def check_card(card: SamplerCard, source: str = "") -> None:
    """Whether the fields of a card agree with one another.

    Args:
        card: The card; its fields are of the right types.
        source: Where it comes from, for the error.

    Raises:
        CardError: They do not; the message says which.
    """
    names = [s.stream for s in card.streams]
    visual = {s.objective for s in card.networks if s.stream != "audio"}
    wants_combination = "audio" in names and len(names) > 1
    weights = [s.weight for s in card.streams if s.stream != "audio"]
    of_networks = {s.weight for s in card.networks if s.stream != "audio"}
    whole = sum(card.histogram)
    faults = (
        (not names, "it has no stream"),
        (names != [s for s in STREAMS if s in names], f"its streams {names} are doubled or out of order"),
        (
            any(not _is_whole(s) for s in card.streams),
            "a network is said of a stream that has none, or none of one",
        ),
        (len(visual) > 1, f"its visual streams have different objectives: {', '.join(sorted(visual))}"),
        (wants_combination and card.combination is None, "it has picture and sound and no combination"),
        (not wants_combination and card.combination is not None, "it combines streams that it does not have"),
        (_has_ac(card) != bool(card.classes), "classes belong to the objective ac, and it to them"),
        (bool(card.histogram) and not isclose(whole, 1, abs_tol=1e-6), f"its histogram adds up to {whole:g}"),
        (
            any(len(s.mean) != CHANNELS[s.stream] or len(s.std) != CHANNELS[s.stream] for s in card.streams),
            "a stream has not one mean and one deviation a channel",
        ),
        (any(not deviation > 0 for s in card.streams for deviation in s.std), "a deviation is not above 0"),
        (
            any(s.architecture in PRETRAINED and s.stream != "if" for s in card.streams),
            f"only I-frames can be shown to {' or '.join(PRETRAINED)}",
        ),
        (
            any((s.architecture == LINEAR) != (s.stream == "stats") for s in card.streams),
            "statistics are judged by a linear layer, and nothing else is",
        ),
        (
            any(s.architecture == BANDS and s.stream != "audio" for s in card.streams),
            f"only sound has bands for {BANDS}",
        ),
        (bool(weights) and max(weights) == 0, "none of its visual streams counts"),
        (_has_ac(card) and len(of_networks) > 1, "streams of the objective ac count alike"),
        (card.short_side_cells < 7, "its input is smaller than 7 cells"),
        (
            card.feature_version != FEATURE_VERSION,
            f"its features are of version {card.feature_version}, not {FEATURE_VERSION}",
        ),
    )
    for is_fault, what in faults:
        if is_fault:
            raise CardError(f"the card of the sampler '{source or card.name}' cannot be: {what}", _REMEDY)


def _is_whole(stream: StreamCard) -> bool:
    """Whether a stream has a network, an objective and parameters, or none of them and is a rule."""
    rule = RULES.get(stream.stream)
    if rule is not None:
        return replace(stream, weight=rule.weight) == rule
    return stream.has_network and stream.objective != "none" and stream.parameters > 0


def _has_ac(card: SamplerCard) -> bool:
    return any(s.objective == "ac" for s in card.streams)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


class _Reader:
    """Takes fields out of a JSON object; each method names its type, and anything else is an error."""

    def __init__(self, content: Json, source: str, where: str) -> None:
        self.content, self._source, self._where = content, source, where

    def fault(self, field: str, what: str) -> CardError:
        return CardError(f"the card '{self._source}' is damaged: {self._where}{field} {what}", _REMEDY)

    def only(self, known: Any) -> None:
        names = set(known)
        for field in self.content:
            if field not in names:
                raise self.fault(repr(field[:40]), "is not known")
        for field in sorted(names - set(self.content)):
            raise self.fault(field, "is missing")

    def _get(self, field: str) -> Any:
        if field not in self.content:
            raise self.fault(field, "is missing")
        return self.content[field]

    def _list(self, field: str) -> list[Any]:
        value = self._get(field)
        if not isinstance(value, list) or len(value) > _MOST_ITEMS:
            raise self.fault(field, "is no list of a sensible length")
        return value

    def part(self, field: str) -> _Reader:
        value = self._get(field)
        if not isinstance(value, dict) or len(value) > _MOST_ITEMS:
            raise self.fault(field, "is no object")
        return _Reader(value, self._source, f"{field}.")

    def parts(self, field: str) -> list[_Reader]:
        items = self._list(field)
        if len(items) > len(STREAMS) or not all(isinstance(item, dict) for item in items):
            raise self.fault(field, "is no short list of objects")
        return [_Reader(item, self._source, f"{field}[{i}].") for i, item in enumerate(items)]

    def text(self, field: str) -> str:
        return self._text(field, self._get(field))

    def _text(self, field: str, value: object) -> str:
        # A control character could rewrite the terminal that shows the card.
        if not isinstance(value, str) or len(value) > _MOST_TEXT or not all(c.isprintable() for c in value):
            raise self.fault(field, "is no plain line of text")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        return tuple(self._text(field, item) for item in self._list(field))

    def name(self, field: str, known: tuple[_Name, ...]) -> _Name:
        value = self.text(field)
        for name in known:
            if name == value:
                return name
        raise self.fault(field, f"is {value!r:.40}, none of {', '.join(known)}")

    def whole(self, field: str, least: int, most: int) -> int:
        value = self._get(field)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.fault(field, f"is no whole number from {least} to {most}")
        return value

    def number(self, field: str, least: float, most: float) -> float:
        return self._number(field, self._get(field), least, most)

    def _number(self, field: str, value: object, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise self.fault(field, f"is no number from {least:g} to {most:g}")
        return float(value)

    def numbers(self, field: str, least: float, most: float) -> tuple[float, ...]:
        return tuple(self._number(field, item, least, most) for item in self._list(field))

    def words(self, field: str) -> dict[str, str]:
        read = self.part(field)
        return {self._text(field, key): read.text(key) for key in read.content}

    def figures(self, field: str) -> dict[str, float]:
        read = self.part(field)
        return {self._text(field, key): read.number(key, -1e300, 1e300) for key in read.content}

    def options(self, field: str) -> dict[str, float | int | str]:
        found: dict[str, float | int | str] = {}
        read = self.part(field)
        for key, value in read.content.items():
            plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
            if not plain or (isinstance(value, float) and not isfinite(value)):
                raise read.fault(repr(key[:40]), "is neither text nor a number")
            found[self._text(field, key)] = read.text(key) if isinstance(value, str) else value
        return found
