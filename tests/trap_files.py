"""Traps that made_files.py does not have yet; ``made("vfr_swing")`` gives one as it gives those."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from made_files import MadeFile, Maker, regular
from media_files import AudioSpec, make_video, remux

SMALL = (160, 128)


def _vfr_swing(folder: Path) -> MadeFile:
    """60 and 7.5 frames/s by turns, 12 frames each: the mean rate is wrong by more than half a second in between."""
    gaps = [50 if i // 12 % 2 == 0 else 400 for i in range(120)]
    ticks = [sum(gaps[:i]) for i in range(120)]
    path = make_video(
        folder / "swing.mkv",
        frames=120,
        time_base=Fraction(1, 3000),
        pts=lambda i: ticks[i],
        bframes=2,
        gop=24,
        size=SMALL,
    )
    times = tuple(Fraction(t, 3000) for t in ticks)
    return MadeFile(path, "h264", tuple(range(120)), times, variable_frame_rate=True)


def _short_gop_ts(folder: Path) -> MadeFile:
    """Every half second a key frame, and seeks that go by time land late all the same."""
    start = Fraction(22, 15)
    path = make_video(folder / "g15.ts", frames=150, gop=15, bframes=2, start=start, size=SMALL)
    return regular(path, "h264", range(150))


def _one_gop(folder: Path) -> MadeFile:
    """300 frames and one key frame."""
    path = make_video(folder / "one.mkv", frames=300, gop=1000, bframes=2, size=SMALL)
    return regular(path, "h264", range(300))


def _mid_gop_mkv(folder: Path) -> MadeFile:
    """A stream copy that begins at the 20th packet: what is shown begins with the key frame 60."""
    full = make_video(folder / "full.mp4", frames=150, gop=60, bframes=2, size=SMALL)
    path = remux(full, folder / "mid.mkv", keep=lambda index, packet: index >= 20)
    with av.open(str(path)) as container:
        first = min(p.pts * p.time_base for p in container.demux(video=0) if p.pts is not None)
    return regular(path, "h264", range(60, 150), start_s=2.0 - float(first))


def _truncated(suffix: str, **settings: object) -> Maker:
    """The header promises 180 frames, and the file ends after the third GOP, at the key frame 90."""

    def make(folder: Path) -> MadeFile:
        whole = make_video(folder / f"whole{suffix}", frames=180, bframes=2, size=SMALL, **settings)  # type: ignore[arg-type]
        with av.open(str(whole)) as container:
            key = [p.pos for p in container.demux(video=0) if p.is_keyframe and p.size][3]
        path = folder / f"truncated{suffix}"
        path.write_bytes(whole.read_bytes()[:key])
        return regular(path, "h264", range(90))

    return make


def _interlaced(folder: Path) -> MadeFile:
    path = make_video(folder / "fields.mp4", frames=60, options={"x264-params": "interlaced=1"}, gop=20)
    return regular(path, "h264", range(60))


def _with_sound(suffix: str, frames: int = 120, **settings: object) -> Maker:
    """Clicks at 1.0 and 2.5 s, where frames 30 and 75 are shown."""

    def make(folder: Path) -> MadeFile:
        audio = AudioSpec(**{"clicks_s": (1.0, 2.5), "duration_s": frames / 30, **settings})  # type: ignore[arg-type]
        path = make_video(folder / f"sound{suffix}", frames=frames, bframes=2, size=SMALL, audio=audio)
        return regular(path, "h264", range(frames))

    return make


def _two_tracks(folder: Path) -> MadeFile:
    """A mono track with a click at 2.5 s, then one of six channels with a click at 1.0 s that is the default."""
    one = _with_sound(".mp4", clicks_s=(2.5,))(folder).path.rename(folder / "one.mp4")
    six = _with_sound(".mp4", clicks_s=(1.0,), layout="5.1")(folder).path
    path = folder / "tracks.mkv"
    with av.open(str(one)) as first, av.open(str(six)) as second, av.open(str(path), "w") as write:
        sources = [
            (first, first.streams.video[0]),
            (first, first.streams.audio[0]),
            (second, second.streams.audio[0]),
        ]
        packets = []
        for container, stream in sources:
            copy = write.add_stream_from_template(stream)
            if container is second:
                copy.disposition = av.stream.Disposition.default
            container.seek(0)
            packets += [(p.dts * p.time_base, p, copy) for p in container.demux(stream) if p.dts is not None]
        for _, packet, copy in sorted(packets, key=lambda row: row[0]):
            packet.stream = copy
            write.mux(packet)
    return regular(path, "h264", range(120))


def _loud_then_broken(folder: Path) -> MadeFile:
    """Half the bytes of a second of sound and pictures are wrong, in a container that is whole."""
    whole = _with_sound(".mkv")(folder).path
    data = bytearray(whole.read_bytes())
    rng = np.random.default_rng(5)
    for at in rng.integers(len(data) * 4 // 10, len(data) * 6 // 10, len(data) // 50):
        data[int(at)] ^= 0xFF
    path = folder / "broken.mkv"
    path.write_bytes(bytes(data))
    return regular(path, "h264", range(120))


TRAPS: dict[str, Maker] = {
    "vfr_swing": _vfr_swing,
    "short_gop_ts": _short_gop_ts,
    "one_gop_of_300": _one_gop,
    "mid_gop_mkv": _mid_gop_mkv,
    "truncated_mkv": _truncated(".mkv"),
    "truncated_mp4": _truncated(".mp4", container_options={"movflags": "+faststart"}),
    "truncated_ts": _truncated(".ts"),
    "interlaced": _interlaced,
    "short_audio": _with_sound(".mp4", duration_s=1.5, clicks_s=(1.0,)),
    "long_audio": _with_sound(".mkv", 60, duration_s=4.0, clicks_s=(1.0,)),
    "surround": _with_sound(".mkv", layout="5.1", codec="ac3"),
    "rate_11025": _with_sound(".mkv", codec="pcm_s16le", sample_rate_hz=11025, layout="stereo"),
    "two_tracks": _two_tracks,
    "broken_everywhere": _loud_then_broken,
}
"""Every trap that is not in ``made_files.MAKERS``."""
