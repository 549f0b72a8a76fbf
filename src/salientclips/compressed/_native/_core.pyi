"""The native readers. Packets are ``bytes`` as a demuxer gives them; nothing here raises on damaged input."""

from typing import Literal

import numpy as np
import numpy.typing as npt

H264Status = Literal[
    "ok",
    "no_slice",
    "missing_parameters",
    "bad_header",
    "interlaced",
    "mbaff",
    "slice_groups",
    "data_partitioning",
    "switching",
    "b_slices",
    "lossless",
    "chroma_format",
    "several_pictures",
    "broken",
    "incomplete",
]

class PictureHead:
    """What the slice headers of one packet say, without anything else being read."""

    @property
    def type(self) -> Literal["I", "P", "B", "?"]: ...
    @property
    def status(self) -> H264Status:
        """``"ok"`` where ``feed`` can read the macroblocks; else why not."""
    @property
    def is_reference(self) -> bool: ...
    @property
    def is_idr(self) -> bool: ...
    @property
    def frame_num(self) -> int: ...
    @property
    def poc_lsb(self) -> int: ...

class FrameResult:
    """One packet's picture. The arrays are None unless ``parsed``."""

    @property
    def type(self) -> Literal["I", "P", "B", "?"]: ...
    @property
    def status(self) -> H264Status:
        """``"ok"``, or why there are no arrays: a form that is not read, or a slice that broke."""
    @property
    def is_reference(self) -> bool: ...
    @property
    def is_idr(self) -> bool: ...
    @property
    def poc(self) -> int:
        """Picture order count (clause 8.2.1)."""
    @property
    def packet(self) -> int:
        """Number of the packet, counted from 0 in the order of ``feed``."""
    @property
    def parsed(self) -> bool: ...
    @property
    def vectors(self) -> npt.NDArray[np.void] | None:
        """``dtypes.VECTOR`` (n,): macroblocks in raster order, partitions within; none for intra ones."""
    @property
    def references(self) -> npt.NDArray[np.void] | None:
        """``dtypes.REFERENCE`` (n,), one for each vector."""
    @property
    def means(self) -> npt.NDArray[np.float32] | None:
        """Area mean of the residual per macroblock (3, h, w): Y, Cb, Cr, 8-bit levels."""
    @property
    def energy(self) -> npt.NDArray[np.float32] | None:
        """Mean squared luma residual per macroblock (h, w), squared 8-bit levels."""
    @property
    def intra(self) -> npt.NDArray[np.bool_] | None:
        """Intra-coded macroblocks (h, w)."""

class H264Reader:
    """Reads an H.264 stream packet by packet in decoding order, without making a pixel.

    Args:
        extradata: avcC record, Annex B parameter sets, or empty.
    """

    def __init__(self, extradata: bytes) -> None: ...
    def look(self, packet: bytes) -> PictureHead:
        """Type a packet from the first bytes of its slices; no state changes but the parameter sets.

        ``feed`` can still say ``"interlaced"`` of a frame that looks ``"ok"`` here: after a field picture the
        references are not followed until the next IDR frame.
        """
    def feed(self, packet: bytes, parse: bool, sub_8x8: bool = False) -> FrameResult:
        """Take the next packet.

        Args:
            packet: The access unit.
            parse: Whether its macroblocks are wanted; else only headers are read.
            sub_8x8: Report partitions below 8x8; else the first 4x4 vector of each 8x8, as FFmpeg does.
        """
    def feed_many(
        self, packets: list[bytes], parse: list[bool], sub_8x8: bool = False, threads: int = 1
    ) -> list[FrameResult]:
        """Take the next packets at once; the wanted pictures are parsed on several threads without the GIL.

        Args:
            packets: Access units, in decoding order.
            parse: Which of them are wanted, one for each packet.
            sub_8x8: As for ``feed``.
            threads: At most so many threads, the caller's among them.

        Returns:
            The same as ``feed`` gives packet by packet.

        Raises:
            ValueError: The lists differ in length.
        """
