"""The one door to features: picks the back end for a file, and keeps account of what was read and what failed.

The bitstream back end reads what it can; the decoded one reads everything else, and takes over in the middle of a
video where a form turns up that the other does not read. Sound is read beside them from the same file, clip by
clip. Samplers ask here and do not know who answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from pathlib import Path
from typing import Literal

from ..audio.mel import Mel, read_mel
from ..errors import NoAudioTrackError
from ..media.payloads import StreamFacts, read_facts
from ..probed import FeatureSupport, Probe
from ..timeline import ClipGrid
from ..types import ClipFeatures, Feature, FeatureParameters, PacketTable
from . import bitstream, decoded
from .frame_by_frame import unreadable
from .packet_cost import packet_cost, tells_of_change

Backend = Literal["auto", "bitstream", "decoded"]
"""Who reads: whoever is cheapest, or one in particular."""

MOTION: tuple[Feature, ...] = ("md", "rgbr")
"""What is parsed where that is possible, and decoded within the budget where not."""


@dataclass
class FeatureReader:
    """Reads the features of one video for a sampler."""

    path: Path
    """A local video file."""
    table: PacketTable
    """Its packet table."""
    grid: ClipGrid
    """Its clips."""
    threads: int = 1
    """Threads that parse or decode; the features do not depend on it."""
    backend: Backend = "auto"
    """Who is to read motion and residuals."""
    progress: Callable[[float], None] | None = None
    """Called with the share of clips done, 0 to 1."""
    used: dict[str, str] = field(default_factory=dict, init=False)
    """Who read each feature, for example ``{"md": "bitstream"}``."""
    frames_failed: int = field(default=0, init=False)
    """Frames that were chosen and could not be read."""
    handed_over: str = field(default="", init=False)
    """Why the decoded back end took over in the middle; empty where it did not."""
    sound_warnings: list[str] = field(default_factory=list, init=False)
    """What was wrong with the sound, one line each; that there is none as well."""

    def read(self, parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        """Read features of every clip, in order, one clip at a time.

        Args:
            parameters: What to read.

        Yields:
            One item a clip; see :class:`salientclips.types.ClipFeatures` for shapes and units.

        Raises:
            FeatureUnavailableError: The back end that was asked for cannot read this file.
            MediaError: The file cannot be opened any more.
        """
        for clip in self._with_packets(parameters):
            self.frames_failed += clip.failures
            yield clip

    def _with_packets(self, parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        """The packet table is there already, so what it tells costs nothing."""
        if "packets" not in parameters.features:
            yield from self._with_sound(parameters)
            return
        others = replace(parameters, features=tuple(f for f in parameters.features if f != "packets"))
        clips = self._with_sound(others) if others.features else self._unread()
        self.used["packets"] = backend_of("packets", "decoded")
        # Where sizes mislead, a sampler that looks at other things as well is better off without them.
        known = tells_of_change(self.table)
        costs = packet_cost(self.table, self.grid).tolist() if known else [nan] * len(self.grid)
        for clip, cost in zip(clips, costs, strict=True):
            yield replace(clip, packet_cost=cost)

    def _with_sound(self, parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        """A file without sound is no error: its clips have no spectrogram, and a warning says so."""
        if "audio" not in parameters.features:
            yield from self._read(parameters)
            return
        seen = replace(parameters, features=tuple(f for f in parameters.features if f != "audio"))
        pictures = self._read(seen) if seen.features else self._unread()
        for clip, mel in zip(pictures, self._sound(), strict=True):
            yield replace(clip, mel=mel)

    def _sound(self) -> Iterator[Mel | None]:
        self.used["audio"] = "decoded"
        spectrograms = read_mel(self.path, self.grid, warnings=self.sound_warnings)
        given = 0
        try:
            for mel in spectrograms:
                given += 1
                yield mel
        except NoAudioTrackError:
            self.used["audio"] = "none"
            self.sound_warnings.append("the file has no audio track")
            for _ in range(given, len(self.grid)):
                yield None

    def _unread(self) -> Iterator[ClipFeatures]:
        """Clips of which no picture is wanted."""
        for index in range(len(self.grid)):
            yield ClipFeatures(index, (), None, None, None, None)
            if self.progress is not None:
                self.progress((index + 1) / len(self.grid))

    def _read(self, parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        motion = replace(parameters, features=tuple(f for f in parameters.features if f in MOTION))
        if not motion.features or not self._is_readable():
            self.used.update({name: backend_of(name, "decoded") for name in parameters.features})
            yield from self._decoded(parameters, 0)
            return
        self.used.update({name: backend_of(name, "bitstream") for name in parameters.features})
        if "if" in parameters.features:
            stills = self._decoded(replace(parameters, features=("if",)), 0)
            for clip, still in zip(self._bitstream(motion), stills, strict=True):
                failures = clip.failures + still.failures
                yield replace(clip, iframes=still.iframes, failures=failures)
        else:
            yield from self._bitstream(motion)

    @cached_property
    def _facts(self) -> StreamFacts:
        # A frame is decoded for them: once, and only where the bitstream is asked at all.
        return read_facts(self.path)

    def _is_readable(self) -> bool:
        if self.backend == "decoded":
            return False
        reason = bitstream.why_unreadable(self._facts)
        if reason is not None and self.backend == "bitstream":
            raise unreadable(self.path, reason)
        return reason is None

    def _bitstream(self, parameters: FeatureParameters) -> Iterator[ClipFeatures]:
        given = 0
        try:
            for clip in bitstream.read_features(
                self.path,
                self._facts,
                self.table,
                self.grid,
                parameters,
                threads=self.threads,
                progress=self.progress,
            ):
                given += 1
                yield clip
        except bitstream.Unreadable as form:
            self.handed_over = str(form).replace("_", " ")
            yield from self._decoded(parameters, given)

    def _decoded(self, parameters: FeatureParameters, first: int) -> Iterator[ClipFeatures]:
        rest = ClipGrid(self.grid.starts[first:], self.grid.ends[first:])
        for clip in decoded.read_features(
            self.path, self.table, rest, parameters, threads=self.threads, progress=self.progress
        ):
            yield replace(clip, index=clip.index + first)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong without stopping the work, one line each."""
        found = list(self.sound_warnings)
        if self.frames_failed:
            found.append(f"{self.frames_failed} of the chosen frames could not be read and were left out")
        if self.handed_over:
            found.append(
                f"part of the video was decoded for its features: it holds {self.handed_over} pictures"
            )
        return tuple(found)


def backend_of(feature: str, motion: Literal["bitstream", "decoded"]) -> str:
    """Which back end reads a feature.

    Args:
        feature: One of :data:`salientclips.types.FEATURES`.
        motion: Who reads motion and residuals.

    Returns:
        ``"demux"`` for packet cost, ``motion`` for MD and RGB-R, ``"decoded"`` for all others.
    """
    if feature == "packets":
        return "demux"
    return motion if feature in MOTION else "decoded"


def with_bitstream(probe: Probe) -> Probe:
    """Say of a probed file what the bitstream back end can do for it.

    Args:
        probe: What :func:`salientclips.media.probe.probe` found.

    Returns:
        The same with ``features`` naming the back end that :class:`FeatureReader` would use, and why.
    """
    reason = bitstream.why_unreadable(read_facts(probe.path))
    features = dict(probe.features)
    for name in MOTION:
        if reason is None:
            features[name] = FeatureSupport(
                "bitstream",
                f"parsed from the {probe.video.codec} packets, nothing decoded, whatever the budget",
            )
        else:
            features[name] = FeatureSupport("decoded", f"{features[name].why}; {reason}")
    return replace(probe, features=features)
