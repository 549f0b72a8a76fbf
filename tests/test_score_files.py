"""Score files come back bit for bit, and refuse what they are not."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_scores
from salientclips.errors import InputError, StoredScoresError
from salientclips.media.fingerprint import fingerprint
from salientclips.outputs.score_files import check_writable, load_scores, save_scores
from salientclips.samplers import Motion, Random
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import ClipScores

FORMATS = (".parquet", ".json", ".csv")


def assert_same(a: ClipScores, b: ClipScores) -> None:
    assert a == b
    assert np.array_equal(a.scores, b.scores)
    assert a.seconds == b.seconds


@pytest.mark.parametrize("suffix", FORMATS)
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    scores = make_scores([0.1, 1 / 3, -2e-300, 7.0], clip_spec=ClipSpec(seconds=Fraction(1, 3)))
    file = tmp_path / f"scores{suffix}"
    save_scores(scores, file)
    assert_same(load_scores(file), scores)
    assert sorted(p.name for p in tmp_path.iterdir()) == [file.name]


def with_streams() -> ClipScores:
    return make_scores(
        [1.0, 1 / 3, -2.0],
        rule="av-union-list",
        sampler_parameters={"visual_share": 0.7},
        streams={
            "md": np.array([0.1, 1e-300, 5e-324]),
            "visual": np.array([1.0, 1 / 3, -2.0]),
            "audio": np.array([np.nan, -0.0, 1e300]),
        },
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_streams_and_their_gaps_come_back(tmp_path: Path, suffix: str) -> None:
    scores, file = with_streams(), tmp_path / f"scores{suffix}"
    save_scores(scores, file)
    back = load_scores(file)
    assert_same(back, scores)
    assert list(back.streams) == ["md", "visual", "audio"]
    assert np.signbit(back.streams["audio"][1])
    assert [c.index for c in back.select(2).clips] == [c.index for c in scores.select(2).clips]


def test_files_from_before_there_were_streams_load(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    save_scores(make_scores([1.0, 2.0]), file)
    stored = json.loads(file.read_text())
    del stored["streams"]
    file.write_text(json.dumps(stored))
    assert_same(load_scores(file), make_scores([1.0, 2.0]))


def test_hostile_streams_and_rules_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    save_scores(with_streams(), file)
    stored = json.loads(file.read_text())
    for damage in ({"rule": "lottery"}, {"streams": ["md", "smell"]}, {"streams": 3}):
        file.write_text(json.dumps({**stored, **damage}))
        with pytest.raises(StoredScoresError):
            load_scores(file)
    stored["clips"][0]["streams"]["md"] = float("inf")
    file.write_text(json.dumps(stored))
    with pytest.raises(StoredScoresError):
        load_scores(file)


@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    denominators=st.lists(st.integers(1, 90000), min_size=2, max_size=6),
)
@pytest.mark.parametrize("suffix", FORMATS)
def test_any_numbers_and_any_times_survive(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, values: list[float], denominators: list[int]
) -> None:
    times = sorted({Fraction(i * 7, d) for i, d in enumerate(denominators, start=1)})
    spans = list(pairwise(times))[: len(values)]
    scores = make_scores(values[: len(spans)], grid=ClipGrid.from_spans(spans))
    file = tmp_path_factory.mktemp("s") / f"scores{suffix}"
    save_scores(scores, file)
    assert_same(load_scores(file), scores)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_renamed_video_is_recognised_and_another_is_refused(tmp_path: Path, suffix: str) -> None:
    video, other = tmp_path / "a.mp4", tmp_path / "b.mp4"
    video.write_bytes(b"v" * 3_000_000)
    other.write_bytes(b"v" * 2_999_999 + b"w")
    file = tmp_path / f"scores{suffix}"
    save_scores(make_scores([1.0], path=video, fingerprint=fingerprint(video)), file)
    moved = video.rename(tmp_path / "moved.mp4")
    assert load_scores(file, moved).path == moved
    with pytest.raises(StoredScoresError, match="another file"):
        load_scores(file, other)


def test_other_parameters_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    save_scores(make_scores([1.0, 2.0]), file)
    load_scores(file, sampler=Motion(), clip=ClipSpec())
    with pytest.raises(StoredScoresError, match="sampler motion, not random"):
        load_scores(file, sampler=Random(3))
    with pytest.raises(StoredScoresError, match="feature parameters"):
        load_scores(file, sampler=Motion(frames_per_clip=7))
    with pytest.raises(StoredScoresError, match="clips of"):
        load_scores(file, clip=ClipSpec(frames=8))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_a_damaged_file_is_refused(tmp_path: Path, suffix: str, damage: str) -> None:
    file = tmp_path / f"scores{suffix}"
    save_scores(make_scores([1.0, 2.0]), file)
    content = file.read_bytes()
    file.write_bytes({"cut": content[: len(content) // 2], "text": b"hello\nworld", "empty": b""}[damage])
    with pytest.raises(StoredScoresError):
        load_scores(file)


def test_missing_rows_and_other_schemas_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    save_scores(make_scores([1.0, 2.0]), file)
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "clips": stored["clips"][1:]}))
    with pytest.raises(StoredScoresError):
        load_scores(file)
    file.write_text(json.dumps({**stored, "schema": 99}))
    with pytest.raises(StoredScoresError, match="schema 99"):
        load_scores(file)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoredScoresError, match="does not exist"):
        load_scores(tmp_path / "none.parquet")


def test_places_that_cannot_be_written_are_found_early(tmp_path: Path) -> None:
    for place in (tmp_path / "x.txt", tmp_path / "no" / "x.csv", tmp_path):
        with pytest.raises(InputError):
            check_writable(place)
    check_writable(tmp_path / "x.csv")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "scores.csv"
    save_scores(make_scores([1.0]), file)
    before = file.read_bytes()

    def full(self: Path, *args: object, **kwargs: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left"):
        save_scores(make_scores([2.0]), file)
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [file.name]
