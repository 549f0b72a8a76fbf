"""What can be given as a corpus, and the items that come of it: the same every time, none lost, none twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from braceexpand import UnbalancedBracesError, braceexpand
from hypothesis import given, settings
from hypothesis import strategies as st
from webdataset.tariterators import base_plus_ext, group_by_keys, tar_file_iterator

from far_places import Server, tar_bytes, web_server, write_tar
from salientclips.corpus import remote
from salientclips.corpus.braces import expand_braces
from salientclips.corpus.item import Item
from salientclips.corpus.names import canonical, member_name, scrubbed, shown_name, split_member, suffix_of
from salientclips.corpus.sources import list_items
from salientclips.errors import FetchError, FileMissingError, InputError


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder in fsspec's memory, gone afterwards."""
    url = f"memory://{uuid4().hex}"
    yield url
    files = fsspec.filesystem("memory")
    if files.exists(url):
        files.rm(url, recursive=True)


@pytest.fixture(scope="module")
def web_of_module() -> Iterator[Server]:
    with web_server() as server:
        yield server


@pytest.fixture
def web(web_of_module: Server) -> Server:
    fresh = Server()
    vars(web_of_module).update({key: value for key, value in vars(fresh).items() if key != "url"})
    return web_of_module


def put(url: str, content: bytes = b"") -> str:
    fsspec.filesystem("memory").pipe(url, content)
    return url


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(*sources: str | Path) -> list[str]:
    return [item.video for item in list_items(sources)]


# Files, folders and patterns


def test_a_file_is_one_item_whatever_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "sub/x", tmp_path / "odd.dat", tmp_path / "no ending é#%3A?")
    monkeypatch.chdir(tmp_path)
    assert names("a.mp4", "./odd.dat", f"file://{tmp_path}/no ending é#%3A?", "sub/../a.mp4") == [
        str(tmp_path / name) for name in ("a.mp4", "odd.dat", "no ending é#%3A?")
    ]
    assert names("a.mp4") == list_items("a.mp4")[0].video.split("\n")


def test_a_link_out_of_a_folder_keeps_its_meaning(tmp_path: Path) -> None:
    touch(tmp_path / "far/a.mp4", tmp_path / "near/a.mp4")
    (tmp_path / "far/in").mkdir()
    (tmp_path / "near/link").symlink_to(tmp_path / "far/in")
    # Behind a link, ".." is the folder above the link's target.
    assert names(str(tmp_path / "near/link/../a.mp4")) == [str(tmp_path / "far/a.mp4")]


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
    assert names(f"{at}/*") == [f"{at}/a.mkv", f"{at}/b.mp4"]
    assert names(f"{at}/*.dat") == [f"{at}/c.dat"]
    assert names(f"{at}/**/*.mp4") == [f"{at}/b.mp4", f"{at}/deep/er/f.mp4"]
    assert names(f"{at}/[ab].m??") == [f"{at}/a.mkv", f"{at}/b.mp4"]
    with pytest.raises(InputError, match=r"x\*\.mp4' matches no video"):
        names(f"{at}/x*.mp4")
    with pytest.raises(InputError, match="matches no video"):
        names(f"{at}/*.d")


@pytest.mark.parametrize("name", ["a[1].mp4", "what?.mp4", "all*.mp4", "{1,2}.mp4"])
def test_a_file_that_is_there_is_no_pattern(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name, tmp_path / "a1.mp4", tmp_path / "all2.mp4", tmp_path / "what2.mp4")
    assert names(str(tmp_path / name)) == [str(tmp_path / name)]


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
    assert names(tmp_path / "list.txt") == [
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
        names(tmp_path / "list.txt")


def test_a_list_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a.mp4\n\xff\xfe\n")
    with pytest.raises(InputError, match="no text in UTF-8"):
        names(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("gone.tar\n")
    with pytest.raises(FileMissingError, match=r"gone\.tar"):
        names(tmp_path / "list.txt")


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
    assert names(tmp_path / "m.parquet") == [f"{tmp_path}/{path}" for path in paths]
    pq.write_table(pa.table({"path": [*paths, None]}), tmp_path / "m.parquet")
    with pytest.raises(InputError, match="row 9001"):
        names(tmp_path / "m.parquet")


# Shards


def test_what_stands_beside_a_video_in_a_shard(tmp_path: Path) -> None:
    facts = {"labels": ["run", 3], "group": "g", "split": "val", "other": 1}
    shard = write_tar(
        tmp_path / "s é#%41.tar",
        [
            *(
                ("a/one.CLS", b" 7\n"),
                ("a/one.txt", b"a caption"),
                ("a/one.left.mp4", b"1"),
                ("a/one.mkv", b"2"),
            ),
            *(
                ("a/._one.mp4", b""),
                ("b.mp4", b"3"),
                ("b.txt", "\ufeffjumping  é|running\n".encode()),
                ("b.json", b"[1]"),
            ),
            *(
                ("c.json", json.dumps(facts).encode()),
                ("c.mp4", b"4"),
                ("__own__/a.mp4", b""),
                (".d.mp4", b""),
            ),
        ],
    )
    at = f"file://{shard}"
    assert list_items([shard]) == (
        Item(f"tar://a/one.left.mp4::{at}", ("7",)),
        Item(f"tar://a/one.mkv::{at}", ("7",)),
        Item(f"tar://b.mp4::{at}", ("jumping é", "running")),
        Item(f"tar://c.mp4::{at}", ("run", "3"), "g", "validation"),
    )


@pytest.mark.parametrize(
    ("beside", "says"),
    [
        ([("a.json", b"{")], "its .json is none"),
        ([("a.cls", b"\xff")], "no UTF-8"),
        ([("a.json", b'{"split": "dev"}')], "no split 'dev'"),
        ([("a.json", b'{"label": {}}')], "a label that is none"),
        ([("a.mp4", b"again")], "'a.mp4' twice"),
        ([("a.txt", bytes((1 << 24) + 1))], "16777217 bytes long"),
    ],
)
def test_a_shard_that_makes_no_sense(tmp_path: Path, beside: list[tuple[str, bytes]], says: str) -> None:
    shard = write_tar(tmp_path / "s.tar", [("a.mp4", b"1"), *beside])
    with pytest.raises(InputError, match=says):
        list_items([shard])


member_names = st.text(st.sampled_from("ab./:%#? é_3A25"), min_size=1, max_size=12)


@settings(max_examples=50)
@given(st.lists(member_names.map(lambda n: f"{n}.mp4"), unique=True, min_size=1, max_size=6))
def test_keys_are_those_of_webdataset(members: list[str]) -> None:
    import io
    import tempfile

    from salientclips.corpus.shards import _parts

    files = [(name, name.encode()) for name in members]
    with tempfile.TemporaryDirectory() as folder:
        shard = write_tar(Path(folder) / "s.tar", files)
        read = list(tar_file_iterator(io.BytesIO(shard.read_bytes())))
        keys = {f["fname"]: base_plus_ext(f["fname"])[0] for f in read}
        hidden = {name for name in keys if name.rpartition("/")[2].startswith(".")}
        expected = {name: key for name, key in keys.items() if key and name not in hidden}
        try:
            found = [split_member(item.video) for item in list_items([shard])]
        except InputError:
            found = []
    assert [name for name, _ in found] == list(expected)
    assert all(at == f"file://{shard}" for _, at in found)
    assert {name: _parts(name)[0] for name in expected} == expected


def test_samples_are_those_of_webdataset(tmp_path: Path) -> None:
    import io

    files = [("x/1.mp4", b"11"), ("x/1.cls", b"5"), ("x/2.mp4", b"22"), ("x/2.cls", b"6"), ("y/1.mp4", b"33")]
    shard = write_tar(tmp_path / "s.tar", files)
    samples = list(
        group_by_keys({**f, "__url__": ""} for f in tar_file_iterator(io.BytesIO(shard.read_bytes())))
    )
    theirs = [(s["__key__"], (s["cls"].decode(),) if "cls" in s else ()) for s in samples]
    ours = [(split_member(i.video)[0].removesuffix(".mp4"), i.labels) for i in list_items([shard])]
    assert ours == theirs


brace_texts = st.lists(
    st.sampled_from(
        [*"{},.0ab-", "{0..3}", "{01..10..3}", "{a..d}", "{Z..b}", "{-1..1}", "{5..2}", "{00..2}", "{-0..2}"]
    ),
    max_size=8,
).map("".join)


@given(brace_texts)
def test_braces_are_expanded_as_webdataset_does(pattern: str) -> None:
    try:
        theirs = list(braceexpand(pattern))
    except UnbalancedBracesError:
        with pytest.raises(InputError, match="do not match"):
            list(expand_braces(pattern))
        return
    if pattern.find("}") < pattern.find("{") and "}" in pattern:
        return  # "}{": counted as closed by them, refused here
    try:
        assert list(expand_braces(pattern)) == theirs
    except InputError:
        depth = 0
        assert any((depth := depth + {"{": 1, "}": -1}.get(letter, 0)) < 0 for letter in pattern)


def test_shards_in_braces(tmp_path: Path, bucket: str) -> None:
    for i in range(9, 12):
        write_tar(tmp_path / f"s-{i:03d}.tar", [(f"{i}.mp4", b"x")])
        put(f"{bucket}/t{i}.tar", tar_bytes([(f"{i}.mp4", b"x")]))
    at = f"file://{tmp_path}"
    local = [f"tar://{i}.mp4::{at}/s-{i:03d}.tar" for i in range(9, 12)]
    assert names(f"{tmp_path}/s-{{009..011}}.tar") == local
    assert names(f"{tmp_path}/s-*.tar") == local
    assert names(f"{bucket}/t{{11,9}}.tar") == [f"tar://{i}.mp4::{bucket}/t{i}.tar" for i in (11, 9)]
    with pytest.raises(FileMissingError, match=r"s-012\.tar"):
        names(f"{tmp_path}/s-{{011..012}}.tar")
    assert list(expand_braces(r"a\{1\}{2,3}.tar")) == list(braceexpand(r"a\{1\}{2,3}.tar"))


whole = tar_bytes([("a.mp4", b"a" * 1500), ("b.mp4", b"b" * 1500), ("c.mp4", b"c")])


@pytest.mark.parametrize("suffix", [".tar", ".tgz"])
@pytest.mark.parametrize("place", ["local", "memory"])
def test_a_broken_shard_loses_no_video_silently(tmp_path: Path, bucket: str, suffix: str, place: str) -> None:
    content = whole if suffix == ".tar" else tar_bytes([("a.mp4", bytes(range(256)) * 40)], "w:gz")
    broken = {
        "cut in the data": content[: 3000 if suffix == ".tar" else len(content) // 2],
        "no tar": b"this is no archive, but it is long enough to hold a header" * 20,
        "empty": b"",
    }
    if suffix == ".tar":
        broken["cut in a header"] = content[:2148]
        broken["a damaged header"] = content[:2048] + b"\7" * 512 + content[2560:]
    for what, data in broken.items():
        source = f"{bucket}/{what}{suffix}"
        if place == "local":
            source = str(tmp_path / f"{what}{suffix}")
            Path(source).write_bytes(data)
        else:
            put(source, data)
        with pytest.raises(FetchError, match="no whole tar archive") as caught:
            list_items([source])
        assert source in str(caught.value)


def test_a_header_of_negative_size_ends_and_is_refused(tmp_path: Path) -> None:
    content = bytearray(whole)
    # The size of the first member as a binary number, -512: the next header is this one again.
    content[124:136] = b"\xff" + (256**11 - 512).to_bytes(11, "big")
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    (tmp_path / "s.tar").write_bytes(content)
    with pytest.raises(FetchError, match="no whole tar"):
        list_items([tmp_path / "s.tar"])


def test_links_devices_and_folders_are_no_items(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"{kind.decode()}.mp4")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        tar.addfile(tarfile.TarInfo("../../up.mp4"))
    assert names(tmp_path / "s.tar") == [f"tar://../../up.mp4::file://{tmp_path}/s.tar"]


# URLs


def test_urls(bucket: str) -> None:
    for name in ("v/b.mp4", "v/a b#é%25.mkv", "v/deep/c.mp4", "v/.hid/x.mp4", "v/note.txt", "w/run/1.mp4"):
        put(f"{bucket}/{name}")
    put(f"{bucket}/lists/l.txt", b"../v/b.mp4\n./x.mp4\n../v/*.mkv\n/abs/y.mp4\nz.mp4\n")
    put(f"{bucket}/m.csv", b"path,label\nv/b.mp4,x\n")
    flat = [f"{bucket}/v/{name}" for name in ("a b#é%25.mkv", "b.mp4", "deep/c.mp4")]
    assert names(f"{bucket}/v/") == flat
    assert names(f"{bucket}/v") == flat
    assert list_items([f"{bucket}/w"]) == (Item(f"{bucket}/w/run/1.mp4", ("run",)),)
    assert names(f"{bucket}/v/*") == flat[:2]
    assert names(f"{bucket}/**/*.mp4") == [
        f"{bucket}/v/b.mp4",
        f"{bucket}/v/deep/c.mp4",
        f"{bucket}/w/run/1.mp4",
    ]
    assert names(f"{bucket}/lists/l.txt") == [
        *(f"{bucket}/v/b.mp4", f"{bucket}/lists/x.mp4", flat[0], "/abs/y.mp4", f"{bucket}/lists/z.mp4")
    ]
    assert list_items([f"{bucket}/m.csv"]) == (Item(f"{bucket}/v/b.mp4", ("x",)),)
    assert names(f"{bucket}/gone.mp4") == [f"{bucket}/gone.mp4"]
    with pytest.raises(InputError, match="matches no video"):
        names(f"{bucket}/*.avi")
    with pytest.raises(InputError, match="holds no video"):
        names(f"{bucket}/nothing/")
    with pytest.raises(FetchError, match="there is nothing there"):
        names(f"{bucket}/gone.txt")


def test_a_parquet_and_a_shard_behind_urls(bucket: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.mp4"]}), tmp_path / "m.parquet")
    put(f"{bucket}/sub/m.parquet", (tmp_path / "m.parquet").read_bytes())
    put(f"{bucket}/s.tar.gz", tar_bytes([("a.mp4", b"1"), ("a.cls", b"run")], "w:gz"))
    assert list_items([f"{bucket}/sub/m.parquet", f"{bucket}/s.tar.gz"]) == (
        Item(f"{bucket}/sub/a.mp4"),
        Item(f"tar://a.mp4::{bucket}/s.tar.gz", ("run",)),
    )


def test_a_remote_file_that_looks_like_a_pattern(bucket: str) -> None:
    put(f"{bucket}/a[1].mp4")
    put(f"{bucket}/a1.mp4")
    assert names(f"{bucket}/a[1].mp4") == [f"{bucket}/a[1].mp4"]


def test_lists_and_shards_on_a_web_server(web: Server) -> None:
    web.files["/l.txt"] = b"v/a.mp4\nhttp://other.host/x.mp4?v=1\n"
    web.files["/s.tar"] = tar_bytes([("big.mp4", bytes(3 << 20)), ("b.mp4", b"b"), ("b.cls", b"1")])
    url = web.url
    assert names(f"{url}/l.txt?token=t") == [f"{url}/v/a.mp4", "http://other.host/x.mp4?v=1"]
    for web.ranges in (True, False):
        found = list_items([f"{url}/s.tar"])
        assert [(item.video, item.labels) for item in found] == [
            (f"tar://big.mp4::{url}/s.tar", ()),
            (f"tar://b.mp4::{url}/s.tar", ("1",)),
        ]
    assert names("HTTP://Host.ORG/Dir/A.mp4?X=1") == ["http://host.org/Dir/A.mp4?X=1"]
    with pytest.raises(FetchError, match=r"gone\.tar' cannot be fetched \(HTTP 404\)"):
        names(f"{url}/gone.tar")


def test_a_folder_on_a_web_server(web: Server) -> None:
    web.files["/v/"] = (
        b'<a href="b%20c.mp4">b</a> <a href="/v/a.mp4">a</a> <a href="notes.txt">n</a> <a href="../">up</a>'
    )
    assert names(f"{web.url}/v/") == [f"{web.url}/v/a.mp4", f"{web.url}/v/b%20c.mp4"]
    assert names(f"{web.url}/v/*.mp4") == [f"{web.url}/v/a.mp4", f"{web.url}/v/b%20c.mp4"]


def test_a_shard_member_may_be_given_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shard = write_tar(tmp_path / "s.tar", [("a.mp4", b"1")])
    assert names(shard, "tar://a.mp4::s.tar", f"tar://a.mp4::{shard}") == [f"tar://a.mp4::file://{shard}"]
    with pytest.raises(InputError, match="names no shard"):
        names("tar://a.mp4")


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


def test_one_video_with_two_signatures_is_refused(web: Server) -> None:
    one, other = (f"https://h/a.mp4?v=1&X-Amz-Signature={sign}" for sign in ("s3cr3t", "0ther"))
    assert names(one, one) == [one]
    assert names(one, one.replace("v=1", "v=2"))[1].endswith("v=2&X-Amz-Signature=s3cr3t")
    with pytest.raises(InputError, match="different credentials") as caught:
        names(one, other)
    assert "s3cr3t" not in str(caught.value)
    assert "0ther" not in str(caught.value)


# Names and secrets


@given(
    st.text(min_size=1, max_size=8)
    | st.lists(st.sampled_from([*"a:%", "%3A", "%25", "::"]), min_size=1).map("".join),
    st.sampled_from(["file:///d/a::b %25.tar", "s3://b/s.tar?x"]),
)
def test_the_name_of_a_member_can_be_taken_apart(member: str, shard: str) -> None:
    name = member_name(member, shard)
    assert split_member(name) == (member, shard)
    assert canonical(name) == name
    if not {":", "%"} & set(member):
        assert name == f"tar://{member}::{shard}"


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("https://me:pass@h:8/a.mp4", "https://h:8/a.mp4"),
        ("https://h/a.mp4?v=1&X-Amz-Signature=abc&X-Amz-Date=2&w=2", "https://h/a.mp4?v=1&w=2"),
        ("https://h/a.mp4?sig=abc", "https://h/a.mp4"),
        ("https://h/a.mp4?ACCESS_TOKEN=abc#t=3", "https://h/a.mp4#t=3"),
        ("https://h/a.mp4#access_token=abc", "https://h/a.mp4"),
        ("tar://a?token=x::https://u:p@h/s.tar?token=abc", "tar://a?token=x::https://h/s.tar"),
        ("s3://b/key=5/user@x.mp4", "s3://b/key=5/user@x.mp4"),
        ("abfs://container@account/a.mp4", "abfs://container@account/a.mp4"),
        ("/data/token=5/a@b?sig=1.mp4", "/data/token=5/a@b?sig=1.mp4"),
        ("https://h/a.mp4?signal=1&monkey=2", "https://h/a.mp4?signal=1&monkey=2"),
    ],
)
def test_secrets_are_not_shown(place: str, shown: str) -> None:
    assert shown_name(place) == shown
    assert shown_name(shown) == shown


def test_messages_of_others_are_scrubbed() -> None:
    text = "403, url='https://me:pw@h/a?X-Goog-Signature=abc&x=1'\n token=xyz"
    assert scrubbed(text) == "403, url='https://h/a?x=1' token=..."


def test_errors_of_listing_show_no_secret(web: Server) -> None:
    host = web.url.removeprefix("http://")
    for source in ("gone.tar", "gone.txt", "gone.csv", "empty/", "*.mp4"):
        with pytest.raises((FetchError, InputError)) as caught:
            names(
                f"http://me:passw0rd@{host}/{source}?token=s3cr3t"
                if "*" not in source
                else f"http://me:passw0rd@{host}/{source}"
            )
        assert "passw0rd" not in str(caught.value)
        assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "suffix"),
    [
        ("a/b.TAR.GZ", ".tar.gz"),
        ("https://h/a.mp4?x=b.txt", ".mp4"),
        ("s3://b/a?.mkv", ".mkv"),
        ("https://h.org", ""),
    ],
)
def test_endings(place: str, suffix: str) -> None:
    assert suffix_of(place) == suffix


# What is not installed


def without(package: str, code: str) -> str:
    script = f"""
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Without())
from salientclips.corpus.sources import list_items
from salientclips.corpus.fetch import local_copy
from salientclips.errors import SalientClipsError
try:
    {code}
except SalientClipsError as error:
    print(type(error).__name__, error)
"""
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_local_shards_need_no_fsspec(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "s.tar", [("a.mp4", b"hello")])
    code = f"""
    for item in list_items([{str(shard)!r}]):
        with local_copy(item.video) as path: print(path.read_text())"""
    assert without("fsspec", code) == "hello"
    told = without("fsspec", "list_items(['https://h/a.mp4'])")
    assert told.startswith("MissingExtraError fsspec")
    assert told.endswith("pip install 'salientclips[remote]'")


@pytest.mark.parametrize(
    ("protocol", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("https", "aiohttp"), ("sftp", "paramiko")]
)
def test_the_package_of_a_protocol_is_named(protocol: str, package: str) -> None:
    told = without(package, f"list_items(['{protocol}://h/a.mp4'])")
    assert told == (
        f"MissingExtraError {package} could not be loaded ('{protocol}://' needs it); pip install {package}"
    )


def test_a_missing_package_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path\nnonsense://b/a.mp4\n")
    with pytest.raises(InputError, match="no protocol 'nonsense://'"):
        list_items([tmp_path / "m.csv"])


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("memory:///b//a.mp4", "memory://b//a.mp4"),
        ("S3A://Bucket/A.mp4", "s3://Bucket/A.mp4"),
        ("gcs://b/a", "gs://b/a"),
        ("HTTPS://Me:Pw@HOST:8/A?b=C", "https://Me:Pw@host:8/A?b=C"),
        ("file:///a/../b%20.mp4", "/b%20.mp4"),
        ("tar://m::S3A://b/s.tar", "tar://m::s3://b/s.tar"),
        ("/a//b/./c.mp4", "/a/b/c.mp4"),
    ],
)
def test_one_place_has_one_name(place: str, name: str) -> None:
    assert canonical(place) == name
    assert canonical(name) == name
