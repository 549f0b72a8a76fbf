"""What is in a file, and what can be read from it: the answer of :func:`salientclips.probe`.

Facts of the container and of the packets, and for each feature of the paper (section 3) who reads it here and why.
The types are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .types import Feature


@dataclass(frozen=True)
class FeatureSupport:
    """Whether and how one feature can be read from a file."""

    backend: Literal["bitstream", "decoded", "demux", "none"]
    """Who reads it; ``"none"`` where it cannot be had."""
    why: str
    """One line for the user: why this back end, and what it costs."""


@dataclass(frozen=True)
class VideoInfo:
    """The video stream of a file, as :func:`salientclips.probe` reports it."""

    codec: str
    """FFmpeg's codec name, for example ``"h264"``."""
    profile: str | None
    """Codec profile, for example ``"High"``; None where FFmpeg does not say."""
    width_px: int
    """Coded width before rotation, pixels."""
    height_px: int
    """Coded height before rotation, pixels."""
    rotation_deg: int
    """Clockwise turn that displays the picture upright: 0, 90, 180 or 270."""
    start_s: float
    """Time of the first shown frame, seconds on the timeline."""
    duration_s: float
    """From the first shown frame to the end of the last one, seconds; from the packets, not the header."""
    frame_rate: float
    """Mean frames per second over ``duration_s``."""
    variable_frame_rate: bool
    """Whether frame durations differ by more than the rounding of the time base."""
    frames: dict[str, int]
    """Shown frames by type: keys ``"I"``, ``"P"``, ``"B"``, and ``"?"`` where a codec hides its types."""
    key_frame_spacing_s: float | None
    """Mean time between key frames, seconds; None with fewer than two."""
    mean_packet_bytes: dict[str, float]
    """Mean packet size by frame type, bytes; the same keys as ``frames``."""
    pixel_format: str | None
    """FFmpeg's pixel format, for example ``"yuv420p10le"``."""


@dataclass(frozen=True)
class AudioInfo:
    """One audio track of a file."""

    codec: str
    """FFmpeg's codec name, for example ``"aac"``."""
    sample_rate_hz: int
    """Samples per second of the track as stored."""
    channels: int
    """Number of channels as stored."""
    start_s: float
    """Time of the first sample, seconds on the timeline."""
    duration_s: float | None
    """Length by the container's header, seconds; None where it does not say."""


@dataclass(frozen=True)
class Probe:
    """Everything that is worth knowing about a file before work starts."""

    path: Path
    """The file that was looked at."""
    container: str
    """FFmpeg's container name, for example ``"mov,mp4,m4a,3gp,3g2,mj2"``."""
    size_bytes: int
    """Length of the file, bytes."""
    video: VideoInfo
    """Its first video stream."""
    audio: tuple[AudioInfo, ...]
    """Its audio tracks, in the order of the file; empty where it is silent."""
    features: dict[Feature, FeatureSupport]
    """Which features the file can give, by which back end, and why."""
    warnings: tuple[str, ...] = ()
    """What is odd about the file, one line each."""
