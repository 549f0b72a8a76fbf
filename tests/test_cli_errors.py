"""The command and bad input, which is normal: one line, an exit code, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_files import MadeFile
from salientclips.cli.run import run


def command(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``salientclips WORDS`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "salientclips", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


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
