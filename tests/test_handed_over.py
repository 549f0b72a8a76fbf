"""What the bitstream readers do not read is recognised, said by ``probe`` with the reason, and scored by decoding."""

from __future__ import annotations

import importlib.util
import json
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from mpeg4_streams import as_frame, drawn_footage, encode
from salientclips import motion_vectors, probe, score
from salientclips.cli.run import run
from salientclips.errors import FeatureUnavailableError

NATIVE = "salientclips.compressed._native._core"
has_extension = pytest.mark.skipif(
    importlib.util.find_spec(NATIVE) is None, reason="the native extension is not built"
)
MOTION = ("md (decoded)", "rgbr (decoded)")


def h263_packets(count: int) -> list[tuple[bytes, bool]]:
    """Pictures of H.263, which is what MPEG-4 calls a short header: bytes, and whether it is a key frame."""
    encoder = av.CodecContext.create("h263", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 176, 144, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1001, 30000), Fraction(30000, 1001)
    packets = []
    for number, picture in enumerate([*drawn_footage(count, 176, 144), None]):
        frame = None if picture is None else as_frame(picture)
        if frame is not None:
            frame.pts, frame.time_base = number, encoder.time_base
        packets += [(bytes(p), p.is_keyframe) for p in encoder.encode(frame)]
    return packets


def write_h263(path: Path, codec: str) -> Path:
    """A file whose container calls the pictures ``codec``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        for number, (data, is_key) in enumerate(h263_packets(40)):
            packet = av.Packet(data)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1001, 30000), stream, is_key
            container.mux(packet)
    return path


@has_extension
@pytest.mark.parametrize("container", ["mp4", "avi", "mkv"])
def test_data_partitioned_mpeg4(tmp_path: Path, container: str) -> None:
    frames = [as_frame(p) for p in drawn_footage(40, 176, 144)]
    path = encode(tmp_path / f"x.{container}", frames, {"data_partitioning": "1", "flags": "+mv4"})
    support = probe(path).features["md"]
    assert support.backend == "decoded"
    assert "does not read this form of mpeg4: data partitioned" in support.why
    found = score(path, "motion")
    assert found.features_used == MOTION
    assert found.scores.min() > 0
    assert len(list(motion_vectors(path))) >= 35
    with pytest.raises(FeatureUnavailableError, match="data partitioned"):
        score(path, backend="bitstream")


@has_extension
@pytest.mark.parametrize("container", ["mp4", "avi"])
def test_short_header_mpeg4(tmp_path: Path, container: str) -> None:
    """Recognised and handed over; libavcodec's MPEG-4 decoder refuses it in its turn, and that is said too."""
    path = write_h263(tmp_path / f"x.{container}", "mpeg4")
    support = probe(path).features["md"]
    assert support.backend == "decoded"
    assert "does not read this form of mpeg4: short header" in support.why
    found = score(path, "motion")
    assert found.features_used == MOTION
    assert any("could not be read" in line for line in found.warnings)
    with pytest.raises(FeatureUnavailableError, match="short header"):
        score(path, backend="bitstream")


@has_extension
def test_h263_under_its_own_name(tmp_path: Path) -> None:
    path = write_h263(tmp_path / "x.avi", "h263")
    support = probe(path).features["md"]
    assert support.backend == "decoded"
    assert "no bitstream reader for h263" in support.why
    found = score(path, "motion")
    assert found.features_used == MOTION
    assert found.scores.min() > 0
    assert not found.warnings


def test_without_the_extension_the_slow_back_end_is_in_use_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [as_frame(p) for p in drawn_footage(40, 176, 144)]
    path = encode(tmp_path / "x.mp4", frames, {})
    monkeypatch.setitem(sys.modules, NATIVE, None)  # an import of it fails, as where it was never built
    monkeypatch.delattr("salientclips.compressed._native._core", raising=False)
    assert run(["doctor", "--json"]) == 0
    parts = {p["part"]: p for p in json.loads(capsys.readouterr().out)["parts"]}
    reader = parts["bitstream reader"]
    assert not reader["works"]
    assert reader["problem"].startswith("the native extension is not there")
    assert reader["problem"].endswith("the slow back end is in use")
    assert reader["remedy"]
    assert run(["probe", str(path)]) == 0
    assert "the native extension is not there" in " ".join(capsys.readouterr().out.split())
    support = probe(path).features["rgbr"]
    assert support.backend == "decoded"
    assert "the native extension is not there" in support.why
    found = score(path, "motion")
    assert found.features_used == MOTION
    assert found.scores.min() > 0
    with pytest.raises(FeatureUnavailableError, match="the native extension is not there"):
        score(path, backend="bitstream")
