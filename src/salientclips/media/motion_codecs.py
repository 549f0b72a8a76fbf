"""Which codecs let libavcodec export their motion vectors (`flags2 +export_mvs`).

One fact, in one place, for `probe` (which tells the user) and for the feature readers (which act on it). It
does not open a file. The list holds FFmpeg's decoders that fill AVMotionVector side data: those built on
its MPEG picture code, and H.264. HEVC, VP8, VP9 and AV1 have vectors in the bitstream, yet FFmpeg exports
none.
"""

from __future__ import annotations

EXPORTS_MOTION_VECTORS: frozenset[str] = frozenset(
    {
        *("h264", "mpeg4", "mpeg1video", "mpeg2video", "h263", "h263p"),
        *("flv1", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2"),
    }
)
"""Canonical codec names whose decoder exports vectors; verified by test_probe.py for those we can encode."""


def exports_motion_vectors(codec: str) -> bool:
    """Say whether FFmpeg exports the motion vectors of a codec.

    Args:
        codec: Canonical codec name, for example ``"h264"``.

    Returns:
        True where decoded P- and B-frames carry vectors as side data.
    """
    return codec in EXPORTS_MOTION_VECTORS
