"""MPEG-4 part 2 streams for the tests of the native reader, and what libavcodec says about them.

Streams are made with PyAV's ``mpeg4`` encoder from drawn footage. libavcodec's side of every comparison is
PyAV's ``export_mvs``: it decodes everything.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType, VideoFrame

MODULE = "salientclips.compressed._native._core"


def reader_module() -> Any:
    """The module that has ``Mpeg4Reader``; None where the extension is not built."""
    try:
        return importlib.import_module(MODULE)
    except ImportError:
        return None


def drawn_footage(count: int, width: int, height: int, seed: int = 0) -> list[npt.NDArray[np.uint8]]:
    """Luma pictures (count, height, width) with pans, slow parts, a still part, and parts that come new."""
    random = np.random.default_rng(seed)
    big = random.integers(0, 256, (height * 2, width * 2)).astype(np.float64)
    for axis in (0, 1):
        for _ in range(3):
            big = (big + np.roll(big, 1, axis) + np.roll(big, -1, axis)) / 3
    big = (big - big.mean()) * 4 + 128
    pictures = []
    for i in range(count):
        picture = big[5 + i : 5 + i + height, 40 + 3 * i % 37 : 40 + 3 * i % 37 + width].copy()
        picture[: height // 4, : width // 2] = big[: height // 4, : width // 2]
        for k in range(6):
            size = 12 + 6 * k
            x = int((20 + k * 31 + i * (k - 2.5) * 2.2) % (width - size))
            y = int((11 + k * 23 + i * (2.5 - k) * 1.7) % (height - size))
            picture[y : y + size, x : x + size] = big[k * 7 : k * 7 + size, k * 11 : k * 11 + size][::-1]
        if i % 7 == 5:
            picture[height // 2 : height // 2 + 40, width // 2 : width // 2 + 56] = random.integers(0, 256)
        pictures.append(np.clip(picture, 24, 232).astype(np.uint8))
    return pictures


def as_frame(luma: npt.NDArray[np.uint8]) -> VideoFrame:
    """A yuv420p frame whose chroma planes follow from the luma."""
    half = luma[::2, ::2]
    chroma = np.concatenate([(half // 2 + 64).ravel(), (192 - half // 2).ravel()])
    height, width = luma.shape
    planar = np.concatenate([luma.ravel(), chroma]).reshape(height * 3 // 2, width)
    return VideoFrame.from_ndarray(planar, format="yuv420p")


def encode(
    path: Path,
    frames: list[VideoFrame],
    options: dict[str, str],
    *,
    quantiser: int | None = None,
    gop: int = 12,
    b_frames: int = 0,
) -> Path:
    """Encode frames with libavcodec's ``mpeg4``; ``quantiser`` holds it fixed."""
    if quantiser is not None:
        options = {**options, "qmin": str(quantiser), "qmax": str(quantiser)}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        stream.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.thread_count = 1
        stream.options = options
        for i, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = i, Fraction(1, 25), PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@dataclass(frozen=True)
class Stream:
    """The packets of a video stream and the header beside them."""

    extradata: bytes
    packets: tuple[bytes, ...]


def packets_of(path: Path) -> Stream:
    """Demultiplex the video stream of a file."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        packets = tuple(bytes(p) for p in container.demux(video) if p.size)
        return Stream(bytes(video.codec_context.extradata or b""), packets)


@dataclass(frozen=True)
class Decoded:
    """A frame as libavcodec decodes it."""

    type: str
    vectors: npt.NDArray[np.void] | None
    """None where it exports none: I-frames, and frames that only come out when the decoder is drained."""
    planes: tuple[npt.NDArray[np.uint8], ...]


def decode(stream: Stream, *, planes: bool = False) -> list[Decoded]:
    """Decode with libavcodec on one thread, in display order."""
    decoder = av.CodecContext.create("mpeg4", "r")
    decoder.extradata = stream.extradata or None
    decoder.thread_count = 1
    decoder.options = {"flags2": "+export_mvs"}
    result = []
    for packet in [*(_padded(p) for p in stream.packets), None]:
        for frame in decoder.decode(packet):
            data = frame.side_data.get("MOTION_VECTORS")
            # A copy: PyAV's array looks into memory that libavcodec uses again once the frame is gone.
            vectors = None if data is None else data.to_ndarray().copy()
            pixels = tuple(_plane(p) for p in frame.planes) if planes else ()
            result.append(Decoded("?IPB"[int(frame.pict_type)], vectors, pixels))
    return result


def _padded(data: bytes) -> av.Packet:
    # Packet(bytes) would lend libavcodec the bytes without the zeros that it reads past their end: it then
    # finds errors that are not there, and conceals them, differently every time.
    packet = av.Packet(len(data))
    packet.update(data)
    return packet


def _plane(plane: av.video.plane.VideoPlane) -> npt.NDArray[np.uint8]:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].copy()


@dataclass
class Comparison:
    """How the vectors of a stream's P-frames compare with libavcodec's, block for block."""

    frames: int = 0
    blocks: int = 0
    differing: int = 0
    overwritten: int = 0
    """Blocks that libavcodec sets to 0 after having used them; see :func:`is_overwritten`."""
    eight: int = 0
    """Of the blocks, those of macroblocks with four vectors."""
    not_exported: int = 0
    """P-frames for which libavcodec exports nothing, for it hands them out when drained."""
    not_read: int = 0
    """P-frames that the native reader did not read."""


def compare(module: Any, stream: Stream) -> Comparison:
    """Compare all P-frames of a stream: the n-th native P-VOP with the n-th decoded P-frame."""
    reader = module.Mpeg4Reader(stream.extradata)
    native = [f for p in stream.packets for f in reader.feed(p) if f.type == "P" and f.vop.coded]
    decoded = [f.vectors for f in decode(stream) if f.type == "P"]
    assert len(native) == len(decoded)
    result = Comparison()
    for ours, theirs in zip(native, decoded, strict=True):
        if theirs is None:
            result.not_exported += 1
        elif ours.vectors is None:
            result.not_read += 1
        else:
            result.frames += 1
            result.blocks += len(theirs)
            result.eight += int((theirs["w"] == 8).sum())
            if len(ours.vectors) != len(theirs):
                result.differing += max(len(theirs), len(ours.vectors))
                continue
            for i in np.flatnonzero(ours.vectors != theirs):
                spoiled = is_overwritten(ours.vectors, theirs, int(i))
                result.overwritten += spoiled
                result.differing += not spoiled
    return result


def is_overwritten(ours: npt.NDArray[np.void], theirs: npt.NDArray[np.void], i: int) -> bool:
    """Whether libavcodec spoiled a vector after use, rather than read another one.

    Where a video packet begins with a macroblock of four vectors, libavcodec, predicting its third block,
    writes 0 into the place of the candidate to its left, which lies before the packet: the bottom right
    block of the macroblock before. The picture was by then made with the true vector, as
    test_what_libavcodec_overwrites_it_had_used_before shows.
    """
    block = theirs[i]
    if block["w"] != 8 or block["motion_x"] or block["motion_y"] or i + 1 >= len(theirs):
        return False
    after = theirs[i + 1]
    is_bottom_right = block["dst_x"] % 16 == 12 and block["dst_y"] % 16 == 12
    is_next = after["dst_x"] == block["dst_x"] + 8 and after["dst_y"] == block["dst_y"] - 8
    same_place = all(ours[i][name] == block[name] for name in ("w", "h", "dst_x", "dst_y"))
    return bool(is_bottom_right and is_next and after["w"] == 8 and same_place)
