"""The quick look at packets: hand-made headers, real packets cut short, and random bytes."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import GetMade
from made_files import MAKERS
from salientclips.media.frame_types import frame_typer
from salientclips.media.heads import UNKNOWN, B, FrameHead, I, P

CODECS = ["h264", "hevc", "mpeg4", "mpeg1video", "mpeg2video", "vp8", "vp9", "av1", "flv1", "wmv3"]


def look(codec: str, packet: bytes, extradata: bytes | None = None) -> FrameHead:
    return frame_typer(codec, extradata)(memoryview(packet))


@pytest.mark.parametrize(
    ("slice_type_bits", "kind"),
    [("1", P), ("010", B), ("011", I), ("00110", P), ("00111", B), ("0001000", I), ("0001001", P)],
)
def test_h264_slice_types(slice_type_bits: str, kind: int) -> None:
    """first_mb_in_slice 0 is the bit 1; slice types 0, 1, 2, 5, 6, 7, 8 follow as Exp-Golomb codes."""
    bits = ("1" + slice_type_bits).ljust(16, "1")
    slice_nal = b"\x41" + int(bits, 2).to_bytes(2, "big") + bytes(4)
    delimiter = b"\x09\xf0"
    assert look("h264", b"\x00\x00\x00\x01" + delimiter + b"\x00\x00\x01" + slice_nal).type == kind
    avcc = b"\x01\x64\x00\x1f\xff"
    prefixed = b"".join(len(nal).to_bytes(4, "big") + nal for nal in (delimiter, slice_nal))
    assert look("h264", prefixed, avcc).type == kind


def test_mpeg4_vop_that_is_not_coded_is_not_shown() -> None:
    # VOL: random access u(1), type u(8), no identifier, square pixels u(4), no control, rectangular u(2),
    # marker, then vop_time_increment_resolution u(16) = 30, whose increment takes 5 bits.
    fields = ["0", "00000001", "0", "0001", "0", "00", "1", f"{30:016b}", "111111"]
    vol = int("".join(fields), 2).to_bytes(5, "big")
    extradata = b"\x00\x00\x01\x20" + vol
    vop = int("01" + "0" + "1" + "00011" + "1" + "0" + "11111", 2).to_bytes(2, "big")
    coded = int("01" + "0" + "1" + "00011" + "1" + "1" + "11111", 2).to_bytes(2, "big")
    assert look("mpeg4", b"\x00\x00\x01\xb6" + vop, extradata) == FrameHead(P, False)
    assert look("mpeg4", b"\x00\x00\x01\xb6" + coded, extradata) == FrameHead(P, True)


def test_vp8_hidden_frame() -> None:
    assert look("vp8", b"\x11\x00\x00") == FrameHead(P, True)
    assert look("vp8", b"\x01\x00\x00") == FrameHead(P, False)
    assert look("vp8", b"\x10\x00\x00") == FrameHead(I, True)


def test_vp9_superframe_is_typed_by_its_shown_frame() -> None:
    # marker 10, profile 00, no existing frame, key frame 0 / inter 1, shown, resilience.
    key_hidden = bytes([0b10_0_0_0_0_0_0]) + bytes(11)
    inter_shown = bytes([0b10_0_0_0_1_1_0]) + bytes(11)
    index = bytes([0xC1, 12, 12, 0xC1])
    assert look("vp9", key_hidden + inter_shown + index) == FrameHead(P, True)
    assert look("vp9", key_hidden) == FrameHead(I, False)
    shown_again = bytes([0b10_0_0_1_000]) + bytes(3)
    typer = frame_typer("vp9", None)
    typer(memoryview(key_hidden))
    assert typer(memoryview(shown_again)) == FrameHead(I, True)


def test_av1_temporal_unit_is_typed_by_its_shown_frame() -> None:
    delimiter = b"\x12\x00"
    hidden_key = b"\x32\x02" + bytes([0b0_00_0_0000, 0])
    shown_inter = b"\x32\x02" + bytes([0b0_01_1_0000, 0])
    assert look("av1", delimiter + hidden_key + shown_inter) == FrameHead(P, True)
    assert look("av1", delimiter + hidden_key) == FrameHead(I, False)


def test_codecs_without_prediction_are_all_intra() -> None:
    assert frame_typer("mjpeg", None, intra_only=True)(memoryview(b"")) == FrameHead(I)


def test_unknown_codec_says_so() -> None:
    assert look("wmv3", b"\x00\x00\x01\xb6\x00") == UNKNOWN


@pytest.mark.parametrize("codec", CODECS)
@given(packets=st.lists(st.binary(max_size=64), max_size=4), extradata=st.binary(max_size=64))
def test_no_bytes_raise(codec: str, packets: list[bytes], extradata: bytes) -> None:
    typer = frame_typer(codec, extradata)
    for packet in packets:
        assert chr(typer(memoryview(packet)).type) in "IPB?"


@pytest.mark.parametrize("name", MAKERS)
def test_packets_that_are_cut_or_flipped_never_raise(made: GetMade, name: str) -> None:
    file = made(name)
    rng = np.random.default_rng(0)
    with av.open(str(file.path)) as container:
        stream = container.streams.video[0]
        extradata = stream.codec_context.extradata
        typer = frame_typer(file.codec, extradata)
        damaged_typer = frame_typer(file.codec, (extradata or b"")[: int(rng.integers(0, 40))])
        for packet in container.demux(stream):
            data = bytearray(bytes(packet)[: int(rng.integers(0, 200))])
            for at in rng.integers(0, max(1, len(data)), 3):
                if data:
                    data[at] ^= 1 << int(rng.integers(8))
            for look_at in (typer, damaged_typer):
                assert chr(look_at(memoryview(bytes(data))).type) in "IPB?"
