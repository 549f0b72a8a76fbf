"""One streaming decode pass that hands out, for few wanted frames, what motion features are made from.

SCSampler reads motion and residuals from the bitstream without decoding (paper, section 3.2). Where no
bitstream reader exists, FFmpeg must decode, and this module makes it decode as little as gives the same
answer:

- **Non-reference frames are skipped**, packet by packet, unless they are wanted: nothing depends on them.
- **Packets after the last needed one before a clean entry point are not decoded**, where the entry point is
  a key I-frame after which no earlier frame is shown. The decoder is drained and flushed there, as for a
  seek.
- **The loop filter is off** (``skip_loop_filter=all``). This is faster, and it makes the features *more*
  exact: without it a decoded frame is its prediction plus its coded residual and nothing else, so frame
  minus prediction is the residual. The pictures drift from what the encoder saw, as its references were
  filtered; but frame and reference drift alike, and the difference of the two is what is read.
- **Threads**: codecs with exported vectors get slice threads only, because with frame threads H.264's vectors
  come out differently from run to run; others get frame threads, whose pictures do not depend on them.

A P-frame may use several references, and FFmpeg says of a vector only that it points into the past. The I-
and P-frames decoded last before come along, and compressed/past.py guesses which is meant. B-frames that
serve as references are not among them. Reading the bitstream itself removes this approximation.

A :class:`Thrift` makes it do less, at the price of other answers.

A frame is known by its packet: the packet's pts is replaced by its row in the table before decoding, so files
with missing or doubled time stamps do not confuse frames. What is done with the frames is not decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import av.codec.context
import av.container
import av.error
import av.packet
import av.video.frame
import av.video.stream
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from ..errors import NoFramesError
from ..types import PacketTable
from .colour import Colour
from .container import open_container, reason_of, video_stream
from .demux import codec_name
from .motion_codecs import exports_motion_vectors
from .orientation import rotation_deg
from .planes import SHRINK, Plane, full_planes, rgb_picture, small_planes
from .references import entry_points, find_references, rows_from_keys, rows_to_feed
from .vectors import VECTOR_DTYPE

_MOST_REFERENCES = 3
"""Past pictures handed out with an H.264 frame; other codecs with exported vectors have only one."""

DRAINED_WITHOUT_VECTORS = frozenset({"mpeg1video", "mpeg2video", "mpeg4"})
"""Codecs of which FFmpeg hands out the frame that is drained from the decoder without its vectors."""

_PATIENCE = 64
"""Frames after which a reference is given up: twice what H.264 and HEVC can reorder by."""


_MAKES_SMALL = frozenset({"mjpeg"})
"""Codecs whose decoder makes pictures of a quarter of the size (``lowres``), from a part of each transform."""

_LUMA_ALONE = frozenset({"prores"})
"""Codecs whose decoder leaves chroma out when told (``flags +gray``): most of FFmpeg's are built without that."""


@dataclass(frozen=True)
class Thrift:
    """What is left undone on top of the module's text; the answers are then others."""

    no_vectors: bool = False
    """Exported vectors are not asked for: every codec gives small pictures."""
    from_keys: bool = False
    """Decoding begins at every key frame, and frames shown before it are left out."""
    small: bool = False
    """Small pictures come from the decoder where it makes them, not from scaling; not where stills are wanted."""
    luma_only: bool = False
    """Small pictures have luma alone; the decoder leaves chroma out where it can and no stills are wanted."""

    def options(self, codec: str) -> dict[str, str]:
        """The decoder's options that it asks for.

        Args:
            codec: Canonical codec name.

        Returns:
            Names and values, as FFmpeg knows them.
        """
        small = {"lowres": str(SHRINK.bit_length() - 1)} if self.small and codec in _MAKES_SMALL else {}
        return {**small, **({"flags": "+gray"} if self.luma_only and codec in _LUMA_ALONE else {})}


@dataclass(frozen=True)
class Reference:
    """A picture that a wanted frame is compared with."""

    planes: tuple[Plane, ...]
    """Luma, then Cb and Cr, of the same shapes as the frame's."""
    temporal_distance: int
    """Frames shown from this one to the wanted one, at least 1."""


@dataclass(frozen=True)
class MotionFrame:
    """One wanted frame with its reference. Arrays may be views of the decoder's memory: read them at once."""

    row: int
    """Row of the packet table."""
    vectors: npt.NDArray[np.void] | None
    """Records of :data:`VECTOR_DTYPE` (num_vectors,), none if all is intra; None where the codec exports none."""
    planes: tuple[Plane, ...]
    """Luma (H', W'), then Cb and Cr."""
    references: tuple[Reference, ...]
    """With vectors the I- and P-frames before, nearest first, 1 to 3; else the frame shown before."""
    shrink_x: float
    """Source pixels along one pixel of ``planes``, 1 with vectors, close to 4 without."""
    shrink_y: float
    """The same downwards."""
    width_px: int
    """Width before rotation, source pixels."""
    height_px: int
    """Height before rotation, source pixels."""
    colour: Colour
    """How ``planes`` are to be read."""
    rotation_deg: int
    """Clockwise turn that displays the picture upright: 0, 90, 180 or 270."""


@dataclass(frozen=True)
class StillPicture:
    """One wanted picture, small and in colour, before rotation."""

    row: int
    """Row of the packet table."""
    rgb: npt.NDArray[np.uint8]
    """RGB (3, H', W')."""
    rotation_deg: int
    """Clockwise turn that displays the picture upright: 0, 90, 180 or 270."""


def read_motion(
    path: Path,
    table: PacketTable,
    wanted: Iterable[int],
    *,
    stills: Iterable[int] = (),
    shorter_side_px: int = 224,
    threads: int = 1,
    thrift: Thrift = Thrift(),
) -> Iterator[MotionFrame | StillPicture]:
    """Decode a file once and hand out the wanted frames, in display order.

    Frames that cannot be had (a broken packet, a lost reference, a size that changes between frame and
    reference) are left out: what does not arrive has failed.

    Args:
        path: A local file.
        table: Its packet table.
        wanted: Rows whose motion is wanted.
        stills: Rows that are wanted as small RGB pictures.
        shorter_side_px: Size of the still pictures.
        threads: Decoder threads; they do not change the result.
        thrift: What else is left undone.

    Yields:
        Frames and pictures; each is to be used before the next is asked for.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Its decoder does not open.
    """
    with open_container(path) as container:
        stream = video_stream(container, path)
        codec = codec_name(stream)
        has_vectors = exports_motion_vectors(codec) and not thrift.no_vectors
        plan = _plan(table, frozenset(wanted), frozenset(stills), codec, has_vectors, thrift.from_keys)
        options = {} if plan.stills else thrift.options(codec)
        prepare(stream, path, has_vectors, threads, options)
        maker = _Maker(table, plan, shorter_side_px, is_small="lowres" in options, luma_only=thrift.luma_only)
        for frame in _decode(container, stream, plan):
            yield from maker.take(frame)


@dataclass(frozen=True)
class _Plan:
    """What the pass is to do, by row."""

    references: dict[int, tuple[int, ...]]
    """Wanted row -> its references, nearest first."""
    vectors: frozenset[int]
    """Wanted rows whose vectors the decoder exports."""
    stills: frozenset[int]
    needed: frozenset[int]
    """Rows that must come out of the decoder."""
    feed: npt.NDArray[np.bool_]
    """Rows that go into the decoder (num_packets,)."""
    is_entry: npt.NDArray[np.bool_]
    """Rows at which a decoder can begin (num_packets,)."""
    position: npt.NDArray[np.int64]


def _plan(
    table: PacketTable,
    wanted: frozenset[int],
    stills: frozenset[int],
    codec: str,
    has_vectors: bool,
    from_keys: bool,
) -> _Plan:
    references = find_references(table)
    vectors: frozenset[int] = frozenset()
    if has_vectors:
        vectors = frozenset(row for row in wanted if references.anchor[row] >= 0)
    followers: set[int] = set()
    if codec in DRAINED_WITHOUT_VECTORS:
        # All packets up to the next anchor push the frame out; the last anchor of a file has none.
        vectors = frozenset(row for row in vectors if references.next_anchor[row] >= 0)
        followers = {int(references.next_anchor[row]) for row in vectors}
        followers |= {row - 1 for row in followers}
    depth = _MOST_REFERENCES if codec == "h264" else 1
    past = {row: references.past(row, depth) for row in vectors}
    past.update({row: (int(references.before[row]),) for row in wanted - vectors})
    needed = wanted | stills | {at for rows in past.values() for at in rows if at >= 0}
    feed = (rows_from_keys if from_keys else rows_to_feed)(table, needed | followers)
    return _Plan(past, vectors, stills, needed, feed, entry_points(table), references.position)


def prepare(
    stream: av.video.stream.VideoStream,
    path: Path,
    has_vectors: bool,
    threads: int,
    options: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Open a stream's decoder as the module's text says.

    Args:
        stream: A stream whose decoder was not used yet.
        path: Its file, for the error.
        has_vectors: Whether its codec exports motion vectors.
        threads: Decoder threads; the frames do not depend on them.
        options: Further options of the decoder.

    Raises:
        NoFramesError: The decoder does not open: its parameters are damaged.
    """
    context = stream.codec_context
    vectors = {"flags2": "+export_mvs"} if has_vectors else {}
    context.options = {"skip_loop_filter": "all", **vectors, **options}
    context.thread_type = "SLICE" if has_vectors or threads == 1 else "FRAME"
    context.thread_count = threads
    # libdav1d looks at skip_frame once, when it is opened: it must see that nothing is to be skipped.
    try:
        context.open(strict=False)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise NoFramesError(path, f"its decoder does not open: {reason_of(error)}") from error


def _decode(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, plan: _Plan
) -> Iterator[av.video.frame.VideoFrame]:
    """Frames whose pts is their row. Errors of the decoder cost the frames they concern, no more."""
    context = stream.codec_context
    fed = np.flatnonzero(plan.feed)
    last = int(fed[-1]) if len(fed) else -1
    is_gap = False
    for row, packet in enumerate(counted_packets(container, stream)):
        if row > last:
            break
        if not plan.feed[row]:
            is_gap = True
            continue
        if is_gap and plan.is_entry[row]:  # else what was left out is nobody's reference
            yield from decoded_frames(context, None)
            context.flush_buffers()
        is_gap = False
        context.skip_frame = "DEFAULT" if row in plan.needed else "NONREF"
        packet.pts = row
        yield from decoded_frames(context, packet)
    yield from decoded_frames(context, None)


def counted_packets(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> Iterator[av.packet.Packet[av.video.stream.VideoStream]]:
    """The packets that read_packets() counted as rows.

    Args:
        container: An open container.
        stream: Its video stream.

    Yields:
        Packets in decoding order; the pass ends early, and quietly, where reading fails, as the table does.
    """
    try:
        for packet in container.demux(stream):
            if packet.size > 0:
                yield packet
    except (av.error.FFmpegError, OSError):
        return


def decoded_frames(
    context: av.video.codeccontext.VideoCodecContext,
    packet: av.packet.Packet[av.video.stream.VideoStream] | None,
) -> list[av.video.frame.VideoFrame]:
    """What the decoder gives for a packet; its errors cost the frames they concern, no more.

    Args:
        context: An open decoder.
        packet: The next packet, or None to drain it.

    Returns:
        Frames in display order, perhaps none.
    """
    try:
        return context.decode(packet)
    except (av.error.FFmpegError, OSError):
        return []


class _Maker:
    """Keeps the references until the frames that need them come, and makes the results."""

    def __init__(
        self, table: PacketTable, plan: _Plan, shorter_side_px: int, *, is_small: bool, luma_only: bool
    ) -> None:
        self._table, self._plan = table, plan
        self._shorter_side_px = shorter_side_px
        self._small = partial(small_planes, is_small=is_small, luma_only=luma_only)
        self._held: dict[int, av.video.frame.VideoFrame] = {}
        self._waiting = Counter(at for rows in plan.references.values() for at in rows)
        self._scaler = VideoReformatter()
        self._still_scaler = VideoReformatter()

    def take(self, frame: av.video.frame.VideoFrame) -> Iterator[MotionFrame | StillPicture]:
        row = frame.pts
        if row is None or not 0 <= row < len(self._table) or frame.is_corrupt:
            return
        if row in self._plan.stills:
            rgb = rgb_picture(frame, self._shorter_side_px, self._still_scaler)
            yield StillPicture(row, rgb, rotation_deg(frame))
        if row in self._plan.references:
            motion = self._motion(row, frame)
            if motion is not None:
                yield motion
            self._waiting.subtract(self._plan.references[row])
        if self._waiting[row] > 0:
            self._held[row] = frame
        self._let_go(int(self._plan.position[row]))

    def _let_go(self, position: int) -> None:
        """Drop references that nothing waits for, and those whose frames were lost on the way."""
        for at in list(self._held):
            if self._waiting[at] <= 0 or abs(position - int(self._plan.position[at])) > _PATIENCE:
                del self._held[at]

    def _motion(self, row: int, frame: av.video.frame.VideoFrame) -> MotionFrame | None:
        size = (frame.width, frame.height)
        vectors = vectors_of(frame) if row in self._plan.vectors else None
        make = self._small if vectors is None else full_planes
        references = []
        for at in self._plan.references[row]:
            held = self._held.get(at)
            if held is None or (held.width, held.height) != size:
                break
            distance = int(self._plan.position[row] - self._plan.position[at])
            references.append(Reference(make(held, self._scaler).planes, max(1, distance)))
        if not references:
            return None
        here = make(frame, self._scaler)
        return MotionFrame(
            row,
            vectors,
            here.planes,
            tuple(references),
            here.shrink_x,
            here.shrink_y,
            *size,
            here.colour,
            rotation_deg(frame),
        )


def vectors_of(frame: av.video.frame.VideoFrame) -> npt.NDArray[np.void]:
    """The vectors that a decoded frame carries.

    Args:
        frame: A frame of a decoder that exports them.

    Returns:
        Records of :data:`VECTOR_DTYPE` (num_vectors,), a view of the decoder's memory: copy them to keep them.
    """
    side_data = frame.side_data.get("MOTION_VECTORS")
    if side_data is None:  # every block is intra-coded
        return np.zeros(0, dtype=VECTOR_DTYPE)
    vectors: npt.NDArray[np.void] = side_data.to_ndarray()
    return vectors
