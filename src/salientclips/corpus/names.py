"""How a video is called, wherever it lies, and what of its name may be shown.

Three kinds of names: the absolute path of a local file, a URL, and ``tar://MEMBER::SHARD`` for a member of a shard,
in fsspec's notation, with the shard's own URL (``file:///...`` where it is local) behind the ``::``. Nothing is
percent-encoded, as nothing is in fsspec; only what would end MEMBER too early is written ``%3A`` (a colon before a
colon or at the end), and ``%25`` stands for a percent sign that would be taken for such a mark.

A name holds all that is needed to fetch the video, so it may hold a password or a signature. :func:`shown_name` is
the name without them: that is for messages and for rows.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath

from ..datasets.rows import is_url

_LOCAL = ("file", "local")
_OTHER_NAMES = {"s3a": "s3", "gcs": "gs"}
"""Protocols that are another's by a second name."""

_NO_USERS = ("abfs", "abfss", "adl", "az", "wasb", "wasbs", "github")
"""Protocols that write a container or a repository where others write a user."""

_SECRET = (
    r"x-(?:amz|goog|oss|cos|bce|obs)-[\w-]+|[\w-]*(?:token|signature|secret|credentials?|password|passwd|apikey|"
    r"api[_-]key|access[_-]?key)|sig|key|pwd|pass|auth|authorization|jwt|awsaccesskeyid|googleaccessid|key-pair-id|"
    r"policy|expires"
)
"""Parameters of a URL that let somebody in, or that change with every signature."""
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(rf"(?<![\w-])({_SECRET})=[^&\s'\"]+", re.IGNORECASE)
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")


def protocol_of(url: str) -> str:
    """The protocol of a URL.

    Args:
        url: ``scheme://...``.

    Returns:
        The scheme in small letters.
    """
    return url.partition("://")[0].lower()


def local_path(place: str) -> Path | None:
    """The local path that a name or a source means.

    Args:
        place: A path, ``file://PATH`` (taken as it is, as fsspec takes it: nothing is percent-decoded), or a URL.

    Returns:
        The path, ``~`` resolved where no URL was given; None for a URL of another place.
    """
    if not is_url(place):
        return Path(os.path.expanduser(place))  # what is nobody's home stays
    return Path(place.partition("://")[2]) if protocol_of(place) in _LOCAL else None


def absolute(path: str | Path) -> str:
    """The name of a local file.

    Args:
        path: The file, which need not be there.

    Returns:
        Its absolute path without ``..``; links keep their names, unless ``..`` leads back out of one.
    """
    plain = os.path.abspath(path)
    if ".." in os.fspath(path).split(os.sep) and os.path.realpath(plain) != os.path.realpath(path):
        return os.path.realpath(path)
    return plain


def canonical(place: str) -> str:
    """One name for one place.

    Args:
        place: A path or a URL, or ``tar://MEMBER::SHARD``.

    Returns:
        The name: an absolute path for local files, else the URL with its protocol (and host, where the protocol is
        HTTP) in small letters.
    """
    if is_url(place) and protocol_of(place) == "tar":
        member, shard = split_member(place)
        return member_name(member, shard_url(shard)) if shard else place
    local = local_path(place)
    if local is not None:
        return absolute(local)
    protocol, rest = protocol_of(place), place.partition("://")[2]
    protocol = _OTHER_NAMES.get(protocol, protocol)
    if protocol == "memory":
        rest = rest.lstrip("/")
    if protocol in ("http", "https"):
        host = re.match(r"[^/?#]*", rest)
        user, at, server = (host.group() if host else "").rpartition("@")
        rest = user + at + server.lower() + rest[len(user + at + server) :]
    return f"{protocol}://{rest}"


def shard_url(shard: str) -> str:
    """The URL of a shard.

    Args:
        shard: Its path or URL.

    Returns:
        ``file:///...`` for a local one, else the canonical URL.
    """
    name = canonical(shard)
    return name if is_url(name) else f"file://{name}"


def member_name(member: str, shard: str) -> str:
    """The name of a video in a shard.

    Args:
        member: The member's name in the tar.
        shard: The shard's URL.

    Returns:
        ``tar://MEMBER::SHARD``.
    """
    marked = re.sub("%(?=25|3A)", "%25", member)
    return f"tar://{re.sub(':(?=:|$)', '%3A', marked)}::{shard}"


def split_member(name: str) -> tuple[str, str]:
    """Take the name of a video in a shard apart; the reverse of :func:`member_name`.

    Args:
        name: ``tar://MEMBER::SHARD``.

    Returns:
        The member's name in the tar and the shard; the shard is empty where the name has none.
    """
    member, _, shard = name.partition("://")[2].partition("::")
    return re.sub("%25|%3A", lambda mark: "%" if mark.group() == "%25" else ":", member), shard


def beside(text: str, folder: str) -> str:
    """The name of something that a list in a folder mentions.

    Args:
        text: What is written there: a path, also a relative one, a pattern, or a URL.
        folder: The folder of the list: its path, or its URL.

    Returns:
        The name.
    """
    if is_url(text) or text.startswith("~") or os.path.isabs(text):
        return canonical(text)
    if not is_url(folder):
        return absolute(os.path.join(folder, text))
    protocol, _, base = folder.partition("://")
    joined = f"{base.rstrip('/')}/{text}"
    if {".", ".."} & set(text.split("/")):
        joined = posixpath.normpath(joined) + ("/" if text.endswith("/") else "")
    return canonical(f"{protocol}://{joined}")


def suffix_of(place: str) -> str:
    """The ending of a file's name.

    Args:
        place: A path or a URL; of a URL of HTTP the query does not count.

    Returns:
        The ending in small letters with its dot, ``.tar.gz`` being one; empty where there is none.
    """
    if is_url(place):
        url = split_member(place)[0] if protocol_of(place) == "tar" else path_of(place).partition("://")[2]
        # The first part of HTTP's is a host: it has a domain and no ending.
        place = url.partition("/")[2] if protocol_of(place) in ("http", "https") else url
    name = place.rpartition("/")[2].lower()
    return ".tar.gz" if name.endswith(".tar.gz") else PurePosixPath(name).suffix


def path_of(url: str) -> str:
    """A URL without its query.

    Args:
        url: ``scheme://...``.

    Returns:
        All before ``?`` or ``#`` for HTTP, where they end the path; elsewhere they are letters like others.
    """
    return re.split(r"[?#]", url, maxsplit=1)[0] if protocol_of(url) in ("http", "https") else url


def shown_name(place: str) -> str:
    """A name as messages and rows show it: no password, no signature.

    Args:
        place: A path, a URL or ``tar://MEMBER::SHARD``.

    Returns:
        The same without ``user:password@`` and without the parameters that sign a URL or let somebody in. So it is
        the same, too, when a URL is signed anew. Other names come back as they are.
    """
    if not is_url(place):
        return place
    if protocol_of(place) == "tar":
        head, mark, shard = place.partition("::")
        return head + mark + shown_name(shard)
    url = place
    if protocol_of(place) not in _NO_USERS:
        url = re.sub(r"^([^:]+://)[^/?#]*@", r"\1", place)
    url, fragment_mark, fragment = url.partition("#")
    head, mark, query = url.partition("?")
    parts = query.split("&")
    kept = [part for part in parts if not _SECRET_NAME.fullmatch(part.partition("=")[0])]
    if mark == "" and not fragment_mark:
        return head
    if any(_SECRET_NAME.fullmatch(part.partition("=")[0]) for part in fragment.split("&")):
        fragment_mark, fragment = "", ""
    return head + (mark if kept else "") + "&".join(kept) + fragment_mark + fragment


def scrubbed(text: str) -> str:
    """A message of somebody else's, fit to be shown.

    Args:
        text: Any text.

    Returns:
        Its words on one line, URLs in it as :func:`shown_name` gives them and secret parameters blotted out.
    """
    line = " ".join(text.split())
    return _SECRET_IN_TEXT.sub(r"\1=...", _URL_IN_TEXT.sub(lambda url: shown_name(url.group()), line))
