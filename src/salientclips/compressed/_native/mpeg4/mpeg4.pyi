"""What ``bind_mpeg4`` adds to the native module: MPEG-4 part 2 (ISO/IEC 14496-2), read without decoding.

A fragment for the stub of the whole module. Arrays are not to be written to; ``h`` and ``w`` count
macroblocks, ``ceil(height_px / 16)`` and ``ceil(width_px / 16)``.

Status is one of: ``ok``; ``not_parsed`` (an I- or B-VOP, or ``parse`` was False); ``not_coded`` (the frame
before is shown again); ``no_header``, ``broken_header``, ``broken_macroblock``, ``truncated`` and
``lost_packet`` (the data are incomplete or broken); or why the stream is not read: ``interlaced``,
``sprite``, ``gmc``, ``data_partitioned``, ``short_header``, ``shape``, ``not_8_bit``, ``scalability``,
``newpred``, ``reduced_resolution``, ``complexity_estimation``, ``studio``, ``narrow``.
"""

import numpy as np
import numpy.typing as npt

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

    def look(self, packet: bytes) -> list[Mpeg4Vop]:
        """The VOPs of a packet from their headers: no macroblock is parsed."""

    def feed(self, packet: bytes, parse: bool = True) -> list[Mpeg4Frame]:
        """The VOPs of a packet; with ``parse``, P-VOPs come with their content. Never raises for bad data."""

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
