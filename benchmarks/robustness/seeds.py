"""Twenty short real videos of many codecs and containers, to be damaged: the seeds of the mutated files.

From ``../shared/data`` (or ``SALIENTCLIPS_DATA``): files as their makers encoded them, whole or cut to a second or
three by stream copy with all their sound, and what of the zoo is missing encoded anew from real footage, 192 pixels
wide. Made twice, they are the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from ..corpus_files import OPTIONS, data_dir

ENCODED_WIDTH_PX = 192
BITEXACT = {"fflags": "+bitexact"}
"""Muxers else write random numbers and their own version."""


@dataclass(frozen=True)
class Seed:
    """One file to be."""

    name: str
    """With its suffix, which says the container."""
    source: str
    """Below the folder of real videos."""
    seconds: float | None = None
    """How much of it; None for all of it, byte for byte."""
    encoder: str | None = None
    """Who encodes it anew; None for a stream copy."""


SEEDS: tuple[Seed, ...] = (
    Seed("h264_aac.mp4", "originals/open-mmlab__mmaction_demo.mp4", 3.0),
    Seed("h264_opus.mkv", "originals/flipping_a_pancake.mkv", 3.0),
    Seed("h264_720p.avi", "originals/cctv_720p_f124and.avi", 0.5),
    Seed("h264_two_streams.mp4", "originals/nasa_13013.mp4", 2.0),
    Seed("h264_turned.mov", "originals/video_90.mov"),
    Seed("h264_unordered.mov", "originals/unordered.mov"),
    Seed("h264_10bits.mp4", "originals/h264_10bits.mp4", 2.0),
    Seed("h264_transport.ts", "originals/akshay-op__cricket.mp4", 2.0),
    Seed("h264_book.mkv", "originals/book.mkv"),
    Seed("h264_raw.264", "conformance/BA_MW_D.264"),
    Seed("h264_raw_cabac.264", "conformance/Cisco_Men_whisper_640x320_CABAC_Bframe_9.264"),
    Seed("mpeg4_xvid.avi", "originals/bryanyzhu__v_Basketball_g01_c01.avi", 3.0),
    Seed("mpeg4_720p.mp4", "originals/street_mpeg4_part2.mp4", 0.5),
    Seed("mpeg4_encoded.ts", "originals/PaddlePaddle__paddle_example.avi", 3.0, "mpeg4"),
    Seed("mpeg2_encoded.mpg", "originals/akshay-op__tennis_playing.mp4", 3.0, "mpeg2video"),
    Seed("hevc.mp4", "originals/h265_video.mp4", 2.0),
    Seed("hevc_encoded.mkv", "originals/open-mmlab__mma_test.mp4", 3.0, "libx265"),
    Seed("vp9_encoded.webm", "originals/bryanyzhu__abseiling_k400.mp4", 3.0, "libvpx-vp9"),
    Seed("av1.mkv", "originals/av1_video.mkv", 2.0),
    Seed("av1_encoded.mp4", "originals/bt709_full_range.mp4", 2.0, "libsvtav1"),
)


def build_seeds(folder: Path, data: Path | None = None, seeds: tuple[Seed, ...] = SEEDS) -> list[Path]:
    """Make the seeds that are not there yet.

    Args:
        folder: Where.
        data: The folder of real videos.
        seeds: Which.

    Returns:
        Their files, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_build(seed, folder / seed.name, data or data_dir()) for seed in seeds]


def _build(seed: Seed, path: Path, data: Path) -> Path:
    if path.exists():
        return path
    unfinished = path.with_name(f"part.{path.name}")
    source = data / seed.source
    if seed.seconds is None:
        unfinished.write_bytes(source.read_bytes())
    elif seed.encoder is None:
        _cut(source, unfinished, seed.seconds)
    else:
        _encode(source, unfinished, seed.seconds, seed.encoder)
    return unfinished.rename(path)


def _cut(source: Path, target: Path, seconds: float) -> None:
    with av.open(str(source)) as read, av.open(str(target), "w", options=BITEXACT) as write:
        wanted = [*read.streams.video, *read.streams.audio]
        copies = {stream.index: write.add_stream_from_template(stream, opaque=True) for stream in wanted}
        firsts: dict[int, int] = {}
        for packet in read.demux(wanted):
            if packet.size == 0 or packet.dts is None:
                continue
            index = packet.stream.index
            first = firsts.setdefault(index, packet.dts)
            tick = packet.stream.time_base
            assert tick is not None
            if (packet.dts - first) * tick <= seconds:
                packet.stream = copies[index]
                write.mux(packet)


def _encode(source: Path, target: Path, seconds: float, encoder: str) -> None:
    with av.open(str(source)) as read, av.open(str(target), "w", options=BITEXACT) as write:
        read.streams.video[0].codec_context.thread_count = 1
        stream = None
        for number, frame in enumerate(read.decode(video=0)):
            if number >= 25 * seconds:
                break
            if stream is None:
                height = max(2, round(ENCODED_WIDTH_PX * frame.height / frame.width / 2) * 2)
                added = write.add_stream(encoder, rate=25, options=dict(OPTIONS.get(encoder, {})))
                assert isinstance(added, av.video.stream.VideoStream)
                stream = added
                stream.width, stream.height, stream.pix_fmt = ENCODED_WIDTH_PX, height, "yuv420p"
                stream.codec_context.thread_count = 1
            small = frame.reformat(stream.width, stream.height, "yuv420p")
            small.pts, small.time_base, small.pict_type = number, Fraction(1, 25), 0
            write.mux(stream.encode(small))
        assert stream is not None, f"no picture in {source}"
        write.mux(stream.encode(None))
