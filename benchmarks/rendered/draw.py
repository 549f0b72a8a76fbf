"""Chance: a screenplay from the settings and a video's number, and nothing else.

The camera, the props, the light and the cuts are drawn without a look at where the action is, so none of them tells
of it, with three exceptions: a shot that looks away from the person keeps clear of the action, which could not be
seen in it; the person's own behaviours tile the video around it; and fewer things fly during it (see
``_FLIGHT_IN_ACTION``).
"""

from __future__ import annotations

import numpy as np

from .screenplay import (
    ACTIONS,
    Behaviour,
    Flicker,
    Flight,
    Prop,
    Screenplay,
    Settings,
    Shot,
    number_in_split,
    split_of,
)
from .soundtrack import draw_noises

Random = np.random.Generator

SHORTEST_SPAN_S = 2.6
"""A place of the action: two clips of 16 frames, so one of the grid is always whole within it."""
SHARE = (0.06, 0.24)
"""Of the video that is action, drawn evenly; the bounds of the set are 5 and 25 %."""
LOOKS = 3
"""Sets of textures in a video."""

_FLIGHT_IN_ACTION = 0.3
"""A flight that would begin or end within the action is left out this often: a person who has room for a cartwheel is
not at that moment in a hail of things. With 1 the motion of the action itself would tell it at once."""


def draw(settings: Settings, index: int) -> Screenplay:
    """The screenplay of one video.

    Args:
        settings: What the set is made of.
        index: The video's number, from 0.

    Returns:
        The screenplay: the same for the same arguments, whatever was drawn before.
    """
    random = np.random.default_rng([settings.seed, index, 2019])
    rate = float(settings.frame_rate)
    label = label_of(settings, index)
    frames = round(random.uniform(settings.shortest_s, settings.longest_s) * rate)
    spans = _spans(random, frames, rate)
    behaviours = _behaviours(random, frames, rate, label, spans)
    shots = _shots(random, frames, rate, spans)
    props = tuple(_prop(random) for _ in range(5))
    flights = _flights(random, frames, rate, len(props), spans)
    # Sound has a chance of its own: what is heard can be changed without changing what is seen.
    chance = np.random.default_rng([settings.seed, index, 2021])
    noises, has_class_sound = draw_noises(chance, frames, rate, label, spans)
    return Screenplay(
        index=index,
        split=split_of(index),
        label=label,
        frames=frames,
        mirrored=bool(random.random() < 0.5),
        behaviours=behaviours,
        shots=shots,
        props=props,
        flights=flights,
        flickers=_flickers(random, frames, rate),
        noises=noises,
        has_class_sound=has_class_sound,
        floor=float(10 ** (random.uniform(-52, -36) / 20)),
        grain=float(random.choice([0.0, 0.5, 1.0, 1.6])),
        seed=int(random.integers(2**31)),
    )


def label_of(settings: Settings, index: int) -> str:
    """The class of a video: each split goes through all classes in a shuffled order before any comes again."""
    number = number_in_split(index)
    round_, place = divmod(number, settings.classes)
    split = ("train", "val", "test").index(split_of(index))
    order = np.random.default_rng([settings.seed, split, round_, 7]).permutation(settings.classes)
    return ACTIONS[int(order[place])]


def _spans(random: Random, frames: int, rate: float) -> list[tuple[int, int]]:
    """One to three places that fill 6 to 24 % of the frames, with at least as much as a span's minimum between."""
    least = int(np.ceil(SHORTEST_SPAN_S * rate))
    total = max(round(random.uniform(*SHARE) * frames), least)
    places = min(int(random.integers(1, 4)), total // least)
    extra = random.multinomial(total - places * least, [1 / places] * places)
    lengths = [least + int(more) for more in extra]
    free = frames - total - (places + 1) * (least // 2)
    gaps = random.multinomial(free, random.dirichlet([1.0] * (places + 1)))
    spans, at = [], 0
    for length, gap in zip(lengths, gaps[:-1], strict=True):
        at += int(gap) + least // 2
        spans.append((at, at + length))
        at += length
    return spans


def _behaviours(
    random: Random, frames: int, rate: float, label: str, spans: list[tuple[int, int]]
) -> tuple[Behaviour, ...]:
    def one(kind: str, start: int, end: int) -> Behaviour:
        return Behaviour(
            kind,
            start,
            end,
            speed=float(random.uniform(0.85, 1.15)),
            phase=float(random.random()),
            turn_rad=float(random.uniform(-np.pi, np.pi)),
            seed=int(random.integers(2**31)),
        )

    tiles: list[Behaviour] = []
    at = 0
    for start, end in [*spans, (frames, frames)]:
        while at < start:
            until = min(start, at + round(random.uniform(1.5, 6.0) * rate))
            if start - until < rate:  # no crumb before the action
                until = start
            tiles.append(
                one(str(random.choice(["stand", "gesture", "walk"], p=[0.2, 0.35, 0.45])), at, until)
            )
            at = until
        if end > start:
            tiles.append(one(label, start, end))
            at = end
    return tuple(tiles)


def _shots(random: Random, frames: int, rate: float, spans: list[tuple[int, int]]) -> tuple[Shot, ...]:
    tiles: list[Shot] = []
    at = 0
    while at < frames:
        until = min(frames, at + round(random.uniform(2.5, 13.0) * rate))
        if frames - until < 1.5 * rate:
            until = frames
        seen = any(start < until and at < end for start, end in spans)
        tiles.append(_shot(random, at, until, away=not seen and bool(random.random() < 0.3)))
        at = until
    return tuple(tiles)


def _shot(random: Random, start: int, end: int, *, away: bool) -> Shot:
    pans, zooms, goes_round = random.random(3) < (0.55, 0.4, 0.35)
    return Shot(
        start,
        end,
        look=int(random.integers(LOOKS)),
        away=away,
        azimuth_rad=float(random.uniform(-np.pi, np.pi)),
        elevation_rad=float(random.uniform(0.02, 0.5)),
        distance_m=float(random.uniform(2.3, 3.7)),
        field_deg=float(random.uniform(38, 52)),
        orbit_rad_s=float(goes_round * random.choice([-1, 1]) * random.uniform(0.15, 0.8)),
        pan_rad=float(pans * random.uniform(0.05, 0.24)),
        pan_hz=float(random.uniform(0.1, 0.7)),
        zoom=float(zooms * random.uniform(0.1, 0.35)),
        zoom_hz=float(random.uniform(0.1, 0.6)),
        phases_rad=(float(random.uniform(0, 2 * np.pi)), float(random.uniform(0, 2 * np.pi))),
        shake_rad=float(random.choice([0.0, 0.004, 0.012, 0.03])),
        light=(float(random.uniform(-2, 2)), float(random.uniform(-2, 2)), float(random.uniform(1, 3))),
        seed=int(random.integers(2**31)),
    )


def _prop(random: Random) -> Prop:
    kind = str(random.choice(["ball", "box", "pole", "duck"], p=[0.35, 0.35, 0.2, 0.1]))
    return Prop(kind, float(random.uniform(0.12, 0.38)), int(random.integers(2**31)))


def _flights(
    random: Random, frames: int, rate: float, props: int, spans: list[tuple[int, int]]
) -> tuple[Flight, ...]:
    """Each prop comes and goes on its own; all props together are there about as often as not."""
    flights = []
    for prop in range(props):
        at = round(random.exponential(6.0) * rate)
        while at < frames:
            path = str(
                random.choice(["roll", "bounce", "circle", "swing", "pass"], p=[0.2, 0.25, 0.25, 0.1, 0.2])
            )
            length_s = random.uniform(1.0, 2.0) if path == "pass" else random.uniform(1.5, 7.0)
            until = min(frames, at + round(length_s * rate))
            flight = Flight(
                prop,
                path,
                at,
                until,
                speed=float(random.uniform(1.0, 4.5)),
                offset_m=float(random.uniform(0.7, 1.8)),
                direction_rad=float(random.uniform(-np.pi, np.pi)),
                height_m=float(random.uniform(0.5, 1.8)),
                spin_rad_s=float(random.uniform(-9, 9)),
            )
            in_action = any(start < until and at < end for start, end in spans)
            if not (in_action and random.random() < _FLIGHT_IN_ACTION):
                flights.append(flight)
            at = until + round(random.exponential(11.0) * rate)
    return tuple(flights)


def _flickers(random: Random, frames: int, rate: float) -> tuple[Flicker, ...]:
    flickers = []
    at = round(random.exponential(20.0) * rate)
    while at < frames:
        until = min(frames, at + round(random.uniform(0.5, 4.0) * rate))
        rate_hz = float(random.choice([0.4, 1.5, 5.0]))
        flickers.append(Flicker(at, until, float(random.uniform(0.1, 0.5)), rate_hz))
        at = until + round(random.exponential(20.0) * rate)
    return tuple(flickers)
