"""Makes the folder of videos that the corpus benchmarks run on: 500 small files, real and made up, 40 of them broken.

    PYTHONPATH=src:tests python -m benchmarks.corpus_files FOLDER [--videos 500] [--seed 1]

From the real videos of ``../shared/data`` (or ``SALIENTCLIPS_DATA``): ``clips256`` and ``originals``. Six in ten
files are cuts of 2 to 10 s by stream copy, with the sound left out; three in ten are 2 to 4 s encoded anew, 192
pixels wide, in H.264, MPEG-4, HEVC, VP9 and AV1; one in ten is made up. Containers are MP4, MOV, Matroska, WebM, AVI
and MPEG-TS. Two in 25 are then broken, each in one of eight ways (``WAYS``). A file is a function of the seed and its
number; those that are there are left as they are, so a build may be stopped at any time. Nothing of it goes into the
repository.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from media_files import make_video

ENCODERS = {"libx264": 9, "mpeg4": 7, "libx265": 5, "libvpx-vp9": 3, "libsvtav1": 1}
"""Who encodes, with how many files of each 25 that are encoded."""
OPTIONS = {
    "libx264": {"preset": "veryfast", "x264-params": "threads=1"},
    "mpeg4": {"b": "800000", "g": "12"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "b": "400000"},
    "libsvtav1": {"preset": "12", "crf": "40", "svtav1-params": "lp=1"},
}
CONTAINERS = {"h264": (".mp4", ".mkv", ".mov", ".ts")}
_WIDTH_PX = 192


def data_dir() -> Path:
    """The folder of real videos."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("SALIENTCLIPS_DATA", default))


def build(folder: Path, videos: int = 500, seed: int = 1) -> list[Path]:
    """Make what is missing of a corpus.

    Args:
        folder: Where.
        videos: How many files.
        seed: Of everything that is drawn.

    Returns:
        The files, in order of name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for unfinished in folder.glob(".part-*"):
        unfinished.unlink()
    sources = _sources()
    made = {int(path.name[:4]): path for path in folder.glob("[0-9]*")}
    for number in range(videos):
        if number not in made:
            made[number] = _make(folder, number, sources, random.Random(f"{seed} {number}"))
    return [made[number] for number in range(videos)]


def _sources() -> list[Path]:
    found = []
    for path in sorted((*data_dir().glob("clips256/*/*.mp4"), *data_dir().glob("originals/*"))):
        try:
            with av.open(str(path)) as opened:
                if opened.streams.video and opened.streams.video[0].codec_context.name != "libdav1d":
                    found.append(path)
        except (av.FFmpegError, OSError):
            continue
    return found


def _make(folder: Path, number: int, sources: list[Path], draw: random.Random) -> Path:
    # Two in 25, evenly spread, so that any number of files has its share of broken ones.
    way = list(WAYS)[number // 12 % len(WAYS)] if number % 25 in (7, 19) else None
    kind = draw.choices(("cut", "encoded", "made"), (6, 3, 1))[0]
    if way is not None and kind == "encoded":
        kind = "cut"
    encoder = draw.choices(list(ENCODERS), list(ENCODERS.values()))[0]
    suffix = ".webm" if encoder == "libvpx-vp9" else draw.choice((".mp4", ".mkv"))
    if kind == "cut":
        unfinished, suffix = _cut_any(folder / ".part-cut", sources, draw)
    else:
        unfinished = folder / f".part-{kind}{suffix}"
    if kind == "encoded":
        while not _encode(draw.choice(sources), unfinished, encoder, draw.uniform(2.0, 4.0)):
            pass
    elif kind == "made":
        make_video(unfinished, codec=encoder, frames=draw.randrange(50, 120), size=(160, 120), gop=24)
    name = f"{number:04d}-{way or kind}-{'copy' if kind == 'cut' else encoder}{suffix}"
    if way is not None:
        WAYS[way](unfinished, draw)
    path = folder / name
    if way == "suffix":
        path = path.with_suffix(".avi" if suffix != ".avi" else ".mp4")
    unfinished.rename(path)
    return path


def _cut_any(beside: Path, sources: list[Path], draw: random.Random) -> tuple[Path, str]:
    """A cut of some video; a few of the hostile ones cannot be cut, then it is of another one."""
    while True:
        source, seconds = draw.choice(sources), draw.uniform(2.0, 10.0)
        with av.open(str(source)) as opened:
            codec = opened.streams.video[0].codec_context.name
        # AVI has no times to fill another container with.
        suffix = ".avi" if source.suffix == ".avi" else draw.choice(CONTAINERS.get(codec, (".mkv",)))
        target = beside.with_suffix(suffix)
        try:
            _cut(source, target, seconds)
        except av.FFmpegError:
            continue
        return target, suffix


def _cut(source: Path, target: Path, seconds: float) -> None:
    """The first seconds of a video by stream copy."""
    with av.open(str(source)) as read, av.open(str(target), "w") as write:
        stream = read.streams.video[0]
        copy = write.add_stream_from_template(stream)
        first, tick = None, stream.time_base
        assert tick is not None
        for packet in read.demux(stream):
            if packet.size == 0 or packet.dts is None:
                continue
            first = packet.dts if first is None else first
            if (packet.dts - first) * tick > seconds:
                break
            packet.stream = copy
            write.mux(packet)


def _encode(source: Path, target: Path, encoder: str, seconds: float) -> bool:
    with av.open(str(target), "w") as write:
        stream = None
        for number, frame in enumerate(_frames(source, seconds)):
            if stream is None:
                height = max(2, round(_WIDTH_PX * frame.height / frame.width / 2) * 2)
                added = write.add_stream(encoder, rate=25, options=dict(OPTIONS[encoder]))
                assert isinstance(added, av.video.stream.VideoStream)
                stream = added
                stream.width, stream.height, stream.pix_fmt = _WIDTH_PX, height, "yuv420p"
                stream.codec_context.thread_count = 1
            small = frame.reformat(stream.width, stream.height, "yuv420p")
            small.pts, small.time_base, small.pict_type = number, Fraction(1, 25), 0
            write.mux(stream.encode(small))
        if stream is not None:
            write.mux(stream.encode(None))
    return stream is not None


def _frames(source: Path, seconds: float) -> Iterator[av.VideoFrame]:
    with av.open(str(source)) as read:
        stream = read.streams.video[0]
        stream.codec_context.thread_count = 1
        try:
            for number, frame in enumerate(read.decode(stream)):
                if number >= 25 * seconds:
                    return
                yield frame
        except av.FFmpegError:
            return  # the hostile ones: what came before it will do


def _truncate(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * draw.uniform(0.3, 0.9))])


def _flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(max(20, len(content) // 2000)):
        content[draw.randrange(len(content) // 10, len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def _behead(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[draw.randrange(500, 4000) :])


def _only_sound(path: Path, draw: random.Random) -> None:
    with av.open(str(path), "w", format="matroska") as write:
        stream = write.add_stream("aac", rate=16000)
        stream.layout = "mono"
        wave = 0.2 * np.sin(np.arange(16384, dtype=np.float32) * draw.uniform(0.05, 0.5))
        for at in range(0, len(wave), 1024):
            sound = av.AudioFrame.from_ndarray(wave[None, at : at + 1024], format="fltp", layout="mono")
            sound.sample_rate, sound.pts = 16000, at
            write.mux(stream.encode(sound))
        write.mux(stream.encode(None))


def _empty(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


def _text(path: Path, draw: random.Random) -> None:
    path.write_text("This is no video.\n" * draw.randrange(1, 500))


def _without_pictures(path: Path, draw: random.Random) -> None:
    with av.open(str(path), "w", format="matroska") as write:
        stream = write.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        write.start_encoding()


WAYS: dict[str, Callable[[Path, random.Random], None]] = {
    "truncated": _truncate,
    "flipped": _flip,
    "empty": _empty,
    "text": _text,
    "sound": _only_sound,
    "suffix": lambda path, draw: None,
    "beheaded": _behead,
    "no-pictures": _without_pictures,
}
"""How files are broken. Some are read all the same: a wrong suffix, flipped bytes, an end cut off."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--videos", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    made = build(asked.folder, asked.videos, asked.seed)
    print(f"{len(made)} files, {sum(path.stat().st_size for path in made) / 1e6:.0f} MB, in {asked.folder}")


if __name__ == "__main__":
    main()
