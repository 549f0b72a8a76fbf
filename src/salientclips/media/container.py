"""Opening files: FFmpeg's errors become ours, and the timeline's zero is found.

Every function of this room that reads a file goes through :func:`open_container`, so that a missing file, a
directory, an empty file, a text file and a truncated mp4 each give one typed error that names the file. What FFmpeg
may reach from there is said in :mod:`.own_bytes`: the file itself and nothing else.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import av.stream
import av.video.stream

from ..errors import FileMissingError, InputError, NotAVideoError, NoVideoStreamError
from ..timeline import Timeline
from .own_bytes import address, own_bytes_only

_DECODE_NOTHING = [{"skip_frame": "all"}] * 64
"""Options of the first streams while FFmpeg looks at them; those beyond are probed as ever."""


def video_path(video: str | Path) -> Path:
    """The path that a caller gave, before anything is read.

    Bytes and open files are refused: a video is read in several passes, by position, by threads and worker
    processes that open it anew, and its path is part of what is stored with its scores.

    Args:
        video: A local video file.

    Returns:
        Its path.

    Raises:
        InputError: It is no path.
    """
    if not isinstance(video, (str, os.PathLike)):
        raise InputError(
            f"a video is given by its path, not as {type(video).__name__}",
            "write it to a file first (tempfile.NamedTemporaryFile): it is read several times, by position",
        )
    return Path(video)


@contextmanager
def open_container(path: Path, *, for_packets: bool = False) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading and close it at the end of the block.

    Args:
        path: A local file.
        for_packets: Whether only the bytes of packets are wanted. FFmpeg then decodes nothing to guess what
            the container does not say: display times in AVI, pixel formats, which video stream is best.

    Yields:
        PyAV's container.

    Raises:
        FileMissingError: There is no file, or it is no regular one: a directory, a pipe, a device.
        NotAVideoError: FFmpeg does not recognise the content, or it may not be read.
    """
    # Not Path.is_file, which raises for a name that is too long for the system.
    if not os.path.isfile(path):
        raise FileMissingError(path)
    try:
        # A metadata tag that is not UTF-8 must not keep a video from being read.
        options = _DECODE_NOTHING if for_packets else None
        container = av.open(
            address(path),
            options=own_bytes_only(),
            metadata_errors="replace",
            stream_options=options,  # type: ignore[arg-type]  # PyAV's stub says str; it takes mappings
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise NotAVideoError(path, _why_not_opened(error)) from error
    with container:
        yield container


def is_mp4(path: Path) -> bool:
    """Whether a file begins as mp4 and most mov files do.

    Such a container says of each packet where it lies, when it is shown and for how long, so that nothing has to be
    guessed from decoded frames.

    Args:
        path: A local file; where it cannot be read, the answer is no.

    Returns:
        What the first bytes say; FFmpeg may still see something else in them.
    """
    if not os.path.isfile(path):
        return False  # opening a pipe would wait for whoever writes to it
    try:
        with path.open("rb") as file:
            return file.read(8)[4:] == b"ftyp"
    except OSError:
        return False


def lone_stream(container: av.container.InputContainer) -> av.video.stream.VideoStream | None:
    """The moving pictures of an mp4 or mov file whose motion is parsed, where it has no others to choose from.

    What FFmpeg says of it does not depend on whether it decoded frames when it opened the file.

    Args:
        container: An open container.

    Returns:
        Its only video stream if that is H.264 or MPEG-4 part 2, else None.
    """
    moving = [s for s in container.streams.video if not _is_cover_picture(s)]
    if len(moving) != 1 or not container.format.name.startswith("mov,"):
        return None
    context = moving[0].codec_context  # None where FFmpeg does not know the codec
    return moving[0] if context is not None and context.name in ("h264", "mpeg4") else None


def _why_not_opened(error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EINVAL:
        # What FFmpeg says of a format that it was told not to open, though not of that alone.
        return "Invalid argument; playlists and other lists of files are not opened"
    return reason_of(error)


def reason_of(error: Exception) -> str:
    """What FFmpeg or the system says of a failure, in one line.

    Args:
        error: What was raised.

    Returns:
        Its text without numbers and paths, where it has one of its own.
    """
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]


def video_stream(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    """The video stream that this package works on: FFmpeg's best one that moves.

    Args:
        container: An open container.
        path: Its path, for the error.

    Returns:
        The stream; cover pictures of music files do not count.

    Raises:
        NoVideoStreamError: There is none.
        NotAVideoError: FFmpeg knows the codec of none.
    """
    moving = [s for s in container.streams.video if not _is_cover_picture(s)]
    if not moving:
        raise NoVideoStreamError(path)
    # PyAV gives a stream no context where the codec's name is damaged, or newer than this FFmpeg.
    moving = [s for s in moving if s.codec_context is not None]
    if not moving:
        raise NotAVideoError(path, "FFmpeg does not know the codec of its video stream")
    best = container.streams.best("video")
    return next((s for s in moving if best is not None and s.index == best.index), moving[0])


def _is_cover_picture(stream: av.stream.Stream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def timeline_of(container: av.container.InputContainer, stream: av.stream.Stream) -> Timeline:
    """The exact time axis of one stream, with its zero at the start of the container.

    The zero is the earliest start of any video or audio stream, as an exact fraction: the container's own
    ``start_time`` is rounded to microseconds.

    Args:
        container: An open container.
        stream: One of its video or audio streams.

    Returns:
        The timeline; where no stream says when it starts, its zero is pts 0.
    """
    starts = [
        s.start_time * s.time_base
        for s in (*container.streams.video, *container.streams.audio)
        if s.start_time is not None and s.time_base is not None and not _is_cover_picture(s)
    ]
    return Timeline(stream.time_base or Fraction(1, 1_000_000), min(starts, default=Fraction(0)))
