"""Recognising a file again, without reading it whole and without trusting its name or date.

Stored scores carry the fingerprint of their video (traps.md, row 24). A change in the middle of a file that
keeps its length goes unnoticed: re-encoding, cutting and remuxing all change the ends.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..errors import FileMissingError
from ..types import Fingerprint

_END_BYTES = 1 << 20


def fingerprint(path: Path) -> Fingerprint:
    """Hash the first and the last MiB of a file.

    Args:
        path: A local file.

    Returns:
        Its length, and the SHA-256 of its first MiB followed by its last MiB (which overlap in a short file).

    Raises:
        FileMissingError: There is no file.
    """
    if not os.path.isfile(path):
        raise FileMissingError(path)
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_END_BYTES))
        size_bytes = file.seek(0, 2)
        file.seek(max(0, size_bytes - _END_BYTES))
        digest.update(file.read(_END_BYTES))
    return Fingerprint(size_bytes, digest.hexdigest())
