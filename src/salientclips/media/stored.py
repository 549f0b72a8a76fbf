"""Packets as they lie in the file: noted in the first pass, read in the second without demultiplexing again.

FFmpeg copies every packet twice and PyAV makes an object of it, although a reader of motion looks at the headers
of most packets only. Where the container keeps a packet in one piece and says where, reading the file is enough.
That is used for mp4 and mov alone (:func:`salientclips.media.container.lone_stream`), and checked while the places
are noted: the bytes of one packet in every batch must be those that FFmpeg gave.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import av.packet
import av.video.stream
import numpy as np
import numpy.typing as npt

_BYTES_AT_ONCE = 1 << 20
"""Small enough for the processor's caches, and for the allocator to give the same memory again and again."""


class StoredPackets:
    """Where the packets of a file lie, as far as one can rely on it; holds the file open for a ``with`` block.

    Args:
        path: A local file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._offsets = array("q")
        self._is_sure = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, packets: Sequence[av.packet.Packet[av.video.stream.VideoStream]]) -> None:
        """Note the places of the next packets of the table, and check the first of them.

        Args:
            packets: Successive packets, none of them empty.
        """
        if not packets or not self._is_sure:
            return
        places = [packet.pos for packet in packets]
        first = places[0]
        if first is None or None in places or self._read(first, packets[0].size) != bytes(packets[0]):
            self._is_sure = False
            return
        self._offsets.extend([place for place in places if place is not None])

    def _read(self, offset: int, size: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(size) or b""
        except (OSError, ValueError):
            return b""

    def file_offset(self) -> npt.NDArray[np.int64] | None:
        """The column of the packet table (num_packets,), bytes; None where any check failed."""
        return np.array(self._offsets, dtype=np.int64) if self._is_sure else None


def read_stored(
    path: Path, file_offset: npt.NDArray[np.int64], size_bytes: npt.NDArray[np.int32]
) -> Iterator[memoryview]:
    """The bytes of packets whose places are known.

    Args:
        path: A local file.
        file_offset: Where each packet begins (num_packets,).
        size_bytes: How long each is (num_packets,).

    Yields:
        The packets in their order. The pass ends early, and quietly, where the file cannot be read or has become
        too short, as a demultiplexing pass does.
    """
    ends = file_offset + size_bytes
    starts_of, ends_of = file_offset.tolist(), ends.tolist()
    try:
        with path.open("rb", buffering=0) as file:
            for first, stop in _runs(file_offset, ends):
                begin = starts_of[first]
                file.seek(begin)
                run = memoryview(_whole(file.fileno(), ends_of[stop - 1] - begin))
                for row in range(first, stop):
                    packet = run[starts_of[row] - begin : ends_of[row] - begin]
                    if packet.nbytes < ends_of[row] - starts_of[row]:
                        return
                    yield packet
    except OSError:
        return


def _whole(descriptor: int, size: int) -> bytes:
    """Read as many bytes, or fewer at the end of the file."""
    found = os.read(descriptor, size)
    while 0 < len(found) < size:
        more = os.read(descriptor, size - len(found))
        if not more:
            break
        found += more
    return found


def _runs(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Successive packets that are read together: those that follow each other in the file, up to a size."""
    follows = starts[1:] >= ends[:-1]
    breaks = [*(np.flatnonzero(~follows) + 1).tolist(), len(starts)]
    first = 0
    for stop in breaks:
        while first < stop:
            within = np.searchsorted(ends[first:stop], starts[first] + _BYTES_AT_ONCE, side="right")
            last = first + max(int(within), 1)
            yield first, last
            first = last
