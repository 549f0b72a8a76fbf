"""The quick look for H.264 and HEVC: NAL units, with length prefixes (mp4) or start codes (ts, avi, raw).

H.264: ITU-T H.264, 7.3.1 (NAL unit), 7.3.3 (slice header), Annex B; ISO 14496-15 (avcC, hvcC). HEVC: ITU-T
H.265, 7.3.2.3 (PPS), 7.3.6 (slice header), 7.4.2.2 (leading pictures). The type of a frame is that of its
first slice, as libavcodec has it. It does not look at further slices, fields or layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING

from .bits import Bits
from .heads import UNKNOWN, B, FrameHead, I, P

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_HEADER_BYTES = 64
"""More than any field that is read here lies in."""


def _unescape(payload: bytes) -> bytes:
    """Take out emulation_prevention_three_byte (H.264, 7.4.1)."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00") if b"\x00\x00\x03" in payload else payload


class H264Typer:
    """Types H.264 packets by the slice_type of their first slice.

    Args:
        extradata: The avcC record of the container (ISO/IEC 14496-15), or Annex B, or empty.
    """

    def __init__(self, extradata: bytes) -> None:
        self._length_size = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" else 0

    def __call__(self, packet: memoryview) -> FrameHead:
        """Type one packet: a :data:`~salientclips.media.frame_types.FrameTyper`.

        Args:
            packet: The compressed bytes of one frame, as the demultiplexer gives them.

        Returns:
            What its header says; :data:`~salientclips.media.heads.UNKNOWN` where it says nothing.
        """
        if self._length_size == 0:
            for nal in _nal_units(packet, 0):
                if nal[0] & 31 in (1, 2, 5):
                    return _SLICE_AT_MB_0[nal[1]] or _h264_slice(bytes(nal[1:24]))
            return UNKNOWN
        # What _nal_units does, without its slices: this runs for packets that begin with a delimiter or metadata.
        at, prefix, end = 0, self._length_size, len(packet)
        while at + prefix < end:
            size = int.from_bytes(packet[at : at + prefix], "big")
            at += prefix
            if size >= 2 and packet[at] & 31 in (1, 2, 5):
                return _SLICE_AT_MB_0[packet[at + 1]] or _h264_slice(
                    bytes(packet[at + 1 : at + min(size, 24)])
                )
            at += size
        return UNKNOWN


_H264_TYPES = (FrameHead(P), FrameHead(B), FrameHead(I), FrameHead(P), FrameHead(I))


def _h264_slice(header: bytes) -> FrameHead:
    bits = Bits(_unescape(header))
    bits.ue()  # first_mb_in_slice
    slice_type = bits.ue()
    return _H264_TYPES[slice_type % 5] if slice_type < 10 else UNKNOWN


_SLICE_AT_MB_0 = (*[None] * 128, *(_h264_slice(bytes([byte, 255])) for byte in range(128, 256)))
"""By the first byte, where first_mb_in_slice is 0 (one bit); a valid slice_type takes at most 7 bits more."""


_FIRST_NAL = Struct(">IBB").unpack_from
"""Length, first byte and first byte of the payload."""


def has_long_lengths(extradata: bytes) -> bool:
    """Whether the NAL units of an H.264 stream come with lengths of 4 bytes, as :func:`first_looks` needs them.

    Args:
        extradata: The avcC record of the container (ISO/IEC 14496-15), or anything else.

    Returns:
        True only for an avcC record with lengths of 4 bytes.
    """
    return len(extradata) > 4 and extradata[0] == 1 and extradata[4] & 3 == 3


def first_looks(packets: Sequence[Packet[VideoStream]]) -> list[FrameHead | None]:
    """Type the H.264 packets in which a slice stands at once behind its length: most packets of most videos.

    Args:
        packets: Packets with lengths of 4 bytes.

    Returns:
        What :class:`H264Typer` says of each, or None where it has to look further.
    """
    heads: list[FrameHead | None] = []
    for packet in packets:
        try:
            size, header, slice_start = _FIRST_NAL(packet)
        except StructError:  # less than 6 bytes
            heads.append(None)
            continue
        is_slice = size >= 2 and header & 31 in (1, 2, 5)
        heads.append(_SLICE_AT_MB_0[slice_start] if is_slice else None)
    return heads


class HevcTyper:
    """Types HEVC packets by the slice_type of their first slice segment.

    RASL pictures of a CRA picture at which the stream begins are not shown (H.265, 8.1.3): what they refer
    to was cut off.

    Args:
        extradata: The hvcC record of the container (ISO/IEC 14496-15), or Annex B, or empty.
    """

    _TYPES = (FrameHead(B), FrameHead(P), FrameHead(I))

    def __init__(self, extradata: bytes) -> None:
        self._length_size = 0
        self._parameter_sets: dict[int, tuple[int, int]] = {}
        self._rasl_is_skipped = True
        self._sequence_begins = True
        # hvcC: version 1; old muxers wrote 0. Annex B begins with zeros and a start code.
        if len(extradata) > 22 and (
            extradata[0] == 1 or extradata[:3] not in (b"\x00\x00\x00", b"\x00\x00\x01")
        ):
            self._length_size = (extradata[21] & 3) + 1
            for nal in _hvcc_units(extradata):
                self._read_parameters(nal)
        elif extradata:
            for nal in _nal_units(memoryview(extradata), 0):
                self._read_parameters(nal)

    def __call__(self, packet: memoryview) -> FrameHead:
        """Type one packet: a :data:`~salientclips.media.frame_types.FrameTyper`.

        Args:
            packet: The compressed bytes of one frame, as the demultiplexer gives them.

        Returns:
            What its header says; :data:`~salientclips.media.heads.UNKNOWN` where it says nothing.
        """
        for nal in _nal_units(packet, self._length_size):
            nal_type = nal[0] >> 1 & 63
            if nal_type in (36, 37):  # end of sequence, end of bitstream
                self._sequence_begins = True
            elif nal_type == 34:
                self._read_parameters(nal)
            elif nal_type <= 9 or 16 <= nal_type <= 21:
                return self._slice(nal, nal_type)
        return UNKNOWN

    def _slice(self, nal: memoryview, nal_type: int) -> FrameHead:
        is_irap = nal_type >= 16
        if is_irap:
            self._rasl_is_skipped = self._sequence_begins or nal_type != 21
            self._sequence_begins = False
        bits = Bits(_unescape(bytes(nal[2:_HEADER_BYTES])))
        if not bits.u(1):  # first_slice_segment_in_pic_flag
            return UNKNOWN
        if is_irap:
            bits.u(1)  # no_output_of_prior_pics_flag
        parameters = self._parameter_sets.get(bits.ue())
        if parameters is None:
            return UNKNOWN
        output_flag_present, extra_bits = parameters
        bits.u(extra_bits)
        slice_type = bits.ue()
        if slice_type > 2:
            return UNKNOWN
        is_output = not output_flag_present or bool(bits.u(1))
        is_lost = nal_type in (8, 9) and self._rasl_is_skipped
        return FrameHead(self._TYPES[slice_type].type, is_output and not is_lost)

    def _read_parameters(self, nal: memoryview) -> None:
        if nal[0] >> 1 & 63 != 34:
            return
        bits = Bits(_unescape(bytes(nal[2:_HEADER_BYTES])))
        number = bits.ue()
        bits.ue()  # sps id
        bits.u(1)  # dependent_slice_segments_enabled_flag
        if number < 64:  # H.265, 7.4.3.3: at most 64 picture parameter sets
            self._parameter_sets[number] = (bits.u(1), bits.u(3))


def _hvcc_units(extradata: bytes) -> Iterator[memoryview]:
    data = memoryview(extradata)
    at = 23
    for _ in range(extradata[22]):
        if at + 3 > len(data):
            return
        count = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            if size == 0 or at + 2 + size > len(data):
                return
            yield data[at + 2 : at + 2 + size]
            at += 2 + size


def _nal_units(packet: memoryview, length_size: int) -> Iterator[memoryview]:
    """Every NAL unit that has at least 2 bytes; a unit may be cut short or run on too far."""
    if length_size:
        at = 0
        while at + length_size < len(packet):
            size = int.from_bytes(packet[at : at + length_size], "big")
            at += length_size
            if size >= 2:
                yield packet[at : at + size]
            at += size
        return
    data = bytes(packet)
    start = data.find(b"\x00\x00\x01")
    while start >= 0 and start + 5 <= len(data):
        yield packet[start + 3 :]
        start = data.find(b"\x00\x00\x01", start + 3)
