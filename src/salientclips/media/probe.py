"""What is in a file, which features it can give, and why: one demux pass and one decoded frame.

Counts, times and rates come from the packets, never from the header, which lies in many files. Only the
picture's turn is taken from a decoded frame (the first), for PyAV shows the display matrix nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av.audio.stream
import av.container
import av.error
import av.video.stream
import numpy as np

from ..probed import AudioInfo, FeatureSupport, Probe, VideoInfo
from ..types import Feature, PacketTable
from .audio import audio_stream
from .container import open_container, timeline_of, video_stream
from .demux import codec_name, end_time, read_packets, shown_times
from .motion_codecs import exports_motion_vectors
from .orientation import rotation_deg

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext

UNKNOWN_CODEC = "unknown"
"""Name of a codec that FFmpeg has no decoder for; its rate and channels are then 0."""

_CONTAINER_ROUNDING = Fraction(1, 1000)
"""Matroska, WebM and FLV round times to this, and files remuxed from them keep it; seconds."""


def probe(
    path: Path, *, table: PacketTable | None = None, progress: Callable[[float], None] | None = None
) -> Probe:
    """Say everything that is worth knowing about a file before work starts.

    Args:
        path: A local file.
        table: Its packet table where it was read already; saves a pass.
        progress: Called now and then with the share of the file that was read, 0 to 1.

    Returns:
        The facts; oddities that do not stop the work are in ``warnings``.

    Raises:
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Nothing of it is shown.
    """
    if table is None:
        table = read_packets(path, progress=progress)
    with open_container(path) as container:
        stream = video_stream(container, path)
        video = _video_info(stream, table, _rotation(container, stream))
        audio = tuple(_audio_info(container, track) for track in container.streams.audio)
        heard = audio_stream(container, path, None).index if audio else None
        track = next((n for n, s in enumerate(container.streams.audio) if s.index == heard), 0)
        warnings = [*table.warnings, *_oddities(container, stream, video)]
        name = container.format.name
    return Probe(
        path=path,
        container=name,
        size_bytes=path.stat().st_size,
        video=video,
        audio=audio,
        features=_features(video, audio, track),
        warnings=tuple(warnings),
    )


def _video_info(stream: av.video.stream.VideoStream, table: PacketTable, turn_deg: int) -> VideoInfo:
    times = shown_times(table)
    duration = end_time(table) - times[0]
    types = table.frame_type[table.is_shown]
    sizes = table.size_bytes[table.is_shown]
    kinds = [*"IPB", *("?" for _ in range(bool((types == ord("?")).any())))]
    frames = {kind: int((types == ord(kind)).sum()) for kind in kinds}
    context = stream.codec_context
    return VideoInfo(
        codec=codec_name(stream),
        profile=context.profile,
        width_px=context.width,
        height_px=context.height,
        rotation_deg=turn_deg,
        start_s=float(times[0]),
        duration_s=float(duration),
        frame_rate=float(len(times) / duration),
        variable_frame_rate=is_variable(table),
        frames=frames,
        key_frame_spacing_s=_key_frame_spacing_s(table),
        mean_packet_bytes={
            kind: float(sizes[types == ord(kind)].mean()) if count else 0.0 for kind, count in frames.items()
        },
        pixel_format=context.pix_fmt,
    )


def is_variable(table: PacketTable) -> bool:
    """Whether no even spacing explains the times, rounding aside.

    The best even spacing need not be searched: with one, no frame lies further from the line through the
    first and the last than twice the rounding.

    Args:
        table: A packet table with at least one shown frame.

    Returns:
        True for a variable frame rate; False with fewer than three frames.
    """
    pts = np.unique(table.pts[table.is_shown])
    if len(pts) < 3:
        return False
    spacing = (pts[-1] - pts[0]) / (len(pts) - 1)
    # A coarse time base (AVI's is a whole frame) was chosen to fit the rate: nothing is rounded there.
    container_rounding = float(_CONTAINER_ROUNDING / table.timeline.time_base)
    tolerance = max(1.0, container_rounding) if spacing >= 4 else 0.5
    away = np.abs(pts - pts[0] - spacing * np.arange(len(pts)))
    return bool(away.max() > tolerance * (1 + 1e-6))


def _key_frame_spacing_s(table: PacketTable) -> float | None:
    pts = np.unique(table.pts[table.is_key & table.is_shown])
    if len(pts) < 2:
        return None
    return float(int(pts[-1] - pts[0]) * table.timeline.time_base / (len(pts) - 1))


def _rotation(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> int:
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                return rotation_deg(frame)
        except (av.error.FFmpegError, OSError):
            continue
    return 0


def _audio_info(container: av.container.InputContainer, track: av.audio.stream.AudioStream) -> AudioInfo:
    # PyAV has none where FFmpeg knows no decoder, whatever its type says.
    context: AudioCodecContext | None = track.codec_context
    time_base = track.time_base or Fraction(1)
    start = 0.0 if track.start_time is None else float(timeline_of(container, track).time(track.start_time))
    return AudioInfo(
        codec=UNKNOWN_CODEC if context is None else str(context.codec.canonical_name),
        sample_rate_hz=0 if context is None else context.sample_rate,
        channels=0 if context is None else context.layout.nb_channels,
        start_s=start,
        duration_s=None if track.duration is None else float(track.duration * time_base),
    )


def _features(video: VideoInfo, audio: tuple[AudioInfo, ...], track: int) -> dict[Feature, FeatureSupport]:
    has_vectors = exports_motion_vectors(video.codec) and video.frames["P"] + video.frames["B"] > 0
    if has_vectors:
        motion = "FFmpeg exports this codec's motion vectors; frames are decoded for them"
    elif exports_motion_vectors(video.codec):
        motion = "no frame is predicted from another: blocks are matched on small decoded frames"
    else:
        motion = (
            f"FFmpeg exports no motion vectors of {video.codec}: blocks are matched on small decoded frames"
        )
    motion += "; --budget says how much"
    return {
        "md": FeatureSupport("decoded", motion),
        "rgbr": FeatureSupport("decoded", "difference of decoded frames after motion compensation"),
        "if": FeatureSupport("decoded", "key frames are decoded"),
        "audio": _audio_support(audio, track),
        "packets": FeatureSupport("demux", "sizes and types of packets; nothing is decoded"),
    }


def _audio_support(audio: tuple[AudioInfo, ...], track: int) -> FeatureSupport:
    if not audio:
        return FeatureSupport("none", "the file has no audio track")
    if all(track.codec == UNKNOWN_CODEC for track in audio):
        return FeatureSupport("none", "FFmpeg knows no decoder for the sound")
    which = f" (track {track} of {len(audio)}, counted from 0)" if len(audio) > 1 else ""
    return FeatureSupport("decoded", f"the sound is decoded{which}; cheap beside the pictures")


def _oddities(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, video: VideoInfo
) -> list[str]:
    found = []
    if len(container.streams.video) > 1:
        found.append(f"{len(container.streams.video)} video streams; stream {stream.index} is used")
    if stream.duration is not None and stream.time_base is not None:
        header_s = float(stream.duration * stream.time_base)
        if abs(header_s - video.duration_s) > max(1.0, 0.05 * video.duration_s):
            found.append(f"the header says {header_s:.1f} s, the packets last {video.duration_s:.1f} s")
    if video.frames.get("?", 0):
        found.append(f"the type of {video.frames['?']} frames cannot be told")
    return found
