"""One pass over the packets of a video: exact times, sizes, key flags and frame types, with nothing decoded.

This is the cheap view of a video that everything else stands on (the paper's "compressed domain", section
3.1). Which packets become a shown frame is settled here by the rules that libavcodec follows:

- packets that the container marks as discarded (edit lists) and frames that the codec hides (alt-ref frames,
  placeholders of packed B-frames, RASL pictures at the start) are not shown;
- what lies before the first key frame, in decoding or in display order, lacks its references and is not
  shown, except in MPEG-4 part 2, H.263 and Sorenson Spark, where libavcodec shows such frames anyway;
- two packets with the same pts (fields of one frame, damaged files) count once in :func:`shown_times`.

It does not look for pictures that turn out to be damaged when they are decoded: those stay in the table.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import cast, overload

import av.container
import av.error
import av.packet
import av.video.stream
import numpy as np
import numpy.typing as npt

from ..errors import NoFramesError
from ..timeline import ClipGrid, ClipSpec, Timeline
from ..types import PacketTable
from .container import is_mp4, lone_stream, open_container, timeline_of, video_stream
from .frame_types import batch_typer
from .stored import StoredPackets

_PROGRESS_EVERY = 1000
_BATCH = 64
"""Packets that are held at once; even large pictures are then some megabytes."""
_INT32_MAX = 2**31 - 1


def codec_name(stream: av.video.stream.VideoStream) -> str:
    """Canonical name of a stream's codec: ``"av1"``, not the name of the decoder (``"libdav1d"``).

    Args:
        stream: A video stream.

    Returns:
        FFmpeg's codec name.
    """
    return str(stream.codec_context.codec.canonical_name)


def read_packets(path: Path, *, progress: Callable[[float], None] | None = None) -> PacketTable:
    """Read the packet table of a file's main video stream in one pass, without decoding.

    Args:
        path: A local file.
        progress: Called now and then with the share of the file that was read, 0 to 1.

    Returns:
        A row per packet, in decoding order. Where the container keeps no display times (AVI with B-frames,
        raw streams), they are dealt out by the usual order of B-frames; ``pts_is_guessed`` and a warning say
        so. An error half way ends the pass with what there is, and with a warning.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: No packet of the stream is shown.
    """
    table = _read_stored(path, progress) if is_mp4(path) else None
    if table is None:
        with open_container(path) as container:
            table = _read_table(container, video_stream(container, path), progress, None)
    if not table.is_shown.any():
        raise NoFramesError(path)
    return table


def _read_stored(path: Path, progress: Callable[[float], None] | None) -> PacketTable | None:
    """The table of an mp4 or mov file that was opened without decoding; None where it might then be another one.

    Decoding takes longer than reading some minutes of packets, and serves to guess times that a container lacks.
    """
    with open_container(path, for_packets=True) as container:
        stream = lone_stream(container)
        if stream is None:
            return None
        with StoredPackets(path) as stored:
            table = _read_table(container, stream, progress, stored)
        return table if len(table) and not table.warnings and (table.duration > 0).all() else None


def _read_table(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    progress: Callable[[float], None] | None,
    stored: StoredPackets | None,
) -> PacketTable:
    timeline = timeline_of(container, stream)
    columns = _Columns(stream)
    error = _collect(container, stream, columns, progress, stored)
    codec, is_avi = codec_name(stream), container.format.name == "avi"
    if error is None and progress is not None:
        progress(1.0)
    table = columns.table(timeline, codec, is_avi, error)
    return replace(table, file_offset=stored.file_offset()) if stored is not None else table


def _collect(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    columns: _Columns,
    progress: Callable[[float], None] | None,
    stored: StoredPackets | None,
) -> str | None:
    """Fill the columns; returns what stopped the pass early, if anything did."""
    total_bytes = container.size
    packets = container.demux(stream)
    batch: list[av.packet.Packet[av.video.stream.VideoStream]] = []
    stopped = None
    while stopped is None:
        try:
            batch.extend(islice(packets, _BATCH))
            if not batch:
                return None
        except (av.error.FFmpegError, OSError) as error:
            stopped = str(error)  # what came before it is in the batch
        before = len(columns.pts)
        # The flush packet at the end, and empty samples, are no packets.
        rows = [packet for packet in batch if packet.size]
        columns.add(rows)
        if stored is not None:
            stored.add(rows)
        is_due = len(columns.pts) // _PROGRESS_EVERY > before // _PROGRESS_EVERY
        if progress is not None and is_due and batch[-1].pos and total_bytes > 0:
            progress(min(1.0, batch[-1].pos / total_bytes))
        batch.clear()
    return stopped


class _Columns:
    """The table while it grows: 32 bytes a packet at most, no Python object kept."""

    def __init__(self, stream: av.video.stream.VideoStream) -> None:
        context = stream.codec_context
        self._types_of = batch_typer(
            codec_name(stream), context.extradata, intra_only=context.codec.intra_only
        )
        self.pts = array("q")
        self.has_pts = array("b")
        self.duration, self.size = array("i"), array("i")
        self.is_key, self.is_shown, self.type = array("b"), array("b"), array("B")
        self.num_corrupt = 0
        self.first_dts: int | None = None

    def add(self, packets: list[av.packet.Packet[av.video.stream.VideoStream]]) -> None:
        # Column by column: a call for each packet would cost as much as reading it.
        if self.first_dts is None and packets:
            self.first_dts = packets[0].dts
        heads = self._types_of(packets)
        durations = [p.duration or 0 for p in packets]
        if packets and (min(durations) < 0 or max(durations) > _INT32_MAX):
            durations = [min(max(duration, 0), _INT32_MAX) for duration in durations]
        stamps = [p.pts for p in packets]
        self.has_pts.extend([stamp is not None for stamp in stamps])
        if None in stamps:
            self._fill_stamps(packets, stamps, durations)
        self.pts.extend(cast("list[int]", stamps))
        self.duration.extend(durations)
        self.size.extend([p.size for p in packets])
        self.is_key.extend([p.is_keyframe for p in packets])
        self.is_shown.extend(
            [head.is_shown and not p.is_discard for head, p in zip(heads, packets, strict=True)]
        )
        self.type.extend([head.type for head in heads])
        self.num_corrupt += sum([p.is_corrupt for p in packets])

    def _fill_stamps(
        self,
        packets: list[av.packet.Packet[av.video.stream.VideoStream]],
        stamps: list[int | None],
        durations: list[int],
    ) -> None:
        """The dts for a pts that is missing; without either, a packet follows the one before: raw streams."""
        after = self.pts[-1] + self.duration[-1] if self.pts else 0
        for i, packet in enumerate(packets):
            stamp = stamps[i]
            if stamp is None:
                stamp = stamps[i] = after if packet.dts is None else packet.dts
            after = stamp + durations[i]

    def table(self, timeline: Timeline, codec: str, is_avi: bool, error: str | None) -> PacketTable:
        pts = np.array(self.pts, dtype=np.int64)
        is_key = np.array(self.is_key, dtype=np.bool_)
        is_shown = np.array(self.is_shown, dtype=np.bool_)
        frame_type = np.array(self.type, dtype=np.uint8)
        warnings = []
        num_missing = len(pts) - sum(self.has_pts)
        # AVI keeps frames in decoding order and no times: where FFmpeg could not sort them out, all stamps
        # rise.
        has_bframes = bool((frame_type == ord("B")).any())
        is_guessed = num_missing == len(pts) > 0 or (
            is_avi and has_bframes and bool((np.diff(pts) > 0).all())
        )
        if is_guessed:
            pts = _display_order(np.sort(pts), frame_type)
            warnings.append("the container keeps no display times; single frames may be off by a few")
        elif num_missing:
            warnings.append(f"{num_missing} of {len(pts)} packets have no pts; their decoding time stands in")
        if self.num_corrupt:
            warnings.append(f"{self.num_corrupt} packets are marked as corrupt")
        if error is not None:
            warnings.append(f"reading stopped after {len(pts)} packets ({error})")
        if is_avi and self.first_dts is not None:
            # AVI counts frames and knows no delay of a decoder: its first frame is shown when it is due, while
            # FFmpeg adds the delay of a codec with B-frames to every pts.
            delay = (int(pts.min()) - self.first_dts) * timeline.time_base
            timeline = replace(timeline, zero=timeline.zero + delay)
        num_before = _hide_headless(is_shown, pts, is_key, codec)
        if num_before:
            warnings.append(f"frames before the first key frame cannot be decoded: {num_before}")
        return PacketTable(
            timeline,
            pts,
            np.array(self.duration, dtype=np.int32),
            np.array(self.size, dtype=np.int32),
            is_key,
            is_shown,
            frame_type,
            tuple(warnings),
            is_guessed,
        )


_SHOWN_WITHOUT_KEY = frozenset({"mpeg4", "h263", "h263p", "flv1"})
"""Codecs whose decoder shows P-frames without a reference."""


def _hide_headless(
    is_shown: npt.NDArray[np.bool_], pts: npt.NDArray[np.int64], is_key: npt.NDArray[np.bool_], codec: str
) -> int:
    keys = np.flatnonzero(is_key)
    if len(keys) == 0 or codec in _SHOWN_WITHOUT_KEY:
        return 0
    first = keys[0]
    until = keys[1] if len(keys) > 1 else len(pts)
    headless = np.zeros(len(pts), dtype=np.bool_)
    headless[:first] = True
    headless[first:until] = pts[first:until] < pts[first]
    num_before = int((headless & is_shown).sum())
    is_shown &= ~headless
    return num_before


def _display_order(slots: npt.NDArray[np.int64], frame_type: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Deal the time slots, given in decoding order, to the frames as a simple B-frame stream implies.

    In MPEG-1, -2 and -4 a B-frame is displayed when it is decoded, and any other frame when the next such
    frame is decoded; so a run of ``anchor, B, B`` on slots ``t, t+1, t+2`` shows B, B, anchor. H.264 may
    order the B-frames of one run otherwise; the anchors, and so all key frames, are right even then.
    """
    pts = slots.copy()
    anchor = -1
    for i, kind in enumerate(frame_type):
        if kind != ord("B"):
            anchor = i
        elif anchor >= 0:
            pts[anchor], pts[i] = pts[i], pts[anchor]
    return pts


def shown_times(table: PacketTable) -> list[Fraction]:
    """Display times of all shown frames, in display order.

    Args:
        table: A packet table.

    Returns:
        Strictly increasing seconds on the timeline; frames with equal pts count once.
    """
    return lazy_times(table)[:]


def lazy_times(table: PacketTable) -> _Times:
    """What :func:`shown_times` gives, with each time made when it is asked for.

    Args:
        table: A packet table.

    Returns:
        A sequence for indexing, slicing and bisection; ten hours have a million frames, and few are asked for.
    """
    return _Times(table.timeline, np.unique(table.pts[table.is_shown]))


class _Times(Sequence[Fraction]):
    """Exact times of many stamps, each made when it is asked for: a grid asks for one in a clip."""

    def __init__(self, timeline: Timeline, pts: npt.NDArray[np.int64]) -> None:
        self._timeline, self._pts = timeline, pts

    def __len__(self) -> int:
        return len(self._pts)

    @overload
    def __getitem__(self, index: int) -> Fraction: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fraction]: ...
    def __getitem__(self, index: int | slice) -> Fraction | list[Fraction]:
        if isinstance(index, slice):
            return [self._timeline.time(int(pts)) for pts in self._pts[index]]
        return self._timeline.time(int(self._pts[index]))


def clip_grid(table: PacketTable, spec: ClipSpec) -> ClipGrid:
    """Divide a video into clips: :meth:`ClipGrid.from_frame_times` of its shown frames.

    Args:
        table: A packet table with at least one shown frame.
        spec: The length of a clip.

    Returns:
        The grid; exact times are made for clip boundaries alone.
    """
    return ClipGrid.from_frame_times(lazy_times(table), end_time(table), spec)


def clip_bounds(table: PacketTable, grid: ClipGrid) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The clips of a grid in whole ticks, so that frames are sorted into them by integers, exactly.

    Args:
        table: A packet table.
        grid: Clips of its video.

    Returns:
        ``first`` and ``stop``, int64 (num_clips,): clip i holds the frames with ``first[i] <= pts < stop[i]``,
        in ticks of ``table.timeline.time_base``.
    """
    first_pts = table.timeline.first_pts
    first = np.array([first_pts(t) for t in grid.starts], dtype=np.int64)
    if grid.ends[:-1] == grid.starts[1:]:  # clips that touch have their bounds in common
        stop = np.append(first[1:], [first_pts(t) for t in grid.ends[-1:]])
    else:
        stop = np.array([first_pts(t) for t in grid.ends])
    return first, stop.astype(np.int64)


def end_time(table: PacketTable) -> Fraction:
    """When the last shown frame ends.

    Args:
        table: A packet table with at least one shown frame.

    Returns:
        Seconds on the timeline: the last pts and its duration, or, where the container gives none, the median
        distance between frames (one tick for a single frame).
    """
    shown = np.flatnonzero(table.is_shown)
    last = shown[np.argmax(table.pts[shown])]
    ticks = int(table.duration[last])
    if ticks == 0:
        gaps = np.diff(np.unique(table.pts[shown]))
        ticks = int(np.median(gaps)) if len(gaps) else 1
    return table.timeline.time(int(table.pts[last]) + ticks)
