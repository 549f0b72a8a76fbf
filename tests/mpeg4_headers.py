"""Writes MPEG-4 part 2 headers bit by bit, for streams that no encoder at hand makes."""

from __future__ import annotations

from dataclasses import dataclass


class Bits:
    """Bits, most significant first."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, count: int) -> Bits:
        assert 0 <= value < 1 << count
        self.text += format(value, f"0{count}b")
        return self

    def to_bytes(self) -> bytes:
        """The bits, ended by a 0 and 1s up to the next byte."""
        text = self.text + "0"
        text += "1" * (-len(text) % 8)
        return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


@dataclass(frozen=True)
class VolFields:
    """The fields of a video object layer header that the tests vary."""

    object_type: int = 1
    version: int = 2
    shape: int = 0
    time_resolution: int = 25
    width: int = 176
    height: int = 144
    interlaced: int = 0
    sprite: int = 0
    not_8_bit: int = 0
    quarter_sample: int = 0
    inter_matrix: tuple[int, ...] = ()
    """First values in zigzag order; the last one holds for the rest. Empty: first quantiser."""
    complexity_method: int | None = None
    data_partitioned: int = 0
    newpred: int = 0
    reduced_resolution: int = 0
    scalability: int = 0


def vol_header(v: VolFields) -> bytes:
    """The header with its start code; fields that follow a refused one are written all the same."""
    bits = Bits().put(0, 1).put(v.object_type, 8).put(1, 1).put(v.version, 4).put(1, 3)
    bits.put(1, 4).put(0, 1)  # square samples, no control parameters
    bits.put(v.shape, 2).put(1, 1).put(v.time_resolution, 16).put(1, 1).put(0, 1)
    bits.put(1, 1).put(v.width, 13).put(1, 1).put(v.height, 13).put(1, 1)
    bits.put(v.interlaced, 1).put(1, 1).put(v.sprite, 1 if v.version == 1 else 2)
    bits.put(v.not_8_bit, 1).put(int(bool(v.inter_matrix)), 1)
    if v.inter_matrix:
        bits.put(0, 1).put(1, 1)
        for value in (*v.inter_matrix, 0):
            bits.put(value, 8)
    if v.version != 1:
        bits.put(v.quarter_sample, 1)
    if v.complexity_method is None:
        bits.put(1, 1)
    else:  # all counts switched off but inter_blocks, of 8 bits in each P-VOP
        bits.put(0, 1).put(v.complexity_method, 2).put(1, 1).put(0, 1).put(0b0100, 4).put(1, 1)
        bits.put(1, 1).put(1, 1).put(1, 1)
        if v.complexity_method == 1:
            bits.put(1, 1)
    bits.put(1, 1).put(v.data_partitioned, 1)
    if v.data_partitioned:
        bits.put(0, 1)
    if v.version != 1:
        bits.put(v.newpred, 1)
        if v.newpred:
            bits.put(0, 3)
        bits.put(v.reduced_resolution, 1)
    bits.put(v.scalability, 1)
    return b"\x00\x00\x01\x20" + bits.to_bytes()


def vop(kind: int, increment: int, *, seconds: int = 0, coded: bool = True, bits: str = "") -> bytes:
    """A VOP of a layer of 25 ticks a second: its header up to vop_coded, then ``bits``."""
    head = Bits().put(kind, 2).put((1 << seconds + 1) - 2, seconds + 1).put(1, 1)
    head.put(increment, 5).put(1, 1).put(int(coded), 1)
    head.text += bits
    return b"\x00\x00\x01\xb6" + head.to_bytes()


def skipped_p_vop(increment: int, macroblocks: int, *, seconds: int = 0, extra: str = "") -> bytes:
    """A P-VOP all of whose macroblocks are skipped; ``extra`` stands before intra_dc_vlc_thr."""
    # rounding 0, [complexity], threshold 0, quantiser 5, fcode 1, and a 1 for each macroblock
    return vop(1, increment, seconds=seconds, bits="0" + extra + "000" + "00101" + "001" + "1" * macroblocks)
