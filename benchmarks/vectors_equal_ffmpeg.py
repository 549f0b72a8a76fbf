"""Compare the native reader's motion vectors with those that libavcodec exports, block for block.

Usage: ``python benchmarks/vectors_equal_ffmpeg.py [--matrix] [--csv OUT.csv] FILE...``. Prints a table:
frames compared, blocks compared, differing blocks, and the frames that could not be compared with the
reason. ``--matrix`` adds encodes made on the spot with x264: every combination of bit depth, entropy coding,
transform, references, weighting, slices, key frames, B-frames and rate, 1152 of them.
"""

from __future__ import annotations

import argparse
import collections
import csv
import io
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from salientclips.compressed._native._core import H264Reader
from salientclips.compressed._native.dtypes import VECTOR


@dataclass
class Row:
    """One line of the table."""

    name: str
    profile: str = ""
    packets: int = 0
    frames: int = 0
    blocks: int = 0
    differing: int = 0
    frames_differing: int = 0
    not_compared: collections.Counter[str] = field(default_factory=collections.Counter)


Exported = tuple[str, npt.NDArray[np.void], bool]
"""Type of a picture, its vectors, whether libavcodec marks it corrupt."""


def exported(
    container: av.container.InputContainer, stream: av.VideoStream
) -> tuple[list[bytes], dict[int, Exported]]:
    """All packets in decoding order, and per packet number what libavcodec says of its frame."""
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"flags2": "+export_mvs"}
    packets: list[bytes] = []
    frames: dict[int, Exported] = {}
    for packet in container.demux(stream):
        if packet.size:
            packet.pts = len(packets)  # names the frame, whatever the container's times are
            packets.append(bytes(packet))
        try:
            decoded = context.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            continue
        for frame in decoded:
            side = frame.side_data.get("MOTION_VECTORS")
            vectors = np.empty(0, VECTOR) if side is None else side.to_ndarray()
            kind = av.video.frame.PictureType(frame.pict_type).name
            if frame.pts is not None:  # else nothing says which packet it is of
                frames[frame.pts] = (kind, vectors, frame.is_corrupt)
    return packets, frames


def compare(file: str | io.BytesIO, name: str, stream_index: int = 0) -> Row:
    """Read one stream both ways."""
    row = Row(name)
    with av.open(file, "r", metadata_errors="replace") as container:
        stream = container.streams.video[stream_index]
        extradata = bytes(stream.codec_context.extradata or b"")
        row.profile = stream.codec_context.profile or ""
        packets, frames = exported(container, stream)
    reader = H264Reader(extradata)
    row.packets = len(packets)
    for number, data in enumerate(packets):
        head = reader.look(data)
        result = reader.feed(data, True)
        if head.type != result.type:
            raise AssertionError(f"{name}: look says {head.type}, feed says {result.type}")
        if result.type == "B" and result.status == "b_slices":
            continue
        theirs = frames.get(number)
        if result.status != "ok":
            row.not_compared[result.status] += 1
        elif theirs is None:
            row.not_compared["libavcodec gave no frame"] += 1
        elif theirs[2]:
            row.not_compared["libavcodec marks it corrupt"] += 1
        else:
            assert result.vectors is not None  # what is ok has them
            _count(row, result.vectors, theirs[1])
    return row


def _count(row: Row, ours: np.ndarray, theirs: np.ndarray) -> None:
    row.frames += 1
    row.blocks += len(theirs)
    same_length = len(ours) == len(theirs)
    differing = int((ours != theirs).sum()) if same_length else max(len(ours), len(theirs))
    row.differing += differing
    row.frames_differing += differing > 0


def real_footage(path: Path, frames: int) -> list[np.ndarray]:
    """The first frames of a real video, cropped to a size that is no multiple of 16, the last third fading.

    The fade is what makes x264 weight references.
    """
    with av.open(str(path)) as container:
        decoded = itertools.islice(container.decode(video=0), frames)
        pictures = [p.to_ndarray(format="rgb24")[:198, :310] for p in decoded]
    begin = 2 * len(pictures) // 3
    return [
        (p * (1 - max(0, i - begin) / len(pictures))).astype(np.uint8) if i > begin else p
        for i, p in enumerate(pictures)
    ]


def encode(pictures: list[np.ndarray], pixel_format: str, options: dict[str, str]) -> io.BytesIO:
    """An x264 encode in memory."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        height, width = pictures[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.thread_count = 1
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    out.seek(0)
    return out


def matrix() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, pixel format and x264 options of each encode: every combination, at 8 and at 10 bits.

    The profile is not an option of its own: x264 writes the lowest one that holds what was asked for, baseline
    (CAVLC, no B-frames, no weights), main, or high (8x8 transform; at 10 bits High 10), and naming a higher one
    changes no bit. What was written is read from the stream.
    """
    choices = itertools.product(
        (8, 10), (0, 1), (0, 1), (1, 4), (0, 1, 2), (1, 4), (12, 250), (0, 3), (18, 28, 40)
    )
    for depth, cabac, dct8, refs, weightp, slices, keyint, bframes, crf in choices:
        parameters = {
            "cabac": cabac,
            "8x8dct": dct8,
            "ref": refs,
            "weightp": weightp,
            "slices": slices,
            "keyint": keyint,
            "bframes": bframes,
            "partitions": "all",
            "threads": 1,
        }
        text = ":".join(f"{k}={v}" for k, v in parameters.items())
        options = {"crf": str(crf), "preset": "medium", "x264-params": text}
        yield f"{depth}-bit {text} crf={crf}", "yuv420p" if depth == 8 else "yuv420p10le", options


def main() -> int:
    """Print the table; the exit code is 1 where a block differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--matrix", metavar="VIDEO", help="also encode VIDEO's first frames in many ways")
    parser.add_argument("--frames", type=int, default=30, help="frames of each encode of the matrix")
    parser.add_argument("--csv")
    arguments = parser.parse_args()
    rows = []
    for path in arguments.files:
        with av.open(path, metadata_errors="replace") as container:
            streams = [i for i, s in enumerate(container.streams.video) if s.codec_context.name == "h264"]
        rows += [_shown(compare(path, f"{Path(path).name}#{i}", i)) for i in streams]
    if arguments.matrix:
        pictures = real_footage(Path(arguments.matrix), arguments.frames)
        for name, pixel_format, options in matrix():
            rows.append(_shown(compare(encode(pictures, pixel_format, options), name)))
    total = Row("TOTAL")
    for row in rows:
        for key in ("packets", "frames", "blocks", "differing", "frames_differing"):
            setattr(total, key, getattr(total, key) + getattr(row, key))
        total.not_compared += row.not_compared
    _shown(total)
    if arguments.csv:
        with Path(arguments.csv).open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(
                [
                    "file",
                    "profile",
                    "packets",
                    "frames_compared",
                    "blocks_compared",
                    "blocks_differing",
                    "not_compared",
                ]
            )
            for r in [*rows, total]:
                writer.writerow(
                    [r.name, r.profile, r.packets, r.frames, r.blocks, r.differing, dict(r.not_compared)]
                )
    return int(total.differing > 0)


def _shown(row: Row) -> Row:
    print(
        f"{row.name:60} packets {row.packets:6} compared {row.frames:6} blocks {row.blocks:9} "
        f"differing {row.differing:7} in {row.frames_differing:4} frames  {dict(row.not_compared) or ''}",
        flush=True,
    )
    return row


if __name__ == "__main__":
    sys.exit(main())
