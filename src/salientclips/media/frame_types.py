"""A quick look that types every frame (I, P, B) from the first bytes of its packet; nothing is decoded.

Sources: ITU-T H.262, H.264 (7.3.3), ISO 14496-2 (6.2.5), RFC 6386 (VP8, 9.1), the VP9 and AV1 specifications.
H.264 and HEVC live in nal_frame_types.py, VP9 and AV1 in google_frame_types.py. Bytes that make no sense give
``"?"``, never an error. Types meet libavcodec's `pict_type`, with these readings: S (sprite) and SP count
as P, SI as I; VP8, VP9 and AV1 know no B-frames, so their two-sided predictions are P; a packet of several
frames has the type of the one that is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .bits import Bits, OutOfBitsError
from .google_frame_types import Av1Typer, Vp9Typer
from .heads import UNKNOWN, B, FrameHead, I, P
from .nal_frame_types import H264Typer, HevcTyper, first_looks, has_long_lengths

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

FrameTyper = Callable[[memoryview], FrameHead]
"""Takes the packets of one stream in decoding order; what it learns from one may serve the next."""


def frame_typer(codec: str, extradata: bytes | None, *, intra_only: bool = False) -> FrameTyper:
    """Make the function that types the packets of one stream.

    Args:
        codec: Canonical codec name.
        extradata: The stream's global headers, if it has them.
        intra_only: Whether the codec has no other frames than I.

    Returns:
        A function of one packet's bytes; it never raises.
    """
    if intra_only or codec == "ffv1":
        return lambda _packet: FrameHead(I)
    makers: dict[str, Callable[[bytes], FrameTyper]] = {
        "h264": H264Typer,
        "hevc": HevcTyper,
        "mpeg4": _Mpeg4Typer,
        "mpeg1video": lambda _: _mpeg12,
        "mpeg2video": lambda _: _mpeg12,
        "flv1": lambda _: _flv1,
        "vp8": lambda _: _vp8,
        "vp9": lambda _: Vp9Typer(),
        "av1": Av1Typer,
    }
    if codec not in makers:
        return lambda _packet: UNKNOWN
    try:
        typer = makers[codec](extradata or b"")
    except (OutOfBitsError, IndexError):
        typer = makers[codec](b"")
    return _safe(typer)


def batch_typer(
    codec: str, extradata: bytes | None, *, intra_only: bool = False
) -> Callable[[Sequence[Packet[VideoStream]]], list[FrameHead]]:
    """Make the function that types successive packets of one stream, many at once: a call for each would be dear.

    Args:
        codec: Canonical codec name.
        extradata: The stream's global headers, if it has them.
        intra_only: Whether the codec has no other frames than I.

    Returns:
        A function of some packets; for each it gives what that of :func:`frame_typer` does.
    """
    type_of = frame_typer(codec, extradata, intra_only=intra_only)
    if codec != "h264" or intra_only or not has_long_lengths(extradata or b""):
        return lambda packets: [type_of(memoryview(packet)) for packet in packets]

    def types_of(packets: Sequence[Packet[VideoStream]]) -> list[FrameHead]:
        return [
            type_of(memoryview(packet)) if head is None else head
            for packet, head in zip(packets, first_looks(packets), strict=True)
        ]

    return types_of


def _safe(typer: FrameTyper) -> FrameTyper:
    """Turn a header that ends too early into ``"?"``."""

    def look(packet: memoryview) -> FrameHead:
        try:
            return typer(packet)
        except (OutOfBitsError, IndexError):
            return UNKNOWN

    return look


def _mpeg12(packet: memoryview) -> FrameHead:
    """H.262, 6.2.3: temporal_reference u(10), picture_coding_type u(3) after the start code; 4 is D."""
    data = bytes(packet)
    start = data.find(b"\x00\x00\x01\x00")
    if start < 0:
        return UNKNOWN
    coding_type = (data[start + 5] >> 3) & 7
    return (UNKNOWN, FrameHead(I), FrameHead(P), FrameHead(B), FrameHead(I))[min(coding_type, 4)]


def _flv1(packet: memoryview) -> FrameHead:
    """Sorenson Spark (SWF file format, H.263 video packet): the size comes before PictureType u(2)."""
    bits = Bits(bytes(packet[:12]))
    if bits.u(17) != 1:
        return UNKNOWN
    bits.u(5 + 8)  # Version, TemporalReference
    bits.u({0: 16, 1: 32}.get(bits.u(3), 0))  # PictureSize, CustomWidth, CustomHeight
    return (FrameHead(I), FrameHead(P), FrameHead(P), UNKNOWN)[bits.u(2)]


def _vp8(packet: memoryview) -> FrameHead:
    """RFC 6386, 9.1: bit 0 is 0 for key frames, bit 4 is show_frame (alt-ref frames are hidden)."""
    return FrameHead(P if packet[0] & 1 else I, bool(packet[0] & 16))


_VOP_START = b"\x00\x00\x01\xb6"


class _Mpeg4Typer:
    """ISO 14496-2, 6.2.5, with "packed" B-frames: two VOPs in a packet, then a placeholder not coded."""

    _TYPES = (FrameHead(I), FrameHead(P), FrameHead(B), FrameHead(P))

    def __init__(self, extradata: bytes) -> None:
        self._increment_bits = 0
        self._held_back: FrameHead | None = None
        self._read_vol(extradata)

    def __call__(self, packet: memoryview) -> FrameHead:
        data = bytes(packet)
        start = data.find(_VOP_START)
        if start < 0:
            return UNKNOWN
        if start > 4:
            self._read_vol(data[:start])
        head = self._vop(data[start + 4 : start + 24])
        if not head.is_shown and self._held_back is not None:
            head, self._held_back = self._held_back, None
            return head
        second = data.find(_VOP_START, start + 4)
        self._held_back = self._vop(data[second + 4 : second + 24]) if second > 0 else None
        return head

    def _vop(self, header: bytes) -> FrameHead:
        # By hand instead of with Bits, as this runs for every packet.
        left = 8 * len(header) - 2
        value = int.from_bytes(header, "big")
        if left < 0:
            raise OutOfBitsError
        head = self._TYPES[value >> left]
        if not self._increment_bits:
            return head
        while left > 0 and value >> (left - 1) & 1:  # modulo_time_base
            left -= 1
        left -= 1 + 1 + self._increment_bits + 1 + 1  # its 0, marker, vop_time_increment, marker, vop_coded
        if left < 0:
            raise OutOfBitsError
        return head if value >> left & 1 else FrameHead(head.type, False)

    def _read_vol(self, data: bytes) -> None:
        """6.2.3, only as far as vop_time_increment_resolution, whose width hides vop_coded."""
        start = data.find(b"\x00\x00\x01")
        while start >= 0 and start + 3 < len(data):
            if 0x20 <= data[start + 3] <= 0x2F:
                resolution = _vol_time_resolution(Bits(data[start + 4 : start + 44]))
                self._increment_bits = max(1, (resolution - 1).bit_length())
            start = data.find(b"\x00\x00\x01", start + 3)


def _vol_time_resolution(bits: Bits) -> int:
    bits.u(1 + 8)  # random_accessible_vol, video_object_type_indication
    version = 1
    if bits.u(1):  # is_object_layer_identifier
        version = bits.u(4)
        bits.u(3)
    if bits.u(4) == 15:  # extended aspect ratio
        bits.u(16)
    if bits.u(1):  # vol_control_parameters
        bits.u(3)
        if bits.u(1):
            bits.u(79)  # vbv parameters
    if bits.u(2) == 3 and version != 1:  # grey-scale shape
        bits.u(4)
    bits.u(1)
    return bits.u(16)
