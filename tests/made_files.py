"""The named made-up files: one for each trap that real containers set for a reader.

Every maker says which counters are shown, in display order, so that tests can hold any reader to it. A file
is made when a test first asks for it and kept for the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from media_files import AudioSpec, make_video, remux

NTSC = Fraction(30000, 1001)


@dataclass(frozen=True)
class MadeFile:
    """A made-up video and what is true of it."""

    path: Path
    codec: str
    counters: tuple[int, ...]
    """The counters that are shown, in display order."""
    times: tuple[Fraction, ...]
    """When each is shown, seconds after the first shown frame; exact before the container's rounding."""
    rotation_deg: int = 0
    variable_frame_rate: bool = False
    start_s: float = 0.0
    """Time of the first shown frame on the timeline."""


Maker = Callable[[Path], MadeFile]


def regular(
    path: Path, codec: str, counters: range, rate: Fraction = Fraction(30), **truth: object
) -> MadeFile:
    """A file of a constant rate that shows these counters."""
    times = tuple((i - counters[0]) / Fraction(rate) for i in counters)
    return MadeFile(path, codec, tuple(counters), times, **truth)  # type: ignore[arg-type]


def _plain(
    suffix: str, shown_as: str, frames: int = 60, rate: Fraction = Fraction(30), /, **settings: object
) -> Maker:
    def make(folder: Path) -> MadeFile:
        path = make_video(folder / f"video{suffix}", frames=frames, rate=rate, **settings)  # type: ignore[arg-type]
        return regular(path, shown_as, range(frames), rate)

    return make


def _rotated(rotation_deg: int) -> Maker:
    def make(folder: Path) -> MadeFile:
        path = make_video(folder / "rotated.mp4", rotation_deg=rotation_deg, bframes=2)
        return regular(path, "h264", range(60), rotation_deg=rotation_deg)

    return make


def _vfr(folder: Path) -> MadeFile:
    """30 frames/s for 2 s, then 20 frames/s: ``index / mean rate`` is wrong by up to half a second."""
    ticks = [i * 100 if i < 60 else 6000 + (i - 60) * 150 for i in range(150)]
    path = make_video(
        folder / "vfr.mp4", frames=150, time_base=Fraction(1, 3000), pts=lambda i: ticks[i], bframes=2, gop=40
    )
    times = tuple(Fraction(t, 3000) for t in ticks)
    return MadeFile(path, "h264", tuple(range(150)), times, variable_frame_rate=True)


def _edit_list(folder: Path) -> MadeFile:
    """A file cut at 1.0 s by stream copy: 30 frames before the edit list's start are there but not shown."""
    full = make_video(folder / "full.mp4", frames=120, gop=60, bframes=2)
    path = remux(
        full,
        folder / "editlist.mp4",
        shift=Fraction(-1),
        container_options={"avoid_negative_ts": "disabled", "use_editlist": "1"},
    )
    return regular(path, "h264", range(30, 120))


def _ts(folder: Path) -> MadeFile:
    path = make_video(folder / "full.ts", frames=180, gop=60, bframes=3, start=Fraction(22, 15))
    return regular(path, "h264", range(180))


def _mid_gop_ts(folder: Path) -> MadeFile:
    """A recording that begins inside a GOP, at frame 19; only from frame 60 on can it be decoded."""
    full = _ts(folder).path
    with av.open(str(full)) as container:
        cut = [p.pos for p in container.demux(container.streams.video[0]) if p.pos is not None][20]
    path = folder / "midgop.ts"
    path.write_bytes(full.read_bytes()[cut - cut % 188 :])
    return regular(path, "h264", range(60, 180), start_s=41 / 30)


def _open_gop_cut(folder: Path) -> MadeFile:
    """An open GOP cut by stream copy at its non-IDR key frame: the B-frames before it lack a reference."""
    options = {
        "x264-params": "open-gop=1:scenecut=0:keyint=30:min-keyint=30:bframes=3:b-adapt=0",
        "preset": "fast",
    }
    full = make_video(folder / "open.mp4", frames=120, gop=30, bframes=3, options=options)
    with av.open(str(full)) as container:
        keys = [i for i, p in enumerate(container.demux(container.streams.video[0])) if p.is_keyframe]
        container.seek(0)
        pts = [p.pts for p in container.demux(container.streams.video[0]) if p.pts is not None]
    rank = sorted(pts).index(pts[keys[1]])
    path = remux(full, folder / "open_cut.mkv", keep=lambda index, packet: index >= keys[1])
    return regular(path, "h264", range(rank, 120))


def _late_audio(folder: Path) -> MadeFile:
    audio = AudioSpec(start_s=1.5, duration_s=2.0, clicks_s=(2.0, 2.75))
    path = make_video(folder / "late.mp4", frames=120, bframes=2, audio=audio)
    return regular(path, "h264", range(120))


def _late_video(folder: Path) -> MadeFile:
    """Sound from 0, pictures from 0.5 s."""
    audio = AudioSpec(duration_s=3.0, clicks_s=(1.0,))
    path = make_video(
        folder / "latevideo.mkv", time_base=Fraction(1, 30), pts=lambda i: i + 15, frames=60, audio=audio
    )
    return regular(path, "h264", range(60), start_s=0.5)


def _with_audio(suffix: str, **settings: object) -> Maker:
    def make(folder: Path) -> MadeFile:
        audio = AudioSpec(clicks_s=(1.0, 1.5), **settings)  # type: ignore[arg-type]
        path = make_video(folder / f"sound{suffix}", frames=180, bframes=2, audio=audio)
        return regular(path, "h264", range(180))

    return make


def _flipped(folder: Path) -> MadeFile:
    """40 bytes in the middle of the pictures are wrong; the container is whole."""
    full = make_video(folder / "whole.mkv", frames=120, gop=30, bframes=2)
    data = bytearray(full.read_bytes())
    rng = np.random.default_rng(7)
    for at in rng.integers(len(data) * 45 // 100, len(data) * 60 // 100, 40):
        data[int(at)] ^= 0xFF
    path = folder / "flipped.mkv"
    path.write_bytes(bytes(data))
    return regular(path, "h264", range(120))


def _packed_bframes(folder: Path) -> MadeFile:
    """DivX's way to put B-frames into AVI: a P- and a B-VOP in one packet, then a placeholder."""
    full = make_video(folder / "mpeg4.avi", codec="mpeg4", frames=60, bframes=1, gop=30)
    path = folder / "packed.avi"
    with av.open(str(full)) as read, av.open(str(path), "w") as write:
        video = read.streams.video[0]
        stream = write.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.extradata = video.codec_context.extradata + b"\x00\x00\x01\xb2DivX503b1393p"
        payloads = [bytes(p) for p in video.container.demux(video) if p.size]
        for i, payload in enumerate(_packed(payloads)):
            packet = av.Packet(payload)
            packet.pts = packet.dts = i
            packet.time_base, packet.stream = Fraction(1, 30), stream
            packet.is_keyframe = _vop_type(payload) == 0
            write.mux(packet)
    return regular(path, "mpeg4", range(60))


def _vop_type(payload: bytes) -> int:
    return payload[payload.find(b"\x00\x00\x01\xb6") + 4] >> 6


def _packed(payloads: list[bytes]) -> list[bytes]:
    # vop_coding_type P, no seconds, marker, 5-bit increment of a 30 Hz clock, marker, vop_coded 0, stuffing.
    placeholder = b"\x00\x00\x01\xb6" + bytes([0b01_0_1_0000, 0b0_1_0_11111])
    packed = []
    for payload, following in zip(payloads, [*payloads[1:], b""], strict=True):
        if following and _vop_type(following) == 2:
            packed.append(payload + following)
        elif _vop_type(payload) == 2:
            packed.append(placeholder)
        else:
            packed.append(payload)
    return packed


X265_OPEN = "log-level=error:scenecut=0:pools=none:open-gop=1:bframes=3:keyint=30:min-keyint=30"

MAKERS: dict[str, Maker] = {
    "h264_bframes_mp4": _plain(".mp4", "h264", 180, bframes=3, gop=60),
    "h264_mkv": _plain(".mkv", "h264", bframes=2),
    "h264_avi": _plain(".avi", "h264", bframes=0),
    "h264_bframes_avi": _plain(".avi", "h264", bframes=2),
    "h264_1gop": _plain(".mp4", "h264", 150, bframes=2, gop=1000),
    "h264_open_gop": _plain(
        ".mkv",
        "h264",
        120,
        bframes=3,
        options={"x264-params": "open-gop=1:keyint=30:min-keyint=30:scenecut=0"},
    ),
    "h264_open_gop_cut": _open_gop_cut,
    "h264_10bit": _plain(".mp4", "h264", pixel_format="yuv420p10le", bframes=2),
    "h264_444_odd": _plain(".mp4", "h264", pixel_format="yuv444p", size=(321, 241), bframes=2),
    "ntsc_mp4": _plain(".mp4", "h264", 90, NTSC, bframes=2),
    "ntsc_mkv": _plain(".mkv", "h264", 90, NTSC, bframes=2),
    "vfr": _vfr,
    "edit_list": _edit_list,
    "ts": _ts,
    "mid_gop_ts": _mid_gop_ts,
    "rotated_90": _rotated(90),
    "rotated_180": _rotated(180),
    "rotated_270": _rotated(270),
    "late_audio": _late_audio,
    "late_video": _late_video,
    "stereo_aac": _with_audio(".mp4", layout="stereo"),
    "surround_aac": _with_audio(".mp4", layout="5.1"),
    "aac_44100": _with_audio(".mp4", sample_rate_hz=44100),
    "aac_ts": _with_audio(".ts"),
    "opus_mkv": _with_audio(".mkv", codec="libopus"),
    "pcm_mkv": _with_audio(".mkv", codec="pcm_s16le", sample_rate_hz=22050),
    "mp3_mkv": _with_audio(".mkv", codec="libmp3lame", sample_rate_hz=44100),
    "flipped_bytes": _flipped,
    "hevc_mp4": _plain(".mp4", "hevc", codec="libx265", bframes=3),
    "hevc_10bit_mkv": _plain(".mkv", "hevc", codec="libx265", pixel_format="yuv420p10le", bframes=2),
    "hevc_open_gop_ts": _plain(
        ".ts", "hevc", 90, codec="libx265", bframes=3, options={"x265-params": X265_OPEN}
    ),
    "vp8_webm": _plain(
        ".webm", "vp8", 90, codec="libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "16"}
    ),
    "vp9_webm": _plain(
        ".webm",
        "vp9",
        codec="libvpx-vp9",
        size=(160, 128),
        options={
            "auto-alt-ref": "1",
            "lag-in-frames": "25",
            "deadline": "good",
            "cpu-used": "5",
            "row-mt": "0",
        },
    ),
    "av1_mkv": _plain(".mkv", "av1", codec="libsvtav1", size=(160, 128)),
    "av1_mp4": _plain(".mp4", "av1", codec="libsvtav1", size=(160, 128), gop=20),
    "mpeg4_avi": _plain(".avi", "mpeg4", codec="mpeg4"),
    "mpeg4_bframes_avi": _plain(".avi", "mpeg4", codec="mpeg4", bframes=2),
    "mpeg4_packed_avi": _packed_bframes,
    "mpeg4_bframes_mp4": _plain(".mp4", "mpeg4", codec="mpeg4", bframes=2),
    "mpeg2_ts": _plain(".ts", "mpeg2video", codec="mpeg2video", bframes=2, gop=15),
    "mpeg2_mpg": _plain(".mpg", "mpeg2video", codec="mpeg2video", bframes=2, gop=15),
    "mpeg1_mpg": _plain(".mpg", "mpeg1video", codec="mpeg1video", bframes=2, gop=15),
    "mjpeg_avi": _plain(".avi", "mjpeg", codec="mjpeg", pixel_format="yuvj420p"),
    "ffv1_mkv": _plain(".mkv", "ffv1", 30, codec="ffv1"),
    "prores_mov": _plain(".mov", "prores", 30, codec="prores_ks", pixel_format="yuv422p10le"),
    "flv1_flv": _plain(".flv", "flv1", codec="flv"),
}
"""Every file that holds a video; those of which nothing can be read are made by the tests of container.py."""


def encoder_of(name: str) -> str | None:
    """The encoder that a file needs and that a PyAV wheel may lack."""
    for prefix, encoder in (
        ("hevc", "libx265"),
        ("vp8", "libvpx"),
        ("vp9", "libvpx-vp9"),
        ("av1", "libsvtav1"),
    ):
        if name.startswith(prefix):
            return encoder
    return {"opus_mkv": "libopus", "mp3_mkv": "libmp3lame"}.get(name)
