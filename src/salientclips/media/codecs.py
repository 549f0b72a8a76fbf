"""Which of the codecs that users have FFmpeg can decode here (asked by the verb ``doctor``)."""

from __future__ import annotations

import av

COMMON_DECODERS: tuple[str, ...] = (
    "h264",
    "hevc",
    "vp8",
    "vp9",
    "av1",
    "mpeg4",
    "mpeg2video",
    "mjpeg",
    "prores",
)
"""Codecs of nearly all files, by FFmpeg's decoder names."""


def missing_decoders() -> tuple[str, ...]:
    """Names of common codecs that this FFmpeg cannot decode.

    Returns:
        A part of ``COMMON_DECODERS``, in its order; a wheel of PyAV lacks none.
    """
    return tuple(name for name in COMMON_DECODERS if not _can_decode(name))


def _can_decode(name: str) -> bool:
    try:
        av.Codec(name, "r")
    except ValueError:
        return False
    return True
