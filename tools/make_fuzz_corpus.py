"""Write seeds for the fuzz targets.

Usage: ``python tools/make_fuzz_corpus.py seeds CUT_SEEDS CORPUS_DIR`` encodes small drawn clips with PyAV in the
forms that the readers parse, and has the program ``cut_seeds`` (built beside the targets) cut them into seeds for
the targets of single parsers. Seeds that no stream holds (programs of reads, fields of headers) are drawn at random.

``python tools/make_fuzz_corpus.py packets OUT_DIR PACKETS FILE...`` writes inputs for the whole-packet targets from
video files: the first PACKETS packets of each, after its extradata, each with a three-byte length. PACKETS 0 takes
them all, which serves profiling.
"""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

WIDTH_PX, HEIGHT_PX = 64, 48

H264 = {
    "cavlc": ("yuv420p", "cabac=0:8x8dct=0:ref=1", 30),
    "cavlc_8x8": ("yuv420p", "cabac=0:8x8dct=1:ref=2", 26),
    "cavlc_fine": ("yuv420p", "cabac=0:8x8dct=0:ref=4", 10),
    "cavlc_grey": ("gray", "cabac=0:8x8dct=1", 30),
    "cavlc_422": ("yuv422p", "cabac=0:8x8dct=0", 30),
    "cavlc_10_bit": ("yuv420p10le", "cabac=0:8x8dct=1", 30),
    "cabac": ("yuv420p", "cabac=1:8x8dct=0:ref=1", 30),
    "cabac_8x8": ("yuv420p", "cabac=1:8x8dct=1:ref=3", 26),
    "cabac_fine": ("yuv420p", "cabac=1:8x8dct=1:ref=1", 10),
    "cabac_grey": ("gray", "cabac=1:8x8dct=1", 30),
    "cabac_422": ("yuv422p", "cabac=1:8x8dct=0", 30),
    "cabac_10_bit": ("yuv420p10le", "cabac=1:8x8dct=1", 30),
    "lists": ("yuv420p", "cabac=1:8x8dct=1:cqm=jvt", 40),
}
"""Name: pixel format, x264 parameters, crf."""

MPEG4 = {
    "plain": {},
    "four": {"flags": "+mv4"},
    "quarter": {"flags": "+mv4+qpel"},
    "matrix": {"flags": "+mv4", "mpeg_quant": "1"},
    "packets": {"flags": "+mv4", "ps": "60"},
}


def record(data: bytes) -> bytes:
    """One length-prefixed record; longer ones are cut."""
    data = data[: (1 << 24) - 1]
    return len(data).to_bytes(3, "big") + data


def drawn_clip(frames: int) -> list[npt.NDArray[np.uint8]]:
    """A soft texture that drifts, with a block that moves otherwise and a patch that comes new each time."""
    random = np.random.default_rng(5)
    scene = np.kron(random.uniform(30, 220, (10, 12, 3)), np.ones((8, 8, 1)))
    clip = []
    for t in range(frames):
        picture = scene[2 * t : 2 * t + HEIGHT_PX, t : t + WIDTH_PX].copy()
        picture[8:24, 5 * t : 5 * t + 16] = scene[40:56, 40:56]
        picture[32:, 40:] = random.uniform(30, 220, (16, 24, 3))
        clip.append(picture.astype(np.uint8))
    return clip


def encode(form: str, codec: str, pixel_format: str, options: dict[str, str]) -> list[bytes]:
    """Extradata and packets of three frames, the first of them a key frame."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, pixel_format
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(drawn_clip(3)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    out.seek(0)
    with av.open(out) as container:
        video = container.streams.video[0]
        packets = [bytes(p) for p in container.demux(video) if p.size]
        return [bytes(video.codec_context.extradata or b""), *packets]


def clips() -> dict[str, list[bytes]]:
    """All encodes by name; H.264 with start codes, MPEG-4 part 2 as in AVI."""
    made = {}
    for name, (pixel_format, parameters, crf) in H264.items():
        text = f"{parameters}:bframes=0:scenecut=0:partitions=all:threads=1:info=0"
        options = {"preset": "medium", "crf": str(crf), "x264-params": text}
        made[name] = encode("h264", "libx264", pixel_format, options)
    for name, options in MPEG4.items():
        made[name] = encode("avi", "mpeg4", "yuv420p", {**options, "qmin": "6", "qmax": "6"})
    return made


FIELDS = ("h264_sps", "h264_pps", "h264_slice_header", "mpeg4_vol", "mpeg4_vop_header")
"""Targets that write a header from the bytes of an input whose first is odd, and read it again."""


def write_drawn_seeds(corpus: Path) -> None:
    """Programs of reads for the bit readers, and fields of headers, drawn at random from a fixed seed."""
    random = np.random.default_rng(11)
    for target in ("bit_reader", *FIELDS, "motion_fields"):
        (corpus / target).mkdir(parents=True, exist_ok=True)
        for number in range(6):
            drawn = bytearray(random.bytes(160 if target != "motion_fields" else 2 + 12 * 40))
            if target == "bit_reader":
                # The reader, how many operations, and data with long runs of zeros, for long Exp-Golomb codes.
                drawn[0], drawn[1] = number, 40
                drawn[100:140] = bytes(b if b % 5 == 0 else 0 for b in drawn[100:140])
            elif target == "motion_fields":
                # A picture of a few cells, blocks near its top left corner: of 16-bit places few bytes are kept.
                drawn[0], drawn[1] = 20 + 8 * number, 24 + 10 * number
                for block in range(2, len(drawn), 12):
                    drawn[block + 1] = drawn[block + 3] = 0
            else:
                drawn[0] |= 1
            (corpus / target / f"drawn_{number}").write_bytes(bytes(drawn))


def write_seeds(program: Path, corpus: Path) -> None:
    """Cut the encodes, and draw the rest; what two of them have in common is kept once."""
    write_drawn_seeds(corpus)
    with tempfile.TemporaryDirectory() as folder:
        for name, parts in clips().items():
            path = Path(folder) / name
            path.write_bytes(b"".join(map(record, parts)))
            subprocess.run([program, corpus, name, path], check=True)
    for target in corpus.iterdir():
        seen: set[bytes] = set()
        for seed in sorted(target.iterdir()):
            if seed.read_bytes() in seen:
                seed.unlink()
            else:
                seen.add(seed.read_bytes())


def write_packets(out: Path, count: int, names: list[str]) -> None:
    """One corpus file for each video."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        with av.open(name, metadata_errors="replace") as container:
            stream = container.streams.video[0]
            if stream.codec_context.name not in ("h264", "mpeg4"):
                continue
            packets = (bytes(p) for p in container.demux(stream) if p.size)
            parts = [bytes(stream.codec_context.extradata or b""), *itertools.islice(packets, count or None)]
        (out / Path(name).name).write_bytes(b"".join(map(record, parts)))


def main() -> None:
    """Either kind of corpus."""
    if sys.argv[1] == "seeds":
        write_seeds(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        write_packets(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])


if __name__ == "__main__":
    main()
