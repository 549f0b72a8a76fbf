"""The records that the native readers give, as numpy dtypes.

They mirror the C++ structures of ``motion_vector.hpp`` and ``h264/reader.hpp`` byte for byte.
"""

from __future__ import annotations

import numpy as np

from ...media.vectors import VECTOR_DTYPE as VECTOR

__all__ = ["REFERENCE", "VECTOR"]

REFERENCE = np.dtype([("packet", "<i8"), ("poc_delta", "<i4"), ("index", "<i4")])
"""What a vector points into: decoding-order number of the reference's packet (-1: lost), difference of
picture order counts (current minus reference; 0: lost), and the reference index of the bitstream."""
