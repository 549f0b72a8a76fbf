"""A corpus that lies elsewhere: in buckets, on web servers, and behind packages that are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from far_places import Server, listed, put, tar_bytes, write_tar
from salientclips.corpus.item import Item
from salientclips.corpus.sources import list_items
from salientclips.errors import FetchError, InputError

pytestmark = pytest.mark.usefixtures("no_pauses")


# URLs


def test_urls(bucket: str) -> None:
    for name in ("v/b.mp4", "v/a b#é%25.mkv", "v/deep/c.mp4", "v/.hid/x.mp4", "v/note.txt", "w/run/1.mp4"):
        put(f"{bucket}/{name}")
    put(f"{bucket}/lists/l.txt", b"../v/b.mp4\n./x.mp4\n../v/*.mkv\n/abs/y.mp4\nz.mp4\n")
    put(f"{bucket}/m.csv", b"path,label\nv/b.mp4,x\n")
    flat = [f"{bucket}/v/{name}" for name in ("a b#é%25.mkv", "b.mp4", "deep/c.mp4")]
    assert listed(f"{bucket}/v/") == flat
    assert listed(f"{bucket}/v") == flat
    assert list_items([f"{bucket}/w"]) == (Item(f"{bucket}/w/run/1.mp4", ("run",)),)
    assert listed(f"{bucket}/v/*") == flat[:2]
    assert listed(f"{bucket}/**/*.mp4") == [
        f"{bucket}/v/b.mp4",
        f"{bucket}/v/deep/c.mp4",
        f"{bucket}/w/run/1.mp4",
    ]
    assert listed(f"{bucket}/lists/l.txt") == [
        *(f"{bucket}/v/b.mp4", f"{bucket}/lists/x.mp4", flat[0], "/abs/y.mp4", f"{bucket}/lists/z.mp4")
    ]
    assert list_items([f"{bucket}/m.csv"]) == (Item(f"{bucket}/v/b.mp4", ("x",)),)
    assert listed(f"{bucket}/gone.mp4") == [f"{bucket}/gone.mp4"]
    with pytest.raises(InputError, match="matches no video"):
        listed(f"{bucket}/*.avi")
    with pytest.raises(InputError, match="holds no video"):
        listed(f"{bucket}/nothing/")
    with pytest.raises(FetchError, match="there is nothing there"):
        listed(f"{bucket}/gone.txt")


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
    assert listed(f"{bucket}/a[1].mp4") == [f"{bucket}/a[1].mp4"]


def test_lists_and_shards_on_a_web_server(web: Server) -> None:
    web.files["/l.txt"] = b"v/a.mp4\nhttp://other.host/x.mp4?v=1\n"
    web.files["/s.tar"] = tar_bytes([("big.mp4", bytes(3 << 20)), ("b.mp4", b"b"), ("b.cls", b"1")])
    url = web.url
    assert listed(f"{url}/l.txt?token=t") == [f"{url}/v/a.mp4", "http://other.host/x.mp4?v=1"]
    for web.ranges in (True, False):
        found = list_items([f"{url}/s.tar"])
        assert [(item.video, item.labels) for item in found] == [
            (f"tar://big.mp4::{url}/s.tar", ()),
            (f"tar://b.mp4::{url}/s.tar", ("1",)),
        ]
    assert listed("HTTP://Host.ORG/Dir/A.mp4?X=1") == ["http://host.org/Dir/A.mp4?X=1"]
    with pytest.raises(FetchError, match=r"gone\.tar' cannot be fetched \(HTTP 404\)"):
        listed(f"{url}/gone.tar")


def test_a_folder_on_a_web_server(web: Server) -> None:
    web.files["/v/"] = (
        b'<a href="b%20c.mp4">b</a> <a href="/v/a.mp4">a</a> <a href="notes.txt">n</a> <a href="../">up</a>'
    )
    assert listed(f"{web.url}/v/") == [f"{web.url}/v/a.mp4", f"{web.url}/v/b%20c.mp4"]
    assert listed(f"{web.url}/v/*.mp4") == [f"{web.url}/v/a.mp4", f"{web.url}/v/b%20c.mp4"]


def test_one_video_with_two_signatures_is_refused(web: Server) -> None:
    one, other = (f"https://h/a.mp4?v=1&X-Amz-Signature={sign}" for sign in ("s3cr3t", "0ther"))
    assert listed(one, one) == [one]
    assert listed(one, one.replace("v=1", "v=2"))[1].endswith("v=2&X-Amz-Signature=s3cr3t")
    with pytest.raises(InputError, match="different credentials") as caught:
        listed(one, other)
    assert "s3cr3t" not in str(caught.value)
    assert "0ther" not in str(caught.value)


def test_errors_of_listing_show_no_secret(web: Server) -> None:
    host = web.url.removeprefix("http://")
    for source in ("gone.tar", "gone.txt", "gone.csv", "empty/", "*.mp4"):
        with pytest.raises((FetchError, InputError)) as caught:
            listed(
                f"http://me:passw0rd@{host}/{source}?token=s3cr3t"
                if "*" not in source
                else f"http://me:passw0rd@{host}/{source}"
            )
        assert "passw0rd" not in str(caught.value)
        assert "s3cr3t" not in str(caught.value)


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
