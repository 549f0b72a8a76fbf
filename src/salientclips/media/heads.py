"""What the quick look at a packet gives; shared by the files that look, one for each codec family."""

from __future__ import annotations

from typing import NamedTuple

I = ord("I")  # noqa: E741 - the standards' own letter
P = ord("P")
B = ord("B")


class FrameHead(NamedTuple):
    """What the head of a packet says about its frame."""

    type: int
    """``ord("I")``, ``ord("P")``, ``ord("B")`` or ``ord("?")``."""
    is_shown: bool = True
    """False where the bitstream itself says that nothing is displayed for the packet."""


UNKNOWN = FrameHead(ord("?"))
