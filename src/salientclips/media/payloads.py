"""The compressed frames of a video as bytes, for readers that parse them without decoding.

The second pass over a file: rows come in the order of the packet table, so that row i here is row i there. Where that
table says where packets lie, they are read there (stored.py), else the file is demultiplexed again. What such
a reader must know besides (extradata, colour, the picture's turn) is in :class:`StreamFacts`; one frame is decoded
for it, because FFmpeg shows the turn and the colour nowhere else for all containers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av.container
import av.error
import av.packet
import av.video.frame
import av.video.stream

from ..types import PacketTable
from .colour import Colour, colour_of
from .container import is_mp4, lone_stream, open_container, video_stream
from .demux import codec_name
from .orientation import rotation_deg
from .stored import read_stored


@dataclass(frozen=True)
class StreamFacts:
    """What is constant in a video stream."""

    codec: str
    """FFmpeg's codec name."""
    extradata: bytes
    """Parameter sets that the container keeps apart from the packets (avcC, VOL header ...)."""
    width_px: int
    """Width before rotation, pixels."""
    height_px: int
    """Height before rotation, pixels."""
    colour: Colour
    """How the planes make colour."""
    rotation_deg: int
    """Clockwise turn that displays the picture upright: 0, 90, 180 or 270."""
    stream_index: int
    """Which stream of the file it is."""
    first_packets: tuple[bytes, ...]
    """Its first packets, some 100 at most, for a look at the forms that it has."""


def read_facts(path: Path) -> StreamFacts:
    """Learn what is constant in a file's main video stream.

    Args:
        path: A local file.

    Returns:
        The facts; where no frame can be decoded, the colour is BT.601 of limited range and nothing is turned.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
    """
    if is_mp4(path):
        with open_container(path, for_packets=True) as container:
            alone = lone_stream(container)
            facts = _from_first_packet(container, alone) if alone is not None else None
        if facts is not None:
            return facts
    with open_container(path) as container:
        stream = video_stream(container, path)
        context = stream.codec_context
        context.thread_count = 1  # for one frame, threads cost more than they give
        shown = None
        first: list[bytes] = []
        num_bytes = 0
        try:
            for packet in container.demux(stream):
                if packet.size > 0 and len(first) < _FIRST_PACKETS and num_bytes < _FIRST_BYTES:
                    first.append(bytes(packet))
                    num_bytes += packet.size
                elif shown is not None:
                    break
                if shown is None:
                    shown = next(iter(packet.decode()), None)
        except (av.error.FFmpegError, OSError):
            pass
        return _facts(stream, shown, first)


def _from_first_packet(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> StreamFacts | None:
    """What :func:`read_facts` finds, from the first packet alone; None where that gives no frame or anything is odd.

    The decoder is told that nothing follows: it would otherwise hold the frame back, to sort B-frames.
    """
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"skip_loop_filter": "all"}  # nobody looks at the picture
    packets: list[av.packet.Packet[av.video.stream.VideoStream]] = []
    num_bytes = 0
    try:
        for packet in container.demux(stream):
            if len(packets) == _FIRST_PACKETS or num_bytes >= _FIRST_BYTES:
                break
            packets.append(packet)
            num_bytes += packet.size
        if packets[-1].size == 0:  # the flush packet of a short file
            packets.pop()
        if not packets or not packets[0].is_keyframe or not all(packet.size for packet in packets):
            return None
        shown = next(iter([*packets[0].decode(), *context.decode(None)]), None)
    except (av.error.FFmpegError, OSError):
        return None
    return _facts(stream, shown, [bytes(packet) for packet in packets]) if shown is not None else None


def _facts(
    stream: av.video.stream.VideoStream, shown: av.video.frame.VideoFrame | None, first: list[bytes]
) -> StreamFacts:
    """Put together what the stream says and what a decoded frame says."""
    context = stream.codec_context
    colour, turn = colour_of(2, 0, "yuv420p", 8), 0
    if shown is not None:
        depth = shown.format.components[0].bits
        colour = colour_of(int(shown.colorspace), int(shown.color_range), shown.format.name, depth)
        turn = rotation_deg(shown)
    extradata = bytes(context.extradata or b"")
    size = context.width, context.height
    return StreamFacts(codec_name(stream), extradata, *size, colour, turn, stream.index, tuple(first))


_FIRST_PACKETS = 100
_FIRST_BYTES = 1 << 24


def read_payloads(
    path: Path, stream_index: int | None = None, table: PacketTable | None = None
) -> Iterator[memoryview]:
    """The packets of a file's main video stream, in decoding order; the rows of its packet table.

    Args:
        path: A local file.
        stream_index: Which stream that is, where it is known: the file is then opened without a frame decoded.
        table: The file's packet table: where it says where packets lie, the file is not demultiplexed again.

    Yields:
        The bytes of one packet, not copied, as a reader touches no more than the headers of most. The pass ends
        early, and quietly, where reading fails, as the table does.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
    """
    if table is not None and table.file_offset is not None:
        yield from read_stored(path, table.file_offset, table.size_bytes)
        return
    with open_container(path, for_packets=stream_index is not None) as container:
        stream = video_stream(container, path) if stream_index is None else container.streams[stream_index]
        try:
            for packet in container.demux(stream):
                if packet.size > 0:
                    yield memoryview(packet)
        except (av.error.FFmpegError, OSError):
            return
