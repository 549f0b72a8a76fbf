"""Serves one page and one video to this machine alone.

It listens on 127.0.0.1 at a port that the system picks. Every address begins with a token drawn for this run; a
request whose Host header is not ours is refused, which stops a foreign page that got its own name to point here
(DNS rebinding). There is no map from addresses to files: a handful of fixed words is answered, all else is 404,
so there is no path to climb. The video goes out in byte ranges (RFC 9110, section 14), as players ask for when
they seek.
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import compare_digest, token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from ...errors import SalientClipsError
from .session import Session, Wish

_CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class PageServer:
    """A running server; a context manager.

    Args:
        session: What is to be served.
        page: The page, HTML. Its addresses are relative: ``video``, ``select``, ``samplers``, ``loop/N``,
            ``export/NAME``.
        policy: Its content security policy.
    """

    def __init__(self, session: Session, page: str, policy: str) -> None:
        self._token = token_urlsafe(24)
        handler = type(
            "Handler",
            (_Handler,),
            {"session": session, "page": page.encode("utf-8"), "policy": policy, "token": self._token},
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="salientclips-view", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """The address of the page; who knows it can see the video."""
        return f"http://127.0.0.1:{self.port}/{self._token}/"

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "salientclips", ""
    timeout = 60
    server: ThreadingHTTPServer
    session: Session
    page: bytes
    policy: str
    token: str

    def handle(self) -> None:
        # A player drops its connection whenever it seeks, also between two requests.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to the command."""

    def _answer(self) -> None:
        port = self.server.server_port
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            return self._refuse(HTTPStatus.FORBIDDEN, "this server answers to its own address only")
        try:
            address = urlsplit(self.path)
        except ValueError:
            return self._refuse(HTTPStatus.NOT_FOUND, "no such page")
        _, token, *words = [*address.path.split("/"), ""]
        if not compare_digest(token.encode("utf-8"), self.token.encode("utf-8")):
            return self._refuse(HTTPStatus.NOT_FOUND, "no such page")
        if address.path == f"/{self.token}":
            # Without the last slash the page's own addresses would lead astray.
            location = {"Location": f"/{self.token}/", "Content-Length": "0"}
            return self._head(HTTPStatus.PERMANENT_REDIRECT, location)
        asked = dict(parse_qsl(address.query))
        try:
            return self._dispatch([word for word in words if word], asked)
        except SalientClipsError as error:
            body = {"error": {"message": error.message, "remedy": error.remedy}}
            return self._send_json(body, HTTPStatus.BAD_REQUEST)

    def _dispatch(self, words: list[str], asked: dict[str, str]) -> None:
        match words:
            case []:
                self._send(self.page, "text/html; charset=utf-8", {"Content-Security-Policy": self._policy()})
            case ["video"]:
                self._send_file(self.session.path)
            case ["samplers"]:
                self._send_json(self.session.state())
            case ["select"]:
                self._send_json(self.session.answer(Wish.parse(asked), "curves" in asked))
            case ["loop", number] if re.fullmatch(r"\d{1,9}", number):
                still = self.session.loop(int(number))
                if still is None:
                    return self._refuse(HTTPStatus.NOT_FOUND, "no picture")
                self._send(still.data, still.mime, {"Cache-Control": "private, max-age=86400"})
            case ["export", name]:
                found = self.session.download(name, Wish.parse(asked))
                if found is None:
                    return self._refuse(HTTPStatus.NOT_FOUND, "no such format")
                name = quote(found.name.encode("utf-8", "replace"), safe="")
                told = f"attachment; filename*=UTF-8''{name}"
                self._send(found.content, found.mime, {"Content-Disposition": told})
            case _:
                self._refuse(HTTPStatus.NOT_FOUND, "no such page")
        return None

    def _policy(self) -> str:
        return f"{self.policy}; frame-ancestors 'none'"

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._send(f"{why}\n".encode(), "text/plain; charset=utf-8", {}, status)

    def _send_json(self, body: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(body, allow_nan=False).encode("utf-8"), "application/json", {}, status)

    def _send(
        self, body: bytes, mime: str, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self._head(status, {"Content-Type": mime, "Content-Length": str(len(body)), **headers})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        always = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        self.send_response(status)
        for name, value in {**always, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_file(self, path: Path) -> None:
        try:
            file = path.open("rb")
        except OSError:
            return self._refuse(HTTPStatus.NOT_FOUND, "the video is gone")
        with file:
            size = file.seek(0, 2)
            span = _range(self.headers.get("Range", ""), size)
            if span is None:
                headers = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
                return self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
            first, stop = span
            headers = {
                "Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                "Content-Length": str(stop - first),
                "Accept-Ranges": "bytes",
            }
            is_part = "Range" in self.headers and (first, stop) != (0, size)
            if is_part:
                headers["Content-Range"] = f"bytes {first}-{stop - 1}/{size}"
            self._head(HTTPStatus.PARTIAL_CONTENT if is_part else HTTPStatus.OK, headers)
            if self.command != "HEAD":
                file.seek(first)
                for chunk in _chunks(file, stop - first):
                    self.wfile.write(chunk)
        return None


def _range(asked: str, size: int) -> tuple[int, int] | None:
    """The bytes [first, stop) that a Range header asks for; all of them where it is absent or not understood.

    None where it cannot be satisfied.
    """
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    stop = min(size, int(last) + 1) if last else size
    if last and int(last) < int(first):
        return 0, size  # not a valid range, to be ignored
    return (int(first), stop) if int(first) < size else None


def _chunks(file: Any, count: int) -> Iterator[bytes]:
    while count > 0:
        chunk = file.read(min(_CHUNK_BYTES, count))
        if not chunk:
            # The file has shrunk: what was promised cannot be sent, so the connection must end.
            raise ConnectionAbortedError
        count -= len(chunk)
        yield chunk
