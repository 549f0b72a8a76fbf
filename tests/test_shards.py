"""The videos of a shard: as webdataset finds them, and none lost in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from braceexpand import UnbalancedBracesError, braceexpand
from hypothesis import given, settings
from hypothesis import strategies as st
from webdataset.tariterators import base_plus_ext, group_by_keys, tar_file_iterator

from far_places import listed, put, tar_bytes, write_tar
from salientclips.corpus.braces import expand_braces
from salientclips.corpus.item import Item
from salientclips.corpus.names import split_member
from salientclips.corpus.sources import list_items
from salientclips.errors import FetchError, FileMissingError, InputError

pytestmark = pytest.mark.usefixtures("no_pauses")


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
    assert listed(f"{tmp_path}/s-{{009..011}}.tar") == local
    assert listed(f"{tmp_path}/s-*.tar") == local
    assert listed(f"{bucket}/t{{11,9}}.tar") == [f"tar://{i}.mp4::{bucket}/t{i}.tar" for i in (11, 9)]
    with pytest.raises(FileMissingError, match=r"s-012\.tar"):
        listed(f"{tmp_path}/s-{{011..012}}.tar")
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
    assert listed(tmp_path / "s.tar") == [f"tar://../../up.mp4::file://{tmp_path}/s.tar"]


def test_a_shard_member_may_be_given_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shard = write_tar(tmp_path / "s.tar", [("a.mp4", b"1")])
    assert listed(shard, "tar://a.mp4::s.tar", f"tar://a.mp4::{shard}") == [f"tar://a.mp4::file://{shard}"]
    with pytest.raises(InputError, match="names no shard"):
        listed("tar://a.mp4")
