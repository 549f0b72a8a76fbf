"""``fit`` with many workers: the same sampler, from a cache that others filled, whatever the videos do to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import ActionVideo, make_action_videos  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.corpus.item import Item  # noqa: E402
from salientclips.corpus.job import Looking  # noqa: E402
from salientclips.engines.kept import kept_entries  # noqa: E402
from salientclips.engines.label import Labelling, label_corpus  # noqa: E402
from salientclips.engines.local import LocalEngine  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402
from salientclips.types import FeatureParameters  # noqa: E402

F = ["-c", "mc3_18", "--random-weights", "--clip-frames", "4", "--frame-step", "2", "--crop-px", "32"]
HOW = ["--streams", "md", "--frames-per-clip", "1", "--epochs", "1", "-k", "4", "--tie-gap", "0"]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> list[ActionVideo]:
    return make_action_videos(tmp_path_factory.mktemp("footage"), "together", 3)


def fitted(folder: Path, output: Path, cache: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    words = ["fit", str(folder), "-o", str(output), "--cache", str(cache), *F, *HOW, *more, "--json"]
    assert run(words) == 0
    found: dict = json.loads(capsys.readouterr().out)
    return found


def test_many_workers_make_the_same_sampler(
    footage: list[ActionVideo], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = footage[0].path.parent
    broken = folder / "broken.mp4"
    broken.write_bytes(b"this is no video")
    try:
        alone = fitted(folder, tmp_path / "mine", tmp_path / "a", capsys)
        many = fitted(folder, tmp_path / "ours" / "mine", tmp_path / "b", capsys, "--workers", "2")
    finally:
        broken.unlink()
    weights = [tmp_path / where / "model.safetensors" for where in ("mine", "ours/mine")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert alone["card"] == many["card"]
    for found in (alone, many):
        (out,) = found["left_out"]
        assert out["path"] == str(broken)
        assert "cannot be opened as a video" in out["reason"]

    def labels(cache: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / cache / "predictions").iterdir()}

    # Seconds differ, so not the bytes, but every entry is there under the same name.
    assert labels("a").keys() == labels("b").keys()
    assert len(labels("b")) == len(footage)


def test_what_is_labelled_is_in_the_cache(footage: list[ActionVideo], tmp_path: Path) -> None:
    f = Looking("mc3_18", random_weights=True, clip_frames=4, frame_step=2, crop_px=32, device="cpu")
    how = Labelling(ClipSpec(4, 2), FeatureParameters(1, ("md",)), tmp_path, f)
    items = [Item(str(video.path)) for video in footage] + [Item(str(tmp_path / "gone.mp4"))]
    failed = label_corpus(items, how, engine=LocalEngine(1))
    assert [outcome.row.error_type for outcome in failed] == ["FileMissingError"]
    assert len(list((tmp_path / "predictions").iterdir())) == len(footage)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    label_corpus(items[:-1], how, engine=LocalEngine(1))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == before


def test_spans_need_no_classifier(footage: list[ActionVideo], tmp_path: Path) -> None:
    how = Labelling(ClipSpec(4, 2), FeatureParameters(1, ("md",)), tmp_path, None)
    assert label_corpus([Item(str(footage[0].path))], how, engine=LocalEngine(1)) == ()
    assert [path.parent.name for path in tmp_path.rglob("*.safetensors")] == ["features"]


def test_videos_that_lie_elsewhere_are_kept_in_the_cache(footage: list[ActionVideo], tmp_path: Path) -> None:
    fsspec = pytest.importorskip(
        "fsspec", reason="fsspec is not installed: pip install 'salientclips[remote]'"
    )
    content = footage[0].path.read_bytes()
    fsspec.filesystem("memory").pipe_file("/kept/a.mp4", content)
    here, there, gone = (
        Item(str(footage[1].path)),
        Item("memory://kept/a.mp4", ("across",)),
        Item("memory://kept/b.mp4"),
    )
    entries, failures = kept_entries([here, there, gone], tmp_path)
    assert [entry.labels for entry in entries] == [(), ("across",)]
    assert entries[0].path == footage[1].path
    assert entries[1].path.read_bytes() == content
    assert entries[1].path.suffix == ".mp4"
    assert [outcome.row.video for outcome in failures] == ["memory://kept/b.mp4"]
    fsspec.filesystem("memory").rm("/kept/a.mp4")
    # A second run does not fetch it again.
    assert kept_entries([there], tmp_path)[0] == entries[1:]


def test_torchrun_and_workers_do_not_go_together(
    footage: list[ActionVideo],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RANK", "0")
    folder = str(footage[0].path.parent)
    assert run(["fit", folder, "-o", str(tmp_path / "s"), *F, "--workers", "2"]) == 1
    assert "torchrun divides the labelling already" in capsys.readouterr().err
