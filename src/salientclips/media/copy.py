"""Spans of a video as files of their own, packets copied and nothing encoded again.

A decoder can only begin at a key frame, so a copy begins at the last one before the span, and it ends with whatever
frames the last ones of the span need. How far that is off is known from the packets, and said. All files are written
in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import av.packet
import av.stream
import av.video.stream
import numpy as np

from ..errors import InputError
from ..types import PacketTable
from .container import open_container, timeline_of, video_stream
from .cut import FrameSpan
from .output import output_container

COPY_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".ts")
"""Containers that a copy stays in; others are copied into Matroska, which takes any codec."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds."""

    start: Fraction
    """Time of its first frame in the source, seconds on the timeline."""
    end: Fraction
    """When its last frame ends in the source, seconds on the timeline."""


def copy_spans(path: Path, table: PacketTable, jobs: Sequence[tuple[FrameSpan, Path]]) -> list[Copied]:
    """Copy the packets of spans to files.

    Args:
        path: A local video file.
        table: Its packet table.
        jobs: Spans on frames, and where each goes; the suffix says the container.

    Returns:
        For each job where the copy begins and ends in the source.

    Raises:
        InputError: The container keeps no display times, or the target takes no such codec.
        MediaError: The video cannot be read.
        OSError: The system refuses a write.
    """
    if table.pts_is_guessed:
        raise InputError(
            f"'{path}' keeps no display times, so it cannot be copied in parts", "leave out --copy"
        )
    plans = [_plan(table, span) for span, _ in jobs]
    with open_container(path) as source:
        try:
            with ExitStack() as stack:
                outputs = [stack.enter_context(output_container(target)) for _, target in jobs]
                _copy(source, video_stream(source, path), plans, outputs)
        except (av.error.FFmpegError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"'{path}' cannot be copied ({reason})", "leave out --copy") from error
    return [Copied(plan.start, plan.end) for plan in plans]


def _copy(
    source: av.container.InputContainer,
    video: av.video.stream.VideoStream,
    plans: Sequence[_Plan],
    outputs: Sequence[av.container.OutputContainer],
) -> None:
    """Hand every packet to those that want it."""
    best = source.streams.best("audio")
    streams: list[av.stream.Stream] = [video, *([best] if best is not None else [])]
    targets = [_Target(output, streams, plan) for output, plan in zip(outputs, plans, strict=True)]
    row = -1
    for packet in source.demux(streams):
        if packet.size == 0:
            continue
        is_video = packet.stream.index == video.index
        row += is_video
        time = None if packet.pts is None else timeline_of(source, packet.stream).time(packet.pts)
        for target in targets:
            if target.plan.wants(row, time, is_video):
                target.add(packet)


@dataclass(frozen=True)
class _Plan:
    """Which packets a copy takes."""

    first_row: int
    last_row: int
    start: Fraction
    end: Fraction
    hidden: frozenset[int]
    """Rows between that are not to be copied: pictures of an open GOP that lack what they refer to."""

    def wants(self, row: int, time: Fraction | None, is_video: bool) -> bool:
        if is_video:
            return self.first_row <= row <= self.last_row and row not in self.hidden
        return time is not None and self.start <= time < self.end


def _plan(table: PacketTable, span: FrameSpan) -> _Plan:
    first_pts, stop_pts = table.timeline.first_pts(span.start), table.timeline.first_pts(span.end)
    keys = np.flatnonzero(table.is_key & (table.pts <= first_pts))
    first_row = int(keys[-1]) if len(keys) else 0
    inside = np.flatnonzero((table.pts >= first_pts) & (table.pts < stop_pts) & table.is_shown)
    last_row = int(inside[-1])
    rows = np.arange(first_row, last_row + 1)
    headless = rows[table.pts[rows] < table.pts[first_row]]
    shown = np.sort(table.pts[np.setdiff1d(rows, headless)])
    last = int(shown[-1])
    later = table.pts[table.is_shown & (table.pts > last)]
    row_of_last = int(rows[table.pts[rows] == last][0])
    after = int(later.min()) if len(later) else last + max(1, int(table.duration[row_of_last]))
    time = table.timeline.time
    return _Plan(
        first_row, last_row, time(int(table.pts[first_row])), time(after), frozenset(int(r) for r in headless)
    )


class _Target:
    """One copy in the making."""

    def __init__(
        self, container: av.container.OutputContainer, streams: Sequence[av.stream.Stream], plan: _Plan
    ) -> None:
        self.plan = plan
        self._container = container
        self._copies = {}
        self._shifts: dict[int, int] = {}
        for stream in streams:
            # Opaque: nothing is encoded, so there need be no encoder for the codec.
            self._copies[stream.index] = self._container.add_stream_from_template(stream, opaque=True)

    def add(self, packet: av.packet.Packet) -> None:  # type: ignore[type-arg]
        """Copy a packet, moved so that the first picture is shown at 0."""
        fresh = av.Packet(bytes(packet))
        fresh.time_base, fresh.is_keyframe = packet.time_base, packet.is_keyframe
        fresh.duration = packet.duration
        assert packet.time_base is not None
        index = packet.stream.index
        if index not in self._shifts:
            self._shifts[index] = self._shift(packet)
        shift = self._shifts[index]
        fresh.pts = None if packet.pts is None else packet.pts - shift
        fresh.dts = None if packet.dts is None else packet.dts - shift
        fresh.stream = self._copies[index]
        self._container.mux(fresh)

    def _shift(self, packet: av.packet.Packet) -> int:  # type: ignore[type-arg]
        container = packet.stream.container
        assert isinstance(container, av.container.InputContainer)
        zero = timeline_of(container, packet.stream).zero
        return int((self.plan.start + zero) / packet.time_base)
