"""Many videos that lie elsewhere: the rows are those of local files, under names that give nothing away."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'salientclips[remote]'")
pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install 'salientclips[remote]'")

from far_places import Server, tar_bytes, web_server, write_tar
from media_files import make_video
from salientclips import Choosing, Job, LocalEngine, read_clips, read_videos, run_corpus, score
from salientclips.errors import InputError

JOB = Job("select", choosing=Choosing(k=2))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("far") / "v.mp4", frames=150, size=(96, 64))


def served(server: Server, video: Path) -> None:
    server.files = {
        "/a.mp4": video.read_bytes(),
        "/bad.mp4": b"no video",
        "/s.tar": tar_bytes([("x/1.mp4", video.read_bytes()), ("x/1.cls", b"zumba")]),
    }


def test_rows_of_far_videos_are_those_of_local_ones(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    write_tar(tmp_path / "local.tar", [("2.mp4", video.read_bytes())])
    with web_server() as server:
        served(server, video)
        far = [f"{server.url}/{name}" for name in ("a.mp4", "bad.mp4", "gone.mp4", "s.tar")]
        report = run_corpus(
            [str(video), str(tmp_path / "local.tar"), *far], tmp_path / "out", JOB, engine=LocalEngine(1)
        )
        url = server.url
    assert (report.tally.done, report.failed) == (6, 2)
    rows = {row["video"]: row for row in read_videos(tmp_path / "out").to_pylist()}
    good = [
        str(video),
        f"tar://2.mp4::file://{tmp_path}/local.tar",
        f"{url}/a.mp4",
        f"tar://x/1.mp4::{url}/s.tar",
    ]
    assert sorted(rows) == sorted([*good, f"{url}/bad.mp4", f"{url}/gone.mp4"])
    assert rows[good[3]]["true_labels"] == ["zumba"]
    want = [(clip.rank, clip.index, clip.score) for clip in score(video).select(2).clips]
    for name in good:
        clips = [row for row in read_clips(tmp_path / "out").to_pylist() if row["video"] == name]
        assert [(clip["rank"], clip["index"], clip["score"]) for clip in clips] == want
        assert rows[name]["sha256"] == score(video).fingerprint.sha256
    assert rows[f"{url}/gone.mp4"]["error_type"] == "FetchError"
    assert rows[f"{url}/bad.mp4"]["error_type"] == "NotAVideoError"
    # Of a copy nothing is left, and no row tells where it lay.
    assert f"'{url}/bad.mp4' cannot be opened" in rows[f"{url}/bad.mp4"]["message"]
    assert list(tmp_path.glob("salientclips-*")) == []


def test_a_url_that_is_signed_anew_is_the_same_video(video: Path, tmp_path: Path) -> None:
    with web_server() as server:
        served(server, video)
        server.head_allowed = False  # as a signed URL, which is good for one method
        plain = f"{server.url}/a.mp4?part=1"
        for signature in ("first", "second"):
            words = [f"{plain}&X-Amz-Signature={signature}"]
            report = run_corpus(words, tmp_path / "out", JOB, engine=LocalEngine(1))
            assert (report.tally.total, report.failed) == (1, 0)
        assert report.tally.before == 1
        assert [path for path, _ in server.gets if "second" in path] == []
    assert read_videos(tmp_path / "out")["video"].to_pylist() == [plain]
    told = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"X-Amz-Signature" not in told


def test_a_listing_without_a_video_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video"):
        run_corpus(tmp_path / "empty", tmp_path / "out", JOB)
    assert not (tmp_path / "out").exists()


def test_a_url_without_a_folder_is_refused_without_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    from salientclips.cli.run import run

    url = "https://user:hunter2@example.invalid/a.mp4?X-Amz-Signature=abc&part=1"
    assert run(["score", url, "--json"]) == 1
    printed = "".join(capsys.readouterr())
    assert "example.invalid/a.mp4?part=1" in printed
    assert "hunter2" not in printed
    assert "Signature" not in printed
