"""Manifests and folders: read, written, and dealt to splits so that no source lies in two of them."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.datasets.folder import read_entries, read_folder
from salientclips.datasets.manifest import (
    SPLITS,
    Entry,
    group_of,
    missing_files,
    read_manifest,
    split_entries,
    write_manifest,
)
from salientclips.errors import FileMissingError, InputError


def write(folder: Path, text: str) -> Path:
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_column_is_read(tmp_path: Path) -> None:
    found = read_manifest(
        write(
            tmp_path,
            "path,label,group,split,spans,note\n"
            'a.mp4,playing cello|playing violin,g1,train,"1.5-2; 7-9.25",x\n'
            '"b, c.mp4",,,val,,\n'
            f"{tmp_path}/d.mp4,run\n",
        )
    )
    spans = ((Fraction(3, 2), Fraction(2)), (Fraction(7), Fraction(37, 4)))
    assert found == (
        Entry(tmp_path / "a.mp4", ("playing cello", "playing violin"), "g1", "train", spans),
        Entry(tmp_path / "b, c.mp4", split="validation"),
        Entry(tmp_path / "d.mp4", ("run",)),
    )
    assert missing_files(found) == tuple(entry.path for entry in found)


def test_only_the_path_is_needed_and_a_byte_order_mark_is_no_letter(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"\xef\xbb\xbfpath\r\na.mp4\r\n")
    assert read_manifest(path) == (Entry(tmp_path / "a.mp4"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file,label\na.mp4,x\n", "no column 'path'"),
        ("", "no column 'path'"),
        ("path\n", "lists no video"),
        ("path,label\n,x\n", "line 2: the path is empty"),
        ("path,split\na.mp4,training\nb.mp4,dev\n", "line 3: there is no split 'dev'"),
        ("path,spans\na.mp4,soon\n", "line 2: 'soon' is no span"),
        ("path,spans\na.mp4,1/0-2\n", "is no span"),
        ("path,spans\na.mp4,5-2\n", "ends before it starts"),
        ("path\na.mp4\nb.mp4\na.mp4\n", "twice"),
        ('path\n"a.mp4\n', "no CSV"),
    ],
)
def test_nonsense_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_manifest(write(tmp_path, text))
    assert caught.value.remedy


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"path\n\xff\xfe\x00\n")
    with pytest.raises(InputError, match="UTF-8"):
        read_manifest(path)
    with pytest.raises(FileMissingError):
        read_manifest(tmp_path / "none.csv")


names = st.text(st.characters(exclude_characters="|\0/\r\n", exclude_categories=("C", "Z")), min_size=1)
times = st.fractions(min_value=0, max_value=10_000)
spans_of = st.lists(st.tuples(times, times).filter(lambda s: s[0] < s[1]), max_size=3)


@given(
    st.lists(
        st.tuples(
            names.filter(lambda n: n not in (".", "..") and not n.startswith("~")),
            st.lists(names, max_size=3, unique=True),
            names | st.just(""),
            st.sampled_from([None, *SPLITS]),
            spans_of,
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda row: row[0],
    )
)
def test_a_manifest_comes_back_the_same(rows: list[tuple[str, list[str], str, None, list[object]]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.csv"
        given_entries = tuple(
            Entry(path.parent / name, tuple(labels), group, split, tuple(sorted(spans)))  # type: ignore[arg-type,type-var]
            for name, labels, group, split, spans in rows
        )
        write_manifest(given_entries, path)
        assert read_manifest(path) == given_entries


def test_a_label_that_would_come_back_as_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_manifest([Entry(Path("a.mp4"), ("a|b",))], tmp_path / "m.csv")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_per_class(tmp_path: Path) -> None:
    touch(tmp_path / "run/b.MP4", tmp_path / "jump/deep/a.mkv", tmp_path / "jump/notes.txt")
    touch(tmp_path / "run/.hidden.mp4", tmp_path / "labels.csv")
    assert read_folder(tmp_path) == (
        Entry(tmp_path / "jump/deep/a.mkv", ("jump",)),
        Entry(tmp_path / "run/b.MP4", ("run",)),
    )
    assert read_entries(tmp_path) == read_folder(tmp_path)


def test_a_plain_folder_has_no_labels(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "more/b.mp4")
    assert read_folder(tmp_path) == (Entry(tmp_path / "a.mp4"), Entry(tmp_path / "more/b.mp4"))


def test_what_holds_no_video_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "readme.txt")
    with pytest.raises(InputError, match="holds no video"):
        read_folder(tmp_path)
    with pytest.raises(InputError, match="neither a folder nor"):
        read_entries(tmp_path / "readme.txt")
    with pytest.raises(FileMissingError):
        read_entries(tmp_path / "nothing")


data_sets = st.lists(
    st.tuples(st.sampled_from(["", "g1", "g2", "g3", "g4"]), st.sampled_from([None, None, None, "test"])),
    min_size=1,
    max_size=30,
)


def data_set(rows: list[tuple[str, str | None]]) -> list[Entry]:
    # a fixed split goes with videos that have no group, so that no group is torn
    return [
        Entry(Path(f"/data/{i}.mp4"), (), group, None if group else split)  # type: ignore[arg-type]
        for i, (group, split) in enumerate(rows)
    ]


@given(data_sets, st.floats(0, 0.9), st.integers(0, 5))
def test_splits_hold_every_video_once_and_tear_no_group(
    rows: list[tuple[str, str | None]], share: float, seed: int
) -> None:
    entries = data_set(rows)
    found = split_entries(entries, validation_share=share, seed=seed)
    dealt = [entry for split in SPLITS for entry in found[split]]
    assert sorted(str(e.path) for e in dealt) == sorted(str(e.path) for e in entries)
    of_group: dict[str, set[str]] = {}
    for split in SPLITS:
        for entry in found[split]:
            assert entry.split == split
            of_group.setdefault(group_of(entry), set()).add(split)
    assert all(len(splits) == 1 for splits in of_group.values())
    free = {group_of(e) for e in entries if e.split is None}
    if free:
        assert found["train"], "training is never empty"
    if share > 0 and len(free) > 1:
        assert found["validation"]
    if share == 0:
        assert not found["validation"]


@given(data_sets, st.integers(0, 5), st.randoms())
def test_the_order_of_rows_and_the_place_do_not_matter(
    rows: list[tuple[str, str | None]], seed: int, shuffler: random.Random
) -> None:
    entries = data_set(rows)
    splits = {e.path.name: e.split for part in split_entries(entries, seed=seed).values() for e in part}
    moved = [Entry(Path("/mnt/x") / e.path.name, (), e.group, e.split) for e in entries]
    shuffler.shuffle(moved)
    again = {e.path.name: e.split for part in split_entries(moved, seed=seed).values() for e in part}
    assert again == splits


def test_the_share_is_met_and_the_seed_matters() -> None:
    entries = [Entry(Path(f"/data/{i}.mp4")) for i in range(100)]
    found = [split_entries(entries, validation_share=0.3, seed=seed)["validation"] for seed in (0, 1)]
    assert [len(f) for f in found] == [30, 30]
    assert found[0] != found[1]


def test_a_manifest_that_tears_a_group_is_refused() -> None:
    entries = [
        Entry(Path("/a.mp4"), group="g", split="train"),
        Entry(Path("/b.mp4"), group="g", split="test"),
    ]
    with pytest.raises(InputError, match="two splits"):
        split_entries(entries)
    mates = [Entry(Path("/a.mp4"), group="g", split="test"), Entry(Path("/b.mp4"), group="g")]
    assert len(split_entries(mates)["test"]) == 2
    with pytest.raises(InputError, match="validation_share"):
        split_entries(mates, validation_share=1.0)


def test_a_url_is_no_file_and_is_not_shown(tmp_path: Path) -> None:
    path = write(tmp_path, "path\na.mp4\nhttps://me:secret@host/b.mp4\n")
    with pytest.raises(InputError, match="line 3: the path is a URL") as caught:
        read_manifest(path)
    assert "secret" not in str(caught.value)
