"""A video on the local disk: itself or a whole copy, and nothing left behind whatever happens."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from webdataset.tariterators import tar_file_iterator

from far_places import Server, put, tar_bytes, write_tar
from salientclips.corpus import shard_index
from salientclips.corpus.fetch import local_copy
from salientclips.corpus.names import member_name
from salientclips.corpus.sources import list_items
from salientclips.errors import FetchError, FileMissingError, InputError, SalientClipsError

VIDEO = os.urandom(1_500_000)


pytestmark = pytest.mark.usefixtures("no_pauses")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """Where copies are put; empty afterwards."""
    folder = tmp_path / "room"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def content(video: str, room: Path) -> bytes:
    with local_copy(video, room) as path:
        if path.parent == room:
            assert list(room.iterdir()) == [path]
        return path.read_bytes()


def fails(video: str, room: Path, kind: type[SalientClipsError], says: str) -> str:
    with pytest.raises(kind, match=says) as caught, local_copy(video, room):
        pytest.fail("a copy was given")
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Local files


def test_a_local_file_is_not_copied(tmp_path: Path, room: Path) -> None:
    path = tmp_path / "a é#%41?.mp4"
    path.write_bytes(b"video")
    for video in (str(path), f"file://{path}"):
        with local_copy(video, room) as found:
            assert found == path
    assert path.exists()
    fails(str(tmp_path / "gone.mp4"), room, FileMissingError, "does not exist")
    fails(str(tmp_path), room, FileMissingError, "is a directory")


# URLs


def test_a_url_is_copied_and_removed(bucket: str, room: Path) -> None:
    url = f"{bucket}/a é#%41.MP4"
    put(url, VIDEO)
    with local_copy(url, room) as path:
        assert path.read_bytes() == VIDEO
        assert path.suffix == ".mp4"
    assert not path.exists()
    with pytest.raises(ZeroDivisionError), local_copy(url, room) as path:
        1 / 0  # noqa: B018
    assert not path.exists()
    with local_copy(url) as path:
        assert path.read_bytes() == VIDEO
    assert not path.exists()


def test_a_block_that_removes_or_moves_the_copy_is_no_error(bucket: str, room: Path) -> None:
    put(f"{bucket}/a.mp4", b"x")
    with local_copy(f"{bucket}/a.mp4", room) as path:
        path.unlink()


def test_an_error_of_the_block_is_its_own_and_not_tried_again(bucket: str, room: Path) -> None:
    put(f"{bucket}/a.mp4", b"x")
    times = 0
    with pytest.raises(OSError, match="mine"), local_copy(f"{bucket}/a.mp4", room):  # noqa: PT012
        times += 1
        raise OSError("mine")
    assert times == 1


def test_what_is_not_there(bucket: str, room: Path) -> None:
    put(f"{bucket}/v/a.mp4", b"x")
    fails(f"{bucket}/gone.mp4", room, FetchError, "there is nothing there")
    fails(f"{bucket}/v", room, FetchError, "it is a folder")
    fails("nonsense://a.mp4", room, InputError, "no protocol")
    fails(f"{bucket}/v/a.mp4", room / "nowhere", InputError, "no copy can be put into")


def test_an_ending_that_is_none_stays_behind(bucket: str, room: Path) -> None:
    for name in ("a.b c", "a.é", "a.toolongtobeone", "a"):
        put(f"{bucket}/{name}", b"x")
        with local_copy(f"{bucket}/{name}", room) as path:
            assert path.suffix == ""


def test_fewer_bytes_than_announced_are_tried_again_then_refused(
    bucket: str, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(f"{bucket}/a.mp4", b"whole")
    given_parts = [b"", b"who", b"whole"]

    def get_file(self: object, place: str, path: str) -> None:
        Path(path).write_bytes(given_parts.pop(0))

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    assert content(f"{bucket}/a.mp4", room) == b"whole"
    given_parts[:] = [b"w"] * 4
    fails(f"{bucket}/a.mp4", room, FetchError, "1 bytes came of 5")
    assert given_parts == []


@pytest.mark.parametrize(
    ("error", "times", "says"),
    [
        (ConnectionResetError("gone"), 4, "ConnectionResetError: gone"),
        (TimeoutError(), 4, "no answer in time"),
        (PermissionError("memory://u:pw@x"), 1, "access is denied"),
        (OSError(28, "No space left on device"), 1, "No space left"),
        (RuntimeError("at s3://me:pw@h/x?sig=1 token=2"), 4, r"RuntimeError: at s3://h/x token=\.\.\."),
    ],
)
def test_what_may_pass_is_tried_again(
    bucket: str, room: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int, says: str
) -> None:
    asked = []

    def info(self: object, place: str, **_: object) -> None:
        asked.append(place)
        raise error

    monkeypatch.setattr(MemoryFileSystem, "info", info)
    told = fails(f"{bucket}/a.mp4", room, FetchError, says)
    assert len(asked) == times
    assert "pw" not in told
    if "space" in says:
        assert f"make room in '{room}'" in told


# A web server


def test_a_video_of_a_web_server(web: Server, room: Path) -> None:
    web.files["/v/a b.mp4"] = VIDEO
    assert content(f"{web.url}/v/a%20b.mp4", room) == VIDEO
    web.failures = [503, 429]
    assert content(f"{web.url}/v/a b.mp4?v=1", room) == VIDEO
    assert len(web.gets) == 4


def test_a_signed_url_that_allows_nothing_but_get(web: Server, room: Path) -> None:
    web.files["/a.mp4"] = VIDEO
    web.head_allowed = False
    query = "X-Amz-Signature=ab%2Fc%3D&X-Amz-Date=1"
    assert content(f"{web.url}/a.mp4?{query}", room) == VIDEO
    assert len(web.gets) == 1
    assert "X-Amz-Signature=ab" in web.gets[0][0]


@pytest.mark.parametrize(("status", "times"), [(404, 1), (403, 1), (401, 1), (500, 4), (503, 4)])
def test_what_a_web_server_refuses(web: Server, room: Path, status: int, times: int) -> None:
    web.files["/a.mp4"] = VIDEO
    web.failures = [status] * 9
    says = "there is nothing there" if status == 404 else f"HTTP {status}"
    host = web.url.removeprefix("http://")
    told = fails(f"http://me:passw0rd@{host}/a.mp4?x=1&sig=s3cr3t", room, FetchError, says)
    assert len(web.gets) == times
    assert f"'{web.url}/a.mp4?x=1'" in told
    assert "passw0rd" not in told
    assert "s3cr3t" not in told


def test_no_secret_stands_in_the_traceback(web: Server, room: Path) -> None:
    import traceback

    web.failures = [403]
    with pytest.raises(FetchError) as caught, local_copy(f"{web.url}/a.mp4?sig=s3cr3t", room):
        pass
    # The last frames quote our own code; the values in it are not shown.
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value)).replace(
        'local_copy(f"{web.url}/a.mp4?sig=s3cr3t", room)', ""
    )


def test_a_transfer_that_ends_early(web: Server, room: Path) -> None:
    web.files["/a.mp4"] = VIDEO
    web.cut_at = 1000
    fails(f"{web.url}/a.mp4", room, FetchError, "cannot be fetched")
    assert len(web.gets) == 4


def test_nobody_listens(web: Server, room: Path) -> None:
    fails("http://127.0.0.1:9/a.mp4", room, FetchError, "cannot be fetched")


# Shards

FILES = (
    ("a/one.mp4", os.urandom(700)),
    ("a/one.cls", b"1"),
    ("b é#c?%41.mp4", VIDEO),
    ("a::b:.mkv", os.urandom(512)),
    ("../../../up.mp4", b"up"),
    ("/etc/abs.mp4", b"abs"),
    ("l" * 150 + ".mp4", b"long"),
    ("empty.mp4", b""),
)
VIDEOS = {name: data for name, data in FILES if not name.endswith(".cls")}


def listed(shard: str) -> list[str]:
    return [item.video for item in list_items([shard])]


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz"])
def test_members_are_those_of_webdataset(tmp_path: Path, room: Path, bucket: str, suffix: str) -> None:
    data = tar_bytes(FILES, "w" if suffix == ".tar" else "w:gz")
    theirs = {f["fname"]: f["data"] for f in tar_file_iterator(io.BytesIO(data))}
    local, far = tmp_path / f"s{suffix}", f"{bucket}/s{suffix}"
    local.write_bytes(data)
    put(far, data)
    for shard, url in ((str(local), f"file://{local}"), (far, far)):
        expected = [member_name(name, url) for name in VIDEOS]
        assert listed(shard) == expected
        for name, video in zip(VIDEOS, expected, strict=True):
            assert content(video, room) == theirs[name] == VIDEOS[name]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ab:%#?é 253A/"), min_size=1, max_size=8), st.binary(max_size=1200)
        ),
        unique_by=lambda file: file[0],
        min_size=1,
        max_size=5,
    )
)
def test_any_member_can_be_had(files: list[tuple[str, bytes]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        shard = write_tar(Path(folder) / "s::%3A.tar", [(f"m{name}.mp4", data) for name, data in files])
        for name, data in files:
            with local_copy(member_name(f"m{name}.mp4", f"file://{shard}"), Path(folder)) as path:
                assert path.read_bytes() == data
        assert [path.name for path in Path(folder).iterdir()] == ["s::%3A.tar"]


def test_fsspec_understands_the_names(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "s é.tar", [("a/b c.mp4", b"bytes")])
    with fsspec.open(listed(str(shard))[0], "rb") as file:
        assert file.read() == b"bytes"


def test_a_member_is_read_from_its_place(tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = write_tar(tmp_path / "s.tar", FILES)
    videos = listed(str(shard))
    walks = []
    walk = shard_index.walk
    monkeypatch.setattr(shard_index, "walk", lambda *a: walks.append(a) or walk(*a))
    for video in videos:
        content(video, room)
    assert walks == []  # the listing has told where they are
    write_tar(shard, [("new.mp4", b"other"), *FILES])
    os.utime(shard, ns=(1, 1))
    assert content(videos[0], room) == FILES[0][1]
    assert len(walks) == 1  # it is another shard now


def test_few_indexes_are_kept(tmp_path: Path) -> None:
    for i in range(shard_index._KEPT + 5):
        listed(str(write_tar(tmp_path / f"{i}.tar", [("a.mp4", b"x")])))
    assert len(shard_index._indexes) == shard_index._KEPT


def test_a_remote_shard_that_has_changed_is_read_anew(bucket: str, room: Path) -> None:
    files = fsspec.filesystem("memory")
    files.pipe(f"{bucket}/s.tar", tar_bytes([("a.mp4", b"old")]))
    (video,) = listed(f"{bucket}/s.tar")
    files.pipe(f"{bucket}/s.tar", tar_bytes([("first.mp4", bytes(20000)), ("a.mp4", b"new")]))
    assert content(video, room) == b"new"


def test_what_a_shard_does_not_have(tmp_path: Path, room: Path) -> None:
    shard = write_tar(tmp_path / "s.tar", [("a.mp4", b"x")])
    fails(f"tar://b.mp4::file://{shard}", room, FetchError, "no such member")
    fails(f"tar://b.mp4::file://{tmp_path}/gone.tar", room, FileMissingError, "does not exist")
    fails("tar://b.mp4", room, InputError, "names no shard")
    shard.write_bytes(shard.read_bytes()[:700])
    fails(f"tar://a.mp4::file://{shard}", room, FetchError, "no whole tar archive")


def test_a_member_that_ends_early(tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = write_tar(tmp_path / "s.tar", [("a.mp4", b"x")])
    longer = shard_index.Member("a.mp4", 512, 1 << 20)
    index = shard_index.ShardIndex({"a.mp4": longer}, frozenset(), None)
    monkeypatch.setattr("salientclips.corpus.fetch.index_of", lambda shard: index)
    fails(f"tar://a.mp4::file://{shard}", room, FetchError, "9728 bytes came of 1048576")


def test_a_link_in_a_shard_is_not_followed(tmp_path: Path, room: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        info = tarfile.TarInfo("a.mp4")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    fails(f"tar://a.mp4::file://{tmp_path}/s.tar", room, FetchError, "no such member")


def test_a_sparse_member_has_its_holes(tmp_path: Path, room: Path) -> None:
    import shutil
    import subprocess

    if shutil.which("tar") is None:
        pytest.skip("needs GNU tar")
    with (tmp_path / "a.mp4").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    subprocess.run(["tar", "-S", "-C", tmp_path, "-cf", tmp_path / "s.tar", "a.mp4"], check=True)
    assert (tmp_path / "s.tar").stat().st_size < 1 << 19, "it is sparse"
    assert content(f"tar://a.mp4::file://{tmp_path}/s.tar", room) == (tmp_path / "a.mp4").read_bytes()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_shard_of_a_web_server(web: Server, room: Path, ranges: bool, suffix: str) -> None:
    files = [
        ("big.mp4", VIDEO),
        ("far.mp4", VIDEO * 3),
        ("last.mp4", b"last"),
        ("more.mp4", VIDEO * 3),
    ]
    web.files[f"/s{suffix}"] = tar_bytes(files, "w" if suffix == ".tar" else "w:gz")
    web.ranges = ranges
    url = f"{web.url}/s{suffix}"
    videos = listed(f"{url}?sig=s3cr3t")
    assert videos == [f"tar://{name}::{url}?sig=s3cr3t" for name, _ in files]
    for video, (_, data) in zip(videos, files, strict=True):
        assert content(video, room) == data
    if ranges and suffix == ".tar":
        web.gets.clear()
        assert content(videos[2], room) == b"last"
        (wanted,) = web.gets
        start, _, end = (wanted[1] or "").removeprefix("bytes=").partition("-")
        assert int(start) > 5_900_000, "what lies before it is not fetched"
        assert int(end) - int(start) < 3 << 20, "nor all that lies behind"


def test_a_shard_cut_on_its_way(web: Server, room: Path) -> None:
    web.files["/s.tar"] = tar_bytes([("a.mp4", VIDEO)])
    (video,) = listed(f"{web.url}/s.tar")
    web.cut_at = 3000
    told = fails(video, room, FetchError, "cannot be fetched")
    assert "s.tar" in told
    web.cut_at = None
    assert content(video, room) == VIDEO


def test_a_copy_takes_the_disk_and_not_the_memory(tmp_path: Path, room: Path) -> None:
    import tracemalloc

    shard = write_tar(tmp_path / "s.tar", [("a.mp4", bytes(30 << 20))])
    tracemalloc.start()
    try:
        with local_copy(f"tar://a.mp4::file://{shard}", room) as path:
            assert path.stat().st_size == 30 << 20
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
