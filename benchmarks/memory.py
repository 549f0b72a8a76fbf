"""Peak memory of scoring a 3-hour video next to a 3-minute one, for every sampler that reads something.

Usage: ``python benchmarks/memory.py REAL_VIDEO.mp4``. Both videos are the real one looped by stream copy into
a scratch folder. Each run is a process of its own; its ``VmHWM`` is what the kernel says. Writes
``results/memory.csv``. The bar: no more than 150 MB between the two.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import av

HOURS_S = {"3 min": 180, "3 h": 3 * 3600}
RUNS = {
    "packet-cost": "'packet-cost'",
    "motion (bitstream)": "'motion', backend='bitstream'",
    "motion (decoded)": "'motion', backend='decoded'",
}
SCRIPT = """
import sys, time
from salientclips import score
began = time.process_time()
clips = len(score(sys.argv[1], {arguments}))
peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(clips, int(peak) / 1024, time.process_time() - began)
"""


def main() -> None:
    source = Path(sys.argv[1])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        videos = {name: loop(source, Path(folder) / f"{s}.mp4", s) for name, s in HOURS_S.items()}
        for run, arguments in RUNS.items():
            for name, video in videos.items():
                done = subprocess.run(
                    [sys.executable, "-c", SCRIPT.format(arguments=arguments), str(video)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                clips, peak_mib, cpu_s = done.stdout.split()
                rows.append([source.name, run, name, clips, f"{float(peak_mib):.0f}", f"{float(cpu_s):.1f}"])
                print(*rows[-1], flush=True)
    out = Path(__file__).parent / "results" / "memory.csv"
    with out.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["source", "run", "length", "clips", "peak_mib", "cpu_s"])
        table.writerows(rows)


def loop(source: Path, target: Path, length_s: int) -> Path:
    """Repeat a video's pictures by stream copy until they last ``length_s``."""
    with av.open(str(target), "w") as write, av.open(str(source)) as read:
        stream = read.streams.video[0]
        copy = write.add_stream_from_template(stream)
        tick, packets = stream.time_base, []
        for p in read.demux(stream):
            if p.size:
                assert p.pts is not None
                assert p.dts is not None
                packets.append((bytes(p), p.pts, p.dts, p.duration, p.is_keyframe))
        assert tick is not None
        turn = max(pts + (duration or 0) for _, pts, _, duration, _ in packets)
        turns = int(length_s / (turn * tick)) + 1
        for number in range(turns):
            for payload, pts, dts, duration, is_key in packets:
                packet = av.Packet(payload)
                packet.pts, packet.dts = pts + number * turn, dts + number * turn
                packet.duration, packet.is_keyframe = duration, is_key
                packet.time_base, packet.stream = tick, copy
                write.mux(packet)
    return target


if __name__ == "__main__":
    main()
