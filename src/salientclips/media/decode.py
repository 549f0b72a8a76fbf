"""Decoding of the selected clips only: frames asked for by time, checked against the packet table.

Seeking in real files lands late, early, or between key frames (MPEG-TS by a whole GOP), and a decoder then gives
wrong frames without a word. So each frame is verified: the table says which pts is on show at the time that was
asked for, and only a decoded frame of that very pts is handed out. If the first frame after a seek is already too
late, the seek backs off by 1, 2, 4 ... s; if that does not help, the file is decoded from its start. A clip that
lies ahead in the same GOP is reached by decoding on.

Pictures come upright (see orientation.py), as 8-bit RGB by swscale, which follows the colour matrix and range that
the stream declares; where it declares none, BT.601 in limited range. Non-square pixels are not stretched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av.packet
import av.error
import av.video.frame
import av.video.reformatter
import numpy as np
import numpy.typing as npt

from ..errors import InputError, NoFramesError, SeekMismatchError
from ..types import PacketTable
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
        size: What swscale makes of each picture before the conversion to RGB, in display orientation: an int
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
        self.decode_failures = 0
        """Packets and frames that could not be decoded so far; their predecessors stood in for them."""
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

    def close(self) -> None:
        """Close the file; the reader opens it again if it is asked for more."""
        if self._decoding is not None:
            self._decoding.close()
            self._decoding = None

    def frames_at(self, times: Sequence[Fraction]) -> list[DecodedFrame]:
        """The frames of one clip.

        Args:
            times: Seconds on the timeline, in any order; increasing ones cost least. A time past the last frame
                gives the last frame, so that a clip at the end can be filled up by repetition.

        Returns:
            For each time the frame on show then: the last one that does not begin after it. A time up to half a
            frame before the first frame gives the first.

        Raises:
            SeekMismatchError: No frame can be had for a time, neither by seeking nor from the start.
        """
        wanted = [self._pts_on_show(time) for time in times]
        found: dict[int, DecodedFrame] = {}
        for pts in sorted(set(wanted)):
            found[pts] = self._frame(pts)
        return [found[pts] for pts in wanted]

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
        if decoding is not None and decoding.last_pts is not None and decoding.last_pts <= pts:
            key = self._key_before(pts)
            if key <= decoding.last_pts and decoding.advance(pts) == pts:
                return self._result(decoding, pts)
        return self._by_seeking(pts) or self._from_the_start(pts)

    def _by_seeking(self, pts: int) -> DecodedFrame | None:
        """Seek, verify, back off; None where no seek leads to the frame."""
        key, first = self._key_before(pts), int(self._shown[0])
        time_base = self._table.timeline.time_base
        for back_s in _BACK_OFF_S:
            target = key - round(back_s / time_base)
            if target <= first:
                return None
            decoding = self._open()
            if not decoding.seek(target):
                return None
            reached = decoding.advance(pts)
            if reached == pts:
                return self._result(decoding, pts)
            if decoding.has_seen_earlier and decoding.failures:
                return self._stand_in(decoding, pts)
        return None

    def _from_the_start(self, pts: int) -> DecodedFrame:
        decoding = self._open()
        if decoding.advance(pts) == pts:
            return self._result(decoding, pts)
        if not decoding.failures:
            # The decoder dropped the picture without a word: a damaged one, for the table has it.
            decoding.failures = 1
        frame = self._stand_in(decoding, pts)
        if frame is None:
            raise SeekMismatchError(self.path, float(self._table.timeline.time(pts)))
        return frame

    def _stand_in(self, decoding: _Decoding, pts: int) -> DecodedFrame | None:
        """The newest frame before one that is lost, if it is not too old."""
        before = decoding.before_last
        time_base = self._table.timeline.time_base
        if before is None or (pts - before[0]) * time_base > _LONGEST_REPEAT_S:
            return None
        self._count(decoding)
        return DecodedFrame(self._table.timeline.time(before[0]), self._rgb(before[1]))

    def _result(self, decoding: _Decoding, pts: int) -> DecodedFrame:
        assert decoding.last is not None
        self._count(decoding)
        return DecodedFrame(self._table.timeline.time(pts), self._rgb(decoding.last[1]))

    def _count(self, decoding: _Decoding) -> None:
        self.decode_failures += decoding.failures
        decoding.failures = 0

    def _key_before(self, pts: int) -> int:
        index = int(np.searchsorted(self._keys, pts, side="right")) - 1
        return int(self._keys[index]) if index >= 0 else int(self._shown[0])

    def _open(self) -> _Decoding:
        self.close()
        self._decoding = _Decoding(self.path, self._shown, self._threads)
        return self._decoding

    def _rgb(self, frame: av.video.frame.VideoFrame) -> npt.NDArray[np.uint8]:
        clockwise_deg = rotation_deg(frame)
        height, width = _scaled_size(frame.height, frame.width, self._size, clockwise_deg % 180 != 0)
        scaled = self._reformatter.reformat(frame, width=width, height=height, format="rgb24")
        return turn(np.asarray(scaled.to_ndarray(), dtype=np.uint8), clockwise_deg)


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
    """One run of the decoder through the file, forwards only."""

    def __init__(self, path: Path, shown: npt.NDArray[np.int64], threads: int) -> None:
        self._opened = open_container(path)
        self._container = self._opened.__enter__()
        self._stream = video_stream(self._container, path)
        self._stream.codec_context.thread_count = threads
        self._stream.codec_context.thread_type = "AUTO" if threads > 1 else "NONE"
        self._shown = shown
        self._has_sought = False
        self._frames = self._decode()
        self.failures = 0
        self.has_seen_earlier = False
        self.last: tuple[int, av.video.frame.VideoFrame] | None = None
        self.before_last: tuple[int, av.video.frame.VideoFrame] | None = None

    @property
    def last_pts(self) -> int | None:
        return None if self.last is None else self.last[0]

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

    def advance(self, pts: int) -> int | None:
        """Decode up to a pts; returns the first pts reached that is not before it, None at the end."""
        if self.last is not None and self.last[0] >= pts:
            return self.last[0]
        for frame_pts, frame in self._frames:
            self.before_last, self.last = self.last, (frame_pts, frame)
            if frame_pts < pts:
                self.has_seen_earlier = True
                continue
            return frame_pts
        self.before_last = self.last
        return None

    def _decode(self) -> Iterator[tuple[int, av.video.frame.VideoFrame]]:
        """Frames with verified pts, increasing; after a seek only from a key frame on."""
        count = 0
        is_decodable = False
        for packet in self._packets():
            is_decodable = is_decodable or not self._has_sought or packet.is_keyframe or packet.size == 0
            if not is_decodable:
                continue
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError):
                self.failures += 1
                continue
            for frame in frames:
                pts = frame.pts
                if pts is None:
                    # A raw stream: only counting from the start tells which frame this is.
                    if self._has_sought or count >= len(self._shown):
                        return
                    pts = int(self._shown[count])
                count += 1
                index = int(np.searchsorted(self._shown, pts))
                if index == len(self._shown) or self._shown[index] != pts:
                    if self._has_sought:
                        return  # after this seek the container counts time differently
                    continue
                yield pts, frame

    def _packets(self) -> Iterator[av.packet.Packet[av.video.stream.VideoStream]]:
        try:
            yield from self._container.demux(self._stream)
        except (av.error.FFmpegError, OSError):
            self.failures += 1
