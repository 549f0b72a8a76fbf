"""How fast the native MPEG-4 part 2 reader is, on one thread, against libavcodec's ``export_mvs``.

Each pass is timed alone, best of ``--rounds``. The reader's passes have the demultiplexing in them, as those
of libavcodec have, but for the one that says otherwise.

    python benchmarks/mpeg4_reader_speed.py ../shared/data/originals/street_mpeg4_part2.mp4
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from mpeg4_streams import packets_of, reader_module


def demux(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(p.size for p in container.demux(video=0))


def decode(path: Path, options: dict[str, str], *, rgb: bool = False) -> int:
    vectors = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = options
        for frame in container.decode(stream):
            data = frame.side_data.get("MOTION_VECTORS")
            vectors += 0 if data is None else len(data.to_ndarray())
            if rgb:
                frame.to_ndarray(format="rgb24")
    return vectors


def native(module: Any, path: Path, every: int, *, records: bool = False) -> int:
    """Parses every n-th P-VOP (none with 0), and makes the cells of each."""
    seen = 0
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        reader = module.Mpeg4Reader(bytes(video.codec_context.extradata or b""))
        for i, packet in enumerate(container.demux(video)):
            if not packet.size:
                continue
            if every == 0 or i % every:
                reader.look(bytes(packet))
                continue
            for frame in reader.feed(bytes(packet)):
                if frame.status == "ok":
                    seen += frame.displacements.size + frame.energy.size + frame.residual_means.size
                    seen += len(frame.vectors) if records else 0
    return seen


def parse_only(module: Any, extradata: bytes, packets: tuple[bytes, ...]) -> int:
    reader = module.Mpeg4Reader(extradata)
    return sum(len(reader.feed(p)) for p in packets)


def best(rounds: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    module, path = reader_module(), arguments.path
    stream = packets_of(path)
    frames, size = len(stream.packets), sum(map(len, stream.packets))
    passes: dict[str, Callable[[], object]] = {
        "demux only": lambda: demux(path),
        "native, headers only": lambda: native(module, path, 0),
        "native, every 16th frame": lambda: native(module, path, 16),
        "native, all P-frames": lambda: native(module, path, 1),
        "native, all P-frames, vectors as records": lambda: native(module, path, 1, records=True),
        "native, all P-frames, no demultiplexing": lambda: parse_only(
            module, stream.extradata, stream.packets
        ),
        "libavcodec export_mvs": lambda: decode(path, {"flags2": "+export_mvs"}),
        "libavcodec to RGB": lambda: decode(path, {}, rgb=True),
    }
    print(f"{path.name}: {frames} frames, {size} bytes")
    print("pass, seconds, frames a second, Mbit a second")
    for name, work in passes.items():
        seconds = best(arguments.rounds, work)
        print(f"{name}, {seconds:.4f}, {frames / seconds:.0f}, {size * 8e-6 / seconds:.0f}", flush=True)


if __name__ == "__main__":
    main()
