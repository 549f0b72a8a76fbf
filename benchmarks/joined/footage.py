"""The pictures of a joined video: each clip decoded, resampled in time, scaled to cover one size, cut to it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from .clips import FRAME_RATE, HEIGHT_PX, WIDTH_PX, Part, Row


def pictures(row: Row, folder: Path) -> Iterator[av.VideoFrame]:
    """Every picture of a video.

    Args:
        row: The video.
        folder: ``clips256``.

    Yields:
        Frames, yuv420p, all of one size.

    Raises:
        ValueError: A clip has fewer pictures than its duration tells.
    """
    for part in row.parts:
        given = 0
        for frame in _of_part(folder / part.clip.file, part):
            yield frame
            given += 1
        if given != part.frames:
            raise ValueError(
                f"{part.clip.file}: {given} pictures, not {part.frames}; is labels.csv of this folder?"
            )


def _of_part(file: Path, part: Part) -> Iterator[av.VideoFrame]:
    """The picture that is on the screen at each tick of the common rate."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        zero: Fraction | None = None
        shown: av.VideoFrame | None = None
        given = 0
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base is not None
            time = frame.pts * frame.time_base
            zero = time if zero is None else zero
            while shown is not None and given < part.frames and _tick(part, given) < time - zero:
                yield _fitted(shown)
                given += 1
            if given == part.frames:
                return
            shown = frame
        # The last picture stays on the screen for the rest of the clip, which is less than a tick or two.
        while (
            shown is not None
            and given < part.frames
            and _tick(part, given) < time - (zero or 0) + Fraction(1, 4)
        ):
            yield _fitted(shown)
            given += 1


def _tick(part: Part, number: int) -> Fraction:
    return Fraction(part.start_s) + number / FRAME_RATE


def _fitted(frame: av.VideoFrame) -> av.VideoFrame:
    """A picture scaled so that it covers the common size, its middle cut out."""
    scale = max(WIDTH_PX / frame.width, HEIGHT_PX / frame.height)
    width, height = (max(least, 2 * round(side * scale / 2)) for side, least in
                     ((frame.width, WIDTH_PX), (frame.height, HEIGHT_PX)))  # fmt: skip
    planes = frame.reformat(width, height, "yuv420p", dst_color_range="MPEG")
    left, top = (width - WIDTH_PX) // 4 * 2, (height - HEIGHT_PX) // 4 * 2
    cut = av.VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
    for number, plane in enumerate(planes.planes):
        part = 1 if number == 0 else 2
        whole = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows = slice(top // part, (top + HEIGHT_PX) // part)
        columns = slice(left // part, (left + WIDTH_PX) // part)
        target = cut.planes[number]
        line = np.zeros((target.height, target.line_size), np.uint8)
        line[:, : target.width] = whole[rows, columns]
        target.update(line.tobytes())
    return cut
