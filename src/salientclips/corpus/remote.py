"""Places behind a URL, through fsspec: opened late, tried again where the network fails, and told in one line.

fsspec is the extra ``remote``; nothing here loads it before a URL asks for it. What an error says is made fit to be
shown: fsspec's own messages repeat the URL with its password or signature, so they are never passed on as they are,
and the error that caused ours is left out of the traceback.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..errors import FetchError, InputError, MissingExtraError, SalientClipsError
from ..networks.extras import require
from .names import protocol_of, scrubbed, shown_name

PAUSES_S = (0.2, 0.8, 2.4)
"""What is waited before each further attempt, seconds; the last failure counts."""

CHUNK_BYTES = 1 << 20
"""What is held of a video while it is copied."""

_SILENCE_S = 60
"""A server that sends nothing for so long has gone."""

_NO_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_FINAL = (
    *(FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError),
    *(ImportError, LookupError, NotImplementedError, TypeError, ValueError),
)
"""Errors that will be the same the next time."""

_Result = TypeVar("_Result")


class TruncatedError(OSError):
    """Fewer bytes came than were announced: worth another attempt."""


def file_system(url: str) -> tuple[Any, str]:
    """Fsspec's file system for a URL.

    Args:
        url: ``scheme://...``.

    Returns:
        The file system, and what it calls the place.

    Raises:
        MissingExtraError: fsspec is absent, or the package that speaks the protocol.
        InputError: fsspec does not know the protocol.
        FetchError: The server cannot be reached (some protocols connect at once).
    """
    require("fsspec", "remote")
    from fsspec.core import url_to_fs

    check_protocol(url)
    options = _patience(url)
    file_system, path = attempt(url, lambda: url_to_fs(url, **options))
    return file_system, str(path)


def check_protocol(url: str) -> None:
    """Refuse a URL for which a package is missing; nothing is connected to.

    Args:
        url: ``scheme://...``.

    Raises:
        MissingExtraError: fsspec is absent, or the package that speaks the protocol; the remedy names it.
        InputError: fsspec does not know the protocol, or it is a chain of several.
    """
    if "::" in url:
        # fsspec would take it for a chain of file systems, one of which fills in templates that a file brings along.
        raise InputError(
            f"'{shown_name(url)}' is several places in one", "give one URL, or tar://MEMBER::SHARD"
        )
    require("fsspec", "remote")
    from fsspec.registry import get_filesystem_class, known_implementations

    protocol = protocol_of(url)
    try:
        get_filesystem_class(protocol)
    except ValueError as error:
        raise InputError(
            f"there is no protocol '{protocol}://'", "use one of fsspec's: s3, gs, https, memory ..."
        ) from error
    except ImportError as error:
        # Either the package of the protocol itself is missing, or what fsspec's own module for it needs.
        home = known_implementations[protocol]["class"].partition(".")[0]
        package = getattr(error.__cause__, "name", None) if home == "fsspec" else home
        missing = MissingExtraError(package or home, "remote", f"'{protocol}://' needs it")
        missing.remedy = f"pip install {package or home}"
        raise missing from error


def _patience(url: str) -> dict[str, Any]:
    """Aiohttp ends a transfer after five minutes by default, however well it goes."""
    if protocol_of(url) not in ("http", "https"):
        return {}
    from fsspec.config import conf

    if "client_kwargs" in conf.get(protocol_of(url), {}):
        return {}
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
    return {"client_kwargs": {"timeout": timeout}}


def attempt(place: str, action: Callable[[], _Result], folder: Path | None = None) -> _Result:
    """Do something over the network, again where it fails for a reason that may pass.

    Args:
        place: The URL or name it is about.
        action: What to do; it may be done several times.
        folder: Where it writes to, for the remedy.

    Returns:
        What the action returns.

    Raises:
        FetchError: It failed for good, or once more than there are pauses.
        SalientClipsError: The action raised it itself.
    """
    for pause in (*PAUSES_S, None):
        try:
            return action()
        except (SalientClipsError, MemoryError):
            raise
        except Exception as error:
            # Stores raise what their libraries raise, which need not even be an OSError.
            cause = _cause(error)
            if pause is None or not _may_pass(cause):
                raise FetchError(shown_name(place), _reason(cause), _remedy(cause, folder)) from None
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _cause(error: Exception) -> BaseException:
    """HTTP's file system calls every failure to look a file up a missing file; what is behind it tells more."""
    behind = error.__cause__
    told = isinstance(behind, TimeoutError) or type(behind).__module__.startswith("aiohttp")
    return behind if isinstance(error, FileNotFoundError) and behind is not None and told else error


def _may_pass(error: BaseException) -> bool:
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status in (408, 425, 429) or status >= 500
    if getattr(error, "errno", None) in _NO_DISK:
        return False
    return not isinstance(error, _FINAL)


def _reason(error: BaseException) -> str:
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return f"HTTP {status}"
    if isinstance(error, FileNotFoundError):
        return "there is nothing there"
    if isinstance(error, PermissionError):
        return "access is denied"
    if isinstance(error, TruncatedError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = scrubbed(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _remedy(error: BaseException, folder: Path | None) -> str:
    if getattr(error, "errno", None) in _NO_DISK:
        return f"make room in '{folder}', or give another folder" if folder else "make room on the disk"
    status = getattr(error, "status", None)
    if isinstance(error, PermissionError) or status in (401, 403):
        return "check that you may read it, and that its signature has not expired"
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return "check the address"
    return "check the address and the network, and try again"
