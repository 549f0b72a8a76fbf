"""Are the native reader's MPEG-4 part 2 vectors libavcodec's? A row a file; 0 in ``differing`` is the bar.

Files: those of the data folder whose codec is MPEG-4 part 2, and a matrix of encodes of one of them.
``overwritten`` counts blocks that libavcodec sets to 0 after it has used them, where a video packet begins
with a macroblock of four vectors (tests/mpeg4_streams.py, is_overwritten). ``not exported``: P-frames that
libavcodec hands out without vectors when it is drained.

    python benchmarks/vectors_equal_ffmpeg_mpeg4.py --data ../shared/data \
        --out benchmarks/results/vectors_equal_ffmpeg_mpeg4.csv
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from mpeg4_streams import Stream, compare, encode, packets_of, reader_module

COLUMNS = ("file", "frames", "blocks", "of them 8x8", "differing", "overwritten", "not exported", "not read")
FLAGS = ("", "+mv4", "+qpel", "+mv4+qpel")
EXTRA: tuple[dict[str, str], ...] = (
    {"mpeg_quant": "1"},
    {"ps": "300"},
    {"ps": "100", "mpeg_quant": "1"},
    {"trellis": "1", "mbd": "rd"},
)


def real_files(data: Path) -> Iterator[tuple[str, Stream]]:
    for path in sorted((data / "originals").iterdir()):
        try:
            with av.open(str(path)) as container:
                codec = container.streams.video[0].codec_context.name if container.streams.video else ""
        except av.error.FFmpegError:
            continue
        if codec == "mpeg4":
            yield path.name, packets_of(path)


def encodes(source: Path, folder: Path, frames_count: int) -> Iterator[tuple[str, Stream]]:
    with av.open(str(source)) as container:
        pictures = itertools.islice(container.decode(video=0), frames_count)
        frames = [f.reformat(width=352, height=288, format="yuv420p") for f in pictures]
    for flags, quantiser, gop, b_frames in itertools.product(FLAGS, (2, 8, 31), (12, 250), (0, 2)):
        options = {"flags": flags} if flags else {}
        path = encode(folder / "x.mp4", frames, options, quantiser=quantiser, gop=gop, b_frames=b_frames)
        yield f"{flags or 'plain'} q{quantiser} gop{gop} b{b_frames}", packets_of(path)
    for extra, flags, quantiser in itertools.product(EXTRA, ("+mv4", "+mv4+qpel"), (2, 8, 31)):
        path = encode(folder / "x.mp4", frames, {**extra, "flags": flags}, quantiser=quantiser)
        name = " ".join(f"{k}={v}" for k, v in extra.items())
        yield f"{flags} {name} q{quantiser} gop12 b0", packets_of(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("SALIENTCLIPS_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default), help="the research data")
    parser.add_argument("--out", type=Path, help="write the table here too, as CSV")
    parser.add_argument("--frames", type=int, default=60, help="frames of each encode")
    arguments = parser.parse_args()
    module = reader_module()
    if module is None:
        sys.exit("the native reader is not built")
    rows: list[tuple[str | int, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        source = arguments.data / "originals" / "street_mpeg4_part2.mp4"
        streams = itertools.chain(real_files(arguments.data), encodes(source, Path(folder), arguments.frames))
        for name, stream in streams:
            c = compare(module, stream)
            rows.append(
                (name, c.frames, c.blocks, c.eight, c.differing, c.overwritten, c.not_exported, c.not_read)
            )
            print(*rows[-1], sep=", ", flush=True)
    rows.append(("total", *(sum(int(row[i]) for row in rows) for i in range(1, len(COLUMNS)))))
    print(*rows[-1], sep=", ")
    if arguments.out:
        with arguments.out.open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
