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

class CellGrid:
    """The grid of cells of a stream, and what is constant of its features."""

    def __init__(
        self,
        width_px: int,
        height_px: int,
        positions: npt.NDArray[np.int64],
        to_rgb: npt.NDArray[np.float32],
    ) -> None:
        """Take the size of the picture, 1 to 65536, and copy the arrays.

        Args:
            width_px: Coded width.
            height_px: Coded height.
            positions: Place of each packet in display order (num_packets,).
            to_rgb: What ``features.ycbcr_to_rgb`` gives (3, 3).

        Raises:
            ValueError: A size or a shape is impossible.
        """

class CellsResult:
    """Features of one wanted packet (see ``compressed/features.py``), in coded orientation; None where it broke."""

    @property
    def type(self) -> str:
        """``"I"``, ``"P"``, ``"B"`` or ``"?"``."""
    @property
    def status(self) -> str:
        """``"ok"``, or why there are no arrays; of MPEG-4 only forms that are not read are named."""
    @property
    def md(self) -> npt.NDArray[np.float32] | None:
        """Displacements (2, h, w), pixels per frame."""
    @property
    def valid(self) -> npt.NDArray[np.bool_] | None:
        """Cells that have a vector (h, w)."""
    @property
    def rgbr(self) -> npt.NDArray[np.float32] | None:
        """Mean RGB residual (3, h, w), 8-bit levels."""
    @property
    def energy(self) -> npt.NDArray[np.float32] | None:
        """Mean squared luma residual (h, w), squared 8-bit levels."""

def remove_camera_motion(
    md: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """``camera.remove_camera_motion`` of several fields, C-contiguous (n, 2, h, w) and (n, h, w).

    Raises:
        ValueError: The shapes do not fit together.
    """

def rasterise(
    records: npt.NDArray[np.uint8], width_px: int, height_px: int, distances: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """``features.rasterise_vectors`` of records seen as bytes (40 n,) and distances above 0 (n,).

    Raises:
        ValueError: The lengths do not fit together.
    """

def match_cells(
    frame: npt.NDArray[np.uint8], reference: npt.NDArray[np.uint8], bias: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """``block_matching.search_in_numpy``; all arrays C-contiguous.

    Raises:
        ValueError: The shapes do not fit together.
    """

class H264Reader:
    """Reads an H.264 stream packet by packet in decoding order, without making a pixel.

    Args:
        extradata: avcC record, Annex B parameter sets, or empty.
    """

    def __init__(self, extradata: bytes) -> None: ...
    def look(self, packet: bytes | memoryview) -> PictureHead:
        """Type a packet from the first bytes of its slices; no state changes but the parameter sets.

        ``feed`` can still say ``"interlaced"`` of a frame that looks ``"ok"`` here: after a field picture the
        references are not followed until the next IDR frame.
        """
    def feed(self, packet: bytes | memoryview, parse: bool, sub_8x8: bool = False) -> FrameResult:
        """Take the next packet.

        Args:
            packet: The access unit.
            parse: Whether its macroblocks are wanted; else only headers are read.
            sub_8x8: Report partitions below 8x8; else the first 4x4 vector of each 8x8, as FFmpeg does.
        """
    def features(
        self,
        packets: list[memoryview],
        wanted: npt.NDArray[np.bool_],
        grid: CellGrid,
        threads: int = 1,
    ) -> list[CellsResult]:
        """Take the next packets, and reduce the wanted P-frames to cells, on several threads without the GIL.

        Packets are counted from the first that this reader was given; all must come this way.

        Args:
            packets: Access units, in decoding order.
            wanted: Which of them are wanted (num_packets,).
            grid: The grid of cells.
            threads: At most so many threads, the caller's among them.

        Returns:
            One result for each wanted packet.

        Raises:
            ValueError: ``packets`` and ``wanted`` differ in length.
        """

class Mpeg4Vop:
    """A VOP as its header shows it."""

    @property
    def type(self) -> str:
        """``"I"``, ``"P"``, ``"B"`` or ``"S"``."""

    @property
    def status(self) -> str:
        """``ok`` where the VOP is coded, its header whole and its layer one that is read."""

    @property
    def coded(self) -> bool:
        """False for a VOP that says to show the one before again, as packed bitstreams have."""

    @property
    def time_ticks(self) -> int:
        """Display time by the VOP's own clock, ticks of ``Mpeg4Reader.time_resolution``."""

    @property
    def reference_ticks(self) -> int | None:
        """Of a P-VOP, the display time of the coded VOP that it refers to; None where none came before."""

    @property
    def quantiser(self) -> int:
        """Quantiser of the header, 1 to 31; 0 where it was not read."""

    @property
    def rounding(self) -> bool:
        """vop_rounding_type: how motion compensation rounds halves."""

    @property
    def offset_bytes(self) -> int:
        """Where its start code is in the packet."""

    @property
    def size_bytes(self) -> int:
        """Its length with the start code."""

class Mpeg4Frame:
    """A VOP and, where it is a P-VOP that was parsed (``status`` is ``ok``), its content; else None."""

    @property
    def vop(self) -> Mpeg4Vop:
        """Its header."""

    @property
    def type(self) -> str:
        """``vop.type``."""

    @property
    def status(self) -> str:
        """``ok`` where the content is here, else why it is not."""

    @property
    def vectors(self) -> npt.NDArray[np.void] | None:
        """A record a block with the fields and values of libavcodec's AVMotionVector (n,)."""

    @property
    def displacements(self) -> npt.NDArray[np.float32] | None:
        """Vector of each macroblock, the mean of its four where it has four (2, h, w): x, y in pixels."""

    @property
    def intra(self) -> npt.NDArray[np.bool_] | None:
        """Which macroblocks are intra-coded and thus have neither vector nor residual (h, w)."""

    @property
    def residual_means(self) -> npt.NDArray[np.float32] | None:
        """Mean residual of Y, Cb and Cr over each macroblock (3, h, w), 8-bit levels; 0 where intra."""

    @property
    def energy(self) -> npt.NDArray[np.float32] | None:
        """Mean squared luma residual over each macroblock (h, w), squared 8-bit levels; 0 where intra."""

class Mpeg4Reader:
    """Reads the packets of one stream, each once and in decoding order, by ``look`` or by ``feed``.

    Calls release the GIL. One reader may be shared by threads; the clock is right where calls come in order.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        """Take the headers that the container keeps beside the packets; they may also stand in packets."""

    def look(self, packet: bytes | memoryview) -> list[Mpeg4Vop]:
        """The VOPs of a packet from their headers: no macroblock is parsed."""

    def feed(self, packet: bytes | memoryview, parse: bool = True) -> list[Mpeg4Frame]:
        """The VOPs of a packet; with ``parse``, P-VOPs come with their content. Never raises for bad data."""

    def features(
        self,
        packets: list[memoryview],
        wanted: npt.NDArray[np.bool_],
        grid: CellGrid,
        threads: int = 1,
    ) -> list[CellsResult]:
        """Take the next packets, and reduce the wanted P-frames to cells, on several threads without the GIL.

        Packets are counted from the first that this reader was given; all must come this way.

        Args:
            packets: Access units, in decoding order.
            wanted: Which of them are wanted (num_packets,).
            grid: The grid of cells.
            threads: At most so many threads, the caller's among them.

        Returns:
            One result for each wanted packet.

        Raises:
            ValueError: ``packets`` and ``wanted`` differ in length.
        """

    @property
    def status(self) -> str:
        """``ok``, ``no_header``, ``broken_header``, or why this stream is not read."""

    @property
    def width_px(self) -> int:
        """Width of the layer, 0 before a header."""

    @property
    def height_px(self) -> int:
        """Height of the layer, 0 before a header."""

    @property
    def time_resolution(self) -> int:
        """Ticks a second."""

    @property
    def ticks_per_frame(self) -> int:
        """Ticks between frames where the layer says that they are constant; else 0."""

    @property
    def quarter_sample(self) -> bool:
        """Whether vectors count quarter samples, else half."""

    @property
    def packed(self) -> bool:
        """Whether user data announced a packed bitstream (P- and B-VOP in one packet)."""

    @property
    def user_data(self) -> bytes:
        """The last user data, at most 256 bytes; most encoders write their name."""

def mpeg4_code_words() -> dict[str, list[tuple[int, int]]]:
    """The code words of each table as (bits, length), for the test that they are prefix-free."""
