"""What the command prints for people, without --json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import make_scores
from made_files import MadeFile
from salientclips.cli.run import run
from salientclips.cli.show import show_scores
from salientclips.samplers import DEFAULT_SAMPLER


def test_tables_for_people(made: Callable[[str], MadeFile], capsys: pytest.CaptureFixture[str]) -> None:
    video = str(made("stereo_aac").path)
    for words, expected in (
        (["probe", video], "feature md"),
        (["score", video], f"saliency by {DEFAULT_SAMPLER}"),
        (["select", video, "-k", "1"], "rank"),
        (["list"], "packet-cost"),
        (["doctor"], "pyarrow"),
    ):
        assert run(words) == 0
        assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("scores", "bars"),
    [
        ([0.0, 1.0, 2.0], [0, 10, 20]),
        ([1.0, 2.0], [10, 20]),
        ([-4.0, -3.0, -2.0], [0, 10, 20]),
        ([-1.0, 1.0], [0, 20]),
        ([-1.0], [0]),
    ],
)
def test_bars_tell_scores_apart_below_zero_too(
    scores: list[float], bars: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    show_scores(make_scores(scores), None)
    shown = [line.count("#") for line in capsys.readouterr().out.splitlines() if "0:0" in line]
    assert shown == bars


def test_a_remedy_is_a_line_that_can_be_copied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from salientclips.cli.show import show_doctor
    from salientclips.verbs.doctor import Finding

    monkeypatch.setenv("COLUMNS", "60")
    remedy = "pip install 'salientclips[torch]'"
    gone = [Finding(part, False, "", "p" * 40, "not installed", remedy) for part in ("torch", "torchvision")]
    show_doctor([*gone, Finding("av", True, "18.1.0", "reads containers")])
    assert capsys.readouterr().out.splitlines()[-1] == f"torch, torchvision: {remedy}"


def test_strange_file_names_are_only_names(
    made: Callable[[str], MadeFile], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = tmp_path / "[bold]été :smile: 日本.mkv"
    strange.write_bytes(made("h264_mkv").path.read_bytes())
    assert run(["select", str(strange), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(strange)
    assert run(["probe", str(strange)]) == 0
    assert "[bold]" in capsys.readouterr().out
