"""The commands export, cut, summary, frames and their JSON, from the words to the files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_files import MadeFile
from media_files import make_video
from salientclips.cli.run import run
from salientclips.media.probe import probe

GetMade = Callable[[str], MadeFile]
PAGE = Path(__file__).resolve().parents[1] / "docs" / "json.md"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Run a command with --json: (exit code, what it printed)."""

    def inner(*words: str | Path) -> tuple[int, Any]:
        code = run([*map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return inner


def is_on_the_page(found: dict[str, Any], verb: str) -> None:
    """Every key is named in its section of docs/json.md."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {verb}\n")[1].split("\n## ")[0]
    keys = {
        *found,
        *(
            key
            for value in found.values()
            if isinstance(value, list)
            for row in value[:1]
            if isinstance(row, dict)
            for key in row
        ),
    }
    assert sorted(key for key in keys - {"schema"} if key not in section) == []


def test_export(call: Callable[..., tuple[int, Any]], made: GetMade, tmp_path: Path) -> None:
    video = made("vfr").path
    code, found = call("export", video, "-k", "3", "-s", "packet-cost", "-o", tmp_path / "x.vtt")
    assert (code, found["format"], found["clips_written"]) == (0, "webvtt", 3)
    is_on_the_page(found, "export")
    assert (tmp_path / "x.vtt").read_text().startswith("WEBVTT\n")
    code, found = call("export", video, "--to", "label-studio", "-o", tmp_path / "x.json")
    assert (code, found["format"]) == (0, "label-studio")
    for words in (
        ("-o", tmp_path / "x.doc"),
        ("-o", tmp_path / "x", "--to", "doc"),
        ("-o", video, "--to", "edl"),
    ):
        code, found = call("export", video, *words)
        assert code == 1
        assert found["error"]["remedy"]


def test_cut(call: Callable[..., tuple[int, Any]], made: GetMade, tmp_path: Path) -> None:
    video = made("h264_bframes_mp4").path
    for copy in ((), ("--copy",)):
        folder = tmp_path / f"clips{len(copy)}"
        code, found = call("cut", video, "-k", "2", "-s", "uniform", "-o", folder, *copy)
        assert code == 0
        assert found["copied"] == bool(copy)
        is_on_the_page(found, "cut")
        for clip in found["clips"]:
            length = probe(Path(clip["output"])).video.duration_s
            assert length == pytest.approx(clip["end_s"] - clip["start_s"], abs=0.05)
            assert copy or clip["starts_early_s"] == clip["ends_late_s"] == 0


def test_summary(call: Callable[..., tuple[int, Any]], made: GetMade, tmp_path: Path) -> None:
    code, found = call("summary", made("stereo_aac").path, "-k", "3", "-o", tmp_path / "short.mp4")
    assert code == 0
    is_on_the_page(found, "summary")
    info = probe(tmp_path / "short.mp4")
    assert info.video.duration_s == pytest.approx(found["duration_s"], abs=0.01)
    assert len(info.audio) == found["has_sound"] == 1
    assert [c["at_s"] for c in found["clips"]] == sorted(c["at_s"] for c in found["clips"])


def test_frames(call: Callable[..., tuple[int, Any]], made: GetMade, tmp_path: Path) -> None:
    video = made("vfr").path
    code, found = call("frames", video, "--frames", "6", "-k", "3", "-o", tmp_path / "x.json")
    assert code == 0
    is_on_the_page(found, "frames")
    parts = json.loads((tmp_path / "x.json").read_text())
    assert [p["type"] for p in parts] == ["text", "image_url"] * 6
    assert base64.b64decode(parts[1]["image_url"]["url"].split(",")[1])[:3] == b"\xff\xd8\xff"
    code, found = call("frames", video, "--tokens", "400", "-k", "3", "-o", tmp_path / "jpegs")
    assert len(found["frames"]) == len(list((tmp_path / "jpegs").glob("*.jpg"))) == 4
    assert found["tokens"] <= 400
    for words in (("--detail", "best"), ("--tokens", "5"), ("--frames", "0")):
        assert call("frames", video, *words, "-o", tmp_path / "y")[0] == 1
    assert call("frames", video, "-o", video)[0] == 1


def test_what_a_person_sees(made: GetMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = make_video(tmp_path / "[b]v.mp4", frames=64)
    for words, seen in (
        (("export", "-o", tmp_path / "x.ffmeta"), "use it with: ffmpeg"),
        (("cut", "--copy", "-o", tmp_path / "c"), "early"),
        (("summary", "-o", tmp_path / "s.mp4"), "without sound"),
        (("frames", "-o", tmp_path / "f.json"), "tokens"),
    ):
        assert run([words[0], str(video), "-k", "1", *map(str, words[1:])]) == 0
        assert seen in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["export", "cut", "summary", "frames", "mcp"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out
