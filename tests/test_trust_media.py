"""What docs/threat_model.md promises of videos, names, pages and the network: what nobody named is not reached."""

from __future__ import annotations

import asyncio
import csv
import http.client
import http.server
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from chosen import choose
from made_files import MadeFile
from media_files import AudioSpec, make_video
from salientclips import probe, score
from salientclips.cli.run import run
from salientclips.errors import FetchError, InputError, NotAVideoError, WeightsError
from salientclips.media.audio import read_audio
from salientclips.media.own_bytes import REFUSED, own_bytes_only
from salientclips.outputs.exports import export
from salientclips.timeline import ClipSpec

GetMade = Callable[[str], MadeFile]


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


# --- names ----------------------------------------------------------------------------------------------------

NAMES = [
    "-x.mp4",
    "--help.mp4",
    "$(touch owned).mp4",
    "a\nb.mp4",
    "`id`.mp4",
    "x;y|z&.mp4",
    "\x1b[2J.mp4",
    "'\".mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_only_a_name_on_the_command_line(
    name: str,
    tmp_path: Path,
    made: GetMade,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(made("h264_bframes_mp4").path, name)
    before = {*os.listdir()}
    assert run(["cut", "--sampler", "packet-cost", "-k", "1", "-o", "out", "--", name]) == 0
    printed = capfd.readouterr()
    assert "\x1b[2J" not in printed.out + printed.err
    assert {*os.listdir()} == before | {"out"}
    # Nothing climbed out of the folder, and what is in it is there by its whole path.
    assert [path.suffix for path in Path("out").iterdir()] == [".mp4"]


def test_an_end_of_line_in_a_name_ends_no_line_of_an_export(tmp_path: Path) -> None:
    video = make_video(
        tmp_path / "a\n00:00:00.000 --> 00:00:01.000\n* FROM CLIP NAME: evil\n[CHAPTER]\r\nx.mp4", frames=48
    )
    selection = choose(video, 2)
    vtt = export(selection, tmp_path / "x.vtt").path.read_text()
    assert vtt.count("-->") == 2
    edl = export(selection, tmp_path / "x.edl").path.read_text()
    assert sum(line.startswith("* FROM CLIP NAME") for line in edl.splitlines()) == 2
    chapters = export(selection, tmp_path / "x.ffmetadata").path.read_text()
    assert sum(line == "[CHAPTER]" for line in chapters.splitlines()) == 2
    with export(selection, tmp_path / "x.csv").path.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


# --- pages, servers, tools ------------------------------------------------------------------------------------


def test_strange_requests_are_refused(made: GetMade) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    from salientclips.verbs.view import serve

    video = made("h264_bframes_mp4").path
    selection = score(video, "packet-cost", clip=ClipSpec(8, 1)).select(1)
    with serve(selection, others=()) as url:
        _, _, host, token, _ = url.split("/")
        size = video.stat().st_size
        for path, headers, status in (
            (f"/{token}/video%00", {}, 404),
            (f"/{token}/%2e%2e/%2e%2e/etc/passwd", {}, 404),
            (f"/{token}//etc/passwd", {}, 404),
            (f"/{token}/..%5c..%5cwin.ini", {}, 404),
            (f"/{token[:-1]}/video", {}, 404),
            (f"/{token}/video", {"Range": f"bytes=0-{10**17}"}, 200),
            (f"/{token}/video", {"Range": f"bytes={size}-"}, 416),
            (f"/{token}/video", {"Range": "bytes=" + "9" * 50 + "-"}, 200),
            (f"/{token}/video", {"Range": "bytes=" + ",".join("0-0" for _ in range(5000))}, 200),
            (f"/{token}/select?sampler=packet-cost&min_gap=0&k=" + "9" * 5000, {}, 400),
            (f"/{token}/video", {"Host": "evil.example"}, 403),
        ):
            connection = http.client.HTTPConnection(host, timeout=20)
            connection.putrequest("HEAD", path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            assert connection.getresponse().status == status, (path, headers)
            connection.close()
        # Two Host headers are no way in either, and an old request has none.
        for request in (
            f"GET /{token}/video HTTP/1.1\r\nHost: evil.example\r\nHost: {host}\r\n\r\n",
            f"GET /{token}/video\r\n\r\n",
            f"GET /{token}/vi\0deo HTTP/1.1\r\nHost: {host}\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", int(host.split(":")[1])), timeout=20) as raw:
                raw.sendall(request.encode())
                raw.shutdown(socket.SHUT_WR)
                said = b"".join(iter(lambda: raw.recv(1 << 16), b""))
            assert b"ftyp" not in said, request


def test_an_mcp_client_names_no_sampler_of_its_own(made: GetMade, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="mcp is not installed")
    from mcp import Client

    from salientclips.adapters.mcp import make_server

    video = made("vfr").path

    async def ask(sampler: str) -> Any:
        async with Client(make_server([video.parent])) as client:
            return await client.call_tool("select", {"path": video.name, "sampler": sampler})

    for sampler in ("user/name", str(tmp_path), "../x"):
        said = asyncio.run(ask(sampler))
        assert said.is_error
        assert "there is no sampler" in said.content[0].text


# --- the network ----------------------------------------------------------------------------------------------

OFFLINE = """
import sys
def forbid(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise RuntimeError(f"the network was used: {event} {arguments[1:]}")
sys.addaudithook(forbid)
from salientclips.cli.run import run
for words in WORDS:
    code = run(words)
    print("code", code, words[0], file=sys.stderr)
    if code:
        sys.exit(1)
"""


def test_nothing_uses_the_network_unasked(made: GetMade, tmp_path: Path) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    video = str(made("stereo_aac").path)
    words = [
        ["probe", video],
        ["score", video, "--output", str(tmp_path / "s.json")],
        ["select", video, "-k", "1"],
        ["classify", video, "-c", "mc3_18", "-k", "1", "--random-weights"],
        ["report", video, "--output", str(tmp_path / "r.html")],
        ["export", video, "--output", str(tmp_path / "x.vtt")],
        ["list"],
    ]
    code = f"WORDS = {words!r}\n{OFFLINE}"
    # Were there a setting that keeps a library from the network, this would test the setting.
    offline = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
    environment = {name: value for name, value in os.environ.items() if name not in offline}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "the network was used" not in done.stdout + done.stderr
    # And the hook does catch it.
    caught = subprocess.run(
        [
            sys.executable,
            "-c",
            OFFLINE.split("from salient")[0] + "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the network was used" in caught.stderr


@pytest.fixture
def redirecting(tmp_path: Path) -> Iterator[str]:
    """A web server that sends everybody to a file of this machine."""
    (tmp_path / "secret.mp4").write_bytes(b"secret")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"file://{tmp_path}/secret.mp4")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v.mp4"
        finally:
            server.shutdown()
            thread.join()


def test_a_redirect_does_not_lead_to_a_local_file(
    redirecting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    from salientclips.corpus import remote
    from salientclips.corpus.fetch import local_copy
    from salientclips.networks.weights import local_file

    monkeypatch.setattr(remote, "PAUSES_S", ())
    with pytest.raises(WeightsError):
        local_file(redirecting, cache=tmp_path / "cache")
    with pytest.raises(FetchError), local_copy(redirecting):
        pass


# --- the page itself ------------------------------------------------------------------------------------------


def test_the_threat_model_names_tests_that_are_there() -> None:
    tests = Path(__file__).parent
    page = (tests.parent / "docs" / "threat_model.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| ") and line.count("|") == 5
    ]
    promises = [row for row in rows if row[2].strip() and row[3].strip() != "held by"]
    assert len(promises) > 10
    for *_, cannot, held in promises:
        modules = [tests / f"{name}.py" for name in re.findall(r"\btest_\w+", held)]
        assert modules, cannot
        text = "".join(module.read_text(encoding="utf-8") for module in modules)
        names = re.findall(r"def test_(\w+)", text)
        for told in re.findall(r"`(\w+?)(?:\.\.\.)?`", held):
            assert any(told in name for name in names), f"there is no test {told}"
