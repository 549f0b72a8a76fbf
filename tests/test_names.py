"""One place has one name, and no name that is shown holds a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.corpus.names import canonical, member_name, scrubbed, shown_name, split_member, suffix_of


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
