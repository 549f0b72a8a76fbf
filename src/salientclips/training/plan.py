"""What kind of sampler is wanted: its streams, networks, objectives and combination, checked before any work begins.

The defaults are those that did best on validation data (docs/decisions.md). Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError, UnknownNameError
from ..samplers.card import (
    ARCHITECTURES,
    COMBINATIONS,
    OBJECTIVES,
    STREAMS,
    Architecture,
    Combination,
    Objective,
    Stream,
)
from ..samplers.context import MOST_NEIGHBOURS
from ..types import FeatureParameters

AUDIO_ARCHITECTURE: Architecture = "vgg18"
"""The audio network (paper: an 18-layer VGG)."""


@dataclass(frozen=True)
class SamplerPlan:
    """The sampler to be made.

    Raises:
        UnknownNameError: There is no such stream, architecture, objective or combination.
        InputError: A number is out of range, there is no stream, or objectives contradict one another.
    """

    streams: tuple[Stream, ...] = ("md", "rgbr", "audio")
    """What it looks at; put into the order of ``STREAMS``."""
    architecture: Architecture = "shufflenet26"
    """Of the visual networks."""
    objective: Objective = "sal-rank"
    """What the visual networks learn."""
    audio_objective: Objective | None = None
    """What the audio network learns; None for the same."""
    combination: Combination = "av-union-list"
    """How sound and picture are put together, where there are both."""
    frames_per_clip: int = 4
    """Inter-coded frames read of a clip; 0 for all (the paper)."""
    short_side_cells: int = 14
    """Shorter side of the networks' input, cells of 16 pixels."""
    neighbours: int | None = None
    """Clips on either side that have a say in a clip's score; None to choose on the validation videos."""
    weighs_streams: bool = True
    """Whether the validation videos decide how much each visual stream counts; else all count alike."""

    def __post_init__(self) -> None:
        for kind, names, known in (
            ("stream", self.streams, STREAMS),
            ("architecture", (self.architecture,), ARCHITECTURES),
            ("objective", (self.objective, self.audio_objective or self.objective), OBJECTIVES),
            ("combination", (self.combination,), COMBINATIONS),
        ):
            for name in names:
                if name not in known:
                    raise UnknownNameError(kind, str(name), tuple(map(str, known)))
        if not self.streams:
            raise InputError("a sampler of no streams is impossible", f"choose of {', '.join(STREAMS)}")
        if self.frames_per_clip < 0:
            raise InputError(f"frames_per_clip = {self.frames_per_clip} is impossible", "give 0 or more")
        if self.neighbours is not None and not 0 <= self.neighbours <= MOST_NEIGHBOURS:
            raise InputError(f"neighbours = {self.neighbours} is impossible", f"give 0 to {MOST_NEIGHBOURS}")
        if self.short_side_cells < 7:
            raise InputError(f"short_side_cells = {self.short_side_cells} is too small", "give at least 7")
        if self.is_joint and self.audio_objective not in (None, self.objective):
            raise InputError(
                "networks that are trained together have one objective", "leave the audio objective out"
            )
        object.__setattr__(self, "streams", tuple(s for s in STREAMS if s in self.streams))

    @property
    def has_both(self) -> bool:
        """Whether it looks and listens."""
        return "audio" in self.streams and len(self.streams) > 1

    @property
    def is_joint(self) -> bool:
        """Whether picture and sound are trained together on one score."""
        return self.has_both and self.combination == "av-joint-training"

    @property
    def feature_parameters(self) -> FeatureParameters:
        """What has to be read."""
        return FeatureParameters(self.frames_per_clip, tuple(self.streams))

    def objective_of(self, stream: Stream) -> Objective:
        """What the network of a stream learns.

        Args:
            stream: One of ``streams``.

        Returns:
            The objective; that of the sound may be another one than the pictures'.
        """
        return (self.audio_objective or self.objective) if stream == "audio" else self.objective

    def architecture_of(self, stream: Stream) -> Architecture:
        """The network of a stream.

        Args:
            stream: One of ``streams``.

        Returns:
            The architecture; ``"vgg18"`` for the sound, as in the paper.
        """
        return AUDIO_ARCHITECTURE if stream == "audio" else self.architecture
