"""Thumbnails show the frames of the times that they stand for."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
import pytest

from made_files import MadeFile
from media_files import picture, read_counter
from salientclips.media import stills
from salientclips.media.demux import read_packets
from salientclips.outputs.report.thumbnails import LOOP_FRAMES, STRIP_FRAMES, Loops, strip


def decoded(data: bytes) -> npt.NDArray[np.uint8]:
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def counters(data: bytes, frames: int) -> list[int]:
    return [read_counter(part) for part in np.split(decoded(data), frames, axis=1)]


@pytest.mark.parametrize("codec", ["libwebp", "mjpeg"])
def test_both_encoders_keep_the_counter(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    if codec == "mjpeg":
        monkeypatch.setattr(stills.av, "codecs_available", {"mjpeg"})
    still = stills.encode_still(picture(1234, (321, 241)))
    assert still.mime == {"libwebp": "image/webp", "mjpeg": "image/jpeg"}[codec]
    rgb = decoded(still.data)
    assert rgb.shape == (240, 320, 3)
    assert read_counter(rgb) == 1234
    assert len(still.data) < 30_000


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "vfr", "rotated_90"])
def test_a_loop_is_the_clip(name: str, made: Callable[[str], MadeFile]) -> None:
    file = made(name)
    table = read_packets(file.path)
    start, end = Fraction(1, 2), Fraction(3, 2)
    wanted = [start + (end - start) * Fraction(2 * j + 1, 2 * LOOP_FRAMES) for j in range(LOOP_FRAMES)]
    # containers round times: half a millisecond decides nothing here
    shown = [file.counters[sum(t <= w + Fraction(1, 2000) for t in file.times) - 1] for w in wanted]
    with Loops(file.path, table) as loops:
        still = loops.loop(start, end)
        one = loops.loop(start, end, frames=1)
    assert still is not None
    assert one is not None
    assert counters(still.data, LOOP_FRAMES) == shown
    assert len(counters(one.data, 1)) == 1
    assert len(still.data) < 60_000


def test_the_strip_is_in_order_of_time(made: Callable[[str], MadeFile]) -> None:
    file = made("h264_bframes_mp4")
    thumbnails = list(strip(file.path, read_packets(file.path)))
    assert len(thumbnails) == STRIP_FRAMES
    assert all(t.uri.startswith("data:image/") for t in thumbnails)
    times = [t.time_s for t in thumbnails]
    assert times == sorted(times)
    found = [read_counter(decoded(b64decode(t.uri.split(",")[1]))) for t in thumbnails]
    assert found == [int(t * 30 + 1e-6) for t in times]


def test_a_clip_that_cannot_be_decoded_has_no_picture(made: Callable[[str], MadeFile]) -> None:
    file = made("h264_mkv")
    with Loops(file.path, read_packets(file.path)) as loops:
        assert loops.loop(Fraction(-20), Fraction(-10)) is None
