"""The state of a training run on disk, complete and checked, so that a run that was stopped goes on as if it had not.

A checkpoint's name is made of everything that decides the result, so one of another run is never taken up. Draws need
no state: each epoch's are made of the seed and the epoch's number. Read with torch's restricted unpickler.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from ..cache.store import Warn
from ..whole_file import write_atomically

State = dict[str, Any]
"""Tensors, numbers, texts, and lists and dictionaries of them."""

_HASH_LENGTH = 64


def save_state(path: Path, state: State) -> None:
    """Write a checkpoint in one step.

    Args:
        path: Where.
        state: What.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    write_atomically(path, hashlib.sha256(content).hexdigest().encode() + content)


def load_state(path: Path, warn: Warn | None = None) -> State | None:
    """Read a checkpoint.

    Args:
        path: Where.
        warn: Told of a damaged one.

    Returns:
        The state on the CPU; None where there is none, or where it is damaged.
    """
    if not path.is_file():
        return None
    content = path.read_bytes()
    given, rest = content[:_HASH_LENGTH], content[_HASH_LENGTH:]
    if hashlib.sha256(rest).hexdigest().encode() != given:
        if warn is not None:
            warn(f"the checkpoint '{path}' was damaged; its networks are trained from the beginning")
        return None
    state: State = torch.load(io.BytesIO(rest), map_location="cpu", weights_only=True)
    return state
