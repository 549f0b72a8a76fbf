"""What kind of sampler is wanted: its streams, networks, objectives and combination, checked before any work begins.

The defaults are those that did best on validation data (docs/decisions.md). Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, UnknownNameError
from ..samplers.card import (
    ARCHITECTURES,
    AUDIO_ARCHITECTURES,
    COMBINATIONS,
    HOW_TO_GET,
    LINEAR,
    OBJECTIVES,
    PRETRAINED,
    RULES,
    SHOWN_FRAMES,
    SOLVED,
    STREAMS,
    Architecture,
    Combination,
    Objective,
    Stream,
    features_of,
)
from ..samplers.context import MOST_NEIGHBOURS
from ..types import FeatureParameters

USUAL_CELLS, LEAST_CELLS = 14, 7
"""Shorter side of the networks' input, cells of 16 pixels."""


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
    front_weights: str | Path | None = None
    """MobileNetV2's weights by ImageNet: its network then looks at I-frames, and nothing of it but the last layer
    learns; see :mod:`salientclips.samplers.front`. None for a network from nothing."""
    objective: Objective = "sal-rank"
    """What the visual networks learn."""
    audio_objective: Objective | None = None
    """What the audio network learns; None for the same."""
    audio_architecture: Architecture = "vgg18"
    """Of the audio network: the paper's, or ``"bands"``, one layer that learns in seconds."""
    combination: Combination = "av-union-list"
    """How sound and picture are put together, where there are both."""
    frames_per_clip: int = 4
    """Inter-coded frames read of a clip; 0 for all (the paper)."""
    short_side_cells: int | None = None
    """Shorter side of the networks' input, cells of 16 pixels; None for what suits them: see ``input_cells``."""
    neighbours: int | None = None
    """Clips on either side that have a say in a clip's score; None to choose on the validation videos."""
    weighs_streams: bool = True
    """Whether the validation videos decide how much each visual stream counts; else all count alike."""

    def __post_init__(self) -> None:
        for kind, names, known in (
            ("stream", self.streams, STREAMS),
            ("architecture", (self.architecture,), (*ARCHITECTURES, *PRETRAINED)),
            ("audio architecture", (self.audio_architecture,), AUDIO_ARCHITECTURES),
            ("objective", (self.objective, self.audio_objective or self.objective), OBJECTIVES),
            ("combination", (self.combination,), COMBINATIONS),
        ):
            for name in names:
                if name not in known:
                    raise UnknownNameError(kind, str(name), tuple(map(str, known)))
        if not self.streams:
            raise InputError("a sampler of no streams is impossible", f"choose of {', '.join(STREAMS)}")
        if not self.networks:
            raise InputError(
                f"a sampler of {' and '.join(dict.fromkeys(self.streams))} alone has nothing to learn",
                f"name a stream with a network beside it: {', '.join(s for s in STREAMS if s not in RULES)}",
            )
        self._check_front()
        if self.frames_per_clip < 0:
            raise InputError(f"frames_per_clip = {self.frames_per_clip} is impossible", "give 0 or more")
        if self.neighbours is not None and not 0 <= self.neighbours <= MOST_NEIGHBOURS:
            raise InputError(f"neighbours = {self.neighbours} is impossible", f"give 0 to {MOST_NEIGHBOURS}")
        if self.input_cells < LEAST_CELLS:
            raise InputError(
                f"short_side_cells = {self.short_side_cells} is too small", f"give at least {LEAST_CELLS}"
            )
        if self.is_joint and self.audio_objective not in (None, self.objective):
            raise InputError(
                "networks that are trained together have one objective", "leave the audio objective out"
            )
        solved = any(self.architecture_of(stream) in SOLVED for stream in self.networks)
        is_alone = self.front_weights is not None or solved
        if self.is_joint and (is_alone or len(self.networks) < len(self.streams)):
            raise InputError(
                f"av-joint-training trains networks together; {' and '.join(RULES)} have none, a front learns"
                " nothing, and the layers of stats and of bands are solved alone",
                "choose another combination",
            )
        object.__setattr__(self, "streams", tuple(s for s in STREAMS if s in self.streams))

    def _check_front(self) -> None:
        visual = self._shown_frames
        if self.architecture in PRETRAINED and self.front_weights is None:
            raise InputError(
                f"{self.architecture} does not learn from nothing, only its last layer does",
                f"give --front-weights; {HOW_TO_GET}",
            )
        if self.architecture in PRETRAINED and visual != ["if"]:
            raise InputError(
                f"{self.architecture} looks at I-frames only",
                "leave the architecture out: with --front-weights the stream if has it all the same",
            )
        if self.front_weights is not None and "if" not in visual:
            raise InputError("weights of a front are for I-frames", "name the stream if, or leave them out")

    @property
    def networks(self) -> tuple[Stream, ...]:
        """The streams that have a network."""
        return tuple(stream for stream in self.streams if stream not in RULES)

    @property
    def _shown_frames(self) -> list[Stream]:
        """The streams whose networks are shown frames."""
        return [stream for stream in self.networks if stream in SHOWN_FRAMES]

    @property
    def input_cells(self) -> int:
        """Shorter side of the networks' input, cells of 16 pixels.

        By default 14 (224 pixels, the paper), and 7 where a front is the only one that looks.
        """
        if self.short_side_cells is not None:
            return self.short_side_cells
        return LEAST_CELLS if self._shown_frames == ["if"] and self.front_weights is not None else USUAL_CELLS

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
        return FeatureParameters(self.frames_per_clip, features_of(self.streams))

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
            The architecture.
        """
        if stream == "stats":
            return LINEAR
        if stream == "if" and self.front_weights is not None:
            return PRETRAINED[0]
        return self.audio_architecture if stream == "audio" else self.architecture
