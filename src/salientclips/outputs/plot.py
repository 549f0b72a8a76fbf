"""The saliency of a video as a matplotlib figure (``scores.plot()``), for papers and slides.

matplotlib is the extra ``plots`` and is loaded when a figure is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..networks.extras import require
from ..types import ClipScores
from .drawn_streams import drawn_streams
from .notebook import with_room

Values = npt.NDArray[np.float64]

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
"""Okabe and Ito's set, safe for the colour-blind."""
_MARK = "#d55e00"


def plot_scores(scores: ClipScores, ax: Axes | None = None, k: int | None = None) -> Axes:
    """Draw the scores over time, and the selected clips.

    Args:
        scores: The scores of a video.
        ax: Where to draw; None for a new figure.
        k: If given, the top K clips are marked with their ranks.

    Returns:
        The axes, time in seconds along x.

    Raises:
        MissingExtraError: matplotlib is not installed (``pip install 'salientclips[plots]'``).
        InputError: ``k`` is less than 1.
    """
    require("matplotlib", "plots")
    from matplotlib import pyplot

    if ax is None:
        _, ax = pyplot.subplots(figsize=(9, 2.6), layout="constrained")
    curves = {scores.sampler: scores.scores, **drawn_streams(scores)}
    for (name, values), colour in zip(curves.items(), (*_COLOURS, *_COLOURS), strict=False):
        levels, edges = _steps(scores, values)
        ax.stairs(levels, edges, color=colour, label=name, linewidth=1.4, baseline=None)
    if k is not None:
        clips = scores.select(k).clips
        for clip in clips:
            ax.axvspan(clip.start_s, clip.end_s, color=_MARK, alpha=0.22, linewidth=0)
        across = ax.get_xaxis_transform()  # x in seconds, y as a share of the axes
        for clip in with_room(clips, 0.025 * float(scores.grid.end_s[-1])):
            middle = (clip.start_s + clip.end_s) / 2
            ax.text(middle, 1.01, str(clip.rank), transform=across, fontsize=8, ha="center", va="bottom")
    ax.set(xlabel="time (s)", ylabel="saliency", xlim=(scores.grid.start_s[0], scores.grid.end_s[-1]))
    # A file name is text, not mathematics.
    ax.set_title(scores.path.name, loc="left", fontsize=10, parse_math=False, pad=14 if k else None)
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=8)
    return ax


def _steps(scores: ClipScores, values: Values) -> tuple[Values, Values]:
    """Values and edges for matplotlib's stairs; a gap between clips becomes a step without a value."""
    starts, ends = scores.grid.start_s, scores.grid.end_s
    edges, levels = [starts[0]], []
    for start, end, value in zip(starts, ends, values, strict=True):
        if start > edges[-1]:
            edges.append(start)
            levels.append(np.nan)
        edges.append(end)
        levels.append(value)
    return np.array(levels), np.array(edges)
