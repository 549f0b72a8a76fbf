"""Back end "bitstream": reads motion and residuals from the packets themselves; no pixel is ever made.

This is the paper's promise, "requires no decoding" (section 3.1). The native readers in ``_native/`` parse the
syntax of the P-frames that are wanted and only the headers of all others: H.264 (ITU-T H.264) and MPEG-4 part 2
(ISO/IEC 14496-2). What comes out are the codec's own vectors, with the reference picture that each points to, and the
residual's means and energies, dequantised.

Forms that are not read (interlaced pictures, slice groups, sprites ...) are known from the headers; then
:class:`Unreadable` is raised before the clip concerned is given out, and the decoded back end takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from ..media.payloads import StreamFacts, read_payloads
from ..media.references import find_references
from ..timeline import ClipGrid
from ..types import ClipFeatures, FeatureParameters, PacketTable
from .choose import frames_to_read
from .collect import Collector, FrameFeatures
from .features import grid_shape, rasterise_vectors, turn_grid, turn_vectors, ycbcr_to_rgb

if TYPE_CHECKING:
    from ._native._core import CellsResult, H264Reader, Mpeg4Reader

CODECS: tuple[str, ...] = ("h264", "mpeg4")
"""Codecs with a native reader, by FFmpeg's names."""

LARGEST_SIDE_PX = 1 << 16
"""The native reader's grid goes no further, and no picture does; damaged parameters say so, or 0."""

_BROKEN = frozenset(
    {
        "broken",
        "incomplete",
        "no_slice",
        "several_pictures",
        "bad_header",
        "missing_parameters",
        "truncated",
        "lost_packet",
        "broken_macroblock",
        "broken_header",
        "no_header",
        "not_coded",
        "not_parsed",
    }
)
"""What a reader says of damaged data; every other status but "ok" names a form that it does not read."""


class Unreadable(Exception):  # noqa: N818 - a message between rooms, not an error for users
    """The stream has a form that the native reader does not read; ``args[0]`` names it."""


def why_unreadable(facts: StreamFacts) -> str | None:
    """Find out from the headers whether the native readers can read a file's motion.

    Args:
        facts: What is constant in its stream.

    Returns:
        None where they can; else why not, in a line for the user.
    """
    if facts.codec not in CODECS:
        return f"there is no bitstream reader for {facts.codec}"
    missing = why_missing()
    if missing is not None:
        return missing
    reader = make_reader(facts)
    for row, payload in enumerate(facts.first_packets):
        form = reader.form_not_read(memoryview(payload), row)
        if form is not None:
            return f"the bitstream reader does not read this form of {facts.codec}: {form.replace('_', ' ')}"
    if not (1 <= facts.width_px <= LARGEST_SIDE_PX and 1 <= facts.height_px <= LARGEST_SIDE_PX):
        return f"the stream says that its pictures have {facts.width_px}x{facts.height_px} pixels"
    return None


def why_missing() -> str | None:
    """Whether the native extension is there.

    Returns:
        None where it loads, else the reason in a line.
    """
    try:
        from ._native import _core  # noqa: F401
    except ImportError as error:
        return f"the native extension is not there ({error})"
    return None


def read_features(
    path: Path,
    facts: StreamFacts,
    table: PacketTable,
    grid: ClipGrid,
    parameters: FeatureParameters,
    *,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Iterator[ClipFeatures]:
    """Read MD and RGB-R of every clip without decoding.

    Args:
        path: A local file of one of ``CODECS``.
        facts: What is constant in its stream.
        table: Its packet table.
        grid: Its clips.
        parameters: How many frames to read of each clip; ``"if"`` is not read here.
        threads: How many threads parse at most; frames are parsed apart, so that the features do not depend on it.
        progress: Called after each clip with the share of clips that are done, 0 to 1.

    Yields:
        One :class:`ClipFeatures` per clip, in order. A frame whose slice breaks half way is dropped and counted in
        ``failures``; so is a wanted frame that is no P-frame.

    Raises:
        Unreadable: A wanted frame has a form that is not read; clips before it were given out.
        MediaError: The file cannot be opened.
    """
    wanted_of_clip = frames_to_read(table, grid, parameters.frames_per_clip)
    wanted = np.zeros(len(table), dtype=np.bool_)
    for rows in wanted_of_clip:
        wanted[rows] = True
    collector = Collector(table, parameters, wanted_of_clip, [np.zeros(0, dtype=np.int64)] * len(grid))
    for row, features in read_frames(path, facts, table, wanted, threads):
        if features is None:
            continue
        for clip in collector.finished_before(row):
            yield _reported(clip, progress, len(grid))
        collector.add_frame(row, features)
    for clip in collector.rest():
        yield _reported(clip, progress, len(grid))


def read_frames(
    path: Path, facts: StreamFacts, table: PacketTable, wanted: npt.NDArray[np.bool_], threads: int
) -> Iterator[tuple[int, FrameFeatures | None]]:
    """Parse the wanted P-frames of a file straight into features.

    What :class:`FeatureMaker` makes of a :class:`Picture` in numpy, the native reader makes here by itself.

    Args:
        path: A local file of one of ``CODECS``.
        facts: What is constant in its stream.
        table: Its packet table.
        wanted: Which rows of the table to parse (num_packets,).
        threads: How many threads parse at most.

    Yields:
        The row of each wanted packet, in decoding order, and its features in display orientation; None where its
        syntax breaks or it is no P-frame.

    Raises:
        Unreadable: A wanted frame has a form that is not read.
        MediaError: The file cannot be opened.
    """
    from ._native import _core

    reader = _native_reader(facts)
    cells = _core.CellGrid(facts.width_px, facts.height_px, find_references(table).position, _to_rgb(facts))
    payloads = read_payloads(path, facts.stream_index, table)
    num_wanted = max(_WANTED_IN_BATCH, _WANTED_FOR_A_THREAD * threads)
    for first, packets in _batches(payloads, wanted, num_wanted):
        here = wanted[first : first + len(packets)]
        results = reader.features(packets, here, cells, threads)
        for row, result in zip(np.flatnonzero(here), results, strict=True):
            # B-frames are not parsed, but they are not wanted either.
            if result.type != "B" and (form := _form(result.status)):
                raise Unreadable(form)
            yield first + int(row), _upright(result, facts.rotation_deg)


_WANTED_IN_BATCH = 16
"""Wanted frames that are parsed one after the other; singly, each finds the caches full of other work."""
_WANTED_FOR_A_THREAD = 4
"""More, where there are many threads to be kept busy."""
_BYTES_IN_BATCH = 1 << 24
"""A batch that is larger is parsed at once; more would cost memory and save nothing."""


def _batches(
    payloads: Iterator[memoryview], wanted: npt.NDArray[np.bool_], num_wanted: int
) -> Iterator[tuple[int, list[memoryview]]]:
    """Successive packets, as many as hold some wanted ones, with the row of the first; up to the last wanted one."""
    last = int(np.flatnonzero(wanted)[-1]) if wanted.any() else -1
    is_wanted = wanted.tolist()
    first, batch, count, size = 0, list[memoryview](), 0, 0
    for row, payload in enumerate(islice(payloads, last + 1)):
        batch.append(payload)
        count += is_wanted[row]
        size += payload.nbytes
        if count >= num_wanted or size >= _BYTES_IN_BATCH:
            yield first, batch
            first, batch, count, size = row + 1, [], 0, 0
    if batch:
        yield first, batch


def _upright(result: CellsResult, turn_deg: int) -> FrameFeatures | None:
    md, valid, rgbr, energy = result.md, result.valid, result.rgbr, result.energy
    if md is None or valid is None or rgbr is None or energy is None:
        return None
    if turn_deg == 0:
        return FrameFeatures(md, valid, rgbr, energy)
    turned = [turn_grid(plane, turn_deg) for plane in (rgbr, energy)]
    return FrameFeatures(turn_vectors(md, turn_deg), turn_grid(valid, turn_deg), *turned)


def read_pictures(
    path: Path, facts: StreamFacts, wanted: npt.NDArray[np.bool_], *, sub_8x8: bool = False
) -> Iterator[tuple[int, Picture | None]]:
    """Parse the wanted P-frames of a file, and only the headers of all other packets.

    Args:
        path: A local file of one of ``CODECS``.
        facts: What is constant in its stream.
        facts: What :func:`salientclips.media.payloads.read_facts` says of it.
        wanted: Which rows of the packet table to parse (num_packets,).
        sub_8x8: Give H.264's partitions below 8x8, else the first 4x4 vector of each 8x8, as FFmpeg does.

    Yields:
        The row of each wanted packet, in decoding order, and its picture; None where its syntax breaks or it is
        no P-frame.

    Raises:
        Unreadable: A wanted frame has a form that is not read.
        MediaError: The file cannot be opened.
    """
    reader = make_reader(facts, sub_8x8=sub_8x8)
    last = int(np.flatnonzero(wanted)[-1]) if wanted.any() else -1
    for row, payload in enumerate(islice(read_payloads(path, facts.stream_index), last + 1)):
        picture = reader.feed(payload, row, bool(wanted[row]))
        if wanted[row]:
            yield row, picture


def _reported(clip: ClipFeatures, progress: Callable[[float], None] | None, count: int) -> ClipFeatures:
    if progress is not None:
        progress((clip.index + 1) / count)
    return clip


@dataclass(frozen=True)
class Picture:
    """What a native reader gives of one P-frame, in coded orientation."""

    row: int
    """Row of the packet table."""
    vectors: npt.NDArray[np.void]
    """Records of :data:`salientclips.compressed.features.VECTOR_DTYPE` (num_vectors,)."""
    reference_rows: npt.NDArray[np.int64] | int
    """Row of the packet each vector points to (num_vectors,), or one for all; -1 where it is lost."""
    means: npt.NDArray[np.float32]
    """Mean residual of Y, Cb, Cr over each macroblock (3, h, w), 8-bit levels."""
    energy: npt.NDArray[np.float32]
    """Mean squared luma residual (h, w), squared 8-bit levels."""


class _Reader(Protocol):
    """One native reader, made to look like the other."""

    def form_not_read(self, payload: memoryview, row: int) -> str | None:
        """Name of a form of the stream that is not read; None where all is well or merely broken."""

    def feed(self, payload: memoryview, row: int, wanted: bool) -> Picture | None:
        """Take the next packet; a wanted P-frame comes back unless it is broken."""


def make_reader(facts: StreamFacts, *, sub_8x8: bool = False) -> _Reader:
    """Make the native reader of a stream.

    Args:
        facts: What is constant in the stream; its codec is one of ``CODECS``.
        sub_8x8: Whether H.264's partitions below 8x8 are wanted; MPEG-4 has none.

    Returns:
        The reader, to be fed every packet once, in decoding order.
    """
    return _H264(facts, sub_8x8) if facts.codec == "h264" else _Mpeg4(facts)


def _native_reader(facts: StreamFacts) -> H264Reader | Mpeg4Reader:
    from ._native import _core

    return _core.H264Reader(facts.extradata) if facts.codec == "h264" else _core.Mpeg4Reader(facts.extradata)


class _H264:
    def __init__(self, facts: StreamFacts, sub_8x8: bool) -> None:
        from ._native import _core

        self._reader = _core.H264Reader(facts.extradata)
        self._sub_8x8 = sub_8x8

    def form_not_read(self, payload: memoryview, row: int) -> str | None:
        head = self._reader.look(payload)
        # B-frames are not parsed, but they are not wanted either.
        return None if head.type == "B" else _form(head.status)

    def feed(self, payload: memoryview, row: int, wanted: bool) -> Picture | None:
        frame = self._reader.feed(payload, wanted, self._sub_8x8)
        if not wanted:
            return None
        if frame.type != "B" and (form := _form(frame.status)):
            raise Unreadable(form)
        if not frame.parsed or frame.type != "P":
            return None
        assert frame.vectors is not None
        assert frame.references is not None
        assert frame.means is not None
        assert frame.energy is not None
        return Picture(row, frame.vectors, frame.references["packet"], frame.means, frame.energy)


class _Mpeg4:
    def __init__(self, facts: StreamFacts) -> None:
        from ._native import _core

        self._reader = _core.Mpeg4Reader(facts.extradata)
        self._anchor = -1

    def form_not_read(self, payload: memoryview, row: int) -> str | None:
        for vop in self._reader.look(payload):
            form = _form(vop.status)
            if form is not None:
                return form
        return _form(self._reader.status)

    def feed(self, payload: memoryview, row: int, wanted: bool) -> Picture | None:
        found = None
        for frame in self._reader.feed(payload, wanted):
            if wanted and (form := _form(frame.status)):
                raise Unreadable(form)
            if wanted and frame.type == "P" and frame.status == "ok":
                assert frame.vectors is not None
                assert frame.residual_means is not None
                assert frame.energy is not None
                found = Picture(row, frame.vectors, self._anchor, frame.residual_means, frame.energy)
            if frame.type in "IP" and frame.vop.coded:
                self._anchor = row
        return found


def _form(status: str) -> str | None:
    return None if status == "ok" or status in _BROKEN else status


def _to_rgb(facts: StreamFacts) -> npt.NDArray[np.float32]:
    # The readers give 8-bit levels whatever the depth.
    return ycbcr_to_rgb(facts.colour.matrix, facts.colour.full_range, 8)


class FeatureMaker:
    """Turns what the readers give into the features of features.py, in display orientation.

    Args:
        facts: Size, rotation and colours of the stream.
        table: The packet table of the video.
    """

    def __init__(self, facts: StreamFacts, table: PacketTable) -> None:
        self._facts = facts
        self._position = find_references(table).position
        self._to_rgb = _to_rgb(facts)

    def features(self, picture: Picture) -> FrameFeatures:
        """Features of one frame; the definitions are those of features.py.

        Args:
            picture: What a reader gave.

        Returns:
            MD, its mask, RGB-R and energy, float32 and bool (..., h, w), in display orientation.
        """
        facts = self._facts
        rows, columns = grid_shape(facts.width_px, facts.height_px)
        md, valid = rasterise_vectors(
            picture.vectors, facts.width_px, facts.height_px, self._distances(picture)
        )
        means, energy = picture.means[:, :rows, :columns], picture.energy[:rows, :columns]
        # Product by product: a matrix product would leave the order of the sums, and so the bits, to the machine.
        by_plane = [self._to_rgb[:, plane, None, None] * means[plane] for plane in range(3)]
        rgbr = np.where(valid, by_plane[0] + by_plane[1] + by_plane[2], np.float32(0))
        turn = facts.rotation_deg
        return FrameFeatures(
            turn_vectors(md, turn), turn_grid(valid, turn), turn_grid(rgbr, turn), turn_grid(energy, turn)
        )

    def _distances(self, picture: Picture) -> npt.NDArray[np.int64]:
        """Frames shown from each vector's reference to the frame (num_vectors,), at least 1.

        A reference that is lost, or shown later (no encoder makes P-frames so), counts as the frame before.
        """
        at = np.broadcast_to(np.asarray(picture.reference_rows, dtype=np.int64), picture.vectors.shape)
        known = (at >= 0) & (at < len(self._position))
        away = self._position[picture.row] - self._position[np.where(known, at, picture.row)]
        distances: npt.NDArray[np.int64] = np.maximum(away, 1)
        return distances
