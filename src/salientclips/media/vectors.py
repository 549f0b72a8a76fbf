"""The record in which motion vectors travel, from FFmpeg or from our own bitstream reader."""

from __future__ import annotations

import numpy as np

VECTOR_DTYPE = np.dtype(
    [
        ("source", "int32"),
        ("w", "uint8"),
        ("h", "uint8"),
        ("src_x", "int16"),
        ("src_y", "int16"),
        ("dst_x", "int16"),
        ("dst_y", "int16"),
        ("flags", "uint64"),
        ("motion_x", "int32"),
        ("motion_y", "int32"),
        ("motion_scale", "uint16"),
    ],
    align=True,
)
"""FFmpeg's ``AVMotionVector``: ``dst`` is the block's centre in the frame, ``source < 0`` means the past,
and the codec's vector is ``motion / motion_scale`` pixels from ``dst`` to ``src``."""
