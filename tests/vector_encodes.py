"""Small encodes for the tests of motion vectors: H.264 and MPEG-4 part 2, with and without B-frames. No test."""

from __future__ import annotations

from pathlib import Path

import h264_media
import mpeg4_streams

H264 = {
    "cabac B": "cabac=1:8x8dct=1:ref=3:bframes=2:partitions=all",
    "cavlc B": "cabac=0:8x8dct=0:ref=1:bframes=2:partitions=all",
    "cabac short": "cabac=1:ref=4:bframes=0:keyint=5:slices=2:partitions=all",
    "cavlc": "cabac=0:8x8dct=1:ref=2:bframes=0:weightp=2:partitions=all",
}
MPEG4 = {"mpeg4": ("", 0), "mpeg4 B": ("", 2), "mpeg4 4MV qpel B": ("+mv4+qpel", 2)}


def encode_of(name: str, folder: Path) -> Path:
    """The encode of a name of ``H264`` or ``MPEG4``, made in a folder once."""
    path = folder / (name.replace(" ", "_") + (".mkv" if name in H264 else ".mp4"))
    if path.exists():
        return path
    if name in H264:
        pictures = h264_media.moving_picture(20)
        path.write_bytes(h264_media.encode(pictures, "yuv420p", H264[name]).getvalue())
    else:
        flags, b_frames = MPEG4[name]
        frames = [mpeg4_streams.as_frame(p) for p in mpeg4_streams.drawn_footage(20, 176, 144)]
        options = {"flags": flags} if flags else {}
        mpeg4_streams.encode(path, frames, options, quantiser=6, b_frames=b_frames)
    return path
