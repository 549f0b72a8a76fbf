"""The quick look for VP9 and AV1, whose packets may hold hidden frames beside the one that is shown.

VP9 bitstream specification 0.6: 6.2 (uncompressed header), Annex B (superframes). AV1 specification: 5.3 (OBU
header), 5.5.1, 5.9.2. A VP9 frame that is shown again has the type it had when it was decoded; for AV1, whose
reference update lies deep in the header, a frame shown again counts as P, which all but forward key frames
are.
"""

from __future__ import annotations

from collections.abc import Iterator

from .bits import Bits
from .heads import UNKNOWN, FrameHead, I, P


class Vp9Typer:
    """Types VP9 packets; remembers the types of the eight reference slots for frames that are shown again."""

    def __init__(self) -> None:
        self._slots = [UNKNOWN.type] * 8

    def __call__(self, packet: memoryview) -> FrameHead:
        """Type one packet: a :data:`~salientclips.media.frame_types.FrameTyper`.

        Args:
            packet: The compressed bytes of one frame, as the demultiplexer gives them.

        Returns:
            What its header says; :data:`~salientclips.media.heads.UNKNOWN` where it says nothing.
        """
        head = UNKNOWN
        for frame in _superframe(packet):
            head = self._frame(Bits(bytes(frame[:16])))
            if head.is_shown:
                return head
        return head

    def _frame(self, bits: Bits) -> FrameHead:
        if bits.u(2) != 2:  # frame_marker
            return UNKNOWN
        profile = bits.u(1) | bits.u(1) << 1
        if profile == 3:
            bits.u(1)
        if bits.u(1):  # show_existing_frame
            return FrameHead(self._slots[bits.u(3)])
        is_inter, is_shown, error_resilient = bits.u(1), bool(bits.u(1)), bits.u(1)
        if not is_inter:
            self._slots = [I] * 8
            return FrameHead(I, is_shown)
        is_intra = not is_shown and bool(bits.u(1))
        if not error_resilient:
            bits.u(2)  # reset_frame_context
        if is_intra:
            bits.u(24)  # frame_sync_code
            _skip_intra_colour(bits, profile)
        frame_type = I if is_intra else P
        refreshed = bits.u(8)
        self._slots = [frame_type if refreshed >> i & 1 else old for i, old in enumerate(self._slots)]
        return FrameHead(frame_type, is_shown)


def _skip_intra_colour(bits: Bits, profile: int) -> None:
    """color_config() of an intra-only frame; profile 0 has none (6.2)."""
    if profile == 0:
        return
    if profile >= 2:
        bits.u(1)  # bit depth
    if bits.u(3) != 7:  # color_space, 7 is RGB
        bits.u(4 if profile & 1 else 1)
    elif profile & 1:
        bits.u(1)


def _superframe(packet: memoryview) -> Iterator[memoryview]:
    """Annex B: an index at the packet's end, between two equal marker bytes, gives the frame sizes."""
    marker = packet[-1]
    count, size_bytes = (marker & 7) + 1, (marker >> 3 & 3) + 1
    index_bytes = 2 + count * size_bytes
    if marker >> 5 != 6 or len(packet) < index_bytes or packet[-index_bytes] != marker:
        yield packet
        return
    sizes_at, at = len(packet) - index_bytes + 1, 0
    for i in range(count):
        field = packet[sizes_at + i * size_bytes : sizes_at + (i + 1) * size_bytes]
        size = int.from_bytes(field, "little")
        if 0 < size <= len(packet) - index_bytes - at:
            yield packet[at : at + size]
        at += size


_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


class Av1Typer:
    """Types AV1 temporal units by the frame header that is shown.

    Args:
        extradata: The av1C record (AV1 in ISO-BMFF) of the container; may be empty.
    """

    def __init__(self, extradata: bytes) -> None:
        self._is_reduced = False
        # av1C (AV1 in ISO-BMFF): 4 bytes, then OBUs; the marker bit and version 1 make the first byte 0x81.
        if extradata[:1] == b"\x81":
            self(memoryview(extradata)[4:])

    def __call__(self, packet: memoryview) -> FrameHead:
        """Type one packet: a :data:`~salientclips.media.frame_types.FrameTyper`.

        Args:
            packet: The compressed bytes of one frame, as the demultiplexer gives them.

        Returns:
            What its header says; :data:`~salientclips.media.heads.UNKNOWN` where it says nothing.
        """
        head = UNKNOWN
        for kind, payload in _obus(packet):
            if kind == _SEQUENCE_HEADER:
                self._is_reduced = bool(
                    payload[0] >> 3 & 1
                )  # seq_profile u(3), still_picture u(1), reduced u(1)
            elif kind in (_FRAME_HEADER, _FRAME):
                head = self._frame(payload[0])
                if head.is_shown:
                    return head
        return head

    def _frame(self, first: int) -> FrameHead:
        if self._is_reduced:
            return FrameHead(I)
        if first >> 7:  # show_existing_frame
            return FrameHead(P)
        frame_type = first >> 5 & 3  # key, inter, intra-only, switch
        return FrameHead(I if frame_type in (0, 2) else P, bool(first >> 4 & 1))


def _obus(packet: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(packet):
        header = packet[at]
        at += 2 if header >> 2 & 1 else 1
        size = len(packet) - at
        if header >> 1 & 1:  # obu_has_size_field
            size, at = _leb128(packet, at)
        if 0 < size <= len(packet) - at:
            yield header >> 3 & 15, packet[at : at + size]
        at += size


def _leb128(packet: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for i in range(8):
        byte = packet[at + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, at + i + 1
    return value, at + 8
