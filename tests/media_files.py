"""Made-up videos with a burnt-in frame counter, so that what is decoded can be told from what was asked for.

Helper of the tests, not a test. :func:`make_video` writes one file; the named files that cover the traps of
real containers are in made_files.py. All is done with PyAV's own encoders; no ffmpeg binary is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]

_CELLS = 16
_COUNTER_BITS = 12


def draw_counter(rgb: Rgb, value: int) -> None:
    """Paint a number as black and white cells along the top of a picture.

    The strip is 16 cells wide, each 1/16 of the width: white, black, 12 bits (highest first), parity, white.
    So it is found at any size, and survives lossy coding.
    """
    bits = [value >> (_COUNTER_BITS - 1 - i) & 1 for i in range(_COUNTER_BITS)]
    row = [1, 0, *bits, sum(bits) & 1, 1]
    edges = [round(i * rgb.shape[1] / _CELLS) for i in range(_CELLS + 1)]
    height = 2 * (edges[1] - edges[0])
    for bit, left, right in zip(row, edges, edges[1:], strict=False):
        rgb[:height, left:right] = 235 if bit else 16


def read_counter(rgb: Rgb) -> int:
    """Read the number that :func:`draw_counter` painted; -1 where the strip is damaged or absent."""
    width = rgb.shape[1] / _CELLS
    rows = slice(max(0, int(0.5 * width)), max(1, int(1.5 * width)))
    means = [
        float(
            rgb[rows, int((i + 0.3) * width) : max(int((i + 0.7) * width), int((i + 0.3) * width) + 1)].mean()
        )
        for i in range(_CELLS)
    ]
    white, black = (means[0] + means[-1]) / 2, means[1]
    if white - black < 60:
        return -1
    bits = [int(m > (white + black) / 2) for m in means]
    value = 0
    for bit in bits[2:-2]:
        value = 2 * value + bit
    return value if sum(bits[2:-2]) & 1 == bits[-2] else -1


def picture(index: int, size: tuple[int, int]) -> Rgb:
    """A textured picture that pans, with a square that moves and the counter on top; (H, W, 3), display
    sense.
    """
    width, height = size
    x = np.arange(width)[None, :] + 2 * index
    y = np.arange(height)[:, None] + index
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[..., 0] = 96 + 48 * np.sin(x / 9.0) * np.cos(y / 7.0)
    rgb[..., 1] = 96 + 48 * np.sin((x + y) / 13.0)
    rgb[..., 2] = 96 + 48 * np.cos(y / 11.0)
    side = height // 4
    left, top = (5 * index) % max(1, width - side), height // 2
    rgb[top : top + side, left : left + side] = (200, 60, 40)
    draw_counter(rgb, index)
    return rgb


@dataclass(frozen=True)
class AudioSpec:
    """The sound of a made-up file."""

    codec: str = "aac"
    sample_rate_hz: int = 48000
    layout: str = "mono"
    start_s: float = 0.0
    duration_s: float = 6.0
    clicks_s: tuple[float, ...] = ()
    """Times of clicks (5 ms of 2 kHz at full level), on the container's axis before ``start``."""
    tone: float = 0.2
    """Level of a 440 Hz tone that goes on all the time."""
    options: dict[str, str] = field(default_factory=dict)

    def signal(self) -> npt.NDArray[np.float32]:
        """Mono samples (n,)."""
        t = self.start_s + np.arange(round(self.duration_s * self.sample_rate_hz)) / self.sample_rate_hz
        wave = self.tone * np.sin(2 * np.pi * 440 * t)
        for click in self.clicks_s:
            burst = (t >= click) & (t < click + 0.005)
            wave[burst] = 0.9 * np.sin(2 * np.pi * 2000 * (t[burst] - click))
        return wave.astype(np.float32)


def make_video(
    path: Path,
    *,
    codec: str = "libx264",
    frames: int = 60,
    rate: Fraction = Fraction(30),
    size: tuple[int, int] = (320, 240),
    time_base: Fraction | None = None,
    pts: Callable[[int], int] | None = None,
    bframes: int = 0,
    gop: int = 30,
    options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
    audio: AudioSpec | None = None,
    rotation_deg: int = 0,
    start: Fraction = Fraction(0),
    container: str | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode ``frames`` numbered pictures.

    Args:
        path: File to write; its suffix chooses the container unless ``container`` does.
        codec: FFmpeg's encoder.
        frames: How many pictures; picture i shows the counter i.
        rate: Frames per second.
        size: Coded (width, height), pixels. With a rotation of 90 or 270 the picture is drawn transposed.
        time_base: Seconds per tick; 1 / rate if None.
        pts: Ticks at which picture i is shown; i if None.
        bframes: B-frames between two others.
        gop: Distance of key frames.
        options: Options of the encoder.
        pixel_format: FFmpeg's pixel format.
        audio: The sound; None for none.
        rotation_deg: Clockwise turn that displays the pictures upright.
        start: Added to all times, seconds.
        container: FFmpeg's muxer.
        container_options: Options of the muxer.

    Returns:
        ``path``.
    """
    tick = time_base or 1 / Fraction(rate)
    with av.open(str(path), "w", format=container, container_options=container_options or {}) as output:
        video = output.add_stream(codec, rate=rate, options=_encoder_options(codec, options))
        video.width, video.height, video.pix_fmt = *size, pixel_format
        video.codec_context.time_base = tick
        video.codec_context.gop_size = gop
        video.codec_context.max_b_frames = bframes
        video.codec_context.thread_count = 1
        if rotation_deg:
            video.set_display_rotation(-rotation_deg)
        sound = None if audio is None else _add_audio(output, audio)
        for packet in _video_packets(video, frames, size, pts or (lambda i: i), tick, rotation_deg):
            _shift(packet, start)
            output.mux(packet)
        if audio is not None and sound is not None:
            for packet in _audio_packets(sound, audio):
                _shift(packet, start)
                output.mux(packet)
    return path


def _encoder_options(codec: str, options: dict[str, str] | None) -> dict[str, str]:
    defaults = {
        "libx264": {"preset": "ultrafast", "crf": "20", "sc_threshold": "0"},
        "libx265": {
            "preset": "ultrafast",
            "crf": "20",
            "x265-params": "log-level=error:scenecut=0:pools=none",
        },
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "b": "1M"},
        "libvpx": {"deadline": "realtime", "cpu-used": "8", "b": "1M"},
        "libsvtav1": {"preset": "10", "crf": "35"},
        "mpeg4": {"q:v": "3", "b": "2M"},
        "mpeg2video": {"b": "3M", "sc_threshold": "1000000000"},
    }
    return {**defaults.get(codec, {"b": "3M"}), **(options or {})}


def _video_packets(
    stream: av.VideoStream,
    frames: int,
    size: tuple[int, int],
    pts: Callable[[int], int],
    tick: Fraction,
    rotation_deg: int,
) -> Iterator[av.Packet]:
    display = size if rotation_deg % 180 == 0 else (size[1], size[0])
    for i in range(frames):
        # np.rot90 turns anticlockwise: the opposite of what the player will do.
        coded = np.ascontiguousarray(np.rot90(picture(i, display), rotation_deg // 90))
        frame = av.VideoFrame.from_ndarray(coded, format="rgb24")
        frame.pts, frame.time_base = pts(i), tick
        yield from stream.encode(frame)
    yield from stream.encode(None)


def audio_only(path: Path) -> Path:
    """Half a second of sound and no pictures."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000)
        stream.layout = "mono"
        wave = AudioSpec(duration_s=0.5).signal()
        for at in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(
                wave[None, at : at + 1024].copy(), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _add_audio(output: av.container.OutputContainer, spec: AudioSpec) -> av.AudioStream:
    stream = output.add_stream(spec.codec, rate=spec.sample_rate_hz, options=spec.options)
    stream.layout = spec.layout
    return stream


def _audio_packets(stream: av.AudioStream, spec: AudioSpec) -> Iterator[av.Packet]:
    wave, step = spec.signal(), 1024
    channels = stream.layout.nb_channels
    first = round(spec.start_s * spec.sample_rate_hz)
    for at in range(0, len(wave), step):
        block = np.tile(wave[None, at : at + step], (channels, 1))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=spec.layout)
        frame.sample_rate = spec.sample_rate_hz
        frame.pts, frame.time_base = first + at, Fraction(1, spec.sample_rate_hz)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _shift(packet: av.Packet, seconds: Fraction) -> None:
    if seconds:
        ticks = round(seconds / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks


def remux(
    source: Path,
    target: Path,
    *,
    shift: Fraction = Fraction(0),
    keep: Callable[[int, av.Packet], bool] = lambda index, packet: True,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Copy the video packets of a file without decoding, shifted in time and filtered by (index, packet)."""
    with av.open(str(source)) as read, av.open(str(target), "w", options=container_options or {}) as write:
        video = read.streams.video[0]
        copy = write.add_stream_from_template(video)
        index = 0
        for packet in read.demux(video):
            if packet.size == 0:
                continue
            if keep(index, packet):
                _shift(packet, shift)
                packet.stream = copy
                write.mux(packet)
            index += 1
    return target


def loop_video(source: Path, target: Path, times: int) -> Path:
    """Repeat the video of a file that has dts (mp4) by stream copy, so that hours cost seconds."""
    with av.open(str(target), "w") as write:
        copy = None
        offset = 0
        for _ in range(times):
            end = 0
            with av.open(str(source)) as read:
                video = read.streams.video[0]
                if copy is None:
                    copy = write.add_stream_from_template(video)
                for packet in read.demux(video):
                    if packet.size == 0:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = copy
                    write.mux(packet)
            offset += end
        return target
