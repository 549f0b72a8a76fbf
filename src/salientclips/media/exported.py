"""All motion vectors that FFmpeg exports of a video, frame by frame, in one streaming decode pass.

Other than motion.py this keeps no pictures and no references: it is for readers of vectors alone. What is decoded is
the same: everything but non-reference frames that nobody wants, and without the loop filter, which vectors do not
depend on. FFmpeg does not say which reference a vector points to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av.video.frame
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType

from .container import open_container, video_stream
from .demux import codec_name
from .motion import DRAINED_WITHOUT_VECTORS, counted_packets, decoded_frames, prepare, vectors_of
from .vectors import VECTOR_DTYPE

_LETTER = {"I": "I", "SI": "I", "BI": "I", "P": "P", "SP": "P", "S": "P", "B": "B"}
"""FFmpeg's picture types in the reading of frame_types.py."""


@dataclass(frozen=True, eq=False)
class ExportedVectors:
    """The vectors of one decoded frame."""

    row: int
    """Row of the packet table."""
    frame_type: str
    """``"I"``, ``"P"``, ``"B"``, or ``"?"`` where the decoder does not say."""
    vectors: npt.NDArray[np.void] | None
    """Records of :data:`VECTOR_DTYPE` (num_vectors,), a copy; None where FFmpeg kept them to itself."""


def read_exported(
    path: Path, wanted: npt.NDArray[np.bool_], *, threads: int = 1
) -> Iterator[ExportedVectors]:
    """Decode a file and hand out the exported vectors of the wanted frames, in display order.

    Args:
        path: A local file whose codec exports vectors.
        wanted: Which rows of its packet table are wanted (num_packets,).
        threads: Decoder threads; they do not change the result.

    Yields:
        One item per wanted frame that the decoder gives whole; frames marked as corrupt are left out.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Its decoder does not open.
    """
    with open_container(path) as container:
        stream = video_stream(container, path)
        withholds = codec_name(stream) in DRAINED_WITHOUT_VECTORS
        prepare(stream, path, True, threads)
        context = stream.codec_context
        for row, packet in enumerate(counted_packets(container, stream)):
            if row >= len(wanted):
                break
            context.skip_frame = "DEFAULT" if wanted[row] else "NONREF"
            packet.pts = row
            for frame in decoded_frames(context, packet):
                yield from _exported(frame, wanted, withheld=False)
        for frame in decoded_frames(context, None):
            yield from _exported(frame, wanted, withheld=withholds)


def _exported(
    frame: av.video.frame.VideoFrame, wanted: npt.NDArray[np.bool_], *, withheld: bool
) -> Iterator[ExportedVectors]:
    row = frame.pts
    if row is None or not 0 <= row < len(wanted) or not wanted[row] or frame.is_corrupt:
        return
    frame_type = _LETTER.get(PictureType(frame.pict_type).name, "?")
    if withheld and frame_type == "P" and frame.side_data.get("MOTION_VECTORS") is None:
        yield ExportedVectors(row, frame_type, None)
    else:
        yield ExportedVectors(row, frame_type, np.array(vectors_of(frame), dtype=VECTOR_DTYPE))
