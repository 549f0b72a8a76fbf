"""The installed command, end to end: what it prints, its exit codes, and never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import salientclips
from builders import make_scores
from made_files import MadeFile
from salientclips.cli.run import run
from salientclips.cli.show import show_scores
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


def command(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``salientclips WORDS`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "salientclips", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """Run a command with --json in this process: (exit code, what it printed, stderr)."""

    def inner(*words: str | Path) -> tuple[int, Any, str]:
        code = run([*map(str, words), "--json"])
        printed = capsys.readouterr()
        return code, json.loads(printed.out), printed.err

    return inner


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


# --- bad input is normal --------------------------------------------------------------------------------------


def bad_file(kind: str, folder: Path, made: Callable[[str], MadeFile]) -> Path:
    good = made("h264_bframes_mp4").path.read_bytes()
    path = folder / "bad.mp4"
    if kind == "directory":
        return folder
    if kind == "missing":
        return folder / "none.mp4"
    if kind == "audio only":
        song = folder / "song.wav"
        with wave.open(str(song), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(16000))
        return song
    content = {"empty": b"", "text": b"This is no video.\n" * 50, "truncated": good[: len(good) // 2]}[kind]
    path.write_bytes(content)
    return path


BAD = {
    "missing": "FileMissingError",
    "directory": "FileMissingError",
    "empty": "NotAVideoError",
    "text": "NotAVideoError",
    "truncated": "NotAVideoError",
    "audio only": "NoVideoStreamError",
}


@pytest.mark.parametrize("verb", ["probe", "score", "select"])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_line_and_exit_code_1(
    verb: str,
    kind: str,
    tmp_path: Path,
    made: Callable[[str], MadeFile],
    call: Callable[..., tuple[int, Any, str]],
) -> None:
    path = bad_file(kind, tmp_path, made)
    code, printed, err = call(verb, path)
    assert code == 1
    # A folder is many videos where a verb takes many.
    many = kind == "directory" and verb != "probe"
    assert printed["error"]["type"] == ("InputError" if many else BAD[kind])
    assert str(path) in printed["error"]["message"]
    assert printed["error"]["remedy"]
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_process_prints_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = command("score", tmp_path / "none.mp4")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_flipped_bytes_give_a_result(
    made: Callable[[str], MadeFile], call: Callable[..., tuple[int, Any, str]]
) -> None:
    code, found, err = call("select", made("flipped_bytes").path, "-k", "2")
    assert code == 0
    assert len(found["clips"]) == 2
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("select", "VIDEO", "-k", "0"),
        ("select", "VIDEO", "--coverage", "2"),
        ("select", "VIDEO", "--sampler", "emotion"),
        ("score", "VIDEO", "--output", "scores.txt"),
        ("score", "VIDEO", "--clip-seconds", "-1"),
        ("score", "VIDEO", "--clip-frames", "0"),
        ("classify", "VIDEO", "--strategy", "guess", "-c", "mc3_18", "--random-weights"),
        ("classify", "VIDEO", "-c", "nonet"),
        ("demo", "--keep", "/nowhere/demo.mp4"),
    ],
)
def test_impossible_options_are_errors(
    words: tuple[str, ...], made: Callable[[str], MadeFile], call: Callable[..., tuple[int, Any, str]]
) -> None:
    video = str(made("h264_mkv").path)
    code, printed, err = call(*(video if w == "VIDEO" else w for w in words))
    assert code == 1
    assert printed["error"]["message"]
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("fly",), ("select",), ("score", "x.mp4", "--nonsense")])
def test_what_is_not_understood_is_exit_code_2(
    words: tuple[str, ...], call: Callable[..., tuple[int, Any, str]]
) -> None:
    code, printed, err = call(*words)
    assert code == 2
    assert "see --help" in printed["error"]["remedy"]
    assert err.count("\n") == 1


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    printed = capsys.readouterr()
    assert "classify" in printed.out
    assert printed.err == ""


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"salientclips {salientclips.__version__}\n"


def test_an_unforeseen_error_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, call: Callable[..., tuple[int, Any, str]]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("salientclips.verbs.names.names", broken)
    code, printed, err = call("list")
    assert code == 1
    assert "ZeroDivisionError: of all things" in printed["error"]["message"]
    assert err.count("\n") == 1
    monkeypatch.setenv("SALIENTCLIPS_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run(["list", "--json"])


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
