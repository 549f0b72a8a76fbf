"""How the numbers in a video's planes make colour, by the stream's word or by assumption.

Only names and numbers (ITU-T H.273); nothing is converted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColourMatrix = Literal["bt601", "bt709", "bt2020"]
"""How luma and chroma make colour (ITU-T H.273, MatrixCoefficients)."""


@dataclass(frozen=True)
class Colour:
    """What is needed to read the samples of a YCbCr picture."""

    matrix: ColourMatrix
    """BT.601 where the stream does not say, as in FFmpeg's own conversion."""
    full_range: bool
    """Whether black to white is 0 to 2^n - 1 instead of 16 to 235 (times 2^(n - 8))."""
    bit_depth: int
    """Bits per sample, n."""


def colour_of(colorspace: int, color_range: int, pixel_format: str, bit_depth: int) -> Colour:
    """Read FFmpeg's colour fields of a frame.

    Args:
        colorspace: ``AVFrame.colorspace``, the code points of H.273.
        color_range: ``AVFrame.color_range``; 2 is full range.
        pixel_format: FFmpeg's pixel format; ``yuvj...`` means full range whatever the field says.
        bit_depth: Bits per sample.

    Returns:
        The colour; matrices other than BT.709 and BT.2020 count as BT.601, which they are close to.
    """
    matrix: ColourMatrix = "bt601"
    if colorspace == 1:
        matrix = "bt709"
    elif colorspace in (9, 10):
        matrix = "bt2020"
    return Colour(matrix, color_range == 2 or pixel_format.startswith("yuvj"), bit_depth)
