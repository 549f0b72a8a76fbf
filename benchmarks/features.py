"""How fast features are read, against what decoding alone costs. One run measures all, single thread.

    PYTHONPATH=src python benchmarks/features.py VIDEO [--repeat 3] [--loops 5] [--output FILE.csv]

The video is looped by stream copy, so that a short real file gives steady numbers. Processor time is counted,
and the best of several interleaved runs, because other work on the machine only ever slows a run down.
Columns: what, frames_per_second (source frames covered per second), ratio_to_full_decode (of the times).
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av

from salientclips.compressed.choose import frames_to_read
from salientclips.compressed.decoded import read_features
from salientclips.media.demux import end_time, read_packets, shown_times
from salientclips.media.motion import read_motion
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import FeatureParameters


def loop(source: Path, target: Path, loops: int) -> Path:
    with av.open(str(target), "w") as output:
        stream, offset = None, 0
        for _ in range(loops):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                end = 0
                for packet in container.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = stream
                    output.mux(packet)
            offset += end
    return target


def decode(path: Path, options: dict[str, str], skip: str) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = options
        stream.codec_context.thread_type, stream.codec_context.thread_count = "SLICE", 1
        stream.codec_context.skip_frame = skip
        for _ in container.decode(stream):
            pass


def jobs(path: Path) -> dict[str, Callable[[], object]]:
    table = read_packets(path)
    grid = ClipGrid.from_frame_times(shown_times(table), end_time(table), ClipSpec())

    def features(count: int, *names: str) -> Callable[[], object]:
        parameters = FeatureParameters(count, names)
        return lambda: [clip.index for clip in read_features(path, table, grid, parameters)]

    def wanted_frames() -> None:
        rows = {int(row) for rows in frames_to_read(table, grid, 1) for row in rows}
        for _ in read_motion(path, table, rows):
            pass

    least = {"flags2": "+export_mvs", "skip_loop_filter": "all"}
    return {
        "packet table (no decoding)": lambda: read_packets(path),
        "full decode": lambda: decode(path, {}, "DEFAULT"),
        "full decode with exported vectors": lambda: decode(path, {"flags2": "+export_mvs"}, "DEFAULT"),
        "reference frames, no loop filter, vectors": lambda: decode(path, least, "NONREF"),
        "read_motion, 1 frame per clip": wanted_frames,
        "read_features md, 1 frame per clip": features(1, "md"),
        "read_features md rgbr, 1 frame per clip": features(1, "md", "rgbr"),
        "read_features md rgbr, 2 frames per clip": features(2, "md", "rgbr"),
        "read_features md rgbr, all P-frames": features(0, "md", "rgbr"),
        "read_features md rgbr if, 1 frame per clip": features(1, "md", "rgbr", "if"),
        "read_features if, 1 frame per clip": features(1, "if"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("video", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--loops", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "features.csv")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = loop(arguments.video, Path(folder) / "looped.mkv", arguments.loops)
        work = jobs(path)
        num_frames = len(read_packets(path))
        best = dict.fromkeys(work, float("inf"))
        for _ in range(arguments.repeat):
            for name, job in work.items():
                start = time.process_time()
                job()
                best[name] = min(best[name], time.process_time() - start)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with arguments.output.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "frames_per_second", "ratio_to_full_decode"])
        for name, seconds in best.items():
            writer.writerow([name, f"{num_frames / seconds:.1f}", f"{seconds / best['full decode']:.3f}"])
    print(arguments.output.read_text(), end="")


if __name__ == "__main__":
    main()
