"""Loading weights: from a path or a URL, without running anyone's code, and never in part.

Files: ``.safetensors``; whatever ``torch.save`` wrote (read with ``weights_only=True``, from torch 2.10 on);
pickles of numpy arrays. :func:`load_tensors` compares every tensor by name and shape before it copies the first one:
a checkpoint of another network is an error that lists what differs, not a network with a random layer. A download
happens only for a URL that the user gave.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import nn

from ..errors import WeightsError, first_line
from .extras import require
from .misfits import misfits
from .numpy_pickle import read_numpy_pickle

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 60
_SAFE_TORCH = (2, 10)
"""The first release whose unpickler holds what it promises."""
# The key under which training programs put the weights beside optimiser state and the like.
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model")
# How torch.save began its files before they were zip archives (torch.serialization.MAGIC_NUMBER, pickled).
_LEGACY_TORCH = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
# A counter of training that inference never reads; Caffe2's and JAX's checkpoints have none.
_UNUSED = "num_batches_tracked"


def cache_dir() -> Path:
    """Where downloads are kept: ``$XDG_CACHE_HOME/salientclips``, by default ``~/.cache/salientclips``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "salientclips"


def local_file(source: str | Path, *, sha256: str | None = None, cache: Path | None = None) -> Path:
    """A weights file on this machine, downloaded first where the source is a URL.

    Args:
        source: A path, or a URL with ``http``, ``https`` or ``file``.
        sha256: What the file must hash to, hexadecimal; None for no check.
        cache: Where downloads are kept; None for :func:`cache_dir`.

    Returns:
        The path of the file. A URL that was downloaded before is not asked again.

    Raises:
        WeightsError: There is no such file, the download failed or was cut short, or the hash differs.
    """
    text = str(source)
    if not isinstance(source, Path) and "://" in text:
        if urllib.parse.urlsplit(text).scheme not in ("http", "https", "file"):
            raise WeightsError(f"'{text}' cannot be downloaded", "give a path, or a http, https or file URL")
        path = (cache or cache_dir()) / _cache_name(text)
        if not path.is_file():
            _download(text, path, sha256)
            return path
    else:
        path = Path(os.path.expanduser(source))
        if not path.is_file():
            what = "is a directory" if path.is_dir() else "does not exist"
            raise WeightsError(f"the weights '{path}' cannot be read: it {what}", "check the path")
    if sha256 is not None:
        with path.open("rb") as file:
            _check_hash(hashlib.file_digest(file, "sha256").hexdigest(), sha256, f"'{path}'")
    return path


def _cache_name(url: str) -> str:
    # Two hosts may use one file name, so the URL's hash goes before it.
    name = Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name or "weights"
    return f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}"


def _check_hash(found: str, wanted: str, what: str) -> None:
    if found != wanted.lower():
        raise WeightsError(
            f"{what} has the SHA-256 {found}, not {wanted}", "get the file again, or correct the hash"
        )


def _download(url: str, target: Path, sha256: str | None) -> None:
    """Write a URL's content to a file that appears only when it is complete."""
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response,
            tempfile.NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False) as file,
        ):
            part = Path(file.name)
            found = _copy(response, file, response.headers.get("Content-Length"), url)
        if sha256 is not None:
            _check_hash(found, sha256, f"'{url}'")
        part.replace(target)
    except (OSError, ValueError) as error:  # URLError and HTTPError are OSErrors
        raise WeightsError(
            f"'{url}' could not be downloaded ({error})",
            "check the address and the network, or give a local path",
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _copy(response: IO[bytes], file: IO[bytes], announced: str | None, url: str) -> str:
    digest, length = hashlib.sha256(), 0
    while chunk := response.read(_CHUNK_BYTES):
        file.write(chunk)
        digest.update(chunk)
        length += len(chunk)
    if announced is not None and length != int(announced):
        raise WeightsError(f"'{url}' ended after {length} of {announced} bytes", "try again")
    return digest.hexdigest()


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read all tensors of a weights file without running code from it.

    Args:
        path: A local file.

    Returns:
        Tensors by name, of any shape and any dtype, on the CPU; what training programs wrap around (``state_dict``,
        ``module.``) is off.

    Raises:
        WeightsError: The file is damaged, is of no known kind, or would have to run code.
        MissingExtraError: It is a safetensors file and safetensors does not load.
    """
    if path.suffix == ".safetensors":
        load_file = require("safetensors.torch", "torch").load_file
        try:
            return dict(load_file(str(path)))
        except Exception as error:  # its error type is not part of its interface
            raise WeightsError(f"'{path}' is no safetensors file ({first_line(error)})", _DAMAGED) from error
    with path.open("rb") as file:
        head = file.read(32)
    if not zipfile.is_zipfile(path) and _LEGACY_TORCH not in head:
        return {name: torch.from_numpy(array) for name, array in read_numpy_pickle(path).items()}
    _check_torch(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch each have their own
        raise WeightsError(f"'{path}' cannot be read as weights ({first_line(error)})", _DAMAGED) from error
    return _unwrap(content, path)


def _check_torch(path: Path) -> None:
    """Refuse what an older torch would run or write where it must not, ``weights_only`` or not."""
    release = tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2])
    if release < _SAFE_TORCH:
        raise WeightsError(
            f"'{path}' is not read: torch {torch.__version__} may run what is in such a file (CVE-2025-32434,"
            " CVE-2026-24747)",
            "update torch to 2.10 or later, or give the weights as .safetensors",
        )


_DAMAGED = "get the file again, or save its state dict as .safetensors"


def _unwrap(content: Any, path: Path) -> dict[str, torch.Tensor]:
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not all(isinstance(v, torch.Tensor) for v in content.values()):
        raise WeightsError(f"'{path}' holds no state dict", "save network.state_dict()")
    names = [str(name) for name in content]
    # DataParallel puts "module." before every name.
    prefix = "module." if names and all(name.startswith("module.") for name in names) else ""
    return {name.removeprefix(prefix): content[name] for name in names}


def load_tensors(
    network: nn.Module, tensors: Mapping[str, torch.Tensor], *, of: str, source: str
) -> nn.Module:
    """Fill a network with tensors, all of them or none.

    Args:
        network: Built on the ``meta`` device; filled in place.
        tensors: By the network's own names, of the shapes that it has (anything else is an error); floating
            point of any width, stored as float32.
        of: Name of the classifier, for the error.
        source: Where the tensors come from, for the error.

    Returns:
        The network, on the CPU.

    Raises:
        WeightsError: A tensor is missing, unexpected, of another shape, not floating point, or not finite.
    """
    wanted = {n: tuple(t.shape) for n, t in network.state_dict().items() if not n.endswith(_UNUSED)}
    given = {n: t for n, t in tensors.items() if not n.endswith(_UNUSED)}
    faults = misfits(
        wanted,
        {n: tuple(t.shape) for n, t in given.items()},
        lambda name: given[name].is_floating_point() and bool(given[name].isfinite().all()),
    )
    if faults:
        raise WeightsError(
            f"'{source}' does not fit {of} with its {len(wanted)} tensors: {faults}",
            f"give a checkpoint of {of}, and num_classes if it has other classes",
        )
    network.to_empty(device="cpu")
    for name, buffer in network.named_buffers():
        if name.endswith(_UNUSED):
            buffer.zero_()
    network.load_state_dict(given, strict=False)
    return network
