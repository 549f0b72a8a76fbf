"""The native MPEG-4 part 2 reader: code tables, headers, clock, packed bitstreams, refusals, broken input."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mpeg4_headers import Bits, VolFields, skipped_p_vop, vol_header, vop
from mpeg4_streams import Stream, as_frame, decode, drawn_footage, encode, packets_of, reader_module

M: Any = reader_module()
pytestmark = pytest.mark.skipif(M is None, reason="the native extension is not built")

STATUSES = {
    *("ok", "not_parsed", "not_coded", "no_header", "broken_header", "broken_macroblock", "truncated"),
    *("lost_packet", "interlaced", "sprite", "gmc", "data_partitioned", "short_header", "shape", "not_8_bit"),
    *("scalability", "newpred", "reduced_resolution", "complexity_estimation", "studio"),
    "narrow",
}
MACROBLOCKS = 99


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    frames = [as_frame(p) for p in drawn_footage(14, 96, 80)]
    path = tmp_path_factory.mktemp("mpeg4") / "small.mp4"
    return packets_of(encode(path, frames, {"flags": "+mv4", "ps": "200"}, quantiser=3))


def test_code_words_are_prefix_free() -> None:
    tables = M.mpeg4_code_words()
    escape = [(0b0000011, 7)]
    tables["intra_coefficients"] += escape
    tables["inter_coefficients"] += escape
    for name, words in tables.items():
        texts = sorted(format(bits, f"0{length}b") for bits, length in words)
        for a, b in itertools.pairwise(texts):  # a prefix sorts directly before a word it begins
            assert not b.startswith(a), (name, a, b)


@pytest.mark.parametrize(
    ("table", "unused"),
    [
        # The words that the standard leaves out, so that no run of zeros looks like a start code.
        ("mcbpc_intra", ["0000001", "00000001", "000000000"]),
        ("mcbpc_inter", ["000000000"]),
        ("cbpy", ["000000", "000001"]),
        ("motion", ["00000000000"]),
        ("dc_size_luma", ["00000000000"]),
        ("dc_size_chroma", ["000000000000"]),
        ("intra_coefficients", ["000000000"]),
        ("inter_coefficients", ["000000000"]),
    ],
)
def test_code_words_use_all_but_what_the_standard_leaves_out(table: str, unused: list[str]) -> None:
    words = M.mpeg4_code_words()[table] + ([(0b0000011, 7)] if "coefficients" in table else [])
    missing = 1 - sum(Fraction(1, 2**length) for _, length in words)
    holes = sum(Fraction(1, 2 ** len(u)) for u in unused)
    assert missing == holes
    for bits, length in words:
        assert not any(format(bits, f"0{length}b").startswith(u) for u in unused)


def test_both_coefficient_tables_have_the_same_words() -> None:
    tables = M.mpeg4_code_words()
    assert set(tables["intra_coefficients"]) == set(tables["inter_coefficients"])
    assert len(tables["intra_coefficients"]) == 102


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (VolFields(), "ok"),
        (VolFields(version=1), "ok"),
        (VolFields(version=5, object_type=17), "ok"),
        (VolFields(interlaced=1), "interlaced"),
        (VolFields(sprite=1), "sprite"),
        (VolFields(sprite=2), "gmc"),
        (VolFields(data_partitioned=1), "data_partitioned"),
        (VolFields(shape=1), "shape"),
        (VolFields(shape=2), "shape"),
        (VolFields(shape=3), "shape"),
        (VolFields(not_8_bit=1), "not_8_bit"),
        (VolFields(scalability=1), "scalability"),
        (VolFields(object_type=18), "scalability"),
        (VolFields(newpred=1), "newpred"),
        (VolFields(reduced_resolution=1), "reduced_resolution"),
        (VolFields(complexity_method=0), "ok"),
        (VolFields(complexity_method=1), "ok"),
        (VolFields(complexity_method=2), "complexity_estimation"),
        (VolFields(object_type=14), "studio"),
        (VolFields(width=16), "narrow"),
        (VolFields(width=17), "ok"),
        (VolFields(time_resolution=0), "broken_header"),
        (VolFields(width=0), "broken_header"),
    ],
)
def test_layers_are_read_or_refused_with_a_reason(fields: VolFields, reason: str) -> None:
    reader = M.Mpeg4Reader(vol_header(fields))
    assert reader.status == reason
    extra = "01010101" if fields.complexity_method in (0, 1) else ""
    count = 18 if fields.width == 17 else MACROBLOCKS
    (frame,) = reader.feed(skipped_p_vop(3, count, extra=extra))
    assert frame.status == reason
    assert (frame.vectors is not None) == (reason == "ok")
    if reason == "ok":
        assert (reader.width_px, reader.height_px, reader.time_resolution) == (fields.width, 144, 25)
        assert len(frame.vectors) == count
        assert not frame.vectors["motion_x"].any()


def test_studio_profiles_are_refused() -> None:
    reader = M.Mpeg4Reader(b"\x00\x00\x01\xb0\xe2" + vol_header(VolFields()))
    assert reader.status == "studio"


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"data_partitioning": "1"}, "data_partitioned"), ({"flags": "+ildct+ilme"}, "interlaced")],
)
def test_what_the_encoder_makes_and_the_reader_does_not_read(
    tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    frames = [as_frame(p) for p in drawn_footage(4, 96, 80)]
    stream = packets_of(encode(tmp_path / "x.mp4", frames, options))
    reader = M.Mpeg4Reader(stream.extradata)
    found = [f for p in stream.packets for f in reader.feed(p)]
    assert reader.status == reason
    assert [(f.type, f.status, f.vectors) for f in found[1:]] == [("P", reason, None)] * 3


def test_h263_and_s_vops_and_missing_headers_have_their_reasons() -> None:
    assert M.Mpeg4Reader().status == "no_header"
    (frame,) = M.Mpeg4Reader().feed(skipped_p_vop(1, MACROBLOCKS))
    assert frame.status == "no_header"
    (short,) = M.Mpeg4Reader().feed(b"\x00\x00\x80\x02" + bytes(20))
    assert short.status == "short_header"
    (s_vop,) = M.Mpeg4Reader(vol_header(VolFields())).feed(vop(3, 1, bits="1" * 40))
    assert (s_vop.type, s_vop.status) == ("S", "gmc")


@pytest.mark.parametrize("bits", ["0" + "000" + "00000" + "001", "0" + "000" + "00101" + "000"])
def test_a_quantiser_or_fcode_of_0_is_a_broken_header(bits: str) -> None:
    (frame,) = M.Mpeg4Reader(vol_header(VolFields())).feed(vop(1, 1, bits=bits + "1" * MACROBLOCKS))
    assert frame.status == "broken_header"


def test_time_counts_seconds_over_b_vops_and_groups() -> None:
    reader = M.Mpeg4Reader(vol_header(VolFields()))
    gov = b"\x00\x00\x01\xb3" + Bits().put(0, 5).put(1, 6).put(1, 1).put(2, 6).put(0, 2).to_bytes()
    b_rest = "000" + "00101" + "001" + "001"
    stream = [
        gov + vop(0, 3, bits="000" + "00101"),  # 62 s + 3 ticks
        skipped_p_vop(2, MACROBLOCKS, seconds=1),  # 63 s + 2
        vop(2, 20, bits=b_rest),  # shown before it: 62 s + 20
        vop(2, 1, seconds=1, bits=b_rest),
        vop(1, 4, coded=False),
        skipped_p_vop(7, MACROBLOCKS),
    ]
    infos = [v for p in stream for v in reader.look(p)]
    start = 62 * 25
    assert [v.type for v in infos] == ["I", "P", "B", "B", "P", "P"]
    assert [v.time_ticks - start for v in infos] == [3, 27, 20, 26, 29, 32]
    assert [v.coded for v in infos] == [True, True, True, True, False, True]
    # The VOP that is not coded shows the one before it again: that one is what the last refers to.
    assert [v.reference_ticks for v in infos] == [None, start + 3, None, None, start + 27, start + 27]


def test_times_are_the_containers(tmp_path: Path) -> None:
    frames = [as_frame(p) for p in drawn_footage(40, 96, 80)]
    path = encode(tmp_path / "x.mp4", frames, {}, b_frames=2)
    stream = packets_of(path)
    reader = M.Mpeg4Reader(stream.extradata)
    ticks = [v.time_ticks for p in stream.packets for v in reader.look(p)]
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        shown = [p.pts * video.time_base for p in container.demux(video) if p.size]
    assert [Fraction(t, reader.time_resolution) - ticks[0] for t in ticks] == [s - shown[0] for s in shown]


def test_packed_bitstreams_are_read(tmp_path: Path) -> None:
    frames = [as_frame(p) for p in drawn_footage(24, 96, 80)]
    stream = packets_of(
        encode(tmp_path / "x.mp4", frames, {"flags": "+mv4"}, quantiser=4, gop=100, b_frames=1)
    )
    extradata = stream.extradata + b"\x00\x00\x01\xb2DivX503b1393p"
    reader = M.Mpeg4Reader(stream.extradata)
    types = [v.type for p in stream.packets for v in reader.look(p)]
    packets: list[bytes] = []
    for kind, packet in zip(types, stream.packets, strict=True):
        if kind == "B":
            packets[-1] += packet
            packets.append(vop(1, 0, coded=False))
        else:
            packets.append(packet)
    packed = M.Mpeg4Reader(extradata)
    assert packed.packed
    assert packed.user_data == b"DivX503b1393p"
    found = [packed.feed(p) for p in packets]
    assert {tuple(f.type for f in group) for group in found} >= {("P", "B"), ("I",)}
    assert all(p.vop.status == "not_coded" for group in found for p in group if not p.vop.coded)
    ours = [f.vectors for group in found for f in group if f.type == "P" and f.vop.coded]
    theirs = [d.vectors for d in decode(Stream(extradata, tuple(packets))) if d.type == "P"]
    assert len(ours) == len(theirs) >= 10
    equal = [t is None or np.array_equal(o, t) for o, t in zip(ours, theirs, strict=True)]
    assert all(equal)
    assert sum(t is None for t in theirs) <= 1
    for group, packet in zip(found, packets, strict=True):
        ends = [(f.vop.offset_bytes, f.vop.offset_bytes + f.vop.size_bytes) for f in group]
        assert ends[-1][1] == len(packet)
        assert all(packet[start : start + 4] == b"\x00\x00\x01\xb6" for start, _ in ends)


def test_stuffing_between_macroblocks_is_skipped() -> None:
    header = "0" + "000" + "00101" + "001"
    stuffing = "0" + "000000001"
    bits = header + "1" * 40 + stuffing * 3 + "1" * 58 + stuffing + "1" + stuffing
    (frame,) = M.Mpeg4Reader(vol_header(VolFields())).feed(vop(1, 1, bits=bits))
    assert frame.status == "ok"
    assert len(frame.vectors) == MACROBLOCKS


LAST_1 = "0111" + "0"
"""The inter coefficient LAST 1, RUN 0, LEVEL +1."""


@pytest.mark.parametrize(
    ("coefficients", "mpeg", "mean", "energy"),
    [
        # With the quantiser 5 the first method makes 5 * (2 * level + 1) of a level.
        (LAST_1, False, 15 / 32, 15**2),
        ("10" + "1" + LAST_1, False, -15 / 32, 2 * 15**2),
        ("0000011" + "0" + LAST_1, False, 45 / 32, 45**2),  # escape 1: level 1 + 3
        ("0000011" + "10" + LAST_1, False, 0, 15**2),  # escape 2: run 0 + 40 + 1
        (
            "0000011" + "11" + "1" + "000000" + "1" + format(4096 - 100, "012b") + "1",
            False,
            -1005 / 32,
            1005**2,
        ),
        ("0000011" + "11" + "1" + "000000" + "1" + format(2047, "012b") + "1", False, 2047 / 32, 2047**2),
        # The second one 3 * 40 * 5 / 16 of level 1 at the weight 40; the sum is odd, so nothing is added.
        (LAST_1, True, 37 / 32, 37**2),
        # Two of them: 37 at the weight 40 and 3 * 20 * 5 / 16 = 18; odd again.
        ("10" + "0" + LAST_1, True, 37 / 32, 37**2 + 18**2),
        # 18 alone, in the second place, is even: the last coefficient becomes 1.
        ("0011110", True, 0, 18**2 + 1),
    ],
)
def test_coefficients_by_hand(coefficients: str, mpeg: bool, mean: float, energy: int) -> None:
    # One inter macroblock whose first block has coefficients and whose vector is 0; the others are skipped.
    macroblock = "0" + "1" + "1011" + "1" + "1" + coefficients
    layer = VolFields(version=1, inter_matrix=(40, 20)) if mpeg else VolFields(version=1)
    bits = "0" + "000" + "00101" + "001" + "1" * 30 + macroblock + "1" * 68
    (frame,) = M.Mpeg4Reader(vol_header(layer)).feed(vop(1, 1, bits=bits))
    assert frame.status == "ok"
    means, energies = frame.residual_means.reshape(3, -1), frame.energy.ravel()
    assert (means[0, 30], energies[30]) == (np.float32(mean), np.float32(energy / 256))
    assert np.count_nonzero(means) == (mean != 0)
    assert np.count_nonzero(energies) == 1


@pytest.mark.parametrize(
    "coefficients",
    [
        "000000001" * 4,  # no code word
        "0000011" + "11" + "1" + "000000" + "0" + "000000000001" + "1",  # marker
        "0000011" + "0" + "0000011" + LAST_1,  # escape in an escape
        ("0000011" + "11" + "0" + "111111" + "1" + "000000000001" + "1") * 2,  # beyond the 64th
    ],
)
def test_what_is_no_coefficient_breaks_the_vop(coefficients: str) -> None:
    bits = "0" + "000" + "00101" + "001" + "0" + "1" + "1011" + "1" + "1" + coefficients + "1" * 98
    (frame,) = M.Mpeg4Reader(vol_header(VolFields())).feed(vop(1, 1, bits=bits))
    assert (frame.status, frame.vectors, frame.energy) == ("broken_macroblock", None, None)


def test_a_lost_video_packet_is_seen(small: Stream) -> None:
    packet = small.packets[1]
    reader = M.Mpeg4Reader(small.extradata)
    assert reader.feed(packet)[0].status == "ok"
    # A resync marker of fcode 1 is 16 zeros and a 1 from a byte's start on: cut from one to the next.
    marks = [i for i in range(8, len(packet) - 3) if packet[i : i + 2] == b"\0\0" and packet[i + 2] >= 0x80]
    assert len(marks) >= 2
    (frame,) = reader.feed(packet[: marks[0]] + packet[marks[1] :])
    assert frame.status == "lost_packet"
    assert frame.vectors is None


def test_every_truncation_has_a_status(small: Stream) -> None:
    packet = small.packets[1]
    seen: dict[str, int] = {}
    for length in range(4, len(packet) - 1):
        (frame,) = M.Mpeg4Reader(small.extradata).feed(packet[:length])
        seen[frame.status] = seen.get(frame.status, 0) + 1
    # The bits before a resync marker that is gone can be read as macroblocks: few cuts fall there.
    assert seen.pop("ok", 0) + seen.pop("broken_macroblock", 0) <= 20
    assert set(seen) == {"truncated", "broken_header"}
    assert seen["broken_header"] <= 4
    assert M.Mpeg4Reader(small.extradata).feed(packet[:3]) == []


def test_broken_bytes_never_raise_and_never_change_the_size(small: Stream) -> None:
    random = np.random.default_rng(5)
    seen = set()
    for _ in range(1500):
        reader = M.Mpeg4Reader(small.extradata)
        for packet in small.packets[1:4]:
            broken = bytearray(packet)
            for _ in range(int(random.integers(1, 6))):
                broken[int(random.integers(len(broken)))] ^= 1 << int(random.integers(8))
            for frame in reader.feed(bytes(broken)):
                seen.add(frame.status)
                if frame.vectors is not None and reader.status == "ok":
                    rows, columns = frame.intra.shape
                    assert frame.energy.shape == (rows, columns)
                    assert frame.residual_means.shape == (3, rows, columns)
                    assert len(frame.vectors) <= 4 * rows * columns
                    assert np.isfinite(frame.energy).all()
    assert seen <= STATUSES
    assert {"ok", "broken_macroblock", "lost_packet", "truncated"} <= seen


def test_random_bytes_are_no_video() -> None:
    random = np.random.default_rng(6)
    start = b"\x00\x00\x01"
    for _ in range(2000):
        parts = [random.bytes(int(random.integers(1, 40))) for _ in range(6)]
        codes = [bytes([c]) for c in random.choice([0x20, 0xB0, 0xB2, 0xB3, 0xB5, 0xB6], 6)]
        noise = b"".join(start + c + p for c, p in zip(codes, parts, strict=True))
        reader = M.Mpeg4Reader(noise)
        assert reader.status in STATUSES
        assert all(f.status in STATUSES for f in reader.feed(noise))
        assert reader.feed(b"") == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory with RLIMIT_AS")
def test_a_small_packet_of_a_huge_picture_takes_no_memory() -> None:
    program = (
        "import resource, mpeg4_streams, mpeg4_headers as h\n"
        "M = mpeg4_streams.reader_module()\n"
        "reader = M.Mpeg4Reader(h.vol_header(h.VolFields(width=8191, height=8191)))\n"
        "packet = b''.join(h.skipped_p_vop(i % 25, 3000) for i in range(400))\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 8_000_000,) * 2)\n"
        "print({f.status for f in reader.feed(packet)})\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert result.stdout.strip() == "{'truncated'}", result.stderr


def test_a_new_layer_header_in_a_packet_holds_from_there_on() -> None:
    reader = M.Mpeg4Reader(vol_header(VolFields()))
    wide = replace(VolFields(), width=352)
    first, second = reader.feed(skipped_p_vop(1, 99) + vol_header(wide) + skipped_p_vop(2, 198))
    assert (first.intra.shape, second.intra.shape) == ((9, 11), (9, 22))


CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "mpeg4_packets"


@pytest.mark.parametrize("name", sorted(p.name for p in CORPUS.iterdir()))
def test_fuzz_corpus_is_read(name: str) -> None:
    data, records = (CORPUS / name).read_bytes(), []
    while data:
        size = int.from_bytes(data[:3], "big")
        records.append(data[3 : 3 + size])
        data = data[3 + size :]
    reader = M.Mpeg4Reader(records[0])
    statuses = [frame.status for packet in records[1:] for frame in reader.feed(packet, True)]
    assert set(statuses) <= {"ok", "not_parsed", "not_coded"}
    assert "ok" in statuses
