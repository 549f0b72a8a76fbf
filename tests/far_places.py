"""Places that videos lie in: files without content, shards written by hand, fsspec's memory, and a small web server.

The server is on the loopback, and misbehaves as it is told.
"""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


def tar_bytes(files: Iterable[tuple[str, bytes]], mode: str = "w") -> bytes:
    """An archive with the given members, in order."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return held.getvalue()


def write_tar(path: Path, files: Iterable[tuple[str, bytes]], mode: str = "w") -> Path:
    path.write_bytes(tar_bytes(files, mode))
    return path


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def put(url: str, content: bytes = b"") -> str:
    """Put a file into fsspec's memory; gives the URL back."""
    import fsspec

    fsspec.filesystem("memory").pipe(url, content)
    return url


def listed(*sources: str | Path) -> list[str]:
    """The names of the videos of a corpus."""
    from salientclips.corpus.sources import list_items

    return [item.video for item in list_items(sources)]


class Server:
    """What the server holds and how it behaves."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        """Content by path (decoded, with its leading slash)."""
        self.ranges = True
        self.head_allowed = True
        self.cut_at: int | None = None
        """The body ends here, whatever was announced."""
        self.failures: list[int] = []
        """Status codes of the next GETs."""
        self.gets: list[tuple[str, str | None]] = []
        """Path with its query, and Range, of each GET."""
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    state: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self.state.gets.append((self.path, self.headers.get("Range")))
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        state = self.state
        content = state.files.get(unquote(self.path.partition("?")[0]))
        if body and state.failures:
            return self._plain(state.failures.pop(0))
        if not body and not state.head_allowed:
            return self._plain(403)
        if content is None:
            return self._plain(404)
        wanted = self.headers.get("Range") if state.ranges else None
        first, last = 0, len(content) - 1
        if wanted:
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end or last), last)
        part = content[first : last + 1]
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            self.wfile.write(part[: state.cut_at])
        return None

    def _plain(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def web_server() -> Iterator[Server]:
    state = Server()
    handler = type("Handler", (_Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
