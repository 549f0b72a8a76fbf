"""What docs/threat_model.md promises of pages, servers, tools and the network: nothing is reached unasked."""

from __future__ import annotations

import asyncio
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import GetMade
from salientclips import score
from salientclips.errors import FetchError, WeightsError
from salientclips.timeline import ClipSpec

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
