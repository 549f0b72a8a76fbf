"""The benchmarks of joined footage: sources never on two sides, spans where the target is, one encoder for all."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.joined import cctv_fight, clips, composed, everyday  # noqa: E402
from benchmarks.joined.build import join, tables  # noqa: E402
from benchmarks.joined.clips import FRAME_RATE, HEIGHT_PX, WIDTH_PX, Clip, Part, Row  # noqa: E402
from benchmarks.joined.footage import pictures  # noqa: E402
from benchmarks.sets import manifest  # noqa: E402
from benchmarks.sets.encode import SAMPLE_RATE_HZ, Writer  # noqa: E402


def listed() -> list[Clip]:
    """As many clips as the real list, of the same sets, in groups of uneven sizes."""
    random = np.random.default_rng(5)
    made = []
    for number in range(40):
        group = f"source{min(number // 2, 9)}"
        made.append(Clip(f"k400_clips/{number}.mp4", "k400_clips", f"act {number}|other", group, 7.9, -20.0))
    for collection, length_s in (("vioperu", 5.0), ("fight_surv", 2.1)):
        for number in range(200):
            group = f"{collection}-{int(random.integers(60))}"
            label = "fight" if random.random() < 0.5 else "noFight"
            made.append(Clip(f"{collection}/{number}.mp4", collection, label, group, length_s, None))
    for number in range(14):
        label = "Fall" if number < 9 else "ADL"
        group = f"Subject_{number % 4}"
        made.append(Clip(f"gmdcsa24/{number}.mp4", "gmdcsa24_subset", label, group, 5.0, -40.0))
    for number, label in enumerate(("eat", "walk", *everyday.RECORDINGS)):
        made.append(Clip(f"asl/{number}.mp4", "asl_intel", label, label, 2.0 if number < 2 else 40.0, None))
    return made


@pytest.fixture(params=[composed.rows, cctv_fight.rows], ids=["composed", "cctv-fight"])
def rows(request: pytest.FixtureRequest) -> list[Row]:
    """All videos of a set."""
    made: list[Row] = request.param(listed(), 0)
    assert made == request.param(listed(), 0)
    assert made != request.param(listed(), 1)
    return made


def test_no_source_is_on_two_sides(rows: list[Row]) -> None:
    sides: dict[str, set[str]] = {}
    for row in rows:
        for part in row.parts:
            sides.setdefault(part.clip.group, set()).add(row.split)
    assert all(len(splits) == 1 for splits in sides.values())
    assert len({row.split for row in rows}) == 3
    assert len({row.name for row in rows}) == len(rows)


def test_spans_are_where_the_target_is(rows: list[Row]) -> None:
    for row in rows:
        marked = np.concatenate([np.full(part.frames, part.salient) for part in row.parts])
        inside = np.zeros(row.frames, bool)
        for start, end in row.spans:
            inside[start:end] = True
        assert (inside == marked).all()
        assert {part.clip.label for part in row.parts if part.salient} <= {row.label}
        assert (
            row.label not in {part.clip.label for part in row.parts if not part.salient}
            or row.label == "noFight"
        )


def test_composed_has_one_target_in_a_minute_or_two_of_dull_footage() -> None:
    made = composed.rows(listed(), 0)
    assert len(made) == 40 * composed.DRAWS
    places = []
    for row in made:
        (span,) = row.spans
        assert 60 <= row.frames / FRAME_RATE <= 130
        assert {part.clip.label for part in row.parts if not part.salient} == {"noFight"}
        places.append(span[0] / (row.frames - (span[1] - span[0])))
        # Clips of one run stay together and in order, but for where the target stands between two runs.
        groups = [part.clip.group for part in row.parts if not part.salient]
        changes = sum(a != b for a, b in itertools.pairwise(groups))
        assert changes == len(set(groups)) - 1
    assert 0.35 < np.mean(places) < 0.65


def test_each_fold_is_the_test_of_one_manifest() -> None:
    lines = [
        manifest.Row(f"fold{n % 3}/{n}.mp4", "act", "a", f"fold{n % 3}", "", "0", "h264", "0")
        for n in range(9)
    ]
    made = tables(lines)
    assert set(made) == {"manifest", "fold0", "fold1", "fold2"}
    assert {line.split for line in made["manifest"]} == {""}
    for fold in ("fold0", "fold1", "fold2"):
        assert all((line.split == "test") == line.path.startswith(fold) for line in made[fold])
        assert [line.path for line in made[fold]] == [line.path for line in lines]
    dealt = [line._replace(split="val") for line in lines]
    assert tables(dealt) == {"manifest": dealt}


def test_each_fight_has_a_twin_without() -> None:
    made = cctv_fight.rows(listed(), 0)
    assert Counter(row.label for row in made) == {"fight": len(made) // 2, "noFight": len(made) // 2}
    for fight, calm in zip(made[::2], made[1::2], strict=True):
        assert fight.label == "fight"
        assert len(fight.spans) == 1
        assert calm.spans == []
        assert {part.clip for part in fight.parts if not part.salient} < {part.clip for part in calm.parts}
        assert len({part.clip.set for part in (*fight.parts, *calm.parts)}) == 1


def test_everyday_shows_nothing_but_what_anyone_may_use() -> None:
    made = everyday.rows(listed(), 0)
    assert made == everyday.rows(listed(), 0) != everyday.rows(listed(), 1)
    assert len(made) == len({row.name for row in made}) == 11 * everyday.DRAWS
    for row in made:
        (span,) = row.spans
        salient = [part.clip for part in row.parts if part.salient]
        assert row.split == "val"
        assert {part.clip.set for part in row.parts} <= {"gmdcsa24_subset", "asl_intel"}
        assert [clip.label for clip in salient] in (
            [["Fall"]] if row.label == "fall" else [["eat"], ["walk"]]
        )
        assert span[1] - span[0] == sum(clips.frames_of(clip) for clip in salient)
        assert 30 <= row.frames / FRAME_RATE <= 70
        assert all(
            part.start_s * FRAME_RATE + part.frames <= clips.frames_of(part.clip) + 1 for part in row.parts
        )
    # A fall stands among doings of the same person, where there are any.
    fall = next(row for row in made if row.label == "fall")
    assert fall.group in {part.clip.group for part in fall.parts if not part.salient}


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    """Two clips of one colour each: red at 25 frames/s, upright; blue at 30000/1001, lying; and a recording."""
    folder = tmp_path / "clips256"
    folder.mkdir()
    for name, colour, size, rate in (
        ("red", (200, 20, 20), (256, 320), Fraction(25)),
        ("blue", (20, 20, 200), (456, 256), Fraction(30000, 1001)),
    ):
        with av.open(str(folder / f"{name}.mp4"), "w") as output:
            stream = output.add_stream("mpeg4", rate=rate)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            picture = np.broadcast_to(np.array(colour, np.uint8), (size[1], size[0], 3))
            for _ in range(int(3 * rate)):
                output.mux(
                    stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"))
                )
            output.mux(stream.encode(None))
    return folder


def test_pictures_are_those_of_the_clips_in_their_order(coloured: Path) -> None:
    red = Clip("red.mp4", "k400_clips", "red", "a", 3.0, None)
    blue = Clip("blue.mp4", "vioperu", "noFight", "b", 3.0, None)
    parts = (clips.whole(blue), Part(red, 1.0, 20, salient=True), clips.whole(blue))
    row = Row("row", "red", "a", "fold0", parts, sounds=False, seed=1)
    colours = ""
    for frame in pictures(row, coloured):
        assert (frame.width, frame.height, frame.format.name) == (WIDTH_PX, HEIGHT_PX, "yuv420p")
        mean = frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(axis=0)
        colours += "R" if mean[0] > 150 and mean[2] < 60 else "B" if mean[2] > 150 and mean[0] < 60 else "?"
    assert colours == "B" * 36 + "R" * 20 + "B" * 36
    assert row.spans == [(36, 56)]


def test_a_clip_shorter_than_listed_is_an_error(coloured: Path) -> None:
    long = Clip("red.mp4", "k400_clips", "red", "a", 5.0, None)
    row = Row("row", "red", "a", "fold0", (clips.whole(long, salient=True),), sounds=False, seed=1)
    with pytest.raises(ValueError, match=r"red\.mp4"):
        list(pictures(row, coloured))


def test_a_joined_video_is_as_long_as_its_parts_and_has_sound(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clips.read(data_dir / "clips256")
    row = composed.rows(real, 0)[0]
    heard = next(part for part in row.parts if part.salient)
    short = Row("row", row.label, row.group, row.split, (row.parts[1], heard), row.sounds, row.seed)
    shown: dict[int, list[bytes]] = {1: [], 2: []}
    write = Writer.write
    for number in (1, 2):

        def watched(
            self: Writer, frame: av.VideoFrame, sound: Any, seen: list[bytes] = shown[number]
        ) -> None:
            seen.append(b"".join(bytes(plane) for plane in frame.planes))
            write(self, frame, sound)

        monkeypatch.setattr(Writer, "write", watched)
        join((short,), data_dir, 0, {"h264": tmp_path / f"{number}.mp4"})
    # Not the files: on some processors x264 decides now and then otherwise about the same pictures, on one thread.
    assert len(shown[1]) == short.frames
    assert [one == other for one, other in zip(*shown.values(), strict=True)] == [True] * short.frames
    with av.open(str(tmp_path / "1.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == short.frames
    with av.open(str(tmp_path / "1.mp4")) as video:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in video.decode(audio=0)])
    start = round(short.spans[0][0] / FRAME_RATE * SAMPLE_RATE_HZ)
    assert row.sounds
    assert np.abs(sound[start:]).max() > 0.05
