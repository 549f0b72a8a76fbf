"""What docs/threat_model.md promises of videos: FFmpeg reaches nothing that nobody named, and ends."""

from __future__ import annotations

import shutil
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from conftest import GetMade
from media_files import AudioSpec, make_video
from salientclips import probe, score
from salientclips.errors import InputError, NotAVideoError
from salientclips.media.audio import read_audio
from salientclips.media.own_bytes import REFUSED, own_bytes_only
from salientclips.timeline import ClipSpec


@dataclass
class Listener:
    """A server that notes whoever connects to it, and says nothing."""

    port: int
    callers: list[Any] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(5)
        server.settimeout(0.1)
        found = Listener(server.getsockname()[1])
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, caller = server.accept()
                except TimeoutError:
                    continue
                found.callers.append(caller)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield found
            time.sleep(0.2)
        finally:
            done.set()
            thread.join()


# --- what FFmpeg may reach ------------------------------------------------------------------------------------


PLAYLISTS = {
    "HLS, a file": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n",
    "HLS, an address": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:PORT/a.ts\n#EXT-X-ENDLIST\n",
    "HLS, a key": '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:PORT/k"\n'
    "#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n",
    "ffconcat, a file": "ffconcat version 1.0\nfile other.ts\n",
    "ffconcat, an address": "ffconcat version 1.0\nfile http://127.0.0.1:PORT/a.mp4\n",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video PORT RTP/AVP/TCP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "DASH": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>http://127.0.0.1:PORT/a.mp4</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ffconcat", ".sdp", ".mpd"])
@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_opens_neither_files_nor_connections(
    name: str, suffix: str, tmp_path: Path, listener: Listener, made: GetMade
) -> None:
    shutil.copy(made("ts").path, tmp_path / "other.ts")
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[name].replace("PORT", str(listener.port)))
    with pytest.raises(NotAVideoError) as caught:
        probe(path)
    assert str(path) in str(caught.value)
    time.sleep(0.15)
    assert listener.callers == []


def test_playlists_would_be_followed_without_our_options(tmp_path: Path, made: GetMade) -> None:
    # Else the test above could not fail.
    shutil.copy(made("ts").path, tmp_path / "other.ts")
    (path := tmp_path / "list.ffconcat").write_text(PLAYLISTS["ffconcat, a file"])
    with av.open(str(path)) as container:
        assert container.format.name == "concat"
        assert container.streams.video


@pytest.mark.parametrize(
    "name", ["tcp:127.0.0.1:PORT", "http:127.0.0.1:PORT", "concat:a.mp4|a.mp4", "pipe:0", "a%d.mp4"]
)
def test_a_name_is_never_an_address(
    name: str, tmp_path: Path, listener: Listener, made: GetMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = name.replace("PORT", str(listener.port))
    shutil.copy(made("h264_bframes_mp4").path, name)
    assert probe(name).video.codec == "h264"
    assert len(score(name, "packet-cost"))
    assert listener.callers == []


def test_a_picture_is_one_picture(tmp_path: Path, made: GetMade) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "a1.png")
    Image.new("RGB", (32, 32)).save(tmp_path / "a%d.png")
    found = probe(tmp_path / "a%d.png").video
    assert (found.width_px, found.height_px) == (32, 32)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def outside_track(own: bytes, other: Path) -> bytes:
    """An mp4 whose samples lie in another file, as QuickTime's aliases say it (type 2: the absolute path)."""
    path = str(other).encode()
    path += b"\0" * (len(path) % 2)
    alias = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + struct.pack(">HH", 0xFFFF, 0)
    entry = box(b"alis", bytes(4) + alias)
    old = box(b"dref", struct.pack(">II", 0, 1) + box(b"url ", struct.pack(">I", 1)))
    new = box(b"dref", struct.pack(">II", 0, 1) + entry)
    assert own.count(old) == 1
    grown = len(new) - len(old)
    changed = bytearray(own.replace(old, new))
    at = changed.index(b"dref")
    for kind in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = changed.rindex(kind, 0, at) - 4
        size = struct.unpack_from(">I", changed, place)[0]
        struct.pack_into(">I", changed, place, size + grown)
    start = changed.index(b"mdat") + 4
    assert start < at  # the index comes last, so no offset has moved
    end = changed.index(b"moov") - 4
    changed[start:end] = bytes(end - start)
    return bytes(changed)


def test_tracks_in_other_files_are_not_read(tmp_path: Path) -> None:
    other = make_video(tmp_path / "other.mp4", codec="mpeg4", frames=5)
    (path := tmp_path / "outside.mp4").write_bytes(outside_track(other.read_bytes(), other))

    def pixels(options: dict[str, str]) -> list[Any]:
        with av.open(str(path), options=options) as container:
            try:
                return [frame.to_ndarray().sum() for frame in container.decode(video=0)]
            except av.error.FFmpegError:
                return []

    # So it would be with the option that FFmpeg has off.
    followed = pixels({"enable_drefs": "1", "use_absolute_path": "1", "protocol_whitelist": "file"})
    assert len(followed) == 5
    assert "enable_drefs" not in own_bytes_only()
    assert pixels(own_bytes_only()) != followed
    assert len(set(pixels(own_bytes_only()))) <= 1


def test_formats_that_open_more_are_refused_and_no_others() -> None:
    allowed = set(own_bytes_only()["format_whitelist"].split(","))
    assert not allowed & REFUSED
    assert not {"x11grab", "fbdev", "alsa", "v4l2", "video4linux2"} & allowed
    assert {
        "mov",
        "mp4",
        "matroska",
        "webm",
        "avi",
        "mpegts",
        "mpeg",
        "flv",
        "ogg",
        "h264",
        "asf",
        "wav",
    } <= allowed
    assert own_bytes_only()["protocol_whitelist"] == "file"


def test_nobody_opens_a_file_around_that() -> None:
    # One door in: every av.open for reading is open_container's. One out: a file that Python has opened.
    source = Path(sys.modules["salientclips"].__file__ or "").parent
    for path in source.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "av.open(" in line and path.name not in ("container.py", "own_bytes.py"):
                is_out = path.name == "output.py" and 'av.open(once, "w"' in line
                assert is_out, f"{path.name}: {line.strip()}"


# --- time stamps ----------------------------------------------------------------------------------------------


def test_a_time_stamp_of_ages_ends(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    plain = make_video(tmp_path / "plain.mkv", frames=20, audio=AudioSpec(codec="pcm_s16le", duration_s=1))
    with av.open(str(plain)) as read, av.open(str(path), "w") as write:
        copies = {s.index: write.add_stream_from_template(s) for s in read.streams}
        packets = [p for p in read.demux() if p.size]
        last = {p.stream.index: p for p in packets}
        for packet in packets:
            if packet is last[packet.stream.index] and packet.time_base is not None:
                packet.pts = packet.dts = int(10**9 / packet.time_base)
            packet.stream = copies[packet.stream.index]
            write.mux(packet)
    warnings: list[str] = []
    started = time.perf_counter()
    samples = sum(len(block.samples) for block in read_audio(path, warnings=warnings))
    assert samples < 10 * 16000
    assert any("more than a day apart" in line for line in warnings)
    with pytest.raises(InputError, match="time stamp"):
        score(path, "packet-cost", clip=ClipSpec(seconds=Fraction(1)))
    assert len(score(path, "packet-cost")) <= 20
    assert time.perf_counter() - started < 30
