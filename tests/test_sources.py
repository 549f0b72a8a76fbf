"""What can be given as a corpus, and the items that come of it: the same every time, none lost, none twice."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from far_places import listed, put, touch, write_tar
from salientclips.corpus.item import Item
from salientclips.corpus.names import canonical
from salientclips.corpus.sources import list_items
from salientclips.errors import FileMissingError, InputError

# Files, folders and patterns


def test_a_file_is_one_item_whatever_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "sub/x", tmp_path / "odd.dat", tmp_path / "no ending é#%3A?")
    monkeypatch.chdir(tmp_path)
    assert listed("a.mp4", "./odd.dat", f"file://{tmp_path}/no ending é#%3A?", "sub/../a.mp4") == [
        str(tmp_path / name) for name in ("a.mp4", "odd.dat", "no ending é#%3A?")
    ]
    assert listed("a.mp4") == list_items("a.mp4")[0].video.split("\n")


def test_a_link_out_of_a_folder_keeps_its_meaning(tmp_path: Path) -> None:
    touch(tmp_path / "far/a.mp4", tmp_path / "near/a.mp4")
    (tmp_path / "far/in").mkdir()
    (tmp_path / "near/link").symlink_to(tmp_path / "far/in")
    # Behind a link, ".." is the folder above the link's target.
    assert listed(str(tmp_path / "near/link/../a.mp4")) == [str(tmp_path / "far/a.mp4")]


def test_a_folder_labels_as_a_data_set_does(tmp_path: Path) -> None:
    touch(
        tmp_path / "run/b.MP4", tmp_path / "jump/deep/a.mkv", tmp_path / "run/.hidden.mp4", tmp_path / "x.txt"
    )
    assert list_items([tmp_path]) == (
        Item(str(tmp_path / "jump/deep/a.mkv"), ("jump",)),
        Item(str(tmp_path / "run/b.MP4"), ("run",)),
    )


def test_patterns(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b.mp4", "a.mkv", "c.dat", "d.txt", ".e.mp4", "deep/er/f.mp4")))
    touch(tmp_path / "folder.mp4/inside.txt")
    at = str(tmp_path)
    assert listed(f"{at}/*") == [f"{at}/a.mkv", f"{at}/b.mp4"]
    assert listed(f"{at}/*.dat") == [f"{at}/c.dat"]
    assert listed(f"{at}/**/*.mp4") == [f"{at}/b.mp4", f"{at}/deep/er/f.mp4"]
    assert listed(f"{at}/[ab].m??") == [f"{at}/a.mkv", f"{at}/b.mp4"]
    with pytest.raises(InputError, match=r"x\*\.mp4' matches no video"):
        listed(f"{at}/x*.mp4")
    with pytest.raises(InputError, match="matches no video"):
        listed(f"{at}/*.d")


@pytest.mark.parametrize("name", ["a[1].mp4", "what?.mp4", "all*.mp4", "{1,2}.mp4"])
def test_a_file_that_is_there_is_no_pattern(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name, tmp_path / "a1.mp4", tmp_path / "all2.mp4", tmp_path / "what2.mp4")
    assert listed(str(tmp_path / name)) == [str(tmp_path / name)]


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    for source in (
        tmp_path / "gone.mp4",
        tmp_path / "gone",
        f"file://{tmp_path}/gone.tar",
        tmp_path / "g.txt",
    ):
        with pytest.raises(FileMissingError, match="does not exist"):
            list_items([source])


def test_nothing_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no video is given"):
        list_items([])
    with pytest.raises(InputError, match="holds no video"):
        list_items([tmp_path])
    (tmp_path / "empty.txt").write_text("\n# nothing\n")
    write_tar(tmp_path / "empty.tar", [("a.txt", b"x")])
    touch(tmp_path / "a.mp4")
    for empty in ("empty.txt", "empty.tar"):
        with pytest.raises(InputError, match=rf"{empty}' holds no video"):
            list_items([tmp_path / "a.mp4", tmp_path / empty])


# Lists and tables


def test_a_text_list(tmp_path: Path, bucket: str) -> None:
    touch(tmp_path / "v/a.mp4", tmp_path / "v/b.mp4", tmp_path / "v/c d.mp4", tmp_path / "v/#1.mp4")
    url = put(f"{bucket}/x.mp4")
    write_tar(tmp_path / "s.tar", [("k.mp4", b"1")])
    text = f"\ufeffv/b.mp4\r\n\n  # v/a.mp4\nv/c*.mp4\ngone é\u2028.mp4\n./v/#1.mp4\n{url}\n\tgone[1].mp4 \ns.tar\n"
    (tmp_path / "list.txt").write_bytes(text.encode())
    at = str(tmp_path)
    assert listed(tmp_path / "list.txt") == [
        *(f"{at}/v/b.mp4", f"{at}/v/c d.mp4", f"{at}/gone é\u2028.mp4", f"{at}/v/#1.mp4"),
        *(url, f"{at}/gone[1].mp4", f"tar://k.mp4::file://{at}/s.tar"),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [("list.txt", "a list names the list"), ("*.nothing", "matches no video"), ("m.csv", "names the list")],
)
def test_a_list_that_makes_no_sense(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "m.csv").write_text("path\na.mp4\n")
    (tmp_path / "list.txt").write_text(f"a.mp4\n{line}\n")
    with pytest.raises(InputError, match=says):
        listed(tmp_path / "list.txt")


def test_a_list_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a.mp4\n\xff\xfe\n")
    with pytest.raises(InputError, match="no text in UTF-8"):
        listed(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("gone.tar\n")
    with pytest.raises(FileMissingError, match=r"gone\.tar"):
        listed(tmp_path / "list.txt")


ROWS = (
    (
        "a.mp4",
        ("run", "jump"),
        "g",
        "validation",
        ((Fraction(1, 10), Fraction(2)), (Fraction(3), Fraction(7, 2))),
    ),
    ("memory://rows/b c.mp4", (), "", None, ()),
)


def items_of_rows(folder: Path) -> tuple[Item, ...]:
    return tuple(Item(canonical(p if "://" in p else f"{folder}/{p}"), *rest) for p, *rest in ROWS)  # type: ignore[arg-type]


def test_a_manifest_may_name_urls(tmp_path: Path) -> None:
    rows = "path,label,group,split,spans\na.mp4,run|jump,g,val,3-3.5;0.1-2\nmemory://rows/b c.mp4,,,,\n"
    (tmp_path / "m.csv").write_text(rows)
    assert list_items([tmp_path / "m.csv"]) == items_of_rows(tmp_path)


@pytest.mark.parametrize("nested", [False, True])
def test_a_manifest_as_parquet(tmp_path: Path, nested: bool) -> None:
    spans = [{"start_s": 3.0, "end_s": 3.5}, {"start_s": 0.1, "end_s": 2.0}]
    table = pa.table(
        {
            "extra": pa.array([1, 2]),
            "path": pa.array([path for path, *_ in ROWS]).dictionary_encode(),
            "label": [["run", "jump"], None] if nested else ["run|jump", None],
            "group": ["g", None],
            "split": ["Val", ""],
            "spans": [spans, []] if nested else ["3-3.5; 0.1-2", None],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    assert list_items([tmp_path / "m.parquet"]) == items_of_rows(tmp_path)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"file": ["a.mp4"]}, "no column 'path'"),
        ({"path": ["a.mp4", None]}, "row 2: the path is empty"),
        ({"path": [1.5]}, "row 1: path is no text"),
        ({"path": ["a"], "split": ["dev"]}, "row 1: there is no split 'dev'"),
        ({"path": ["a"], "label": [[None]]}, "holds no video|ok"),
        ({"path": ["a"], "spans": [[{"start_s": 2.0, "end_s": 1.0}]]}, "ends before it starts"),
        ({"path": ["a"], "spans": [[{"start_s": float("nan"), "end_s": 1.0}]]}, "cannot be read"),
        ({"path": ["a"], "spans": [[{"from": 2.0}]]}, "cannot be read"),
        ({"path": []}, "holds no video"),
    ],
)
def test_a_parquet_that_makes_no_sense(tmp_path: Path, columns: dict[str, list[Any]], says: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "m.parquet")
    if says.endswith("ok"):
        assert list_items([tmp_path / "m.parquet"]) == (Item(str(tmp_path / "a")),)
        return
    with pytest.raises(InputError, match=says):
        list_items([tmp_path / "m.parquet"])


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        list_items([tmp_path / "m.parquet"])


def test_more_rows_than_a_batch_keep_their_order_and_numbers(tmp_path: Path) -> None:
    paths: list[str | None] = [f"{i}.mp4" for i in range(9000)]
    pq.write_table(pa.table({"path": paths}), tmp_path / "m.parquet")
    assert listed(tmp_path / "m.parquet") == [f"{tmp_path}/{path}" for path in paths]
    pq.write_table(pa.table({"path": [*paths, None]}), tmp_path / "m.parquet")
    with pytest.raises(InputError, match="row 9001"):
        listed(tmp_path / "m.parquet")


# Twice the same


def test_a_video_is_one_item_and_what_is_said_adds_up(tmp_path: Path) -> None:
    touch(tmp_path / "v/a.mp4", tmp_path / "v/b.mp4")
    (tmp_path / "m.csv").write_text(
        "path,label,group,split,spans\nv/b.mp4,x,g,test,1-2\nv/b.mp4,x,,,\nnew.mp4,,,,\n"
    )
    assert list_items([tmp_path / "v", tmp_path / "m.csv", f"{tmp_path}/v/../v/*.mp4"]) == (
        Item(str(tmp_path / "v/a.mp4")),
        Item(str(tmp_path / "v/b.mp4"), ("x",), "g", "test", ((Fraction(1), Fraction(2)),)),
        Item(str(tmp_path / "new.mp4")),
    )


@pytest.mark.parametrize("column", ["label", "group", "split", "spans"])
def test_a_contradiction_is_refused(tmp_path: Path, column: str) -> None:
    one, other = {"split": ("train", "test"), "spans": ("1-2", "1-3")}.get(column, ("x", "y"))
    (tmp_path / "a.csv").write_text(f"path,{column}\nv.mp4,{one}\n")
    (tmp_path / "b.csv").write_text(f"path,{column}\nv.mp4,{other}\n")
    with pytest.raises(InputError, match=r"v\.mp4' is given twice, with different"):
        list_items([tmp_path / "a.csv", tmp_path / "b.csv"])
