"""Decoding of the selected clips only: frames asked for by time, checked against the packet table.

Seeking in real files lands late, early, or between key frames (MPEG-TS by a whole GOP), and a decoder then
gives wrong frames without a word. So each frame is verified: the table says which pts is on show at the time
that was asked for, and only a decoded frame of that very pts is handed out. If the first frame after a seek
is already too late, the seek backs off by 1, 2, 4 ... s; if that does not help, the file is decoded from its
start. A clip that lies ahead in the same GOP is reached by decoding on.

Pictures come upright (see orientation.py), as 8-bit RGB by swscale, which follows the colour matrix and range
that the stream declares; where it declares none, BT.601 in limited range. Non-square pixels stay unstretched.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av.error
import av.packet
import av.video.frame
import av.video.reformatter
import numpy as np
import numpy.typing as npt

from ..errors import InputError, NoFramesError, SeekMismatchError
from ..types import PacketTable
from .clock import FrameClock
from .container import open_container, video_stream
from .demux import read_packets
from .orientation import rotation_deg, turn

_BACK_OFF_S = (0, 1, 2, 4, 8, 16, 32)
_LONGEST_REPEAT_S = 1
"""A frame that cannot be decoded is replaced by its predecessor, if that one is at most so much older."""


@dataclass(frozen=True)
class DecodedFrame:
    """One picture, upright."""

    time: Fraction
    """When it is shown, seconds on the timeline."""
    rgb: npt.NDArray[np.uint8]
    """(H, W, 3), 8-bit RGB, display orientation."""


class FrameReader:
    """Decodes the frames that are on show at given times; a context manager.

    The pictures do not depend on ``threads``, nor on the order in which clips are asked for.

    Args:
        path: A local file.
        table: Its packet table, if there is one already; else it is read.
        threads: Threads of the decoder.
        size: What swscale scales each picture to, in display orientation: an int
            is the length of the shorter side, a pair is (height, width); None keeps the size. Pixels.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Nothing of it is shown.
        InputError: ``threads`` or ``size`` is not positive.
    """

    def __init__(
        self,
        path: Path,
        table: PacketTable | None = None,
        *,
        threads: int = 1,
        size: int | tuple[int, int] | None = None,
    ) -> None:
        if threads < 1 or (size is not None and min((size,) if isinstance(size, int) else size) < 1):
            raise InputError(
                f"threads {threads} and size {size} must be positive", "give at least 1, or leave them out"
            )
        self.path = path
        self._failed: set[int] = set()
        self._table = read_packets(path) if table is None else table
        self._shown = np.unique(self._table.pts[self._table.is_shown])
        if len(self._shown) == 0:
            raise NoFramesError(path)
        self._keys = np.unique(self._table.pts[self._table.is_key])
        self._threads = threads
        self._size = size
        self._reformatter = av.video.reformatter.VideoReformatter()
        self._decoding: _Decoding | None = None

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def decode_failures(self) -> int:
        """How many packets could not be decoded so far; their frames' predecessors stood in for them."""
        return len(self._failed)

    def close(self) -> None:
        """Close the file; the reader opens it again if it is asked for more."""
        if self._decoding is not None:
            self._decoding.close()
            self._decoding = None

    def frames_at(self, times: Sequence[Fraction]) -> list[DecodedFrame]:
        """The frames of one clip.

        Args:
            times: Seconds on the timeline; increasing ones cost least. A time past the last frame gives the
                last frame, so that a clip at the end can be filled up by repetition.

        Returns:
            For each time the frame on show then: the last one that does not begin after it. A time up to
            half a frame before the first frame gives the first.

        Raises:
            SeekMismatchError: No frame can be had for a time, neither by seeking nor from the start.
        """
        wanted = [self._pts_on_show(time) for time in times]
        found: dict[int, DecodedFrame] = {}
        for pts in sorted(set(wanted)):
            found[pts] = self._frame(pts)
        return [found[pts] for pts in wanted]

    def frames_between(
        self, start: Fraction, end: Fraction
    ) -> Iterator[tuple[Fraction, av.video.frame.VideoFrame]]:
        """The frames that begin in a span, as the decoder gives them: neither scaled, turned nor converted.

        A frame that cannot be decoded is left out; nothing stands in for it.

        Args:
            start: Seconds on the timeline.
            end: Seconds on the timeline, not included.

        Yields:
            When each frame is shown, seconds on the timeline, and the frame; in order of time.

        Raises:
            SeekMismatchError: The first frame can be had neither by seeking nor from the start of the file.
        """
        timeline = self._table.timeline
        stop = timeline.first_pts(end)
        row = int(np.searchsorted(self._shown, timeline.first_pts(start)))
        if row == len(self._shown) or (first := int(self._shown[row])) >= stop:
            return
        self._frame(first)  # leaves the decoder at that frame, verified
        decoding = self._decoding
        while decoding is not None and decoding.last is not None and decoding.last[0] < stop:
            pts, frame = decoding.last
            if pts >= first:
                yield timeline.time(pts), frame
            if not decoding.advance(pts + 1) and decoding.last[0] <= pts:
                return

    def _pts_on_show(self, time: Fraction) -> int:
        timeline = self._table.timeline
        index = int(np.searchsorted(self._shown, timeline.pts(time), side="right")) - 1
        if index >= 0:
            return int(self._shown[index])
        spacing = int(np.median(np.diff(self._shown))) if len(self._shown) > 1 else 1
        if timeline.time(int(self._shown[0])) - time > Fraction(spacing, 2) * timeline.time_base:
            raise SeekMismatchError(self.path, float(time))
        return int(self._shown[0])

    def _frame(self, pts: int) -> DecodedFrame:
        decoding = self._decoding
        if decoding is not None and decoding.last is not None:
            is_ahead = self._key_before(pts) <= decoding.last[0] <= pts
            if is_ahead and decoding.advance(pts):
                return self._picture(decoding.last)
        return self._by_seeking(pts) or self._from_the_start(pts)

    def _by_seeking(self, pts: int) -> DecodedFrame | None:
        """Seek, verify, back off; None where no seek leads to the frame."""
        key, first = self._key_before(pts), int(self._shown[0])
        for back_s in _BACK_OFF_S:
            target = key - round(back_s / self._table.timeline.time_base)
            decoding = self._open()
            if target <= first or not decoding.seek(target):
                return None
            if decoding.advance(pts):
                return self._picture(decoding.last)
            if decoding.before_last is not None and decoding.has_failed:
                return self._stand_in(decoding.before_last, pts)
        return None

    def _from_the_start(self, pts: int) -> DecodedFrame:
        decoding = self._open()
        if decoding.advance(pts):
            return self._picture(decoding.last)
        frame = self._stand_in(decoding.before_last, pts)
        if frame is None:
            raise SeekMismatchError(self.path, float(self._table.timeline.time(pts)))
        if not decoding.has_failed:
            # The decoder dropped the picture without a word: a damaged one, for the table has it.
            self._failed.add(pts)
        return frame

    def _stand_in(
        self, before: tuple[int, av.video.frame.VideoFrame] | None, pts: int
    ) -> DecodedFrame | None:
        """The newest frame before one that is lost, if it is not too old."""
        if before is None or (pts - before[0]) * self._table.timeline.time_base > _LONGEST_REPEAT_S:
            return None
        return self._picture(before)

    def _picture(self, decoded: tuple[int, av.video.frame.VideoFrame] | None) -> DecodedFrame:
        assert decoded is not None
        pts, frame = decoded
        clockwise_deg = rotation_deg(frame)
        height, width = _scaled_size(frame.height, frame.width, self._size, clockwise_deg % 180 != 0)
        scaled = self._reformatter.reformat(frame, width=width, height=height, format="rgb24")
        rgb = turn(np.asarray(scaled.to_ndarray(), dtype=np.uint8), clockwise_deg)
        return DecodedFrame(self._table.timeline.time(pts), rgb)

    def _key_before(self, pts: int) -> int:
        index = int(np.searchsorted(self._keys, pts, side="right")) - 1
        return int(self._keys[index]) if index >= 0 else int(self._shown[0])

    def _open(self) -> _Decoding:
        self.close()
        self._decoding = _Decoding(self.path, self._table, self._threads, self._failed)
        return self._decoding


def _scaled_size(
    height: int, width: int, size: int | tuple[int, int] | None, is_lying: bool
) -> tuple[int, int]:
    """(height, width) in coded orientation."""
    if size is None:
        return height, width
    if isinstance(size, int):
        shorter = min(height, width)
        return max(1, round(height * size / shorter)), max(1, round(width * size / shorter))
    return (size[1], size[0]) if is_lying else size


class _Decoding:
    """One run of the decoder through the file, forwards only; it gives only frames that the table shows."""

    def __init__(self, path: Path, table: PacketTable, threads: int, failed: set[int]) -> None:
        self._opened = open_container(path)
        self._container = self._opened.__enter__()
        self._stream = video_stream(self._container, path)
        self._stream.codec_context.thread_count = threads
        self._stream.codec_context.thread_type = "AUTO" if threads > 1 else "NONE"
        self._table = table
        self._failed = failed
        self._has_sought = False
        self._frames = self._decode()
        self.has_failed = False
        self.last: tuple[int, av.video.frame.VideoFrame] | None = None
        self.before_last: tuple[int, av.video.frame.VideoFrame] | None = None

    def close(self) -> None:
        self._frames.close()
        self.last = self.before_last = None
        self._opened.__exit__(None, None, None)

    def seek(self, pts: int) -> bool:
        self._has_sought = True
        try:
            self._container.seek(pts, stream=self._stream)
        except (av.error.FFmpegError, OSError):
            return False
        return True

    def advance(self, pts: int) -> bool:
        """Decode up to a pts; True if ``last`` is that frame, False if it is later or the file ended."""
        while self.last is None or self.last[0] < pts:
            following = next(self._frames, None)
            self.before_last = self.last
            if following is None:
                return False
            self.last = following
        return self.last[0] == pts

    def _decode(self) -> Generator[tuple[int, av.video.frame.VideoFrame], None, None]:
        clock = FrameClock(self._table, from_start=not self._has_sought)
        for packet in self._packets():
            clock.feed(packet)
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError):
                self._fail(packet.pts)
                continue
            for frame in frames:
                pts = clock.pts(frame)
                if pts is not None:
                    yield pts, frame
                elif self._has_sought and not self._table.pts_is_guessed:
                    return  # after this seek the container counts time differently

    def _packets(self) -> Iterator[av.packet.Packet[av.video.stream.VideoStream]]:
        """Packets to the end or the first error; after a seek from a key frame on."""
        has_key = not self._has_sought
        try:
            for packet in self._container.demux(self._stream):
                has_key = has_key or packet.is_keyframe
                if has_key or packet.size == 0:
                    yield packet
        except (av.error.FFmpegError, OSError):
            self._fail(None)

    def _fail(self, pts: int | None) -> None:
        self.has_failed = True
        self._failed.add(-1 if pts is None else pts)
