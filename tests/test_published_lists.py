"""Kinetics, Sports-1M and ActivityNet: rows of their published lists become entries; what is missing is listed."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.datasets.activitynet import read_activitynet
from salientclips.datasets.kinetics import read_kinetics
from salientclips.datasets.manifest import Entry, missing_files, read_manifest, write_manifest
from salientclips.datasets.sports1m import balanced_subset, read_sports1m
from salientclips.errors import FileMissingError, InputError

KINETICS = """label,youtube_id,time_start,time_end,split,is_cc
abseiling,-3B32lodo2M,59,69,val,0
"air drumming",_dbcJuKJQNs,40,50,validate,0
zumba,abcdefghijk,0,10,train,1
"""


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    for name in (
        "abseiling/-3B32lodo2M_000059_000069.mp4",
        "_dbcJuKJQNs.webm",
        "x/UDqivjS-lpI.mkv",
        "v_0dkIbKXXFzI.mp4",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_kinetics(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(KINETICS)
    found = read_kinetics(tmp_path / "list.csv", videos)
    assert [entry.labels for entry in found] == [("abseiling",), ("air drumming",), ("zumba",)]
    assert [entry.split for entry in found] == ["validation", "validation", "train"]
    assert found[0].path.name == "-3B32lodo2M_000059_000069.mp4"
    assert found[1].path.name == "_dbcJuKJQNs.webm"
    assert missing_files(found) == (videos / "abcdefghijk_000000_000010.mp4",)
    write_manifest(found, tmp_path / "manifest.csv")
    assert read_manifest(tmp_path / "manifest.csv") == found


def test_kinetics_test_lists_have_no_labels(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("youtube_id,time_start,time_end,split\nabc,1,11,test\n")
    assert read_kinetics(tmp_path / "test.csv", videos)[0].labels == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [("a,b\n1,2\n", "no column"), (KINETICS.replace("59", "soon"), "line 2"), (KINETICS + "a,b\n", "line 5")],
)
def test_what_is_no_kinetics_list(text: str, says: str, videos: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(InputError, match=says):
        read_kinetics(tmp_path / "list.csv", videos)


def test_sports1m(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("boomerang\nski flying\ncurling\n")
    partition = tmp_path / "train_partition.txt"
    partition.write_text(
        "https://www.youtube.com/watch?v=UDqivjS-lpI 1,2\nhttp://www.youtube.com/watch?v=gone 0\n"
    )
    found = read_sports1m(partition, tmp_path / "labels.txt", videos)
    assert [(e.labels, e.group, e.split) for e in found] == [
        (("ski flying", "curling"), "UDqivjS-lpI", "train"),
        (("boomerang",), "gone", "train"),
    ]
    assert found[0].path == videos / "x" / "UDqivjS-lpI.mkv"
    assert missing_files(found) == (videos / "gone.mp4",)
    for line in (
        "https://www.youtube.com/watch?v=a 3",
        "https://www.youtube.com/watch?v=a -1",
        "nothing",
        "http://a/ 1",
    ):
        partition.write_text(f"{line}\n")
        with pytest.raises(InputError, match="line 1"):
            read_sports1m(partition, tmp_path / "labels.txt", videos)


def some_entries(count: int) -> list[Entry]:
    return [Entry(Path(f"{i}.mp4"), (f"c{i % 3}",) if i % 7 else (), str(i)) for i in range(count)]


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 3), st.randoms())
def test_mini_sports_is_balanced_and_does_not_know_order(
    count: int, per_class: int, seed: int, random: object
) -> None:
    entries = some_entries(count)
    drawn = balanced_subset(entries, per_class, seed=seed)
    for label in ("c0", "c1", "c2"):
        have = sum(entry.labels == (label,) for entry in entries)
        assert sum(entry.labels == (label,) for entry in drawn) == min(have, per_class)
    assert all(entry.labels for entry in drawn)
    assert [e for e in entries if e in drawn] == list(drawn)
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(balanced_subset(shuffled, per_class, seed=seed)) == set(drawn)


def test_another_seed_draws_otherwise() -> None:
    entries = some_entries(200)
    assert balanced_subset(entries, 10, seed=0) != balanced_subset(entries, 10, seed=1)
    with pytest.raises(InputError, match="0 videos"):
        balanced_subset(entries, 0)


def test_activitynet(videos: Path, tmp_path: Path) -> None:
    database = {
        "0dkIbKXXFzI": {
            "subset": "training",
            "annotations": [
                {"label": "Swimming", "segment": [3.1, 7]},
                {"label": "Diving", "segment": [0.5, 2.25]},
                {"label": "Swimming", "segment": [9, 9]},
            ],
        },
        "gone": {"subset": "testing", "annotations": []},
    }
    (tmp_path / "a.json").write_text(json.dumps({"version": "1.3", "database": database}))
    first, second = read_activitynet(tmp_path / "a.json", videos)
    assert first.labels == ("Swimming", "Diving")
    assert first.spans == ((Fraction(1, 2), Fraction(9, 4)), (Fraction(31, 10), Fraction(7)))
    assert (first.split, first.path.name) == ("train", "v_0dkIbKXXFzI.mp4")
    assert (second.labels, second.split, second.path) == ((), "test", videos / "v_gone.mp4")
    for broken in (
        {"subset": "exam", "annotations": []},
        {"subset": "training", "annotations": [{"label": "a"}]},
        3,
    ):
        (tmp_path / "a.json").write_text(json.dumps({"database": {"x": broken}}))
        with pytest.raises(InputError, match="'x' is damaged"):
            read_activitynet(tmp_path / "a.json", videos)


def test_lists_and_folders_that_are_not_there(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        read_kinetics(tmp_path / "none.csv", videos)
    with pytest.raises(FileMissingError):
        read_activitynet(tmp_path / "none.json", videos)
    (tmp_path / "list.csv").write_text(KINETICS)
    with pytest.raises(FileMissingError):
        read_kinetics(tmp_path / "list.csv", tmp_path / "nowhere")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(InputError, match="no ActivityNet"):
        read_activitynet(tmp_path / "a.json", videos)
