"""The installed command, end to end: its verbs, what they print with --json, and its help."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import salientclips
from made_files import MadeFile
from salientclips.cli.run import run
from salientclips.samplers import DEFAULT_SAMPLER

VERBS = (
    "probe",
    "score",
    "select",
    "classify",
    "vectors",
    "export",
    "cut",
    "summary",
    "frames",
    "mcp",
    "fit",
    "evaluate",
    "report",
    "view",
    "compare",
    "list",
    "demo",
    "doctor",
)


def test_the_installed_command_answers() -> None:
    script = Path(sys.executable).with_name("salientclips")
    if not script.exists():
        pytest.skip("salientclips is not installed in this environment")
    done = subprocess.run([script, "list", "--json"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "motion" in json.loads(done.stdout)["samplers"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    # mcp speaks its own protocol on stdout, which is JSON already.
    assert ("--json" in capsys.readouterr().out) == (verb != "mcp")


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    printed = capsys.readouterr()
    assert "classify" in printed.out
    assert printed.err == ""


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"salientclips {salientclips.__version__}\n"


def test_probe_score_select_on_a_real_encode(
    call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile], tmp_path: Path
) -> None:
    video = made("h264_bframes_mp4").path
    code, probe, _ = call("probe", video)
    assert code == 0
    assert probe["schema"] == 1
    assert sum(probe["video"]["frames"].values()) == 180

    file = tmp_path / "scores.parquet"
    code, scores, _ = call("score", video, "--output", file)
    assert code == 0
    assert [c["index"] for c in scores["clips"]] == list(range(len(scores["clips"])))
    assert file.exists()

    code, selection, _ = call("select", video, "-k", "3")
    assert code == 0
    assert [c["rank"] for c in selection["clips"]] == [1, 2, 3]
    ranked = sorted(scores["clips"], key=lambda c: (-c["score"], c["index"]))
    assert [c["index"] for c in selection["clips"]] == [c["index"] for c in ranked[:3]]

    code, stored, _ = call("select", video, "-k", "3", "--scores", file)
    assert code == 0
    assert stored["clips"] == selection["clips"]


def test_scores_of_another_file_or_other_options_are_refused(
    call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile], tmp_path: Path
) -> None:
    file = tmp_path / "scores.csv"
    assert call("score", made("h264_mkv").path, "-o", file, "-s", "packet-cost")[0] == 0
    for words in (
        ("select", made("vfr").path, "--scores", file),
        ("select", made("h264_mkv").path, "--scores", file, "--sampler", "uniform"),
        ("select", made("h264_mkv").path, "--scores", file, "--clip-frames", "8"),
    ):
        code, printed, err = call(*words)
        assert code == 1
        assert printed["error"]["type"] == "StoredScoresError"
        assert err.startswith("error: ")


@pytest.mark.parametrize("options", [("--min-gap", "0.5"), ("--coverage", "1"), ("--threshold", "0.1")])
def test_select_takes_its_options(
    options: tuple[str, str], call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile]
) -> None:
    # What a threshold means is the sampler's own.
    words = ("select", made("h264_mkv").path, "-k", "2", "--clip-frames", "4", "-s", "motion")
    code, found, _ = call(*words, *options)
    assert code == 0
    assert 0 < len(found["clips"]) <= 2


def test_fewer_than_k_clips_gives_what_there_is_and_says_so(
    call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile]
) -> None:
    code, found, _ = call("select", made("h264_mkv").path, "-k", "50")
    assert code == 0
    assert len(found["clips"]) == 2
    assert found["note"] == "2 of 50 clips selected: the video has 2 clips"


def test_classify_with_random_weights(
    call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile]
) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    video = made("h264_mkv").path
    words = ("classify", video, "-c", "mc3_18", "-k", "2", "--top", "3")
    code, failed, _ = call(*words)
    assert code == 1
    assert failed["error"]["type"] == "WeightsError"
    assert "--random-weights" in failed["error"]["remedy"] or "random_weights" in failed["error"]["remedy"]
    code, found, _ = call(*words, "--random-weights")
    assert code == 0
    assert len(found["predictions"]) == 3
    assert set(found["seconds"]) == {"demux", "features", "sampler", "decode", "classifier"}
    assert len(found["clips"]) == 2


def test_demo_finds_what_it_hid(call: Callable[..., tuple[int, Any, str]], tmp_path: Path) -> None:
    code, found, _ = call("demo", "--keep", tmp_path / "demo.mp4")
    assert code == 0
    assert found["hits"] == len(found["clips"]) == 4
    assert (tmp_path / "demo.mp4").stat().st_size > 0


def test_doctor_knows_what_loads(call: Callable[..., tuple[int, Any, str]]) -> None:
    code, found, _ = call("doctor")
    assert code == 0
    parts = {part["part"]: part for part in found["parts"]}
    assert parts["av"]["works"]
    assert all(part["remedy"] or part["works"] or part["problem"] for part in parts.values())


def test_doctor_says_when_the_sampler_that_scores_by_default_is_damaged(
    call: Callable[..., tuple[int, Any, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = f"sampler {DEFAULT_SAMPLER}"
    _, found, _ = call("doctor")
    assert {part["part"]: part for part in found["parts"]}[name]["works"]
    monkeypatch.setattr("salientclips.samplers.released._FOLDER", tmp_path)
    _, found, _ = call("doctor")
    part = {part["part"]: part for part in found["parts"]}[name]
    assert not part["works"]
    assert "config.json' does not exist" in part["problem"]
    assert "pip install" in part["remedy"]


@pytest.mark.parametrize("verb", ["score", "select", "classify", "report", "view", "export", "evaluate"])
def test_help_names_the_default_sampler(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("\u2502", " ").split())
    assert f"[default: {DEFAULT_SAMPLER}]" in shown


@pytest.mark.parametrize("many", [False, True])
def test_frames_per_clip_without_a_sampler_says_what_it_goes_with(
    many: bool, call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile], tmp_path: Path
) -> None:
    video = made("h264_mkv").path
    words = ("score", video, video, "-o", tmp_path / "out") if many else ("score", video)
    code, failed, _ = call(*words, "--frames-per-clip", "8")
    assert code == 1
    assert failed["error"]["type"] == "InputError"
    assert "--sampler motion" in failed["error"]["remedy"]
    assert not (tmp_path / "out").exists()
    # Of many videos --json is a line an event, so not by ``call``.
    assert run([*map(str, words), "--frames-per-clip", "8", "-s", "motion"]) == 0


def test_frames_per_clip_beside_stored_scores_is_checked_against_them(
    call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile], tmp_path: Path
) -> None:
    video, stored = made("h264_mkv").path, tmp_path / "s.json"
    assert call("score", video, "-s", "motion", "--frames-per-clip", "2", "-o", stored)[0] == 0
    words = ("select", video, "-k", "1", "--scores", stored)
    assert call(*words, "--frames-per-clip", "2")[0] == 0
    assert call(*words, "--frames-per-clip", "2", "-s", "motion")[0] == 0
    for wrong in (("--frames-per-clip", "3"), ("--frames-per-clip", "3", "-s", "motion")):
        code, failed, _ = call(*words, *wrong)
        assert code == 1
        assert failed["error"]["type"] == "StoredScoresError"


def test_list_names_what_options_accept(call: Callable[..., tuple[int, Any, str]]) -> None:
    code, found, _ = call("list")
    assert code == 0
    assert {"samplers", "objectives", "combinations", "strategies", "classifiers"} <= set(found)
    rules = {"uniform", "random", "packet-cost", "motion", "cumulative-motion"}
    assert set(found["samplers"]) == rules | {one["name"] for one in found["released"]}
    assert {"r3d_18", "mc3_18", "r2plus1d_18", "r2plus1d_34", "ir_csn_152", "i3d_rgb"} == set(
        found["classifiers"]
    )


def test_report_and_compare_write_pages(
    call: Callable[..., tuple[int, Any, str]], made: Callable[[str], MadeFile], tmp_path: Path
) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    video = made("h264_mkv").path
    code, found, _ = call("report", video, "-o", tmp_path / "page.html", "-k", "1", "--clip-frames", "8")
    assert code == 0
    assert found["clips"] == 1
    assert found["size_bytes"] == (tmp_path / "page.html").stat().st_size
    code, found, _ = call("compare", video, "motion", "uniform", "-k", "1", "-o", tmp_path / "both.html")
    assert code == 0
    assert found["strategies"] == ["motion", "uniform"]
    assert [len(s["clips"]) for s in found["selections"]] == [1, 1]
    assert (tmp_path / "both.html").exists()
    for words in (("report", video, "-o", tmp_path / "page.txt"), ("compare", video, "motion")):
        code, failed, _ = call(*words)
        assert code == 1
        assert failed["error"]["type"] == "InputError"


def test_view_serves_until_it_is_interrupted(made: Callable[[str], MadeFile]) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    words = [sys.executable, "-m", "salientclips", "view", str(made("h264_mkv").path)]
    with subprocess.Popen(
        [*words, "--sampler", "packet-cost", "--no-browser", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has its children ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout is not None
            printed = "".join(iter(process.stdout.readline, "}\n")) + "}"
            url = json.loads(printed)["url"]
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert b"salientclips" in answer.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) in (0, 130)
        finally:
            process.kill()
