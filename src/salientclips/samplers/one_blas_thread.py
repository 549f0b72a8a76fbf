"""Holds numpy's matrix products to one thread while samplers judge.

BLAS cuts a product into as many parts as it has threads, and at the cuts it adds up in another order: scores would
differ in their last digits from machine to machine by the number of cores. The products here are small, too, so that
clips side by side are the better use of cores. Accelerate on macOS knows no such setting and is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = Lock()
_limits: list[Any] = []
"""One entry for everybody who is inside, the setting that was there before with the first."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Give BLAS one thread until the block ends; for the whole process, several may be inside at once.

    Yields:
        Nothing.
    """
    with _lock:
        _limits.append(None if _limits else _controller().limit(limits=1))
    try:
        yield
    finally:
        with _lock:
            # The one who was first may leave before others: the setting of before is kept for the last.
            before = _limits.pop() if len(_limits) == 1 else _limits.pop(1)
            if before is not None:
                before.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds; numpy's is there since numpy was imported.
    return ThreadpoolController().select(user_api="blas")
