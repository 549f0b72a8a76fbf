"""Traps of damaged, missing and misplaced files (traps.md, rows 5, 9, 10, 24 and 25)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from made_files import MadeFile
from media_files import audio_only, make_video
from salientclips import Job, LocalEngine, motion_vectors, probe, read_videos, residuals, run_corpus, score
from salientclips.corpus.job import Scoring
from salientclips.errors import InputError, SalientClipsError
from trap_verbs import Command, pictures_of

GetMade = Callable[[str], MadeFile]


# --- 5, 9: what is broken inside ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["truncated_mp4", "truncated_mkv", "truncated_ts"])
def test_a_file_that_ends_inside_a_picture_gives_what_is_there(
    name: str, made: GetMade, command: Command, tmp_path: Path
) -> None:
    """Whoever asks for as many frames as the header counts waits, or fails; here they are counted from packets."""
    whole = made(name).path.with_name(f"whole{made(name).path.suffix}")
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 55 // 100])
    count = sum(command.ok("probe", path)["video"]["frames"].values())
    assert 90 <= count < 110
    clips = command.ok("select", path, "-k", "9", "-s", "motion")["clips"]
    assert max(c["end_s"] for c in clips) < 3.9
    command.ok("frames", path, "-k", "9", "--frames", "12", "-o", tmp_path / "jpg")
    shown = [pictures_of(jpeg)[0] for jpeg in sorted((tmp_path / "jpg").iterdir())]
    numbers = [int(jpeg.name[:7]) for jpeg in sorted((tmp_path / "jpg").iterdir())]
    assert [(s, n) for s, n in zip(shown, numbers, strict=True) if s != n and n < 90] == []


def test_flipped_bytes_are_counted_and_cost_what_they_hit(
    made: GetMade, command: Command, tmp_path: Path
) -> None:
    """Bytes of the frames 51 to 72 are wrong; 90 is the next key frame."""
    file = made("flipped_bytes")
    found = command.ok("score", file.path, "-s", "motion")
    assert found["warnings"] == ["2 of the chosen frames could not be read and were left out"]
    assert all(clip["score"] > 0 for clip in found["clips"])
    written = command.ok("vectors", file.path, "-o", tmp_path / "v.csv")
    assert written["warnings"] == ["frames that could not be read and were left out: 6"]
    assert written["frames"] + 6 == command.ok("probe", file.path)["video"]["frames"]["P"]
    pieces = command.ok("cut", file.path, "-k", "4", "-s", "uniform", "-o", tmp_path / "cut")["clips"]
    shown = sorted(c for piece in pieces for c in pictures_of(Path(piece["output"])))
    assert [c for c in shown if 0 <= c < 50 or c >= 90] == [*range(50), *range(90, 120)]
    stills = command.ok("frames", file.path, "-k", "4", "--frames", "40", "-o", tmp_path / "jpg")
    assert len(stills["frames"]) == 40


def test_damage_everywhere_ends_in_a_result(made: GetMade, command: Command, tmp_path: Path) -> None:
    """A fiftieth of the bytes of a fifth of the file, sound included."""
    path = made("broken_everywhere").path
    warnings = []
    for words in (
        ("probe", path),
        ("score", path, "-s", "motion"),
        ("select", path, "-s", "packet-cost"),
        ("cut", path, "-k", "3", "-s", "uniform", "-o", tmp_path / "cut"),
        ("summary", path, "-k", "3", "-s", "uniform", "-o", tmp_path / "s.mp4"),
        ("frames", path, "-k", "3", "-o", tmp_path / "f.json"),
        ("vectors", path, "-o", tmp_path / "v.parquet"),
    ):
        warnings += command.ok(*words)["warnings"]
    assert any("could not be read" in line or "broken" in line for line in warnings)


# --- 10: what is no video -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heap(made: GetMade, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two videos and five files that are none."""
    folder = tmp_path_factory.mktemp("heap")
    good = make_video(folder / "a.mp4", frames=40, size=(96, 64), bframes=2).read_bytes()
    (folder / "b_no_moov.mp4").write_bytes(good[: good.rindex(b"moov") - 4])
    (folder / "c_zero.mp4").touch()
    (folder / "d_text.mkv").write_text("This is no video.\n" * 99)
    (folder / "e_half.mp4").write_bytes(good[: len(good) // 2])
    audio_only(folder / "f_sound.mp4")
    (folder / "g.mp4").write_bytes(good)
    return folder


BROKEN = {
    "b_no_moov.mp4": "NotAVideoError",
    "c_zero.mp4": "NotAVideoError",
    "d_text.mkv": "NotAVideoError",
    "e_half.mp4": "NotAVideoError",
    "f_sound.mp4": "NoVideoStreamError",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_video_is_one_typed_error(name: str, heap: Path, command: Command, tmp_path: Path) -> None:
    path = heap / name
    for words in (
        ("probe",),
        ("score",),
        ("select",),
        ("cut", "-o", tmp_path / "x"),
        ("frames", "-o", tmp_path / "x.json"),
        ("export", "-o", tmp_path / "x.vtt"),
        ("vectors", "-o", tmp_path / "x.csv"),
    ):
        error = command.fails(words[0], path, *words[1:])
        assert error["type"] == BROKEN[name]
        assert name in error["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_batch_goes_on_and_says_so_at_the_end(heap: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "salientclips", "score", heap, "-s", "packet-cost", "-o", tmp_path / "out"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0)
    assert "7 of 7 videos · 5 failed" in done.stdout
    rows = {Path(row["video"]).name: row for row in read_videos(tmp_path / "out").to_pylist()}
    assert {name: row["error_type"] for name, row in rows.items() if row["status"] != "ok"} == BROKEN
    assert {name for name, row in rows.items() if row["num_clips"]} == {"a.mp4", "g.mp4"}


def test_a_corpus_in_python_gives_rows_and_no_exception(heap: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(
        "\n".join(
            map(str, (heap / "a.mp4", heap / "c_zero.mp4", heap / f"{'n' * 300}.mp4", heap / "none.mp4"))
        )
    )
    report = run_corpus(
        listed, tmp_path / "out", Job(scoring=Scoring("packet-cost")), engine=LocalEngine(workers=1)
    )
    assert (report.tally.done, report.failed) == (4, 3)
    kinds = [row["error_type"] for row in read_videos(tmp_path / "out").to_pylist()]
    assert sorted(filter(None, kinds)) == ["FileMissingError", "FileMissingError", "NotAVideoError"]


# --- 24: scores of another file -----------------------------------------------------------------------------------


def test_scores_go_with_their_file_and_no_other(made: GetMade, command: Command, tmp_path: Path) -> None:
    scores = tmp_path / "scores.json"
    mine, other = made("h264_mkv").path, made("ntsc_mkv").path
    command.ok("score", mine, "-s", "packet-cost", "-o", scores)
    moved = tmp_path / "moved and renamed.mkv"
    moved.write_bytes(mine.read_bytes())
    assert command.ok("select", moved, "--scores", scores)["clips"]
    for verb, *output in (
        ("select",),
        ("cut", "-o", tmp_path / "cut"),
        ("summary", "-o", tmp_path / "s.mp4"),
        ("frames", "-o", tmp_path / "f.json"),
        ("export", "-o", tmp_path / "e.vtt"),
    ):
        error = command.fails(verb, other, "--scores", scores, *output)
        assert error["type"] == "StoredScoresError"
    assert command.fails("select", mine, "--scores", scores, "-s", "motion")["type"] == "StoredScoresError"
    changed = bytearray(mine.read_bytes())
    changed[-1] ^= 1
    moved.write_bytes(changed)
    assert command.fails("select", moved, "--scores", scores)["type"] == "StoredScoresError"
    assert sorted(p.name for p in tmp_path.iterdir()) == [moved.name, scores.name]


# --- 25: names, pipes, places -------------------------------------------------------------------------------------


def is_taken(path: Path) -> bool:
    """Whether the file system takes a file of this name."""
    try:
        path.touch()
        path.unlink()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "name",
    [
        "été 日本 🎬.mkv",
        "-k 3 --json.mkv",
        "a'b\"c$(d);%20&#.mkv",
        "no suffix",
        "n" * 240 + ".mkv",
        os.fsdecode(b"stray \xff\xfe bytes.mkv"),
    ],
)
def test_a_name_is_only_a_name(name: str, made: GetMade, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "videos" / name
    path.parent.mkdir()
    if not is_taken(path):
        pytest.skip("this file system takes no such name")
    path.write_bytes(made("h264_mkv").path.read_bytes())
    assert command.ok("probe", path)["path"] == str(path)
    command.ok("score", path, "-s", "packet-cost", "-o", tmp_path / "s.parquet")
    command.ok("select", path, "--scores", tmp_path / "s.parquet")
    (piece,) = command.ok("cut", path, "-k", "1", "-o", tmp_path / "cut")["clips"]
    assert pictures_of(Path(piece["output"]))
    (piece,) = command.ok("cut", path, "-k", "1", "--copy", "-o", tmp_path / "copy")["clips"]
    assert pictures_of(Path(piece["output"]))
    command.ok("frames", path, "-k", "1", "-o", tmp_path / "jpg")
    command.ok("vectors", path, "-o", tmp_path / ("v" * 240 + ".csv"))


WRITERS = (
    ("score", ".parquet"),
    ("score", ".json"),
    ("export", ".parquet"),
    ("export", ".vtt"),
    ("vectors", ".parquet"),
    ("vectors", ".csv"),
    ("summary", ".mp4"),
    ("frames", ".json"),
)


@pytest.mark.parametrize(("verb", "suffix"), WRITERS)
def test_what_is_written_may_have_any_name_or_none(
    verb: str, suffix: str, made: GetMade, command: Command, tmp_path: Path
) -> None:
    video = made("h264_mkv").path
    for name in ("日本 🎬", "o" * 200, os.fsdecode(b"stray \xff\xfe")):
        output = tmp_path / (name + suffix)
        if not is_taken(output):
            continue
        command.ok(verb, video, "-o", output)
        assert output.stat().st_size > 0
        if verb == "score":
            assert command.ok("select", video, "--scores", output)["clips"]
    error = command.fails(verb, video, "-o", tmp_path / ("n" * 300 + suffix))
    assert error["type"] == "InputError"
    assert "cannot be written" in error["message"]
    assert not list(tmp_path.glob(".*"))


def test_a_path_may_be_very_deep(made: GetMade, command: Command, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    path = deep / "v.mkv"
    path.write_bytes(made("h264_mkv").path.read_bytes())
    assert len(str(path)) > 1200
    assert len(command.ok("select", path)["clips"]) == 2
    for too_long in (tmp_path / ("n" * 300 + ".mkv"), tmp_path.joinpath(*["d" * 200] * 30)):
        for verb in ("probe", "select"):
            error = command.fails(verb, too_long)
            assert error["type"] == "FileMissingError"
            assert "too long" in error["message"]


def test_a_read_only_place_is_read_and_not_written_to(
    made: GetMade, command: Command, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "v.mkv"
    path.write_bytes(made("h264_mkv").path.read_bytes())
    path.chmod(0o444)
    home.chmod(0o555)
    try:
        for words in (("probe",), ("score",), ("select",), ("vectors", "-o", tmp_path / "v.csv")):
            command.ok(words[0], path, *words[1:])
        assert [p.name for p in home.iterdir()] == ["v.mkv"]
        # /proc refuses even root, who may write anywhere else.
        place = Path("/proc") if sys.platform == "linux" else home
        for words in (
            ("score", "-o", place / "s.csv"),
            ("cut", "-o", place / "c"),
            ("export", "-o", place / "x.vtt"),
            ("vectors", "-o", place / "v.csv"),
        ):
            error = command.fails(words[0], path, *words[1:])
            assert error["type"] == "InputError"
            assert str(place) in error["message"]
    finally:
        home.chmod(0o755)


def test_bytes_and_open_files_are_refused_with_a_remedy(made: GetMade) -> None:
    path = made("h264_mkv").path
    data = path.read_bytes()
    with path.open("rb") as opened:
        for video in (data, io.BytesIO(data), opened, os.fsencode(path), None, 3):
            for verb in (probe, score, motion_vectors, residuals):
                with pytest.raises(InputError, match="by its path, not as") as caught:
                    verb(video)  # type: ignore[operator]
                assert "write it to a file" in caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_an_error_and_nobody_waits(command: Command, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for verb in ("probe", "score", "select", "classify"):
        words = ("-c", "mc3_18", "--random-weights") if verb == "classify" else ()
        error = command.fails(verb, pipe, *words)
        assert error["type"] == "FileMissingError"
        assert "no regular file" in error["message"]
    with pytest.raises(SalientClipsError, match="no regular file"):
        score(os.devnull)
    with pytest.raises(SalientClipsError):
        score(tmp_path, "uniform")


def test_standard_input_is_a_video(made: GetMade, tmp_path: Path) -> None:
    """An mp4 whose index is at the end, which no reader of a pipe could read."""
    path = made("h264_bframes_mp4").path

    def piped(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "salientclips", *map(str, words)]
        return subprocess.run(
            command,
            input=path.read_bytes(),
            capture_output=True,
            env={**os.environ, "TMPDIR": str(tmp_path / "t")},
        )

    (tmp_path / "t").mkdir()
    done = piped("score", "-", "-s", "packet-cost", "-o", tmp_path / "s.csv", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    done = piped("cut", "-", "-k", "1", "--scores", tmp_path / "s.csv", "-o", tmp_path / "cut")
    assert done.returncode == 0, done.stderr
    (piece,) = (tmp_path / "cut").iterdir()
    shown = pictures_of(piece)
    assert shown == list(range(shown[0], shown[0] + len(shown)))
    assert shown[0] % 32 == 0
    assert b"points to the video" in piped("export", "-", "-o", tmp_path / "x.vtt").stderr
    assert b"several are named" in piped("score", "-", path, "-o", tmp_path / "out").stderr
    assert list((tmp_path / "t").iterdir()) == []


def test_a_url_is_for_a_corpus_and_the_error_says_so(command: Command) -> None:
    error = command.fails("probe", "https://localhost/none.mp4")
    assert error["type"] == "FileMissingError"
    assert "read URLs, with -o FOLDER" in error["remedy"]
    with pytest.raises(SalientClipsError, match="read URLs"):
        score("s3://bucket/none.mp4")
