"""The short ways through mp4 files, held to the long ones: tables, facts and payloads are the same, byte for byte."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from conftest import GetMade
from made_files import MAKERS
from salientclips.errors import SalientClipsError
from salientclips.media import demux, payloads
from salientclips.media.demux import read_packets
from salientclips.media.payloads import StreamFacts, read_facts, read_payloads
from salientclips.media.stored import StoredPackets, read_stored
from salientclips.types import PacketTable

STORED = [
    "h264_bframes_mp4",
    "h264_1gop",
    "edit_list",
    "vfr",
    "stereo_aac",
    "late_audio",
    "mpeg4_bframes_mp4",
]


def columns(table: PacketTable) -> dict[str, Any]:
    """Everything in a table but the places, in a form that compares."""
    found = {f.name: getattr(table, f.name) for f in dataclasses.fields(table) if f.name != "file_offset"}
    return {
        name: (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in found.items()
    }


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[PacketTable, StreamFacts]:
    """Table and facts by the short way, after a check that the long one gives the same."""
    table, facts = read_packets(path), read_facts(path)
    with monkeypatch.context() as patch:
        patch.setattr(demux, "is_mp4", lambda _: False)
        patch.setattr(payloads, "is_mp4", lambda _: False)
        long_table, long_facts = read_packets(path), read_facts(path)
    assert columns(table) == columns(long_table)
    assert long_table.file_offset is None
    assert facts == long_facts
    if table.file_offset is not None:
        assert len(table.file_offset) == len(table)
        short = [bytes(p) for p in read_payloads(path, facts.stream_index, table)]
        assert short == [bytes(p) for p in read_payloads(path, facts.stream_index)]
    return table, facts


@pytest.mark.parametrize("name", MAKERS)
def test_both_ways_agree(made: GetMade, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    both_ways(made(name).path, monkeypatch)


@pytest.mark.parametrize("name", STORED)
def test_the_short_way_is_taken(made: GetMade, name: str) -> None:
    assert read_packets(made(name).path).file_offset is not None


def test_both_ways_agree_on_real_files(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [*(data_dir / "originals").iterdir(), *sorted((data_dir / "clips256").rglob("*.mp4"))[::25]]
    num_short = 0
    for path in found:
        try:
            num_short += both_ways(path, monkeypatch)[0].file_offset is not None
        except SalientClipsError:
            continue
    assert num_short > 10


def test_a_file_cut_short_later_ends_the_pass_quietly(made: GetMade, tmp_path: Path) -> None:
    source = made("h264_bframes_mp4").path
    table = read_packets(source)
    assert table.file_offset is not None
    cut = tmp_path / "cut.mp4"
    row = len(table) // 2
    cut.write_bytes(source.read_bytes()[: int(table.file_offset[row]) + 1])
    assert len(list(read_stored(cut, table.file_offset, table.size_bytes))) == row
    assert list(read_stored(tmp_path / "gone.mp4", table.file_offset, table.size_bytes)) == []


def test_packets_in_any_order_of_the_file(tmp_path: Path) -> None:
    data = bytes(np.random.default_rng(1).integers(0, 256, 3_000_000, dtype=np.uint8))
    path = tmp_path / "bytes"
    path.write_bytes(data)
    offsets = np.array([2_000_000, 2_000_500, 0, 700, 1_200, 900_000, 950_000, 100], dtype=np.int64)
    sizes = np.array([500, 900, 700, 500, 1_500_000, 1, 40_000, 7], dtype=np.int32)
    wanted = [data[a : a + n] for a, n in zip(offsets.tolist(), sizes.tolist(), strict=True)]
    assert [bytes(p) for p in read_stored(path, offsets, sizes)] == wanted


@pytest.mark.parametrize(
    ("pos", "payload"), [(None, b"cdef"), (2, b"cdeX"), (-5, b"cdef"), (7, b"hij"), (2, b"cdefg")]
)
def test_places_that_are_wrong_are_not_relied_upon(tmp_path: Path, pos: int | None, payload: bytes) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"abcdefghi")

    class Packet(bytes):
        size = property(len)

    packet = Packet(payload)
    packet.pos = pos  # type: ignore[attr-defined]
    good = Packet(b"ab")
    good.pos = 0  # type: ignore[attr-defined]
    with StoredPackets(path) as stored:
        stored.add(cast(Any, [good]))
        assert cast(Any, stored.file_offset()).tolist() == [0]
        stored.add(cast(Any, [packet]))
        is_right = (pos, payload) == (2, b"cdefg")
        assert (stored.file_offset() is None) != is_right
