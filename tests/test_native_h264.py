"""The native H.264 reader against libavcodec: vectors block for block; references; refusals; damage."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("salientclips.compressed._native._core", reason="the native extension is not built")

from salientclips.compressed._native._core import H264Reader
from salientclips.compressed._native.dtypes import VECTOR

sys.path.insert(0, str(Path(__file__).parent))
from h264_media import Stream, encode, moving_picture, read_stream

DATA = Path(os.environ.get("SALIENTCLIPS_DATA", Path(__file__).parents[2] / "shared" / "data"))
CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "h264_packets"
MISSING_DATA = "the real videos of SALIENTCLIPS_DATA are not here"

ENCODES = {
    "baseline": ("yuv420p", "cabac=0:8x8dct=0:ref=1:bframes=0:weightp=0:partitions=all"),
    "slices": ("yuv420p", "cabac=0:8x8dct=0:ref=4:bframes=0:slices=4:partitions=all"),
    "cavlc 8x8": ("yuv420p", "cabac=0:8x8dct=1:ref=2:bframes=3:weightp=2"),
    "cabac": ("yuv420p", "cabac=1:8x8dct=0:ref=4:bframes=0:weightp=1:partitions=all"),
    "cabac 8x8 slices": ("yuv420p", "cabac=1:8x8dct=1:ref=4:bframes=3:b-pyramid=normal:slices=4:weightp=2"),
    "short key frames": ("yuv420p", "cabac=1:8x8dct=1:keyint=6:bframes=0"),
    "10 bit": ("yuv420p10le", "cabac=1:8x8dct=1:ref=2:bframes=0"),
    "10 bit cavlc": ("yuv420p10le", "cabac=0:8x8dct=1:ref=2:bframes=0"),
    "grey": ("gray", "cabac=1:8x8dct=1:bframes=0"),
    "grey cavlc": ("gray", "cabac=0:8x8dct=0:bframes=0"),
    "4:2:2": ("yuv422p", "cabac=1:8x8dct=1:bframes=0"),
    "4:2:2 cavlc": ("yuv422p", "cabac=0:8x8dct=1:bframes=0"),
}


def assert_equal_to_libavcodec(stream: Stream) -> tuple[int, int]:
    """Frames and blocks that were compared; fails at the first frame that differs."""
    reader = H264Reader(stream.extradata)
    frames = blocks = 0
    for number, packet in enumerate(stream.packets):
        result = reader.feed(packet, True)
        theirs = stream.frames.get(number)
        if result.status != "ok" or theirs is None or theirs.corrupt:
            continue
        assert result.vectors is not None
        assert len(result.vectors) == len(theirs.vectors), f"packet {number}"
        assert (result.vectors == theirs.vectors).all(), f"packet {number}"
        frames += 1
        blocks += len(theirs.vectors)
    return frames, blocks


@pytest.mark.parametrize("name", ENCODES)
def test_vectors_equal_libavcodec(name: str) -> None:
    pixel_format, parameters = ENCODES[name]
    stream = read_stream(encode(moving_picture(14), pixel_format, parameters))
    reader = H264Reader(stream.extradata)
    types = [reader.look(p).type for p in stream.packets]
    frames, blocks = assert_equal_to_libavcodec(stream)
    assert frames == sum(t != "B" for t in types)
    assert blocks > 100
    assert "".join(types) == "".join(stream.frames[i].type for i in range(len(types)))


@pytest.mark.skipif(not DATA.is_dir(), reason=MISSING_DATA)
def test_vectors_equal_libavcodec_on_conformance_streams() -> None:
    compared = {}
    for path in sorted((DATA / "conformance").iterdir()):
        if path.stat().st_size < 400_000 or "PCM" in path.name:
            compared[path.name] = assert_equal_to_libavcodec(read_stream(path))
    assert compared["NRF_MW_E.264"][0] == 100
    assert compared["MPS_MW_A.264"][0] == 150
    assert compared["test_scalinglist_jm.264"] == (5, 1464)
    assert compared["CVPCMNL1_SVA_C.264"] == (30, 0)
    assert compared["jm_1080p_allslice.264"] == (1, 0)  # 8160 slices, all intra
    assert sum(blocks for _, blocks in compared.values()) > 100_000


@pytest.mark.skipif(not DATA.is_dir(), reason=MISSING_DATA)
@pytest.mark.parametrize("name", ["flipping_a_pancake.mkv", "cctv_720p_f124and.avi", "h264_10bits.mp4"])
def test_vectors_equal_libavcodec_on_real_files(name: str) -> None:
    stream = read_stream(DATA / "originals" / name)
    frames, blocks = assert_equal_to_libavcodec(stream)
    assert frames == sum(f.type != "B" for f in stream.frames.values())
    assert blocks > 1000


def test_headers_alone_keep_the_references() -> None:
    """Pictures that nobody wanted must not change what a wanted one says."""
    stream = read_stream(encode(moving_picture(20), "yuv420p", ENCODES["cabac 8x8 slices"][1]))
    every, some = H264Reader(stream.extradata), H264Reader(stream.extradata)
    compared = 0
    for number, packet in enumerate(stream.packets):
        wanted = number % 3 == 2
        full, sparse = every.feed(packet, True), some.feed(packet, wanted)
        assert (full.poc, full.type, full.status) == (sparse.poc, sparse.type, sparse.status)
        if sparse.parsed:
            assert (full.vectors == sparse.vectors).all()
            assert (full.references == sparse.references).all()
            compared += len(full.references)
        else:
            assert sparse.vectors is None
    assert compared > 100


def test_references_name_the_right_packets() -> None:
    """With B-pyramid and several references: references came before, at the distance of display."""
    stream = read_stream(encode(moving_picture(24), "yuv420p", ENCODES["cabac 8x8 slices"][1]))
    reader = H264Reader(stream.extradata)
    poc: dict[int, int] = {}
    distances = set()
    for number, packet in enumerate(stream.packets):
        result = reader.feed(packet, True)
        poc[number] = result.poc
        if result.references is None:
            continue
        for to, delta in {(int(r["packet"]), int(r["poc_delta"])) for r in result.references}:
            assert 0 <= to < number
            assert poc[to] == result.poc - delta
            # One picture is two steps of the count; display times are those that the encoder was given.
            assert stream.times[number] - stream.times[to] == delta // 2
            distances.add(delta // 2)
    assert len(distances) > 1


def test_sub_8x8_refines_the_default_form() -> None:
    stream = read_stream(encode(moving_picture(8), "yuv420p", ENCODES["baseline"][1], crf=12))
    plain, fine = H264Reader(stream.extradata), H264Reader(stream.extradata)
    small = 0
    for packet in stream.packets:
        a, b = plain.feed(packet, True).vectors, fine.feed(packet, True, sub_8x8=True).vectors
        assert a is not None
        assert b is not None
        area = {int(v["w"]) * int(v["h"]) for v in b}
        small += sum(x < 64 for x in area)
        assert (a["w"].astype(int) * a["h"]).sum() == (b["w"].astype(int) * b["h"]).sum()
        firsts = {(int(v["dst_x"]) - v["w"] // 2, int(v["dst_y"]) - v["h"] // 2): v["motion_x"] for v in b}
        assert all(firsts[v["dst_x"] - v["w"] // 2, v["dst_y"] - v["h"] // 2] == v["motion_x"] for v in a)
    assert small > 0


@pytest.mark.parametrize(
    ("pixel_format", "parameters", "status"),
    [
        ("yuv420p", "interlaced=1", "mbaff"),
        ("yuv444p", "bframes=0", "chroma_format"),
        ("yuv420p", "qp=0:bframes=0", "lossless"),
        ("yuv420p", "bframes=3:b-adapt=0", "b_slices"),
    ],
)
def test_refuses_what_it_does_not_read(pixel_format: str, parameters: str, status: str) -> None:
    crf = None if "qp=0" in parameters else 26
    stream = read_stream(encode(moving_picture(8), pixel_format, parameters, crf=crf))
    reader, looker = H264Reader(stream.extradata), H264Reader(stream.extradata)
    seen = set()
    for packet in stream.packets:
        result = reader.feed(packet, True)
        assert looker.look(packet).status == result.status
        assert (result.vectors is None) == (result.status != "ok")
        seen.add(result.status)
    assert status in seen
    assert seen <= {status, "ok"}


def test_recognises_slice_groups_and_data_partitioning() -> None:
    """Hand-made: no encoder at hand writes them."""
    stream = read_stream(encode(moving_picture(2), "yuv420p", ENCODES["baseline"][1], annex_b=True))
    packet = stream.packets[0]
    slice_at = packet.index(b"\0\0\1\x65")
    # A PPS with two slice groups: pps 0, sps 0, CAVLC, no order data, num_slice_groups_minus1 = 1.
    grouped = packet[:slice_at] + b"\0\0\1\x68" + bytes([0b11000101, 0b10000000]) + packet[slice_at:]
    assert H264Reader(b"").feed(grouped, True).status == "slice_groups"
    reader = H264Reader(b"")
    assert reader.feed(packet, True).status == "ok"
    partitioned = stream.packets[1].replace(b"\0\0\1\x41", b"\0\0\1\x42", 1)
    assert reader.feed(partitioned, True).status == "data_partitioning"


def test_says_what_is_missing() -> None:
    stream = read_stream(encode(moving_picture(3), "yuv420p", ENCODES["cabac"][1]))
    assert H264Reader(b"").feed(b"", True).status == "no_slice"
    assert H264Reader(b"").feed(b"not a video", True).status == "no_slice"
    assert H264Reader(stream.extradata[:8]).feed(stream.packets[0], True).status in {
        "missing_parameters",
        "no_slice",
    }
    late = H264Reader(stream.extradata)  # joined after the key frame: vectors are right, references unknown
    result = late.feed(stream.packets[1], True)
    assert result.status == "ok"
    assert (result.vectors == stream.frames[1].vectors).all()
    assert (result.references["packet"] == -1).all()


@pytest.mark.parametrize("name", ["baseline", "cabac 8x8 slices"])
def test_a_cut_packet_is_broken_and_the_next_one_is_not(name: str) -> None:
    stream = read_stream(
        encode(moving_picture(6), "yuv420p", ENCODES[name][1].replace("bframes=3", "bframes=0"))
    )
    reader = H264Reader(stream.extradata)
    results = [
        reader.feed(packet[: len(packet) * 2 // 3] if number == 2 else packet, True)
        for number, packet in enumerate(stream.packets)
    ]
    assert results[2].status in {"broken", "incomplete", "no_slice"}
    assert results[2].vectors is None
    assert (results[3].vectors == stream.frames[3].vectors).all()


def test_damaged_packets_never_crash() -> None:
    """Flipped bits, cuts and noise: every call returns, arrays stay within the picture."""
    rng = random.Random(20191027)
    streams = [read_stream(encode(moving_picture(5), p, o)) for p, o in list(ENCODES.values())[:7]]
    seen: dict[str, int] = {}
    for _ in range(150):
        stream = rng.choice(streams)
        extradata = bytearray(stream.extradata)
        if rng.random() < 0.3:
            extradata[rng.randrange(len(extradata))] ^= 1 << rng.randrange(8)
        reader = H264Reader(bytes(extradata))
        for packet in stream.packets:
            damaged = bytearray(packet)
            for _ in range(rng.randrange(4)):
                damaged[rng.randrange(min(len(damaged), rng.choice((12, 100, 10_000))))] = rng.randrange(256)
            result = reader.feed(
                bytes(damaged[: rng.choice((len(damaged), rng.randrange(len(damaged))))]), True
            )
            seen[result.status] = seen.get(result.status, 0) + 1
            if result.vectors is not None:
                assert result.energy is not None
                assert len(result.vectors) <= 4 * result.energy.size
                assert np.isfinite(result.energy).all()
    assert seen["ok"] > 20
    assert seen["broken"] > 20


def corpus(name: str) -> tuple[bytes, list[bytes]]:
    """Extradata and packets of a fuzz input."""
    data, records = (CORPUS / name).read_bytes(), []
    while data:
        size = int.from_bytes(data[:3], "big")
        records.append(data[3 : 3 + size])
        data = data[3 + size :]
    return records[0], records[1:]


@pytest.mark.parametrize("name", sorted(p.name for p in CORPUS.iterdir()))
def test_fuzz_corpus_is_read(name: str) -> None:
    extradata, packets = corpus(name)
    reader = H264Reader(extradata)
    statuses = {reader.feed(packet, True).status for packet in packets}
    assert statuses <= {"ok", "b_slices", "mbaff"}


def test_pcm_in_a_cabac_slice() -> None:
    """Four macroblocks: PCM, Intra 16x16, Intra 16x16, PCM; written by hand, for x264 never chooses PCM.

    The arithmetic decoder stops and starts anew around each PCM macroblock; a wrong place breaks what
    follows.
    """
    extradata, packets = corpus("cabac_pcm")
    result = H264Reader(extradata).feed(packets[0], True)
    assert result.status == "ok"
    assert result.intra.all()
    assert (result.energy == 0).all()
    cut = packets[0][:700] + packets[0][701:]
    assert H264Reader(extradata).feed(cut, True).status == "broken"


def test_a_flood_of_parameter_sets_ends_soon() -> None:
    """Each new SPS makes its PPS be read again; alternating ones must not cost time without bound."""
    extradata, packets = corpus("baseline_annexb")
    assert extradata == b""
    at = [i for i in range(len(packets[0]) - 4) if packets[0][i : i + 3] == b"\0\0\1"]
    sets = packets[0][at[0] : at[2]]
    other = bytearray(packets[0][at[0] : at[1]])
    other[4] ^= 32  # another profile: not a repetition
    reader = H264Reader(b"")
    assert reader.feed((sets + bytes(other)) * 20_000 + sets, True).status == "no_slice"
    assert H264Reader(b"").feed(packets[0], True).status == "ok"


def test_vector_record_is_that_of_pyav() -> None:
    stream = read_stream(encode(moving_picture(3), "yuv420p", ENCODES["baseline"][1]))
    assert stream.frames[1].vectors.dtype == VECTOR
