"""What one video shows, second by second: the types, and nothing that draws or renders.

A ``Screenplay`` is a pure value. ``draw`` makes one from a seed; ``acting``, ``props``, ``camera``, ``sound`` turn
it into numbers over time; ``stage`` and ``encode`` turn those into a file. All times are frame numbers, so that the
spans in the manifest are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

ACTIONS = (
    "backflip",
    "cartwheel",
    "crawl",
    "dance_a",
    "dance_b",
    "get_up",
    "jump",
    "kick",
    "punch",
    "roll",
    "run",
    "spin",
    "spinkick",
)
"""The classes. Walking, standing and gesturing are what a person does the rest of the time, so they are none."""

BACKGROUND = ("stand", "gesture", "walk")
"""What the person does outside the salient spans."""

SPLITS = ("train", "test", "train", "val", "train", "test", "train")
"""The split of video number i is that of ``i % 7``: any run of videos from the first on has all three."""

CODECS = ("h264", "mpeg4", "hevc", "vp9")
"""Every video is H.264; a part of the test videos has copies in the others."""

LEAST_S = 11
"""The shortest video in which a place of action that holds two clips is less than a quarter."""


@dataclass(frozen=True)
class Settings:
    """What a set is made of; with a video's number it says all about that video."""

    seed: int = 0
    """Seed of every draw."""
    videos: int = 420
    """How many, copies in other codecs not counted. 420 are 240 for training, 60 to validate, 120 to test."""
    shortest_s: float = 45.0
    """The shortest video."""
    longest_s: float = 90.0
    """The longest."""
    width_px: int = 192
    """Width; a multiple of 16 has no half macroblocks."""
    height_px: int = 144
    """Height."""
    frame_rate: Fraction = Fraction(25, 2)
    """Frames per second; at 12.5 every frame's time has two decimals."""
    classes: int = len(ACTIONS)
    """The first so many of ``ACTIONS``; fewer for a small set in which every class is trained."""

    def __post_init__(self) -> None:
        if not LEAST_S <= self.shortest_s <= self.longest_s:
            told = f"{self.shortest_s:g} to {self.longest_s:g} s"
            raise ValueError(
                f"videos of {told}: the shortest must have {LEAST_S} s, or the action fills too much"
            )
        if self.width_px % 2 or self.height_px % 2 or not 1 <= self.classes <= len(ACTIONS):
            raise ValueError(f"sizes must be even, classes 1 to {len(ACTIONS)}")


@dataclass(frozen=True)
class Behaviour:
    """What the person does from one frame to another."""

    kind: str
    """One of ``ACTIONS`` or of ``BACKGROUND``."""
    start: int
    """First frame."""
    end: int
    """The frame after the last."""
    speed: float
    """1 is the speed of the capture."""
    phase: float
    """Where in the captured cycle it begins, 0 to 1; only for clips that are cycles."""
    turn_rad: float
    """How far the person turns as it begins."""
    seed: int
    """Of the gestures and the choice between captured clips of one action."""


@dataclass(frozen=True)
class Shot:
    """One take: a camera and a set, from one cut to the next."""

    start: int
    """First frame."""
    end: int
    """The frame after the last."""
    look: int
    """Which of the video's sets of textures."""
    away: bool
    """True where the camera looks at the room, the person out of the picture."""
    azimuth_rad: float
    """Where the camera stands, seen from the person."""
    elevation_rad: float
    """How high above it."""
    distance_m: float
    """How far from it."""
    field_deg: float
    """Vertical field of view."""
    orbit_rad_s: float
    """How fast the camera goes round the person."""
    pan_rad: float
    """How far the camera swings left and right."""
    pan_hz: float
    """How often."""
    zoom: float
    """How much the field of view swings, as a share."""
    zoom_hz: float
    """How often."""
    phases_rad: tuple[float, float]
    """Where in their swings pan and zoom begin."""
    shake_rad: float
    """Of a camera held in the hand: the typical angle."""
    light: tuple[float, float, float]
    """Where the light comes from."""
    seed: int
    """Of the shake."""


@dataclass(frozen=True)
class Prop:
    """A thing that may move through the picture."""

    kind: str
    """``ball``, ``box``, ``pole`` or ``duck``."""
    size_m: float
    """Its half width."""
    seed: int
    """Of its texture."""


@dataclass(frozen=True)
class Flight:
    """One prop on its way, from one frame to another; outside its flights a prop is not there."""

    prop: int
    """Which."""
    path: str
    """``roll``, ``bounce``, ``circle``, ``swing`` or ``pass`` (close by the camera)."""
    start: int
    """First frame."""
    end: int
    """The frame after the last."""
    speed: float
    """Metres per second along the path."""
    offset_m: float
    """How far from the person the path goes by, or the radius of a circle."""
    direction_rad: float
    """Of the path on the ground."""
    height_m: float
    """Of a bounce, a circle or a swing."""
    spin_rad_s: float
    """How fast the thing turns about itself."""


@dataclass(frozen=True)
class Flicker:
    """The light goes up and down."""

    start: int
    """First frame."""
    end: int
    """The frame after the last."""
    depth: float
    """By which share."""
    rate_hz: float
    """How often; slow is a cloud, fast a bad lamp."""


@dataclass(frozen=True)
class Noise:
    """One sound, from one frame to another."""

    kind: str
    """One of ``sound.KINDS``."""
    start: int
    """First frame."""
    end: int
    """The frame after the last."""
    gain: float
    """Amplitude next to the loudest, 0 to 1."""
    seed: int
    """Of the choice between recordings of the kind."""


@dataclass(frozen=True)
class Screenplay:
    """All that happens in one video."""

    index: int
    """The video's number."""
    split: str
    """``train``, ``val`` or ``test``."""
    label: str
    """One of ``ACTIONS``."""
    frames: int
    """How many."""
    mirrored: bool
    """Left and right changed over."""
    behaviours: tuple[Behaviour, ...]
    """What the person does; they tile the video."""
    shots: tuple[Shot, ...]
    """The takes; they tile the video."""
    props: tuple[Prop, ...]
    """The things."""
    flights: tuple[Flight, ...]
    """How they move."""
    flickers: tuple[Flicker, ...]
    """What the light does."""
    noises: tuple[Noise, ...]
    """What is heard over the floor."""
    has_class_sound: bool
    """Whether the action is heard."""
    floor: float
    """The noise floor's amplitude."""
    grain: float
    """The sensor's noise, levels of 255."""
    seed: int
    """Of textures, colours, grain and floor."""

    @property
    def name(self) -> str:
        """The video's name without codec or suffix."""
        return f"{self.index:04d}-{self.label}"

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where the action is: (first frame, frame after the last) of each place."""
        return tuple((one.start, one.end) for one in self.behaviours if one.kind == self.label)


def split_of(index: int) -> str:
    """The split of a video, by its number alone."""
    return SPLITS[index % len(SPLITS)]


def number_in_split(index: int) -> int:
    """How many videos of the same split come before this one."""
    whole, part = divmod(index, len(SPLITS))
    split = SPLITS[part]
    return whole * SPLITS.count(split) + SPLITS[:part].count(split)


def codecs_of(index: int) -> tuple[str, ...]:
    """The codecs of a video: H.264, and the others for every fifth test video."""
    every = split_of(index) == "test" and number_in_split(index) % 5 == 0
    return CODECS if every else CODECS[:1]
