"""The verb ``probe``: what is in a file, which features it can give, by which back end, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..compressed.reader import with_bitstream
from ..media.container import video_path
from ..media.probe import probe as probe_media
from ..probed import Probe


def probe(path: str | Path, *, progress: Callable[[float], None] | None = None) -> Probe:
    """Say everything that is worth knowing about a file before work starts.

    Args:
        path: A local video file.
        progress: Called now and then with the share of the file that was read, 0 to 1.

    Returns:
        Container, video, audio tracks, and for every feature who would read it and why; times in seconds.

    Raises:
        InputError: ``path`` is no path: bytes and open files are not read.
        FileMissingError: There is no file.
        NotAVideoError: FFmpeg cannot open it.
        NoVideoStreamError: It has no moving pictures.
        NoFramesError: Nothing of it is shown.

    Example:
        >>> from salientclips import probe
        >>> info = probe("climb.mp4")
        >>> info.video.codec, info.video.duration_s, info.video.frames["P"]
        ('h264', 8.0, 80)
        >>> info.features["md"].backend  # nothing will be decoded for motion
        'bitstream'
    """
    return with_bitstream(probe_media(video_path(path), progress=progress))
