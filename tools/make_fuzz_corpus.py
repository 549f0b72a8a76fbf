"""Write fuzz inputs for ``fuzz/h264_packets.cpp`` and ``fuzz/mpeg4_packets.cpp`` from video files.

Usage: ``python tools/make_fuzz_corpus.py OUT_DIR PACKETS FILE...``: the first PACKETS packets of each file,
after its extradata, each with a three-byte length. PACKETS 0 takes them all, which serves profiling.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import av


def record(data: bytes) -> bytes:
    """One length-prefixed record; longer ones are cut."""
    data = data[: (1 << 24) - 1]
    return len(data).to_bytes(3, "big") + data


def main() -> None:
    """One corpus file for each video."""
    out, count = Path(sys.argv[1]), int(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[3:]:
        with av.open(name, metadata_errors="replace") as container:
            stream = container.streams.video[0]
            if stream.codec_context.name not in ("h264", "mpeg4"):
                continue
            packets = (bytes(p) for p in container.demux(stream) if p.size)
            parts = [bytes(stream.codec_context.extradata or b""), *itertools.islice(packets, count or None)]
        (out / Path(name).name).write_bytes(b"".join(map(record, parts)))


if __name__ == "__main__":
    main()
