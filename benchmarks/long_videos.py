"""Makes the ten-minute videos that the benchmarks run on, from the real footage of SALIENTCLIPS_DATA.

The footage is originals/ (as their makers encoded it, four files of it 1280x720) and clips256/k400_clips, ten
seconds of each file at most, one after the other and again from the start until ten minutes are full, scaled to
one size and stamped at 30 frames/s. Every minute is encoded anew: nothing is looped by stream copy. A hard cut
stands every ten seconds, so there are a few more I-frames than in one continuous take.

Files are kept in ``/tmp/salientclips-bench`` (or ``SALIENTCLIPS_BENCH``), never in the repository.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.video.frame

RATE = 30
SECONDS = 600
_FROM_EACH_S = 10


@dataclass(frozen=True)
class LongVideo:
    """One video to be made."""

    name: str
    encoder: str
    width_px: int
    height_px: int
    options: dict[str, str] = field(default_factory=dict)


VIDEOS = (
    LongVideo("h264_720p", "libx264", 1280, 720),
    LongVideo("h264_240p", "libx264", 426, 240),
    # What XviD writes by default: two B-frames, four vectors a macroblock, a key frame in ten seconds at least.
    LongVideo("mpeg4_360p", "mpeg4", 640, 360, {"b": "1200000", "g": "300", "bf": "2", "flags": "+mv4+aic"}),
)
"""H.264 with x264's own defaults (preset medium, crf 23); MPEG-4 part 2 as FFmpeg writes it."""


def folder() -> Path:
    return Path(os.environ.get("SALIENTCLIPS_BENCH", "/tmp/salientclips-bench"))


def make(video: LongVideo) -> Path:
    """The file of a video; it is encoded when it is not there yet.

    Args:
        video: What to make.

    Returns:
        Its path.
    """
    path = folder() / f"{video.name}.mp4"
    if path.exists():
        return path
    folder().mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(unfinished), "w") as output:
        stream = output.add_stream(video.encoder, rate=RATE, options=dict(video.options))
        assert isinstance(stream, av.video.stream.VideoStream)
        stream.width, stream.height, stream.pix_fmt = video.width_px, video.height_px, "yuv420p"
        stream.codec_context.thread_count = 2
        for number, source in enumerate(itertools.islice(_footage(), SECONDS * RATE)):
            frame = source.reformat(video.width_px, video.height_px, "yuv420p")
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, RATE), 0
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    unfinished.rename(path)
    return path


def _footage() -> Iterator[av.video.frame.VideoFrame]:
    data = Path(os.environ["SALIENTCLIPS_DATA"])
    found = sorted((data / "originals").iterdir()) + sorted((data / "clips256" / "k400_clips").iterdir())
    for path in itertools.cycle([p for p in found if p.stat().st_size > 200_000 and "QwenLM" not in p.name]):
        yield from _frames(path)


def _frames(path: Path) -> Iterator[av.video.frame.VideoFrame]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from itertools.islice(container.decode(stream), _FROM_EACH_S * RATE)


def main() -> None:
    for video in VIDEOS:
        began = time.perf_counter()
        path = make(video)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
