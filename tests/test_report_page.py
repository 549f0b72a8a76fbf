"""The page as text: everything that comes from a file is escaped, and nothing on it can reach the network."""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders import make_scores
from made_files import MadeFile
from report_media import HOSTILE, HOSTILE_TITLE, hostile_video
from salientclips.errors import InputError, MissingExtraError
from salientclips.outputs.report.collect import bottom, clock, lanes, span
from salientclips.outputs.report.page import safe_json
from salientclips.timeline import ClipSpec
from salientclips.verbs.report import address, write_report
from salientclips.verbs.score import score

pytest.importorskip("jinja2", reason="jinja2 is not installed")


class Page(HTMLParser):
    """The elements of a page, with their attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        texts: list[str] = []
        self.elements.append((tag, dict(attrs), texts))
        self._open.append(texts)

    def handle_endtag(self, tag: str) -> None:
        self._open.append([])

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(texts)) for name, attributes, texts in self.elements if name == tag]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("hostile")
    video, output = hostile_video(folder), folder / "page.html"
    scores = score(video, "packet-cost", clip=ClipSpec(8, 1))
    written = write_report(scores.select(3), output)
    text = output.read_text(encoding="utf-8")
    assert written.size_bytes == len(text.encode("utf-8"))
    assert written.clips == 3
    return video, text


def test_names_and_tags_are_only_text(hostile: tuple[Path, str]) -> None:
    _, text = hostile
    page = Page(text)
    assert [t for _, t in page.all("h1")] == [HOSTILE]
    assert [t for _, t in page.all("title")] == [f"{HOSTILE} · salientclips"]
    tags = [t for attributes, t in page.all("p") if attributes.get("class") == "tag"]
    # mp4 writers may drop what is no plain text; what is there must be there as text
    assert tags == [HOSTILE_TITLE]
    assert len(page.all("script")) == 2
    assert not [a for _, attributes, _ in page.elements for a in attributes if a.startswith("on")]
    assert "49" not in page.all("h1")[0][1]


def test_the_data_can_be_read_and_closes_nothing(hostile: tuple[Path, str]) -> None:
    _, text = hostile
    scripts = Page(text).all("script")
    assert scripts[0][0] == {"type": "application/json", "id": "data"}
    assert "<" not in scripts[0][1]
    data = json.loads(scripts[0][1])
    assert len(data["top"]) == 3
    assert data["kind"] == "report"
    assert all(clip["picture"].startswith("data:image/") for clip in data["top"] + data["bottom"])
    assert len(data["starts"]) == len(data["ends"]) == len(data["scores"]) == 5


def test_the_policy_lets_nothing_in_but_our_own_script(hostile: tuple[Path, str]) -> None:
    _, text = hostile
    page = Page(text)
    metas = [a for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in str(metas[0]["content"]).split(";"))
    assert (
        rules["default-src"] == rules["connect-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    )
    assert "http" not in " ".join(rules.values())
    for name, tag, at in (("script-src", "script", 1), ("style-src", "style", 0)):
        own = page.all(tag)[at][1].encode("utf-8")
        assert rules[name] == f"'sha256-{b64encode(hashlib.sha256(own).digest()).decode()}'"
    # no address of another place, and no style of its own that the policy would refuse
    addresses = [v for _, a, _ in page.elements for k, v in a.items() if k in ("src", "href")]
    assert {str(a).split(":")[0] for a in addresses if not str(a).startswith(("#", "./"))} == {"data"}
    assert not [a for _, attributes, _ in page.elements for a in attributes if a == "style"]
    assert "//" not in str(page.all("video")[0][0]["src"])


def test_the_video_is_found_from_the_page(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    video = tmp_path / "a" / "my #1: 100 % é?.mp4"
    assert address(video, tmp_path / "p.html") == "./a/my%20%231%3A%20100%20%25%20%C3%A9%3F.mp4"
    assert address(tmp_path / "v.mp4", tmp_path / "a" / "p.html") == "./../v.mp4"


def test_a_name_that_is_no_unicode_is_shown_and_found(
    tmp_path: Path, made: Callable[[str], MadeFile]
) -> None:
    video = tmp_path / os.fsdecode(b"caf\xe9.mkv")
    try:
        video.write_bytes(made("h264_mkv").path.read_bytes())
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    write_report(score(video, "packet-cost").select(1), tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert page.all("h1")[0][1] == "caf?.mkv"
    assert page.all("video")[0][0]["src"] == "./caf%E9.mkv"


@pytest.mark.parametrize(
    "data", ["</script>", "<!--", "]]>", "\u2028\u2029", "&amp;", "\udcff", ["<", {"&": ">"}]]
)
def test_json_in_a_script_parses_to_what_it_was(data: Any) -> None:
    text = safe_json(data)
    assert not re.search(r"[<>&\u2028\u2029]", text)
    assert text.isascii()
    assert json.loads(text) == data


def test_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        safe_json(float("nan"))


@pytest.mark.parametrize("name", ["page.txt", "page", "nowhere/page.html"])
def test_a_place_that_cannot_be_is_an_error(
    name: str, tmp_path: Path, made: Callable[[str], MadeFile]
) -> None:
    selection = score(made("h264_mkv").path, "packet-cost").select(1)
    with pytest.raises(InputError):
        write_report(selection, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_video_itself_is_never_replaced(tmp_path: Path, made: Callable[[str], MadeFile]) -> None:
    video = tmp_path / "video.html"
    content = made("h264_mkv").path.read_bytes()
    video.write_bytes(content)
    with pytest.raises(InputError, match="video itself"):
        write_report(score(video, "packet-cost").select(1), video)
    assert video.read_bytes() == content


def test_without_jinja_the_remedy_is_said(
    tmp_path: Path, made: Callable[[str], MadeFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = score(made("h264_mkv").path, "packet-cost").select(1)
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="report"):
        write_report(selection, tmp_path / "page.html")


def test_the_least_salient_are_the_last_of_the_ranking() -> None:
    scores = make_scores([3.0, 1.0, 2.0, 0.5, 4.0])
    assert [c.index for c in bottom(scores, 2, 0.0, {4, 0})] == [3, 1]
    assert [c.rank for c in bottom(scores, 2, 0.0, {4, 0})] == [1, 2]
    assert [c.index for c in bottom(scores, 3, 0.5, {4})] == [3, 1]
    assert [c.index for c in bottom(scores, 5, 0.0, {4, 0, 2})] == [3, 1]
    assert bottom(make_scores([1.0, 1.0, 1.0]), 2, 0.0, {0}) == ()


def test_a_lane_a_stream() -> None:
    streams = {"md": np.array([0.1, 0.2]), "audio": np.array([np.nan, 2.0])}
    found = lanes(make_scores([1.0, 2.0], streams=streams))
    assert [(lane.name, lane.meaning) for lane in found] == [
        ("motion", "saliency"),
        ("md", "motion"),
        ("audio", "sound"),
    ]
    assert found[2].curve.line.count("M") == 1
    assert span(make_scores([1.0, 2.0])) == (0.0, 64 * 1001 / 30000)


def test_a_sampler_of_one_stream_has_one_lane() -> None:
    once = np.array([np.nan, 2.0])
    found = lanes(make_scores([1.5, 2.0], streams={"stats": once, "visual": once.copy()}))
    assert [lane.meaning for lane in found] == ["saliency"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (3599.9, "59:59.9"), (3600, "1:00:00"), (9999.6, "2:46:40")],
)
def test_times_for_people(seconds: float, said: str) -> None:
    assert clock(seconds) == said
