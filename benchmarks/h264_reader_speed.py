"""Speed of the native H.264 reader against libavcodec with ``export_mvs``, one thread, one file at a time.

Usage: ``python benchmarks/h264_reader_speed.py FILE...``. Columns: all packets demuxed; headers of all
packets; all P pictures parsed; libavcodec decoding with vectors. Frames/s count all packets; MB/s is bytes
of P packets over the time that parsing took beyond headers. All times are CPU time of this process, so that
other load does not count.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import av

from salientclips.compressed._native._core import H264Reader


def demux(path: str) -> tuple[bytes, list[bytes], float]:
    """Extradata, packets, seconds."""
    start = time.process_time()
    with av.open(path) as container:
        stream = container.streams.video[0]
        packets = [bytes(p) for p in container.demux(stream) if p.size]
        extradata = bytes(stream.codec_context.extradata or b"")
    return extradata, packets, time.process_time() - start


def read(extradata: bytes, packets: list[bytes], parse: bool) -> tuple[float, int]:
    """Seconds, and vectors found. Only P pictures are parsed."""
    start = time.process_time()
    reader = H264Reader(extradata)
    vectors = 0
    for packet in packets:
        result = reader.feed(packet, parse and reader.look(packet).type == "P")
        if result.vectors is not None:
            vectors += len(result.vectors)
    return time.process_time() - start, vectors


def export(path: str) -> float:
    """Seconds of a decode with exported vectors, each frame's array taken."""
    start = time.process_time()
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in container.decode(stream):
            side = frame.side_data.get("MOTION_VECTORS")
            if side is not None:
                side.to_ndarray()
    return time.process_time() - start


def main() -> None:
    """One line a file."""
    for path in sys.argv[1:]:
        extradata, packets, demux_s = demux(path)
        looker = H264Reader(extradata)
        p_bytes = sum(len(p) for p in packets if looker.look(p).type == "P")
        p_frames = sum(looker.look(p).type == "P" for p in packets)
        headers_s = min(read(extradata, packets, False)[0] for _ in range(3))
        parse_s, vectors = min((read(extradata, packets, True) for _ in range(3)), key=lambda r: r[0])
        export_s = min(export(path) for _ in range(2))
        n = len(packets)
        print(
            f"{Path(path).name:32} packets {n:5} ({p_frames} P)  demux {n / demux_s:8.0f}/s  "
            f"headers {n / headers_s:8.0f}/s  "
            f"all P {n / parse_s:7.0f}/s  {p_bytes / 1e6 / max(parse_s - headers_s, 1e-9):6.1f} MB/s  "
            f"{vectors / parse_s / 1e6:5.2f} M vectors/s  export_mvs {n / export_s:6.0f}/s  "
            f"ratio {export_s / (parse_s + demux_s):5.2f}"
        )


if __name__ == "__main__":
    main()
