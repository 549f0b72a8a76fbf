"""What each budget buys: which frames of a clip are read, and what the decoder leaves undone.

Only files whose motion has to be decoded are concerned; the bitstream back end reads what it always reads, and costs
less than any of these. The numbers behind the choice are in docs/budget.md.

- ``full``: the frames that the sampler asks for, as media/motion.py decodes them.
- ``balanced``: at most two frames of a clip, and small pictures from the decoder where it makes them (MJPEG).
- ``fast``: one frame a clip, if possible next to a key frame, and none for a clip that begins at most 2 s after the
  frame of the one before: it shares that. What is not needed for these is not decoded. Every codec gives small
  pictures of luma alone, so RGB-R is grey; exported vectors are not asked for.
"""

from __future__ import annotations

from ..errors import UnknownNameError
from ..media.motion import Thrift
from ..timeline import ClipGrid
from ..types import BUDGETS, Budget, FeatureParameters, PacketTable
from .choose import Rows, frames_to_read, pairs_to_read

_BALANCED_FRAMES = 2

_THRIFT: dict[Budget, Thrift] = {
    "full": Thrift(),
    "balanced": Thrift(small=True),
    "fast": Thrift(no_vectors=True, from_keys=True, small=True, luma_only=True),
}


def check_budget(budget: str) -> Budget:
    """See that a word is a budget.

    Args:
        budget: The word.

    Returns:
        The same.

    Raises:
        UnknownNameError: It is none.
    """
    for name in BUDGETS:
        if name == budget:
            return name
    raise UnknownNameError("budget", budget, BUDGETS)


def thrift_of(budget: Budget) -> Thrift:
    """What the decoder leaves undone.

    Args:
        budget: The budget.

    Returns:
        What :func:`salientclips.media.motion.read_motion` takes.
    """
    return _THRIFT[budget]


def motion_to_read(table: PacketTable, grid: ClipGrid, parameters: FeatureParameters) -> list[Rows]:
    """Choose the frames whose motion and residual stand for each clip.

    Args:
        table: The packet table of the video.
        grid: Its clips.
        parameters: How many frames of a clip are asked for, and the budget.

    Returns:
        For each clip the rows of its frames, perhaps none; clips share frames only with ``fast``.

    Raises:
        InputError: ``parameters.frames_per_clip`` is negative.
    """
    count = parameters.frames_per_clip
    if parameters.budget == "fast" and count >= 0:
        return pairs_to_read(table, grid)
    if parameters.budget == "balanced" and (count == 0 or count > _BALANCED_FRAMES):
        count = _BALANCED_FRAMES
    return frames_to_read(table, grid, count)
