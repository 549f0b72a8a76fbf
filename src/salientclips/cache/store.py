"""Entries on disk that can be trusted: each is one safetensors file, complete, checked, and made again if damaged.

An entry appears under its name in one step, so a killed process leaves no half of one, and two processes that make
the same entry at once do no harm: they write the same content and the later one wins. A checksum over every byte of
the arrays and of the facts beside them is kept in the file and compared on reading (a flipped bit in a cache would
train a wrong sampler in silence). It does not clean up: entries stay until the user deletes the folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import first_line
from ..networks.extras import require
from ..timeline import ClipGrid, ClipSpec
from ..whole_file import write_atomically

Array = npt.NDArray[Any]
Progress = Callable[[float], None]
"""Called with the share of a video done, 0 to 1."""
Warn = Callable[[str], None]
"""Told in one line of what went wrong without stopping the work."""

FORMAT = 1
"""Counts changes to what files hold; an entry of another format is made again."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What one entry holds."""

    arrays: dict[str, Array]
    """Numeric arrays by name."""
    facts: dict[str, Any]
    """Everything else, as JSON can hold it."""


class DamagedEntry(Exception):  # noqa: N818 - it never reaches a user
    """An entry is there and cannot be used; its text says why."""


def default_folder() -> Path:
    """Where entries are kept when nothing is said: ``$XDG_CACHE_HOME/salientclips/videos``."""
    # Not above: it brings torch.
    from ..networks.weights import cache_dir

    return cache_dir() / "videos"


def key_of(**facts: object) -> str:
    """A name for what is decided by some facts.

    Args:
        facts: Whatever decides the content, as JSON can hold it.

    Returns:
        32 hexadecimal digits; other facts give other ones.
    """
    text = json.dumps({"format": FORMAT, **facts}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def clips_key(clips: ClipSpec | ClipGrid) -> str:
    """What names a division into clips: its rule, or the boundaries themselves.

    Args:
        clips: The rule, or the boundaries.

    Returns:
        A short text; two that differ have different ones.
    """
    if isinstance(clips, ClipSpec):
        return f"{clips.frames}x{clips.frame_step}" if clips.seconds is None else f"{clips.seconds}s"
    spans = ",".join(f"{start}-{end}" for start, end in zip(clips.starts, clips.ends, strict=True))
    return hashlib.sha256(spans.encode()).hexdigest()


def save(path: Path, stored: Stored) -> None:
    """Write an entry in one step.

    Args:
        path: Where; its folder is made.
        stored: What.
    """
    save_bytes = require("safetensors.numpy", "torch").save
    # safetensors writes the buffer of a view as it lies in memory, so every array is made contiguous.
    arrays = {name: np.ascontiguousarray(array) for name, array in stored.arrays.items()}
    facts = json.dumps(stored.facts, sort_keys=True, ensure_ascii=True)
    content = save_bytes(arrays, metadata={"facts": facts, "sha256": _checksum(arrays, facts)})
    write_atomically(path, content)


def load(path: Path) -> Stored | None:
    """Read an entry and check every byte of it.

    Args:
        path: Where.

    Returns:
        The entry; None where there is none.

    Raises:
        DamagedEntry: It is there and cannot be used.
    """
    safe_open = require("safetensors", "torch").safe_open
    if not path.is_file():
        return None
    try:
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        facts, wanted = metadata["facts"], metadata["sha256"]
        content = json.loads(facts)
    except Exception as error:  # safetensors' own error type is not part of its interface
        raise DamagedEntry(f"it cannot be read: {first_line(error)}") from error
    if _checksum(arrays, facts) != wanted:
        raise DamagedEntry("its checksum differs")
    return Stored(arrays, content)


def load_or_none(path: Path, warn: Warn | None) -> Stored | None:
    """Read an entry; a damaged one counts as absent, and the user is told.

    Args:
        path: Where.
        warn: Told of a damaged entry.

    Returns:
        The entry, or None.
    """
    try:
        return load(path)
    except DamagedEntry as damage:
        if warn is not None:
            warn(f"the cache entry '{path}' was damaged ({damage}) and is made again")
        return None


def _checksum(arrays: Mapping[str, Array], facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"|{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def pack_times(times: tuple[Fraction, ...]) -> npt.NDArray[np.int64]:
    """Exact times as an array.

    Args:
        times: Seconds on the timeline (n,).

    Returns:
        int64 (n, 2): numerators and denominators.
    """
    return np.array([(t.numerator, t.denominator) for t in times], dtype=np.int64).reshape(-1, 2)


def unpack_times(packed: Array) -> tuple[Fraction, ...]:
    """The inverse of :func:`pack_times`.

    Args:
        packed: int64 (n, 2).

    Returns:
        Seconds on the timeline (n,).
    """
    return tuple(Fraction(int(above), int(below)) for above, below in packed)
