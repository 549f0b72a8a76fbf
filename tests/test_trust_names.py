"""What docs/threat_model.md promises of names: they are only names, in a shell, an export, a terminal."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest

from builders import make_scores
from chosen import choose
from conftest import GetMade
from media_files import make_video
from salientclips.cli.run import run
from salientclips.outputs.exports import export

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


def test_what_others_wrote_cannot_move_a_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from salientclips.cli.run import run

    assert run(["probe", str(tmp_path / "\x1b]0;owned\x07\x9b2J.mp4")]) == 1
    printed = capfd.readouterr().err
    assert "owned" in printed
    assert not set(printed) & set("\x1b\x07\x9b")
    from salientclips.cli.show import show_selection

    scores = make_scores([1.0, 2.0], sampler="[red]\x1b[2J", warnings=("\x1b[2Jgone",))
    show_selection(scores.select(1))
    said = capfd.readouterr()
    assert "[red]" in said.out
    assert "gone" in said.err
    assert "\x1b[2J" not in said.out + said.err
