"""Speed of ``motion_vectors`` and ``residuals`` by either back end, and whether their vectors are equal.

Everything is in the time: the packet table, the second pass, numpy. CPU seconds of one process, decoder on one
thread, best of three.

    python benchmarks/public_readers.py FILE... [--csv benchmarks/results/public_readers.csv]
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from salientclips import motion_vectors, residuals
from salientclips.media.demux import read_packets

COLUMNS = [
    "file",
    "packets",
    "p_frames",
    "vectors",
    "differing_blocks",
    "vectors_bitstream_per_s",
    "vectors_decoded_per_s",
    "vectors_ratio",
    "residuals_bitstream_per_s",
    "residuals_decoded_per_s",
    "residuals_ratio",
]


def best(work: Callable[[], Iterable[object]]) -> float:
    seconds = []
    for _ in range(3):
        began = time.process_time()
        for _ in work():
            pass
        seconds.append(time.process_time() - began)
    return min(seconds)


def measure(path: Path) -> list[str | float]:
    decoded = {f.time: f.vectors for f in motion_vectors(path, "decoded")}
    frames = vectors = differing = 0
    for frame in motion_vectors(path, "bitstream"):
        theirs = decoded.get(frame.time)
        if theirs is None:
            continue
        frames, vectors = frames + 1, vectors + len(theirs)
        same_length = len(theirs) == len(frame.vectors)
        differing += int((theirs != frame.vectors).sum()) if same_length else len(theirs)
    packets = len(read_packets(path))
    row: list[str | float] = [path.name, packets, frames, vectors, differing]
    for reader in (motion_vectors, residuals):
        fast, slow = best(partial(reader, path, "bitstream")), best(partial(reader, path, "decoded"))
        row += [round(packets / fast), round(packets / slow), round(slow / fast, 2)]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    rows = []
    print(*COLUMNS, sep=",")
    for path in arguments.files:
        rows.append(measure(path))
        print(*rows[-1], sep=",", flush=True)
    if arguments.csv:
        with arguments.csv.open("w", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
