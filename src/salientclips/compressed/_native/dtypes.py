"""The records that the native readers give, as numpy dtypes.

They mirror the C structures of ``h264/reader.hpp`` byte for byte.
"""

from __future__ import annotations

import numpy as np

VECTOR = np.dtype(
    {
        "names": [
            "source",
            "w",
            "h",
            "src_x",
            "src_y",
            "dst_x",
            "dst_y",
            "flags",
            "motion_x",
            "motion_y",
            "motion_scale",
        ],
        "formats": ["<i4", "u1", "u1", "<i2", "<i2", "<i2", "<i2", "<u8", "<i4", "<i4", "<u2"],
        "offsets": [0, 4, 5, 6, 8, 10, 12, 16, 24, 28, 32],
        "itemsize": 40,
        "aligned": True,
    }
)
"""A motion vector with the fields of FFmpeg's AVMotionVector, as PyAV names them: ``source`` -1, block size
``w`` x ``h`` and centres ``src``, ``dst`` in pixels, ``motion`` in units of 1/``motion_scale`` pixel."""

REFERENCE = np.dtype([("packet", "<i8"), ("poc_delta", "<i4"), ("index", "<i4")])
"""What a vector points into: decoding-order number of the reference's packet (-1: lost), difference of
picture order counts (current minus reference; 0: lost), and the reference index of the bitstream."""
