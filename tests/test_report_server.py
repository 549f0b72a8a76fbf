"""The server of `view`: byte ranges, one token, one host, and no way to any other file."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from builders import make_scores
from made_files import MadeFile
from salientclips.errors import InputError
from salientclips.outputs.report.downloads import DOWNLOADS
from salientclips.outputs.report.session import Wish, can_mix, mixed
from salientclips.timeline import ClipSpec
from salientclips.types import ClipScores
from salientclips.verbs.score import score
from salientclips.verbs.view import serve

pytest.importorskip("jinja2", reason="jinja2 is not installed")


class Client:
    """Asks the server of one page."""

    def __init__(self, url: str, video: Path, scores: ClipScores) -> None:
        self.host = urlsplit(url).netloc
        self.base = urlsplit(url).path
        self.video, self.scores = video, scores

    def __call__(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET", host: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in {"Host": host or self.host, **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        status, _, body = self(self.base + path)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture(scope="module")
def client(made: Callable[[str], MadeFile]) -> Iterator[Client]:
    video = made("h264_bframes_mp4").path
    scores = score(video, "packet-cost", clip=ClipSpec(8, 1))
    count = len(scores)
    streams = {"visual": np.arange(count, dtype=np.float64), "audio": -np.arange(count, dtype=np.float64)}
    scores = replace(scores, streams=streams)
    with serve(scores.select(3), others=("uniform", "motion")) as url:
        yield Client(url, video, scores)


def test_the_page_is_there_with_its_policy(client: Client) -> None:
    status, headers, body = client(client.base)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert b'id="sampler"' in body
    assert client.host.startswith("127.0.0.1:")
    assert len(client.base) > 30


@pytest.mark.parametrize(
    ("asked", "status", "first", "stop"),
    [
        (None, 200, 0, None),
        ("bytes=0-", 200, 0, None),
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=500-500", 206, 500, 501),
        ("bytes=-10", 206, -10, None),
        ("bytes=10-999999999", 206, 10, None),
        ("bytes=9-3", 200, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=-", 200, 0, None),
        (f"bytes=0-{'9' * 5000}", 200, 0, None),
        ("bytes=999999999-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
    ],
)
def test_byte_ranges(client: Client, asked: str | None, status: int, first: int, stop: int | None) -> None:
    whole = client.video.read_bytes()
    got, headers, body = client(client.base + "video", {} if asked is None else {"Range": asked})
    assert got == status
    assert body == whole[first:stop]
    assert headers["Content-Length"] == str(len(body))
    if status == 206:
        at = first if first >= 0 else len(whole) + first
        assert headers["Content-Range"] == f"bytes {at}-{at + len(body) - 1}/{len(whole)}"
    if status == 416:
        assert headers["Content-Range"] == f"bytes */{len(whole)}"
    else:
        assert headers["Accept-Ranges"] == "bytes"


def test_without_the_last_slash_it_is_the_same_page(client: Client) -> None:
    status, headers, _ = client(client.base.rstrip("/"))
    assert (status, headers["Location"]) == (308, client.base)


def test_head_sends_no_body(client: Client) -> None:
    status, headers, body = client(client.base + "video", method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == str(client.video.stat().st_size)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/video",
        "/wrong-token/video",
        "//video",
        "//[",
        "{base}loop/99999999999999999999",
        "{base}../video",
        "{base}video/../../etc/passwd",
        "{base}%2e%2e/%2e%2e/etc/passwd",
        "{base}video/x",
        "{base}etc/passwd",
        "{base}{video}",
        "{base}..%2f{name}",
        "{base}loop/999",
        "{base}loop/-1",
        "{base}loop/../video",
        "{base}export/exe?sampler=packet-cost&k=3&min_gap=0",
        "{base}nothing",
    ],
)
def test_what_is_not_ours_is_refused(client: Client, path: str) -> None:
    asked = path.format(base=client.base, video=quote(str(client.video)), name=client.video.name)
    status, _, body = client(asked)
    assert status == 404
    assert len(body) < 100


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "evil.example:80", "127.0.0.1.evil.example", ""]
)
def test_another_host_is_refused(client: Client, host: str) -> None:
    assert client(client.base + "video", host=host or "x")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(client: Client, method: str) -> None:
    assert client(client.base, method=method)[0] == 501


def test_selecting_is_what_python_selects(client: Client) -> None:
    for k, gap in ((1, 0.0), (4, 0.0), (4, 0.6), (100, 1.5)):
        found = client.json(f"select?sampler=packet-cost&k={k}&min_gap={gap}")
        expected = client.scores.select(k, min_gap_s=gap)
        assert [c["index"] for c in found["top"]] == [c.index for c in expected.clips]
        assert [c["rank"] for c in found["top"]] == list(range(1, len(expected.clips) + 1))
        assert found["note"] == expected.note
        assert "lanes" not in found
        assert not {c["index"] for c in found["top"]} & {c["index"] for c in found["bottom"]}


def test_the_mix_moves_between_the_streams(client: Client) -> None:
    count = len(client.scores)
    for mix, best in ((0, count - 1), (1, 0)):
        found = client.json(f"select?sampler=packet-cost&k=1&min_gap=0&mix={mix}&curves=1")
        assert [c["index"] for c in found["top"]] == [best]
        assert len(found["scores"]) == count
        assert [lane["name"] for lane in found["lanes"]] == ["packet-cost", "visual", "audio"]
        assert found["can_mix"]


def test_other_samplers_come_up_and_are_not_computed_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = monotonic() + 30
    while "motion" not in client.json("samplers")["ready"]:
        assert monotonic() < until
        sleep(0.05)
    monkeypatch.setattr("salientclips.compressed.reader.FeatureReader.read", None)
    for name in ("motion", "uniform"):
        found = client.json(f"select?sampler={name}&k=3&min_gap=0&curves=1")
        expected = (
            score(client.video, "uniform", clip=ClipSpec(8, 1)).select(3) if name == "uniform" else None
        )
        assert len(found["top"]) == 3
        assert found["lanes"][0]["name"] == name
        assert not found["can_mix"]
        if expected is not None:
            assert [c["index"] for c in found["top"]] == [c.index for c in expected.clips]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sampler=packet-cost",
        "sampler=packet-cost&k=x&min_gap=0",
        "sampler=packet-cost&k=0&min_gap=0",
        "sampler=packet-cost&k=3&min_gap=-1",
        "sampler=packet-cost&k=3&min_gap=nan",
        "sampler=packet-cost&k=3&min_gap=inf",
        "sampler=packet-cost&k=3&min_gap=0&mix=2",
        "sampler=packet-cost&k=3&min_gap=0&mix=nan",
        "sampler=packet-cost&k=99999999999&min_gap=0",
        "sampler=nobody&k=3&min_gap=0",
        "sampler=uniform&k=3&min_gap=0&mix=0.5",
    ],
)
def test_an_impossible_wish_is_one_error(client: Client, query: str) -> None:
    status, _, body = client(client.base + "select?" + query)
    assert status == 400
    assert json.loads(body)["error"]["message"]


def test_downloads_hold_the_selection(client: Client) -> None:
    import pyarrow.parquet as pq

    expected = client.scores.select(4, min_gap_s=0.3)
    rows = [(c.rank, c.index, c.start_s, c.end_s, c.score) for c in expected.clips]
    keys = ("rank", "index", "start_s", "end_s", "score")
    words = "sampler=packet-cost&k=4&min_gap=0.3"

    def get(name: str) -> bytes:
        status, headers, body = client(f"{client.base}export/{name}?{words}")
        assert status == 200
        assert headers["Content-Disposition"].startswith(f"attachment; filename*=UTF-8''video.{name}")
        return body

    found = json.loads(get("json"))
    assert found["schema"] == 1
    assert found["sampler"] == "packet-cost"
    assert [tuple(c[key] for key in keys) for c in found["clips"]] == rows
    table = pq.read_table(io.BytesIO(get("parquet")))
    assert [tuple(row[key] for key in keys) for row in table.to_pylist()] == rows
    for name in set(DOWNLOADS) - {"json", "parquet", "fiftyone"}:
        assert get(name)


def test_an_export_of_several_files_is_a_zip(client: Client) -> None:
    status, headers, body = client(f"{client.base}export/fiftyone?sampler=packet-cost&k=2&min_gap=0")
    assert status == 200
    assert headers["Content-Disposition"].endswith("video.fiftyone.zip")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert {"data.json", "labels.json"} <= {Path(name).name for name in archive.namelist()}


def test_loops_are_pictures(client: Client) -> None:
    status, headers, body = client(client.base + "loop/2")
    assert status == 200
    assert headers["Content-Type"] in ("image/webp", "image/jpeg")
    assert len(body) > 500
    assert client(client.base + "loop/2")[2] == body


def test_after_the_block_nobody_answers(made: Callable[[str], MadeFile]) -> None:
    scores = score(made("h264_mkv").path, "packet-cost")
    with serve(scores.select(1), others=()) as url:
        asked = Client(url, made("h264_mkv").path, scores)
        assert asked(asked.base)[0] == 200
    with pytest.raises(ConnectionError):
        asked(asked.base)


def test_a_mix_fills_what_is_missing() -> None:
    nan = np.nan
    streams = {"visual": np.array([1.0, 2.0, nan, nan]), "audio": np.array([4.0, nan, 9.0, nan])}
    scores = make_scores([0.0, 0.0, 0.0, 0.0], streams=streams, rule="cumulative")
    assert can_mix(scores)
    half = mixed(scores, 0.5)
    assert np.isfinite(half.scores).all()
    assert half.rule == "top"
    assert half.sampler_parameters["visual_weight"] == 0.5
    assert half.scores[3] == np.median(half.scores[:3])
    silent = make_scores([0.0, 1.0], streams={"visual": np.zeros(2), "audio": np.full(2, nan)})
    assert not can_mix(silent)
    with pytest.raises(InputError):
        mixed(silent, 0.5)


def test_a_wish_is_parsed() -> None:
    assert Wish.parse({"sampler": "a", "k": "3", "min_gap": "1.5"}) == Wish("a", 3, 1.5, None)
    assert Wish.parse({"sampler": "a", "k": "3", "min_gap": "0", "mix": "0.25"}).mix == 0.25
