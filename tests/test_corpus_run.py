"""Many videos by the command line: the rows are what the library gives for each file, by either engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import salientclips
from media_files import make_video
from salientclips.cli.run import run
from salientclips.corpus.item import Item
from salientclips.corpus.job import Choosing, Job, Looking, Scoring
from salientclips.datasets.manifest import read_manifest
from salientclips.engines.limits import Limits
from salientclips.engines.local import LocalEngine
from salientclips.engines.ray import RayEngine
from salientclips.engines.run import Engine
from salientclips.engines.work import stages
from salientclips.errors import SalientClipsError
from salientclips.outputs.corpus_dataset import (
    CorpusTables,
    DatasetWriter,
    canonical,
    read_clips,
    read_videos,
)
from salientclips.samplers import DEFAULT_SAMPLER
from salientclips.types import ClipScores, Selection

KINDS = {"a.mp4": ("libx264", 75), "b.avi": ("mpeg4", 48), "c.mkv": ("libx265", 52), "d.mp4": ("libx264", 64)}
BROKEN = ("0empty.mp4", "z.mkv")
LABELS = {"a.mp4": "abseiling", "b.avi": "zumba", "c.mkv": "yoga", "d.mp4": "abseiling"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four videos of three codecs; one empty file before them and one of text after."""
    folder = tmp_path_factory.mktemp("videos")
    for name, (codec, frames) in KINDS.items():
        make_video(folder / name, codec=codec, frames=frames, size=(128, 96))
    (folder / BROKEN[0]).touch()
    (folder / BROKEN[1]).write_text("this is no video")
    return folder


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Path:
    lines = [f"{name},{label},g-{name},test" for name, label in LABELS.items()]
    (folder / "manifest.csv").write_text("\n".join(["path,label,group,split", *lines, ""]))
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def scored(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, scored with all defaults by a process of its own."""
    out = tmp_path_factory.mktemp("scored") / "out"
    done = command("score", folder, "-o", out)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "6 of 6 videos · 2 failed" in done.stdout
    assert "4 videos scored" in done.stdout
    assert sum(line.startswith("failed: ") for line in done.stdout.splitlines()) == 2
    return out


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "salientclips", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process: (exit code, stdout, stderr)."""

    def inner(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(word) for word in words])
        return (code, *capsys.readouterr())

    return inner


def rows(out: Path) -> tuple[dict[str, dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Rows of videos, and of clips in their order, by the video's file name."""
    videos = {Path(row["video"]).name: row for row in read_videos(out).to_pylist()}
    clips: dict[str, list[dict[str, Any]]] = {name: [] for name in videos}
    for row in read_clips(out).to_pylist():
        clips[Path(row["video"]).name].append(row)
    return videos, clips


def same(one: Path, other: Path) -> bool:
    a, b = canonical(one), canonical(other)
    return a.job == b.job and a.videos.equals(b.videos) and a.clips.equals(b.clips)


def check_video(row: dict[str, Any], scores: ClipScores) -> None:
    assert row["status"] == "ok"
    assert (row["error_type"], row["message"], row["remedy"]) == (None, None, None)
    assert (row["size_bytes"], row["sha256"]) == (scores.fingerprint.size_bytes, scores.fingerprint.sha256)
    assert row["num_clips"] == len(scores) > 1
    assert row["sampler"] == scores.sampler
    assert tuple(row["features_used"]) == scores.features_used
    assert tuple(row["warnings"]) == scores.warnings


def check_selection(row: dict[str, Any], clips: list[dict[str, Any]], selection: Selection) -> None:
    assert row["clip_rows"] == len(clips) == len(selection.clips)
    for there, clip in zip(clips, selection.clips, strict=True):
        assert (there["index"], there["rank"], there["score"]) == (clip.index, clip.rank, clip.score)
        assert (there["start_s"], there["end_s"]) == (clip.start_s, clip.end_s)


def test_score_gives_what_the_library_gives_for_each_file(folder: Path, scored: Path) -> None:
    videos, clips = rows(scored)
    assert sorted(videos) == sorted((*KINDS, *BROKEN))
    for name in KINDS:
        scores = salientclips.score(folder / name)
        check_video(videos[name], scores)
        assert [row["score"] for row in clips[name]] == scores.scores.tolist()
        assert [row["index"] for row in clips[name]] == list(range(len(scores)))
        assert {row["rank"] for row in clips[name]} == {None}
        for row, start, end in zip(clips[name], scores.grid.starts, scores.grid.ends, strict=True):
            assert (row["start_s"], row["end_s"]) == (float(start), float(end))
            assert row["start_ticks"] == start * row["ticks_per_second"]


def test_a_broken_file_has_the_row_of_its_error(folder: Path, scored: Path) -> None:
    videos, clips = rows(scored)
    for name in BROKEN:
        with pytest.raises(SalientClipsError) as caught:
            salientclips.score(folder / name)
        row = videos[name]
        assert (row["status"], row["error_type"]) == ("failed", type(caught.value).__name__)
        assert (row["message"], row["remedy"]) == (caught.value.message, caught.value.remedy)
        assert (row["num_clips"], row["clip_rows"], clips[name]) == (0, 0, [])


def test_select_gives_the_clips_in_rank_order(folder: Path, tmp_path: Path, call: Call) -> None:
    names = sorted(KINDS)
    words = [folder / name for name in names]
    options = (
        "--sampler",
        "packet-cost",
        "-k",
        "2",
        "--min-gap",
        "0.6",
        "--clip-frames",
        "8",
        "--frame-step",
        "1",
    )
    code, said, _ = call("select", *words, "-o", tmp_path / "out", *options)
    assert code == 0
    assert "4 videos selected from" in said
    videos, clips = rows(tmp_path / "out")
    assert sorted(videos) == names
    for name in names:
        scores = salientclips.score(folder / name, "packet-cost", clip=salientclips.ClipSpec(8, 1))
        check_video(videos[name], scores)
        selection = scores.select(2, min_gap_s=0.6)
        check_selection(videos[name], clips[name], selection)
        assert videos[name]["note"] == selection.note


@pytest.mark.parametrize("strategy", ["sampler", "dense", "uniform", "oracle"])
def test_classify_gives_what_the_library_gives_for_each_file(
    folder: Path, manifest: Path, tmp_path: Path, call: Call, strategy: str
) -> None:
    pytest.importorskip(
        "torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'"
    )
    words = ("-c", "r3d_18", "--random-weights", "--clip-frames", "8", "--crop-px", "32", "--device", "cpu")
    how = ("--strategy", strategy, "-k", "2", "--sampler", "packet-cost", "--top", "3")
    code, said, _ = call("classify", manifest, "-o", tmp_path / "out", *words, *how, "--workers", "1")
    assert code == 0
    assert "4 videos classified" in said
    f = salientclips.load_classifier("r3d_18", random_weights=True, frames=8, crop_px=32, device="cpu")
    whole = salientclips.VideoClassifier(f, "packet-cost", 2, strategy)
    videos, clips = rows(tmp_path / "out")
    for entry in read_manifest(manifest):
        name = entry.path.name
        expected = whole(entry.path, label=entry.labels[0])
        row = videos[name]
        assert (row["true_labels"], row["group"], row["split"]) == ([LABELS[name]], f"g-{name}", "test")
        assert row["label"] == expected.predictions[0].label
        assert row["probability"] == pytest.approx(expected.predictions[0].probability, abs=1e-6)
        assert [said["label"] for said in row["predictions"]] == [p.label for p in expected.predictions[:3]]
        assert row["sampler"] == ("packet-cost" if strategy == "sampler" else strategy)
        assert row["gflops"] == expected.gflops
        assert [(c["index"], c["rank"]) for c in clips[name]] == [(c.index, c.rank) for c in expected.clips]
        assert len(clips[name]) == (row["num_clips"] if strategy == "dense" else 2)


def test_too_many_failures_stop_the_run_and_it_goes_on_from_there(
    folder: Path, scored: Path, tmp_path: Path, call: Call
) -> None:
    code, said, _ = call("score", folder, "-o", tmp_path / "out", "--max-failures", "0", "--workers", "1")
    assert code == 1
    assert "stopped after 1 failures" in said
    assert len(rows(tmp_path / "out")[0]) < 6
    code, said, _ = call("score", folder, "-o", tmp_path / "out")
    assert code == 1
    assert "stopped" not in said
    assert same(tmp_path / "out", scored)


def test_failed_videos_are_tried_again_when_that_is_asked(folder: Path, tmp_path: Path, call: Call) -> None:
    video = tmp_path / "videos" / "v.mp4"
    video.parent.mkdir()
    shutil.copy(folder / "d.mp4", video.parent / "w.mp4")
    video.write_text("not yet")
    words = ("score", video.parent, "-o", tmp_path / "out")
    assert call(*words)[0] == 1
    shutil.copy(folder / "a.mp4", video)
    code, said, _ = call(*words)
    assert (code, rows(tmp_path / "out")[0]["v.mp4"]["status"]) == (1, "failed")
    assert "2 of the videos by earlier runs" in said
    code, said, _ = call(*words, "--retry-failed")
    videos, clips = rows(tmp_path / "out")
    assert (code, videos["v.mp4"]["status"]) == (0, "ok")
    assert [row["score"] for row in clips["v.mp4"]] == salientclips.score(video).scores.tolist()
    assert "1 of the videos by earlier runs" in said


def test_json_is_a_line_an_event(folder: Path, tmp_path: Path) -> None:
    first = command("score", folder, "-o", tmp_path / "out", "--json")
    events = [json.loads(line) for line in first.stdout.splitlines()]
    assert first.returncode == 1
    start, end = events[0], events[-1]
    assert start == {
        "schema": salientclips.outputs.contract.SCHEMA,
        "event": "start",
        "output": str(tmp_path / "out"),
        "videos": 6,
        "done_before": 0,
        "failed_before": 0,
    }
    assert {**end, "seconds": sorted(end["seconds"])} == {
        "event": "end",
        "output": str(tmp_path / "out"),
        "done": 6,
        "failed": 2,
        "stopped": False,
        "seconds": ["demux", "features", "fetch", "sampler"],
    }
    videos = {Path(event["video"]).name: event for event in events if event["event"] == "video"}
    assert sorted(videos) == sorted((*KINDS, *BROKEN))
    keys = {"event", "video", "status", "clips", "duration_s", "label", "error", "seconds", "warnings"}
    assert all(set(event) == keys for event in videos.values())
    assert videos["a.mp4"]["error"] is None
    assert set(videos["z.mkv"]["error"]) == {"type", "message", "remedy"}
    beats = [event for event in events if event["event"] == "progress"]
    keys = {"done", "failed", "videos_per_second", "video_hours_per_second", "elapsed_s", "left_s"}
    assert all(set(event) == {"event", *keys} for event in beats)
    assert len(events) == 2 + len(videos) + len(beats)
    again = [
        json.loads(line)
        for line in command("score", folder, "-o", tmp_path / "out", "--json").stdout.splitlines()
    ]
    assert [event["event"] for event in again] == ["start", "end"]
    assert (again[0]["done_before"], again[0]["failed_before"]) == (6, 2)
    assert (again[1]["done"], again[1]["failed"]) == (0, 2)


def test_another_job_in_the_same_folder_is_refused(folder: Path, scored: Path, call: Call) -> None:
    before = canonical(scored)
    code, said, error = call("score", folder, "-o", scored, "--sampler", "uniform")
    assert (code, said) == (1, "")
    assert f'is of another job: sampler is "{DEFAULT_SAMPLER}" there, and "uniform" was asked for' in error
    code, _, error = call("select", folder, "-o", scored)
    assert code == 1
    assert 'verb is "score" there' in error
    after = canonical(scored)
    assert after.videos.equals(before.videos)
    assert after.clips.equals(before.clips)


def test_many_videos_want_a_folder_for_the_rows(folder: Path, call: Call) -> None:
    for words in (("score", folder), ("select", folder / "a.mp4", folder / "d.mp4")):
        code, said, error = call(*words)
        assert (code, said) == (1, "")
        assert "give -o FOLDER" in error


def test_a_single_video_is_answered_as_ever(folder: Path, tmp_path: Path, call: Call) -> None:
    code, said, _ = call("score", folder / "a.mp4")
    assert code == 0
    scores = salientclips.score(folder / "a.mp4")
    assert all(f"{value:.4f}" in said for value in scores.scores)
    code, said, _ = call("score", folder / "a.mp4", "-o", tmp_path / "a.parquet", "--json")
    assert code == 0
    assert len(json.loads(said)["clips"]) == len(scores)
    assert salientclips.load_scores(tmp_path / "a.parquet").scores.tolist() == scores.scores.tolist()
    code, said, _ = call("select", folder / "a.mp4", "-k", "1")
    assert code == 0
    assert f"1 of {len(scores)} clips" in said
    for option in (("--workers", "2"), ("--engine", "ray"), ("--retry-failed",), ("--commit-every", "5")):
        code, _, error = call("score", folder / "a.mp4", *option)
        assert code == 1
        assert f"{option[0]} belongs to many videos" in error


def test_ray_gives_the_same_rows_by_the_command_line(
    folder: Path, scored: Path, ray_cluster: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = command("score", folder, "-o", out, "--engine", "ray", "--address", ray_cluster, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "end"
    assert same(out, scored)


def test_two_stages_of_ray_give_the_same_rows_as_one_process(
    folder: Path, manifest: Path, ray_cluster: str, tmp_path: Path
) -> None:
    pytest.importorskip(
        "torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'"
    )
    looking = Looking("r3d_18", random_weights=True, clip_frames=8, crop_px=32, device="cpu")
    clip = salientclips.ClipSpec(8, 2)
    job = Job("classify", Scoring("packet-cost", clip=clip), Choosing(2), looking)
    items = [*map(Item.of, read_manifest(manifest)), *(Item(str(folder / name)) for name in BROKEN)]

    def written(engine: Engine, out: Path) -> CorpusTables:
        with DatasetWriter(out, job.facts()) as writer:
            for outcome in engine.run(items, *stages(job), gpu=True):
                if outcome is not None:
                    writer.add(outcome)
        return canonical(out)

    limits = Limits(600.0)
    local = written(LocalEngine(1, 1, limits), tmp_path / "local")
    ray = written(RayEngine(None, 1, 1, limits), tmp_path / "ray")
    assert local.videos["status"].to_pylist().count("ok") == 4
    assert ray.videos.equals(local.videos)
    assert ray.clips.equals(local.clips)
