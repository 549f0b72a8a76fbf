"""Which pts a decoded frame has, where the container and the decoder do not say it straight.

Most containers give each packet its display time, and the decoder hands it on. AVI and raw streams do not:
with B-frames, the stamps that FFmpeg makes up for them are in decoding order, and a decoded frame carries
the stamp of another. There only the order of the decoder's output can be trusted, so frames are counted
from a key frame, whose place in the packet table is known.
"""

from __future__ import annotations

import av.packet
import av.video.frame
import av.video.stream
import numpy as np

from ..types import PacketTable


class FrameClock:
    """Tells the pts, as the packet table has it, of each frame that one decoder puts out.

    Args:
        table: The packet table of the stream.
        from_start: Whether decoding begins at the first packet; False after a seek.
    """

    def __init__(self, table: PacketTable, *, from_start: bool) -> None:
        self._table = table
        self._shown = np.unique(table.pts[table.is_shown])
        self._stamps = np.sort(table.pts) if table.pts_is_guessed else table.pts
        self._keys: list[int] = []
        self._next = 0 if from_start else -1

    def feed(self, packet: av.packet.Packet[av.video.stream.VideoStream]) -> None:
        """Take note of a packet before it is given to the decoder.

        Args:
            packet: The next packet in decoding order.
        """
        if not self._table.pts_is_guessed or not packet.is_keyframe or packet.pts is None:
            return
        row = int(np.searchsorted(self._stamps, packet.pts))
        if row < len(self._stamps) and self._stamps[row] == packet.pts:
            self._keys.append(int(self._table.pts[row]))

    def pts(self, frame: av.video.frame.VideoFrame) -> int | None:
        """The time of a frame; call it once for each frame that the decoder puts out, in order.

        Args:
            frame: The frame.

        Returns:
            Its pts, one of the table's shown ones, in ticks; None where it cannot be told, or where the
            table does not know the frame.
        """
        if not self._table.pts_is_guessed:
            return self._known(frame.pts)
        if frame.key_frame and self._keys:
            key = self._known(self._keys.pop(0))
            if key is not None:
                self._next = int(np.searchsorted(self._shown, key))
        if not 0 <= self._next < len(self._shown):
            return None
        self._next += 1
        return int(self._shown[self._next - 1])

    def _known(self, pts: int | None) -> int | None:
        if pts is None:
            return None
        index = int(np.searchsorted(self._shown, pts))
        return pts if index < len(self._shown) and self._shown[index] == pts else None
