"""How fast features are read without decoding, against demultiplexing, exported vectors and full decoding.

    SALIENTCLIPS_DATA=... OPENBLAS_NUM_THREADS=1 PYTHONPATH=src python -m benchmarks.features \
        [--mve PYTHON] [--only NAME] [--output FILE.csv]

One run, one machine, one thread. The videos are those of long_videos.py: ten minutes of real footage in H.264 at 720p
and 240p, and in MPEG-4 part 2 at 360p. Processor time is counted, user and system, the best of several interleaved
runs (of one where it takes more than 20 s), because other work on the machine only ever slows a run down.

Rows: "demux" is PyAV's bare packet loop; "read_packets" is our table of exact times and types; "score" is the whole
verb on the sampler ``motion`` (both passes, clip grid, vectors, residuals, camera motion taken out, fingerprint);
"parse only" is the native reader on packets that lie in memory, a record a vector; "export_mvs" is PyAV's decode with
the vectors of each frame taken as an array; "motion-vector-extractor" is that package, in the interpreter given by
``--mve``.

Where the time of a score goes is in rows "of which ...", each measured by itself on the same frames: opening the file
twice and one frame decoded for its colour, demultiplexing once and reading the packets once more where they lie (with
a quick opening), the slice headers of all packets, the entropy decoding of the wanted frames, reducing them to cells,
the camera fit; "the rest" is what is left of the score: packet table, Python, numpy, and caches that each of these
finds filled by the others.

Columns: video, what, seconds, frames_per_second (source frames covered per second), ratio_to_demux and
ratio_to_export_mvs (of the times: below 1 is faster), vectors_per_second (motion vectors that came out),
megabytes_per_second (compressed bytes gone through or, for "parse only" and entropy decoding, parsed). Of a score,
vectors are those of the frames that it reads.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from benchmarks.long_videos import VIDEOS, make
from benchmarks.score_parts import Job, Parts, take_apart

from salientclips.compressed.bitstream import make_reader
from salientclips.compressed.reader import Backend
from salientclips.media.demux import read_packets
from salientclips.media.payloads import StreamFacts, read_facts, read_payloads
from salientclips.samplers.baselines import Motion
from salientclips.types import PacketTable
from salientclips.verbs.score import score

_MVE_LOOP = """
import sys, time
from mvextractor.videocap import VideoCap
start = time.process_time()
cap, frames, vectors = VideoCap(), 0, 0
cap.open(sys.argv[1])
while True:
    ok, frame, found = cap.read()[:3]
    if not ok:
        break
    frames, vectors = frames + 1, vectors + len(found)
print(time.process_time() - start, frames, vectors)
"""


def demux(path: Path) -> None:
    with av.open(str(path)) as container:
        for _ in container.demux(container.streams.video[0]):
            pass


def _decode(path: Path, options: dict[str, str]) -> av.container.InputContainer:
    container = av.open(str(path))
    context = container.streams.video[0].codec_context
    context.thread_type, context.thread_count, context.options = "SLICE", 1, options
    return container


def export_mvs(path: Path) -> int:
    count = 0
    with _decode(path, {"flags2": "+export_mvs"}) as container:
        for frame in container.decode(video=0):
            side = frame.side_data.get("MOTION_VECTORS")
            count += len(side.to_ndarray()) if side is not None else 0
    return count


def to_rgb(path: Path) -> None:
    with _decode(path, {}) as container:
        for frame in container.decode(video=0):
            frame.to_ndarray(format="rgb24")


def parse_only(facts: StreamFacts, packets: list[memoryview], wanted: list[bool]) -> int:
    reader, count = make_reader(facts), 0
    for row, (packet, is_wanted) in enumerate(zip(packets, wanted, strict=True)):
        picture = reader.feed(packet, row, is_wanted)
        count += len(picture.vectors) if picture is not None else 0
    return count


def jobs(path: Path, table: PacketTable) -> list[Job]:
    total = int(table.size_bytes.sum())

    def scoring(count: int, backend: Backend, vectors: int | None) -> Callable[[], int | None]:
        def run() -> int | None:
            score(path, Motion(count), backend=backend)
            return vectors

        return run

    def packet_table() -> None:
        read_packets(path)

    is_p = [bool(kind == ord("P")) for kind in table.frame_type]
    facts, packets = read_facts(path), [memoryview(bytes(p)) for p in read_payloads(path)]
    p_bytes = int(table.size_bytes[np.array(is_p)].sum())
    parts = {count: Parts(path, facts, table, packets, count) for count in (1, 4, 0)}
    counts = {count: parse_only(facts, packets, part.wanted.tolist()) for count, part in parts.items()}
    names = {1: "1 P-frame a clip", 4: "4 P-frames a clip", 0: "all P-frames"}
    scores = [
        Job(f"score, bitstream, {names[n]}", scoring(n, "bitstream", counts[n]), repeat, total)
        for n, repeat in ((1, 4), (4, 3), (0, 2))
    ]
    return [
        Job("demux only (PyAV)", lambda: demux(path), 5, total),
        Job("read_packets", packet_table, 5, total),
        *scores,
        *(job for n in (1, 0) for job in parts[n].jobs(f"of which, {names[n]}")),
        Job("parse only, all P-frames", lambda: parse_only(facts, packets, is_p), 2, p_bytes),
        Job("score, decoded, 1 P-frame a clip", scoring(1, "decoded", None), 1, total),
        Job("export_mvs (PyAV)", lambda: export_mvs(path), 2, total),
        Job("full decode to RGB (PyAV)", lambda: to_rgb(path), 1, total),
    ]


def measure(job: Job) -> tuple[float, int | None]:
    start = time.process_time()
    vectors = job.run()
    return time.process_time() - start, vectors


def motion_vector_extractor(python: str, path: Path) -> tuple[float, int] | None:
    """Its seconds and vectors on one thread; None, and a line on stderr, where it does not run."""
    # Its decoder takes all cores; processor time would count them all, so it is held to one.
    done = subprocess.run(
        ["taskset", "-c", "0", python, "-c", _MVE_LOOP, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(f"motion-vector-extractor did not run: {done.stderr[-300:]}", file=sys.stderr)
        return None
    seconds, _, vectors = done.stdout.split()
    return float(seconds), int(vectors)


def rows_of(name: str, path: Path, mve: str | None) -> list[list[str]]:
    table = read_packets(path)
    work = jobs(path, table)
    best: dict[str, tuple[float, int | None]] = {job.what: (float("inf"), None) for job in work}
    for turn in range(max(job.repeat for job in work)):
        for job in work:
            if turn < job.repeat and (turn == 0 or best[job.what][0] < _LONG_S):
                seconds, vectors = measure(job)
                best[job.what] = min(best[job.what], (seconds, vectors), key=lambda found: found[0])
                print(f"{name} {job.what}: {seconds:.3f} s", file=sys.stderr, flush=True)
    sizes = {job.what: job.num_bytes for job in work}
    extractor = motion_vector_extractor(mve, path) if mve else None
    if extractor is not None:
        best["motion-vector-extractor"] = extractor
        sizes["motion-vector-extractor"] = int(table.size_bytes.sum())
    take_apart(best)
    one, other = best["demux only (PyAV)"][0], best["export_mvs (PyAV)"][0]
    return [
        [
            name,
            what,
            f"{seconds:.3f}",
            f"{len(table) / seconds:.0f}" if seconds > 0.0005 else "",
            f"{seconds / one:.2f}",
            f"{seconds / other:.4f}",
            f"{vectors / seconds:.0f}" if vectors is not None and seconds > 0 else "",
            f"{sizes[what] / seconds / 1e6:.1f}" if sizes.get(what) and seconds > 0 else "",
        ]
        for what, (seconds, vectors) in best.items()
    ]


_LONG_S = 20.0
"""A run that took longer is not repeated."""

_HEADER = (
    "video,what,seconds,frames_per_second,"
    "ratio_to_demux,ratio_to_export_mvs,vectors_per_second,megabytes_per_second"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=[video.name for video in VIDEOS])
    parser.add_argument("--mve", help="an interpreter that has motion-vector-extractor")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "features.csv")
    arguments = parser.parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        parser.error("set OPENBLAS_NUM_THREADS=1: every row is to have one thread")
    rows: list[list[str]] = []
    for video in VIDEOS:
        if arguments.only in (None, video.name):
            rows += rows_of(video.name, make(video), arguments.mve)
            with arguments.output.open("w", newline="") as file:
                csv.writer(file).writerows([_HEADER.split(","), *rows])
    print(arguments.output.read_text(), end="")


if __name__ == "__main__":
    main()
