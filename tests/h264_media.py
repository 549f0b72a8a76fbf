"""Small H.264 streams for the tests, and what libavcodec says of them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import av
import av.sidedata.sidedata
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 176, 112


@dataclass
class Decoded:
    """One frame as libavcodec gives it."""

    type: str
    vectors: npt.NDArray[np.void]
    corrupt: bool
    planes: list[npt.NDArray[np.uint16]]


@dataclass
class Stream:
    """Packets in decoding order; ``frames`` and ``times`` by packet number."""

    extradata: bytes
    packets: list[bytes] = field(default_factory=list)
    frames: dict[int, Decoded] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    """Display order of each packet."""


def moving_picture(frames: int, seed: int = 1) -> list[npt.NDArray[np.uint8]]:
    """A textured scene that drifts by fractions of a pixel, with a fast object and a noisy patch."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 210, (24, 36, 3))
    scene = np.kron(coarse, np.ones((12, 12, 1)))
    for axis in (0, 1):
        scene = sum(np.roll(scene, k, axis) for k in range(-4, 5)) / 9
    pictures = []
    for t in range(frames):
        x, y = 1.25 * t, 0.75 * t
        x0, y0 = int(x), int(y)
        fx, fy = x - x0, y - y0
        cut = scene[y0 : y0 + HEIGHT + 1, x0 : x0 + WIDTH + 1]
        picture = (1 - fy) * ((1 - fx) * cut[:-1, :-1] + fx * cut[:-1, 1:])
        picture = picture + fy * ((1 - fx) * cut[1:, :-1] + fx * cut[1:, 1:])
        left = (7 * t) % (WIDTH - 40)
        picture[30:62, left : left + 36] = 255 - picture[30:62, left : left + 36]
        picture[72:104, 100:150] = rng.uniform(60, 200, (32, 50, 3)) * 0.4 + picture[72:104, 100:150] * 0.6
        pictures.append(np.clip(picture, 16, 235).astype(np.uint8))
    return pictures


def encode(
    pictures: list[npt.NDArray[np.uint8]],
    pixel_format: str,
    parameters: str,
    *,
    crf: int | None = 26,
    annex_b: bool = False,
) -> io.BytesIO:
    """Encode with x264 in memory, in Matroska (length prefixes) or as a raw stream (start codes)."""
    out = io.BytesIO()
    options = {"preset": "medium", "x264-params": parameters + ":threads=1"}
    if crf is not None:
        options["crf"] = str(crf)
    with av.open(out, "w", format="h264" if annex_b else "matroska") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.codec_context.thread_count = 1
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    out.seek(0)
    return out


def read_stream(file: io.BytesIO | Path) -> Stream:
    """Demux, and decode on one thread with vectors exported; damaged packets are passed over."""
    with av.open(file if isinstance(file, io.BytesIO) else str(file), metadata_errors="replace") as container:
        video = container.streams.video[0]
        context = video.codec_context
        context.thread_count = 1
        context.options = {"flags2": "+export_mvs"}
        stream = Stream(bytes(context.extradata or b""))
        pts: list[int] = []
        for packet in container.demux(video):
            if packet.size:
                pts.append(packet.pts if packet.pts is not None else len(pts))
                packet.pts = len(stream.packets)  # names the frame
                stream.packets.append(bytes(packet))
            try:
                frames = context.decode(packet if packet.size else None)
            except av.error.FFmpegError:
                continue
            for frame in frames:
                stream.frames[frame.pts] = _decoded(frame)
    order = {t: i for i, t in enumerate(sorted(set(pts)))}
    stream.times = [order[t] for t in pts]
    return stream


def _decoded(frame: av.VideoFrame) -> Decoded:
    side = frame.side_data.get(av.sidedata.sidedata.Type.MOTION_VECTORS)
    vectors = np.empty(0) if side is None else side.to_ndarray()
    sample = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    planes = [
        np.frombuffer(bytes(p), sample).reshape(p.height, -1)[:, : p.width].astype(np.uint16)
        for p in frame.planes
    ]
    kind = av.video.frame.PictureType(frame.pict_type).name
    return Decoded(kind, vectors if len(vectors) else np.empty(0, _VECTOR), frame.is_corrupt, planes)


_VECTOR = np.dtype(
    {
        "names": [
            "source",
            "w",
            "h",
            "src_x",
            "src_y",
            "dst_x",
            "dst_y",
            "flags",
            "motion_x",
            "motion_y",
            "motion_scale",
        ],
        "formats": ["<i4", "u1", "u1", "<i2", "<i2", "<i2", "<i2", "<u8", "<i4", "<i4", "<u2"],
        "offsets": [0, 4, 5, 6, 8, 10, 12, 16, 24, 28, 32],
        "itemsize": 40,
        "aligned": True,
    }
)
