"""The rendered benchmark: drawn from a seed alone, with honest spans, and a build that can be stopped at any time."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.rendered.build import path_of, render  # noqa: E402
from benchmarks.rendered.draw import SHORTEST_SPAN_S, draw  # noqa: E402
from benchmarks.rendered.screenplay import ACTIONS, BACKGROUND, CODECS, Settings, codecs_of, split_of  # noqa: E402
from benchmarks.rendered.sound import FOLDS, soundtrack  # noqa: E402
from benchmarks.rendered.soundtrack import BOUND, kind_of  # noqa: E402
from benchmarks.sets import manifest  # noqa: E402
from benchmarks.sets.encode import SAMPLE_RATE_HZ  # noqa: E402
from benchmarks.sets.sounds import FOLDERS, recordings  # noqa: E402

FULL = Settings()
SMALL = Settings(
    seed=3, videos=4, shortest_s=12, longest_s=12, width_px=64, height_px=48, frame_rate=Fraction(8)
)


def test_a_screenplay_is_a_function_of_the_settings_and_the_number() -> None:
    first = [draw(FULL, index) for index in range(5)]
    assert [draw(FULL, index) for index in reversed(range(5))] == first[::-1]
    assert all(draw(dataclasses.replace(FULL, seed=1), play.index) != play for play in first)
    assert draw(dataclasses.replace(FULL, videos=10), 4) == first[4]


def test_the_full_set_has_its_splits_and_balanced_classes() -> None:
    plays = [draw(FULL, index) for index in range(FULL.videos)]
    assert Counter(play.split for play in plays) == {"train": 240, "val": 60, "test": 120}
    for split in ("train", "val", "test"):
        counts = Counter(play.label for play in plays if play.split == split)
        assert set(counts) == set(ACTIONS)
        assert max(counts.values()) - min(counts.values()) <= 1
    assert len(ACTIONS) >= 12
    assert 0.5 < np.mean([play.has_class_sound for play in plays]) < 0.7
    copies = [play for play in plays if codecs_of(play.index) == CODECS]
    assert len(copies) == 24
    assert {play.split for play in copies} == {"test"}


@pytest.mark.parametrize(
    "settings", [FULL, SMALL, dataclasses.replace(SMALL, frame_rate=Fraction(30000, 1001))]
)
def test_spans_are_few_short_and_inside_the_video(settings: Settings) -> None:
    for index in range(80):
        play = draw(settings, index)
        duration_s = play.frames / settings.frame_rate
        assert settings.shortest_s - 0.1 <= duration_s <= settings.longest_s + 0.1
        assert 1 <= len(play.spans) <= 3
        edges = [edge for span in play.spans for edge in span]
        assert edges == sorted(set(edges))
        assert edges[0] > 0
        assert edges[-1] < play.frames
        assert all((end - start) / settings.frame_rate >= SHORTEST_SPAN_S for start, end in play.spans)
        assert 0.05 <= sum(end - start for start, end in play.spans) / play.frames <= 0.25


def test_the_background_holds_no_class_and_no_shot_looks_away_from_the_action() -> None:
    assert not set(BACKGROUND) & set(ACTIONS)
    for index in range(60):
        play = draw(FULL, index)
        assert {one.kind for one in play.behaviours} <= {*BACKGROUND, play.label}
        for tiles in (play.behaviours, play.shots):
            assert [0, *(tile.end for tile in tiles)] == [*(tile.start for tile in tiles), play.frames]
        for shot in play.shots:
            if shot.away:
                assert not any(start < shot.end and shot.start < end for start, end in play.spans)


def test_too_short_a_video_is_refused() -> None:
    with pytest.raises(ValueError, match="11 s"):
        Settings(shortest_s=8, longest_s=9)


def test_the_class_is_heard_where_the_manifest_says_so() -> None:
    for index in range(12):
        play = draw(SMALL, index)
        inside = [n for n in play.noises if any(a < n.end and n.start < b for a, b in play.spans)]
        assert play.has_class_sound == any(noise.kind in BOUND for noise in inside)
        assert {noise.kind for noise in inside} & set(BOUND) <= {kind_of(play.label)}
        sound = soundtrack(play, SMALL, None)
        assert len(sound) == round(play.frames / SMALL.frame_rate * SAMPLE_RATE_HZ)
        assert np.array_equal(sound, soundtrack(play, SMALL, None))
        quiet, loud = np.zeros(len(sound), bool), np.zeros(len(sound), bool)
        for noise in play.noises:
            a, b = (round(edge / SMALL.frame_rate * SAMPLE_RATE_HZ) for edge in (noise.start, noise.end))
            loud[a:b] = True
        quiet = ~loud
        if play.noises and quiet.any():
            level = sound.astype(float) ** 2
            assert level[loud].mean() > level[quiet].mean()


def test_recordings_of_other_splits_are_not_used(data_dir: Path) -> None:
    used = {
        split: {file for kind in FOLDERS for file in recordings(data_dir / "esc10", kind, folds)}
        for split, folds in FOLDS.items()
    }
    assert sum(map(len, used.values())) == len(set.union(*used.values())) == 400


def test_spans_survive_the_manifest() -> None:
    spans = ((40, 75), (601, 640))
    text = manifest.spans_text(spans, Fraction(25, 2))
    assert text == "3.200-6.000;48.080-51.200"
    assert manifest.read_spans(text) == [(3.2, 6.0), (48.08, 51.2)]


def test_nothing_of_the_action_is_seen_outside_its_spans() -> None:
    pytest.importorskip("pybullet_data", reason="the captured clips come with pybullet")
    from benchmarks.rendered.acting import act

    play = draw(FULL, 0)
    other = next(label for label in ACTIONS if label != play.label)
    swapped = tuple(
        dataclasses.replace(one, kind=other) if one.kind == play.label else one for one in play.behaviours
    )
    one = act(play, 12.5).poses
    two = act(dataclasses.replace(play, label=other, behaviours=swapped), 12.5).poses
    alike = np.array([np.allclose(a.turns, b.turns) and np.isclose(a.position_m[1], b.position_m[1])
                      for a, b in zip(one, two, strict=True)])  # fmt: skip
    inside = np.zeros(play.frames, bool)
    for start, end in play.spans:
        inside[start:end] = True
    assert alike[~inside].all()
    assert not alike[inside].any()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of four small videos."""
    pytest.importorskip("pybullet", reason="rendering needs pybullet: pip install pybullet")
    from benchmarks.rendered.build import build

    return build(tmp_path_factory.mktemp("rendered"), SMALL, 1, None).parent


def test_the_manifest_lists_files_that_are_as_it_says(built: Path) -> None:
    with (built / "manifest.csv").open() as file:
        assert next(csv.reader(file)) == [
            *("path", "label", "group", "split", "spans", "seed", "codec", "has_class_sound")
        ]
    videos = manifest.read(built / "manifest.csv")
    assert [row.codec for row in videos] == ["h264"] * SMALL.videos
    copies = {codec: manifest.read(built / f"codec-{codec}.csv") for codec in CODECS}
    assert [row.group for row in copies["h264"]] == ["0001-" + draw(SMALL, 1).label]
    for codec, rows in copies.items():
        assert [row._replace(path="", codec="h264") for row in rows] == [
            row._replace(path="") for row in copies["h264"]
        ]
        assert {row.codec for row in rows} == {codec}
    for row in [*videos, *(row for rows in copies.values() for row in rows)]:
        with av.open(str(built / row.path)) as video:
            stream = video.streams.video[0]
            assert stream.codec_context.name in (row.codec, "libvpx-vp9", "vp9")
            times = [frame.time for frame in video.decode(stream)]
        assert times == [number / 8 for number in range(96)]
        for start_s, end_s in manifest.read_spans(row.spans):
            assert 0 < start_s < end_s < 12
        assert row.split == split_of(int(row.group[:4]))
        assert row.label in row.path
        assert row.has_class_sound in "01"


def test_the_codecs_are_set_as_the_manual_says(built: Path) -> None:
    play = draw(SMALL, 1)
    with av.open(str(built / path_of(play, "mpeg4"))) as video:
        kinds = [PictureType(frame.pict_type).name for frame in video.decode(video=0)]
    assert set(kinds) == {"I", "P"}
    keys = [at for at, kind in enumerate(kinds) if kind == "I"]
    assert max(np.diff([*keys, len(kinds)])) == 12
    with av.open(str(built / path_of(play, "h264"))) as video:
        assert "B" in {PictureType(frame.pict_type).name for frame in video.decode(video=0)}
        assert video.streams.audio[0].codec_context.name == "aac"


def test_a_video_made_again_has_the_same_pixels(built: Path, tmp_path: Path) -> None:
    render(SMALL, None, 2, {"h264": tmp_path / "again.mp4"})
    assert _pixels(tmp_path / "again.mp4") == _pixels(built / path_of(draw(SMALL, 2), "h264"))


def test_a_build_that_was_killed_goes_on_and_ends_the_same(built: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.rendered", str(tmp_path), "--seed", "3", "--videos", "4"]
    command += ["--seconds", "12", "--size", "64x48", "--fps", "8", "--workers", "2"]
    env = {**os.environ, "SALIENTCLIPS_DATA": str(tmp_path / "none")}
    first = tmp_path / path_of(draw(SMALL, 0), "h264")
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as building:
        until = time.monotonic() + 120
        while not first.exists() and time.monotonic() < until:
            time.sleep(0.05)
        building.kill()
    assert first.exists()
    before = first.stat().st_mtime_ns
    broken = tmp_path / path_of(draw(SMALL, 3), "h264")
    broken.parent.mkdir(exist_ok=True)
    broken.write_bytes((built / path_of(draw(SMALL, 3), "h264")).read_bytes()[:-4000])
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)
    assert first.stat().st_mtime_ns == before
    assert (tmp_path / "manifest.csv").read_text() == (built / "manifest.csv").read_text()
    for index in range(4):
        file = path_of(draw(SMALL, index), "h264")
        assert _pixels(tmp_path / file) == _pixels(built / file)
    assert not list(tmp_path.glob("*/*.part*"))


def test_a_folder_of_other_settings_is_not_mixed_up(built: Path) -> None:
    from benchmarks.rendered.build import build

    with pytest.raises(ValueError, match="another seed"):
        build(built, dataclasses.replace(SMALL, seed=4), 1, None)
    assert json.loads((built / "settings.json").read_text())["seed"] == "3"


def _pixels(file: Path) -> str:
    sums = hashlib.sha256()
    with av.open(str(file)) as video:
        for frame in video.decode(video=0):
            sums.update(frame.to_ndarray().tobytes())
    return sums.hexdigest()
