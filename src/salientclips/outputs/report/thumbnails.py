"""Thumbnails: single frames for the strip, and clips as a row of eight frames that the page moves along.

A loop is one still picture, the frames side by side, so it needs no animation format and the page can stop it. Frames
come from :class:`salientclips.media.decode.FrameReader`, verified and upright; a clip that cannot be decoded has no
picture, and the page says so.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import MediaError
from ...media.decode import FrameReader
from ...media.demux import end_time, lazy_times
from ...media.stills import Still, encode_still
from ...types import PacketTable

LOOP_FRAMES = 8
"""Frames of a loop; style.css moves along as many."""
STRIP_FRAMES = 48
"""Most thumbnails of the strip."""
_STRIP_PX, _LOOP_PX = 60, 108
"""Shorter sides, pixels."""


@dataclass(frozen=True)
class Thumbnail:
    """One picture of the strip."""

    time_s: float
    """When it is shown, seconds on the timeline."""
    uri: str
    """A data URI."""


def data_uri(still: Still) -> str:
    """A picture as text that a page can hold.

    Args:
        still: The picture.

    Returns:
        A ``data:`` URI in base 64.
    """
    return f"data:{still.mime};base64,{b64encode(still.data).decode('ascii')}"


def strip(path: Path, table: PacketTable, *, threads: int = 1) -> Iterator[Thumbnail]:
    """Pictures at even distances over the whole video: the key frames nearest to them, which cost least to decode.

    Args:
        path: A local file.
        table: Its packet table.
        threads: Decoder threads.

    Yields:
        At most ``STRIP_FRAMES`` thumbnails in order of time; each key frame once.
    """
    times = lazy_times(table)
    begin, end = times[0], end_time(table)
    wanted = [begin + (end - begin) * Fraction(2 * i + 1, 2 * STRIP_FRAMES) for i in range(STRIP_FRAMES)]
    keys = np.unique(table.pts[table.is_key & table.is_shown])
    if len(keys) >= STRIP_FRAMES:
        places = np.array([table.timeline.pts(t) for t in wanted])
        after = np.clip(np.searchsorted(keys, places), 1, len(keys) - 1)
        nearer = np.where(places - keys[after - 1] <= keys[after] - places, after - 1, after)
        wanted = [table.timeline.time(int(p)) for p in np.unique(keys[nearer])]
    with FrameReader(path, table, threads=threads, size=_STRIP_PX) as reader:
        for time in wanted:
            frames = _frames(reader, [time])
            if frames:
                yield Thumbnail(float(time), data_uri(encode_still(frames[0])))


class Loops:
    """Makes the loops of clips, one after another; a context manager.

    Args:
        path: A local file.
        table: Its packet table.
        threads: Decoder threads.
    """

    def __init__(self, path: Path, table: PacketTable, threads: int = 1) -> None:
        self._reader = FrameReader(path, table, threads=threads, size=_LOOP_PX)

    def __enter__(self) -> Loops:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def loop(self, start: Fraction, end: Fraction, frames: int = LOOP_FRAMES) -> Still | None:
        """One clip as frames side by side.

        Args:
            start: Seconds on the timeline.
            end: Seconds on the timeline, not included.
            frames: How many, evenly spread over the clip.

        Returns:
            The picture, ``frames`` times as wide as one frame; None where nothing of the clip can be decoded.
        """
        times = [start + (end - start) * Fraction(2 * j + 1, 2 * frames) for j in range(frames)]
        pictures = _frames(self._reader, times)
        # Lost frames are replaced by their neighbours, so that the row keeps its length.
        while pictures and len(pictures) < frames:
            pictures.append(pictures[-1])
        if not pictures:
            return None
        # An even width each: chroma is stored at half the width and must not bleed into the next frame.
        width = pictures[0].shape[1] // 2 * 2
        return encode_still(np.concatenate([p[:, :width] for p in pictures], axis=1), quality=50)


def _frames(reader: FrameReader, times: Sequence[Fraction]) -> list[npt.NDArray[np.uint8]]:
    """The pictures at some times; those that cannot be had are left out."""
    found = []
    for time in times:
        try:
            found.append(reader.frames_at([time])[0].rgb)
        except MediaError:
            continue
    # A stream may change its size half way; one row holds one size.
    return [picture for picture in found if picture.shape == found[0].shape]
