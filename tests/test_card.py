"""A sampler's card: what is written comes back, and nothing that is written by someone else is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learned_samplers import make_card
from salientclips.errors import CardError
from salientclips.samplers.card import MOTION, PACKETS
from salientclips.samplers.card_file import card_from_json, card_to_json
from salientclips.samplers.model_card import model_card
from salientclips.timeline import ClipSpec

Json = dict[str, Any]


def written(**changes: Any) -> Json:
    found: Json = json.loads(card_to_json(make_card(("md", "rgbr", "audio"), visual="ac", **changes)))
    return found


@pytest.mark.parametrize(
    "card",
    [
        make_card(("md",)),
        make_card(("if",), visual="sal-cl", histogram=(), options={}, validation={}, versions={}),
        make_card(("audio",), audio="ac"),
        make_card(
            ("md", "rgbr", "if", "audio"), visual="ac", combination="av-convex-list", visual_weight=0.3
        ),
        make_card(("md",), clip=ClipSpec(8, 4, Fraction(16, 15)), frames_per_clip=0, name='Übung \\ "1"'),
    ],
    ids=lambda c: "+".join(s.stream for s in c.streams),
)
def test_what_is_written_comes_back(card: Any) -> None:
    assert card_from_json(card_to_json(card), "here") == card


def test_keys_are_the_conventions() -> None:
    found = written()
    assert found["model_type"] == "salientclips-sampler"
    assert found["schema"] == 1
    assert found["streams"][0] == {
        "stream": "md",
        "architecture": "shufflenet26",
        "objective": "ac",
        "mean": [0.5, 0.5],
        "std": [2.0, 2.0],
        "parameters": 425_539,
        "mmacs": pytest.approx(5.2, abs=0.01),
        "weight": 1.0,
    }
    assert found["neighbours"] == 0
    assert found["clip"] == {"frames": 16, "frame_step": 2, "seconds": None}


def put(*path: str | int, to: object) -> Callable[[Json], None]:
    def change(card: Json) -> None:
        inner: Any = card
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to

    return change


def drop(*path: str | int) -> Callable[[Json], None]:
    def change(card: Json) -> None:
        inner: Any = card
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]

    return change


HOSTILE: tuple[tuple[str, Callable[[Json], None]], ...] = (
    ("not the card of", put("model_type", to="resnet")),
    ("not the card of", drop("model_type")),
    ("schema 2", put("schema", to=2)),
    ("features of version 99", put("feature_version", to=99)),
    ("feature_version", put("feature_version", to="1")),
    ("'surprise' is not known", put("surprise", to=1)),
    ("videos is missing", drop("videos")),
    ("name", put("name", to=7)),
    ("name", put("name", to="x" * 3000)),
    ("name", put("name", to="\x1b[2J")),
    ("data", put("data", to="two\nlines")),
    ("streams", put("streams", to="md")),
    ("streams", put("streams", to=[{}] * 9)),
    ("no stream", put("streams", to=[])),
    (r"streams\[1\].stream is 'sonar'", put("streams", 1, "stream", to="sonar")),
    ("doubled or out of order", put("streams", 1, "stream", to="md")),
    ("architecture is 'vgg99'", put("streams", 0, "architecture", to="vgg99")),
    ("only I-frames", put("streams", 0, "architecture", to="mobilenetv2")),
    ("objective", put("streams", 0, "objective", to=None)),
    ("different objectives", put("streams", 0, "objective", to="sal-cl")),
    ("one mean and one deviation", put("streams", 0, "mean", to=[0.0])),
    ("mean", put("streams", 0, "mean", to=[0.0, "0"])),
    ("std", put("streams", 0, "std", to=[0.0, 1.0])),
    ("std", put("streams", 0, "std", to=[True, 1.0])),
    ("parameters", put("streams", 0, "parameters", to=-1)),
    ("parameters", put("streams", 0, "parameters", to=1.5)),
    ("mmacs", put("streams", 0, "mmacs", to=1e300)),
    ("weight", put("streams", 0, "weight", to=1.5)),
    ("weight is missing", drop("streams", 0, "weight")),
    ("objective ac count alike", put("streams", 0, "weight", to=0.5)),
    ("neighbours", put("neighbours", to=17)),
    ("neighbours", put("neighbours", to=0.5)),
    ("Infinity is no number", put("streams", 0, "mmacs", to=1e400)),
    (r"streams\[0\].'weights' is not known", put("streams", 0, "weights", to="/etc/passwd")),
    ("clip", put("clip", to=None)),
    ("frames", put("clip", "frames", to=0)),
    ("frame_step", put("clip", "frame_step", to=True)),
    ("seconds is no length", put("clip", "seconds", to="1/0")),
    ("seconds is no length", put("clip", "seconds", to="-3")),
    ("seconds is no plain", put("clip", "seconds", to=1.5)),
    ("frames_per_clip", put("frames_per_clip", to=-4)),
    ("short_side_cells", put("short_side_cells", to=4096)),
    ("combination is 'av-magic'", put("combination", to="av-magic")),
    ("picture and sound and no combination", put("combination", to=None)),
    ("visual_share", put("visual_share", to=1.5)),
    ("visual_weight", put("visual_weight", to="half")),
    ("score_scale", put("score_scale", to="log")),
    ("classes belong", put("classes", to=[])),
    ("classes", put("classes", to=[1, 2, 3])),
    ("classes", put("classes", to=["a"] * 200_000)),
    ("videos", put("videos", to=-1)),
    ("options", put("options", to=[])),
    ("options.'margin'", put("options", "margin", to=[1])),
    ("options.'margin'", put("options", "margin", to=None)),
    ("validation.accuracy_at_10", put("validation", "accuracy_at_10", to="good")),
    ("histogram adds up to 0.9", put("histogram", to=[0.4, 0.5])),
    ("histogram", put("histogram", to=[-0.5, 1.5])),
    ("versions.salientclips", put("versions", "salientclips", to=1)),
)


@pytest.mark.parametrize(("message", "change"), HOSTILE, ids=[f"{i} {m}" for i, (m, _) in enumerate(HOSTILE)])
def test_hostile_cards(message: str, change: Callable[[Json], None]) -> None:
    card = written()
    change(card)
    with pytest.raises(CardError, match=message) as caught:
        card_from_json(json.dumps(card), "config.json")
    assert "config.json" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"card"', "[" * 100_000, '{"a": NaN}', "1" * 10_000, '{"model_type": []}']
)
def test_what_is_no_card(text: str) -> None:
    with pytest.raises(CardError):
        card_from_json(text, "config.json")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.data())
def test_any_value_anywhere_is_a_card_or_an_error(data: st.DataObject) -> None:
    card = written()
    field = data.draw(st.sampled_from(sorted(card)))
    inner = data.draw(st.sampled_from(["", *sorted(card["streams"][0])])) if field == "streams" else ""
    value = data.draw(_ANY)
    if inner:
        card["streams"][0][inner] = value
    else:
        card[field] = value
    try:
        read = card_from_json(json.dumps(card), "config.json")
    except CardError:
        return
    assert card_from_json(card_to_json(read), "config.json") == read


def test_a_card_that_could_not_be_read_back_is_not_written() -> None:
    for broken in (
        replace(make_card(), data="two\nlines"),
        replace(make_card(), histogram=(float("nan"),)),
        replace(make_card(), combination="av-union-list"),
        replace(make_card(), validation={"loss": float("inf")}),
        replace(make_card(), options={"margin": object()}),  # type: ignore[dict-item]
        replace(make_card(), feature_version=3),
    ):
        with pytest.raises(CardError):
            card_to_json(broken)


def test_the_card_for_people() -> None:
    card = make_card(
        ("md", "audio"), visual="ac", licence='x"\n---\nevil: yes', data="a | b <script>", classifier="f_1"
    )
    text = model_card(card)
    header = text.split("\n---\n")[0]
    assert header.startswith("---\nlibrary_name: salientclips\n")
    assert 'license: "x\\"\\n---\\nevil: yes"' in header
    assert "| md | shufflenet26 | ac | 425,539 | 5.2 |" in text
    assert "| audio | vgg18 | sal-rank | 1,287,249 | 199.3 |" in text
    assert "a \\| b \\<script\\>" in text
    assert "| accuracy\\_at\\_10 | 0.25 |" in text
    assert "16 frames at a step of 2; 2 frames are read" in text
    bare = model_card(
        make_card(("md",), options={}, validation={}, licence="", data="", clip=ClipSpec(seconds=Fraction(2)))
    )
    assert "Validation" not in bare
    assert "license" not in bare
    assert "Clips: 2 s" in bare


def test_the_card_for_people_gives_a_size_only_where_frames_are_shown() -> None:
    size = "Input: 14 cells of 16 pixels at the shorter side."
    assert size in model_card(make_card(("md",)))
    assert size in model_card(make_card(("stats", "if", "audio")))
    # Statistics and sound have inputs of their own, rules have none.
    without = make_card(("stats", "audio"))
    assert "cells" not in model_card(without)
    assert "cells" not in model_card(replace(without, streams=(without.streams[0], MOTION, PACKETS)))
