"""The robustness runs of ``benchmarks/robustness`` in small, and what they once found.

Those runs take minutes and want real videos; here the same code meets a few made-up files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.robustness.disk_faults import FAULTS
from benchmarks.robustness.disks import own_mounts
from benchmarks.robustness.long_video import build_long, build_short, check_axis, measure
from benchmarks.robustness.many_videos import build_videos, run
from benchmarks.robustness.mutated import Bounds, build_batch, run_verb
from benchmarks.robustness.mutations import WAYS, mutate
from benchmarks.robustness.opens import open_often
from benchmarks.robustness.promises import Promises
from benchmarks.robustness.two_writers import TOGETHER, Pair, build_sides, try_corpus, try_writer
from benchmarks.robustness.writers import WRITERS

from media_files import AudioSpec, make_video
from salientclips import cut, score, whole_file
from salientclips.classifiers import ClipInput
from salientclips.classifiers.look import ClipLooker
from salientclips.cli.run import run as run_command
from salientclips.compressed.bitstream import why_unreadable
from salientclips.errors import InputError, NoFramesError
from salientclips.evaluation.tables import write_csv
from salientclips.folder_lock import alone_in
from salientclips.media.decode import FrameReader
from salientclips.media.demux import read_packets
from salientclips.media.output import output_container
from salientclips.media.payloads import read_facts
from salientclips.media.stacked import stacked

ROOT = Path(__file__).parents[1]
BY_NAME = {writer.name: writer for writer in WRITERS}
is_linux = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts what Linux shows in /proc")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("seeds")
    sound = AudioSpec(duration_s=2.0)
    return [
        make_video(folder / "h264.mp4", frames=60, size=(96, 64), bframes=2, gop=20, audio=sound),
        make_video(folder / "mpeg4.avi", codec="mpeg4", frames=50, size=(96, 64), gop=12),
        make_video(folder / "mpeg2.ts", codec="mpeg2video", frames=50, size=(96, 64), gop=12),
    ]


# --- the runs in small ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_is_decided_by_its_number(way: str, seeds: list[Path], tmp_path: Path) -> None:
    for seed in seeds:
        others = [other for other in seeds if other != seed]
        mutate(way, seed, others, tmp_path / f"1{seed.suffix}", 7)
        mutate(way, seed, others, tmp_path / f"2{seed.suffix}", 7)
        content = (tmp_path / f"1{seed.suffix}").read_bytes()
        assert content == (tmp_path / f"2{seed.suffix}").read_bytes()
        assert content != seed.read_bytes()


@is_linux
def test_damaged_files_end_in_results_or_typed_errors(seeds: list[Path], tmp_path: Path) -> None:
    batch = build_batch(tmp_path / "batch", seeds, 60)
    assert len(batch.files) == 63
    promises = Promises("damaged files")
    found = run_verb("score", batch, tmp_path, Bounds(seconds=60.0), promises)
    assert promises.broken == []
    assert found.run["whole_equal"] == 3
    outcomes = {row["outcome"] for row in found.counts}
    assert {"result", "result with warnings", "NotAVideoError"} <= outcomes


@is_linux
@pytest.mark.parametrize(
    "verb", ["score decoded", "motion_vectors left half way", "cut", "cut --copy", "sound"]
)
def test_nothing_stays_open(verb: str, seeds: list[Path], tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    cut_off = tmp_path / "cut.avi"
    cut_off.write_bytes(seeds[1].read_bytes()[:3000])
    files = [seeds[0], cut_off, empty, tmp_path / "missing.mp4"]
    row = open_often(verb, files, tmp_path, opens=12, warm=8)
    assert row["of_them_refused"] in (6, 9)
    assert (row["descriptors"], row["threads"]) == (row["descriptors_at_end"], row["threads_at_end"])


def test_the_far_end_of_a_joined_video(seeds: list[Path], tmp_path: Path) -> None:
    short = build_short(tmp_path / "short.mp4", seeds[0])
    long = build_long(tmp_path / "long.mp4", short, 4)
    measure("score", long)
    promises = Promises("a long video")
    check_axis(long, short, 4, promises)
    assert promises.checked == 8
    assert promises.broken == []


@is_linux
def test_many_videos_of_one_clip(tmp_path: Path) -> None:
    build_videos(tmp_path / "videos", 40)
    promises = Promises("many videos")
    row = run(tmp_path / "videos", tmp_path / "out", 40, 1, promises)
    assert promises.broken == []
    assert row["videos"] == 40


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    words = [*own_mounts(), "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    return subprocess.run(words, capture_output=True).returncode == 0


def test_full_and_forbidden_disks(tmp_path: Path) -> None:
    if not _can_mount():
        pytest.skip("no mount namespaces here")
    words = ["--writers", "score, json;export, csv;cut --copy", "--csv", str(tmp_path / "t.csv")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.robustness.disk_faults", str(tmp_path), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (tmp_path / "t.csv").read_text()
    assert rows.count("No space left on device") == 9
    assert list(FAULTS) == ["full", "half", "read-only", "old, full", "taken"]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as both:
        yield both


@pytest.mark.parametrize("name", ["score, json", TOGETHER, "cut --copy"])
def test_two_writers_of_one_output(name: str, pair: Pair, tmp_path: Path) -> None:
    promises, sides = Promises("two writers"), build_sides(tmp_path, heavy=False)
    try_writer(BY_NAME[name], sides, pair, tmp_path, 3, promises)
    assert promises.broken == []


def test_two_jobs_for_one_data_set(pair: Pair, tmp_path: Path) -> None:
    promises, sides = Promises("two writers"), build_sides(tmp_path, heavy=False)
    score_all, select_all = BY_NAME["score, corpus"], BY_NAME["select, corpus"]
    row = try_corpus(score_all, select_all, sides[0], pair, tmp_path, promises)
    assert promises.broken == []
    assert row["refused"] == 1


# --- what they found ------------------------------------------------------------------------------------------


def test_a_decoder_that_does_not_open_is_a_typed_error(tmp_path: Path) -> None:
    path = make_video(tmp_path / "x.mp4", codec="libx265", frames=40, size=(96, 64))
    content = bytearray(path.read_bytes())
    at = content.index(b"hvcC") + 4
    content[at + 22 : at + 60] = b"\xff" * 38  # its parameter sets
    path.write_bytes(content)
    with pytest.raises(NoFramesError, match="its decoder does not open"):
        score(path)


def test_pictures_without_a_size_are_left_to_the_decoder(seeds: list[Path]) -> None:
    facts = read_facts(seeds[0])
    assert why_unreadable(facts) is None
    for width_px in (0, 1 << 17):
        assert "pixels" in str(why_unreadable(replace(facts, width_px=width_px)))


class Remembers:
    """A classifier that keeps the shapes it was shown."""

    name, labels = "remembers", ("one",)
    input = ClipInput(16, 2, 64, 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), None)

    def __call__(self, clips):  # type: ignore[no-untyped-def]
        import torch

        return torch.ones((len(clips), 1))


def test_a_stream_that_changes_its_size_within_a_clip(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path, parts = tmp_path / "both.ts", []
    for number, size in enumerate([(160, 120), (96, 128)]):
        start = Fraction(number * 40, 30)
        parts.append(
            make_video(tmp_path / f"{number}.ts", codec="mpeg2video", frames=40, size=size, start=start)
        )
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with FrameReader(path) as reader:
        frames = reader.frames_at([Fraction(i, 30) for i in (35, 36, 50, 51)])
    assert {frame.rgb.shape for frame in frames} == {(120, 160, 3), (128, 96, 3)}
    together = stacked([frame.rgb for frame in frames])
    assert together.shape == (4, 120, 160, 3)
    assert np.array_equal(together[0], frames[0].rgb)
    clips = score(path, "uniform").select(2).clips
    looker = ClipLooker(path, Remembers(), read_packets(path))
    assert looker.look(sorted(clips, key=lambda clip: clip.start)).shape == (2, 1)


def test_a_place_that_cannot_be_tidied_is_named_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    said = r"'.*x\.csv' cannot be written \(Read-only file system\)"
    with pytest.raises(InputError, match=said), whole_file.whole_file(tmp_path / "x.csv"):
        raise OSError(30, "Read-only file system")


def test_two_threads_write_beside_one_another(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with whole_file.whole_file(path) as one, whole_file.whole_file(path) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"
    assert [left.name for left in tmp_path.iterdir()] == ["x.txt"]


@is_linux
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_an_encoder_closes_its_file_where_the_disk_is_full() -> None:
    def write() -> None:
        with output_container(Path("/dev/full"), "mp4") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(20):
                frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    before = psutil.Process().num_fds()
    with pytest.raises(OSError, match="No space left on device"):
        write()
    assert psutil.Process().num_fds() == before


@pytest.mark.parametrize("copy", [False, True], ids=["encoded", "copied"])
def test_a_clip_whose_place_is_taken_leaves_nothing(copy: bool, seeds: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "clips"
    out.mkdir()
    (out / f"{seeds[0].stem}_001_0.000s.mp4").mkdir()
    selection = score(seeds[0], "uniform").select(1)
    with pytest.raises(InputError, match="cannot be written"):
        cut(selection, out, copy=copy)
    assert [path.is_dir() for path in out.iterdir()] == [True]


def test_the_demo_writes_its_video_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "demo.mp4"
    taken.mkdir()
    assert run_command(["demo", "--keep", str(taken)]) == 1
    said = capsys.readouterr().err
    assert said == f"error: '{taken}' cannot be written (Is a directory); choose another place\n"
    assert [path.name for path in tmp_path.iterdir()] == ["demo.mp4"]
    assert run_command(["demo", "--keep", str(tmp_path / "demo.nothing")]) == 1
    assert "is no video by its name" in capsys.readouterr().err


def test_tables_of_an_evaluation_appear_whole(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").mkdir()
    with pytest.raises(InputError, match=r"metrics\.csv' cannot be written"):
        write_csv(tmp_path / "metrics.csv", ("a",), [(1,)])
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_files_that_belong_together_are_written_by_one_at_a_time(tmp_path: Path) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def write() -> None:
        nonlocal inside, most
        for _ in range(20):
            with alone_in(tmp_path):
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
