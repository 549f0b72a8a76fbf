"""The verbs ``motion_vectors``, ``residuals`` and ``vectors``: what the encoder left behind, frame by frame.

For people who want the codec's own motion and residuals and no sampler: with times, and for most files without
decoding a pixel. :func:`motion_vectors` gives blocks with the fields of FFmpeg's AVMotionVector, so that it can
stand in for tools that decode to get them. One demultiplexing pass gives the times; then frames stream by, and
memory holds the packet table and a few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

from ..compressed.frame_by_frame import Account
from ..compressed.frame_residuals import FrameResiduals, ResidualReader
from ..compressed.frame_vectors import Frames, FrameVectors, VectorReader
from ..compressed.reader import Backend
from ..errors import InputError, UnknownNameError
from ..media.container import video_path
from ..media.demux import read_packets
from ..media.payloads import read_facts
from ..outputs.vector_files import check_vector_file, save_vectors
from ..types import PacketTable

__all__ = ["FrameResiduals", "FrameVectors", "VectorsWritten", "motion_vectors", "residuals", "write_vectors"]

_T = TypeVar("_T")


def motion_vectors(
    path: str | Path,
    backend: Backend = "auto",
    frames: Frames = "P",
    sub_8x8: bool = False,
    threads: int = 1,
    *,
    warnings: list[str] | None = None,
) -> Iterator[FrameVectors]:
    """Read the motion vectors of a video, frame by frame, where possible without decoding it.

    Frames come in display order, whoever reads. In H.264 and MPEG-4 part 2 both back ends give the same records in
    the same order; only the bitstream back end knows which picture each H.264 vector points to.

    Args:
        path: A local video file.
        backend: ``"bitstream"`` parses the packets of H.264 and MPEG-4 part 2; ``"decoded"`` lets FFmpeg decode and
            export; ``"auto"`` is the first of them that can give what is asked for, and goes on with the decoder
            where a form turns up half way that is not parsed.
        frames: ``"P"`` gives P-frames only. ``"all"`` gives I-frames too, with empty arrays, and B-frames. Only the
            decoder reads B-frames: with ``"auto"`` a file that has some is decoded as a whole, and with
            ``"bitstream"`` it is an error.
        sub_8x8: Give H.264's partitions below 8x8 as they are. Otherwise an 8x8 block that is split comes as one
            record with the vector of its first 4x4, as FFmpeg has it. For the bitstream back end only.
        threads: Decoder threads of the decoded back end; the result does not depend on them.
        warnings: A list to which lines are appended when the iterator ends: how many frames could not be read and
            were left out, and whether the decoder took over.

    Returns:
        An iterator over :class:`FrameVectors`: times in seconds; ``vectors`` a structured array (num_vectors,)
        that is the caller's own; ``reference_time_s`` float64 (num_vectors,), NaN where the back end does not
        know it. A frame whose data are broken is left out and counted. The errors below are raised by the call
        itself; only a form that turns up half way and is not parsed raises from the iterator, with
        ``"bitstream"`` and with ``sub_8x8``.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Nothing of it is shown.
        FeatureUnavailableError: The codec's vectors cannot be had (HEVC, VP9, AV1 ...), or not by this back end.
        UnknownNameError: ``backend`` or ``frames`` is none of the above.
        InputError: ``threads`` is below 1.

    Example:
        >>> from salientclips import motion_vectors
        >>> frame = next(motion_vectors("climb.mp4"))
        >>> frame.time_s, frame.frame_type, frame.backend
        (0.1, 'P', 'bitstream')
        >>> x_px = -frame.vectors["motion_x"] / frame.vectors["motion_scale"]  # to where the picture moved
        >>> x_px.shape == frame.reference_time_s.shape
        True
    """
    _check(backend, frames, threads)
    path = video_path(path)
    table = read_packets(path)
    reader = VectorReader(path, table, read_facts(path), frames, sub_8x8, threads)
    return _reporting(reader.read(backend), table, reader.account, warnings)


def residuals(
    path: str | Path,
    backend: Backend = "auto",
    threads: int = 1,
    *,
    warnings: list[str] | None = None,
) -> Iterator[FrameResiduals]:
    """Read what each P-frame of a video adds to its past, on a grid of 16 x 16 pixels.

    The bitstream back end has the means from the DC coefficients and the energy, by Parseval, from all of them. The
    decoded one subtracts the motion-compensated reference from the frame; of codecs whose vectors FFmpeg does not
    export (HEVC, VP9, AV1) it searches motion itself, on pictures of a quarter of the size, so that the values are
    not those of the encoder and the energy lacks the finest detail.

    Args:
        path: A local video file.
        backend: ``"bitstream"``, ``"decoded"`` or ``"auto"``, as for :func:`motion_vectors`.
        threads: Decoder threads of the decoded back end; the result does not depend on them.
        warnings: A list to which lines are appended when the iterator ends, as for :func:`motion_vectors`.

    Returns:
        An iterator over :class:`FrameResiduals`, in display order: ``rgb`` float32 (3, h, w) in 8-bit levels,
        ``energy`` float32 (h, w) in squared 8-bit levels, ``valid`` bool (h, w), with
        h = ceil(H / 16) and w = ceil(W / 16)
        of the picture as it is displayed (turned upright). A frame that cannot be read is left out and counted.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Nothing of it is shown.
        FeatureUnavailableError: ``backend`` is ``"bitstream"`` and it cannot read this file.
        UnknownNameError: ``backend`` is none of the above.
        InputError: ``threads`` is below 1.

    Example:
        >>> from salientclips import residuals
        >>> frame = next(residuals("climb.mp4"))  # 160 x 120 pixels
        >>> frame.rgb.shape, frame.energy.shape
        ((3, 8, 10), (8, 10))
    """
    _check(backend, "P", threads)
    path = video_path(path)
    table = read_packets(path)
    reader = ResidualReader(path, table, read_facts(path), threads)
    return _reporting(reader.read(backend), table, reader.account, warnings)


@dataclass(frozen=True)
class VectorsWritten:
    """What :func:`write_vectors` wrote."""

    path: Path
    """The video."""
    backend: str
    """``"bitstream"``, ``"decoded"``, ``"bitstream+decoded"`` where the decoder took over; ``"none"`` without
    frames."""
    frames: int
    """Frames that were read, those without vectors too."""
    vectors: int
    """Rows of the file."""
    output: Path
    """The file."""
    warnings: tuple[str, ...]
    """What went wrong without stopping the work, one line each."""


def write_vectors(
    path: str | Path,
    output: str | Path,
    backend: Backend = "auto",
    frames: Frames = "P",
    sub_8x8: bool = False,
    threads: int = 1,
) -> VectorsWritten:
    """Write the motion vectors of a video to a table.

    Args:
        path: A local video file.
        output: Ends in ``.parquet`` or ``.csv``; an existing file is replaced, once the new one is whole. See
            :func:`salientclips.outputs.vector_files.save_vectors` for its columns.
        backend: As for :func:`motion_vectors`.
        frames: As for :func:`motion_vectors`.
        sub_8x8: As for :func:`motion_vectors`.
        threads: As for :func:`motion_vectors`.

    Returns:
        What was written.

    Raises:
        InputError: The output cannot be written.
        SalientClipsError: As for :func:`motion_vectors`.
    """
    path, output = video_path(path), Path(output)
    check_vector_file(output)
    warnings: list[str] = []
    items = motion_vectors(path, backend, frames, sub_8x8, threads, warnings=warnings)
    counts = save_vectors(items, output)
    who = "+".join(sorted(counts.backends)) or "none"
    return VectorsWritten(path, who, counts.frames, counts.vectors, output, tuple(warnings))


def _check(backend: str, frames: str, threads: int) -> None:
    for kind, name, known in (("back end", backend, get_args(Backend)), ("frames", frames, get_args(Frames))):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    if threads < 1:
        raise InputError(f"{threads} threads are impossible", "give 1 or more")


def _reporting(
    items: Iterator[_T], table: PacketTable, account: Account, warnings: list[str] | None
) -> Iterator[_T]:
    yield from items
    if warnings is not None:
        warnings.extend((*table.warnings, *account.warnings))
