"""What adapters hand over at time t shows the counter of time t, whatever the file is like: chat models, and all."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from chosen import choose, counter_at, every_trap
from made_files import MadeFile
from media_files import make_video, read_counter
from salientclips.adapters.chosen import choose_frames, frames_of
from salientclips.adapters.openai import frame_parts, image_tokens
from salientclips.errors import InputError, StoredScoresError
from salientclips.media.demux import read_packets
from salientclips.media.frame_numbers import number_frames
from salientclips.media.jpeg import encode_jpeg

GetMade = Callable[[str], MadeFile]


# --- which frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "multiple"), [(1, 1), (7, 1), (8, 2), (9, 2), (32, 1), (1000, 1), (1000, 2)]
)
def test_a_budget_is_spread_over_the_best_clips(count: int, multiple: int, made: GetMade) -> None:
    selection = choose(made("vfr").path, 5)
    frames = number_frames(read_packets(selection.scores.path))
    found = choose_frames(selection, count, frames, multiple=multiple)
    per_clip = [sum(f.clip.rank == c.rank for f in found) for c in selection.clips]
    room = [stop - first for first, stop in map(frames.span, selection.clips)]
    assert len(found) == min(count // multiple * multiple, sum(room))
    assert all(n % multiple == 0 for n in per_clip)
    # The best are served first, and nobody is short of more than one round, unless the clip has no more.
    open_clips = [n for n, most in zip(per_clip, room, strict=True) if n < most]
    assert open_clips == sorted(open_clips, reverse=True)
    assert max(per_clip) - min([*open_clips, max(per_clip)]) <= multiple
    assert [f.number for f in found] == sorted({f.number for f in found})
    assert all(f.clip.start <= f.time < f.clip.end for f in found)


def test_a_budget_too_small_is_refused(made: GetMade) -> None:
    selection = choose(made("vfr").path, 2)
    for count, multiple in ((0, 1), (1, 2)):
        with pytest.raises(InputError):
            frames_of(selection, count, multiple=multiple)
    with pytest.raises(InputError, match="nothing is selected"):
        frames_of(selection.scores.select(1, threshold=1e9), 4)


@every_trap
def test_frames_show_the_counter_of_their_time(name: str, made: GetMade) -> None:
    file = made(name)
    found = frames_of(choose(file.path), 9)
    assert [read_counter(f.rgb) for f in found] == [counter_at(file, f.time_s) for f in found]
    assert [file.counters[f.number] for f in found] == [read_counter(f.rgb) for f in found]


def test_a_video_that_changed_is_refused(tmp_path: Path) -> None:
    selection = choose(make_video(tmp_path / "v.mp4", frames=30), 1)
    make_video(tmp_path / "v.mp4", frames=40)
    with pytest.raises(StoredScoresError):
        frames_of(selection, 4)


# --- chat models ------------------------------------------------------------------------------------------------


def decode_jpeg(data: bytes) -> npt.NDArray[np.uint8]:
    with av.open(io.BytesIO(data), format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@every_trap
def test_chat_frames_show_the_counter_of_their_label(name: str, made: GetMade) -> None:
    file = made(name)
    made_parts = frame_parts(choose(file.path), 6)
    labels, images = made_parts.parts[::2], made_parts.parts[1::2]
    assert len(labels) == len(images) == 6
    for text, image in zip(labels, images, strict=True):
        head, data = image["image_url"]["url"].split(",")
        assert head == "data:image/jpeg;base64"
        time_s = float(text["text"].split(" s ")[0])
        assert read_counter(decode_jpeg(base64.b64decode(data))) == counter_at(file, time_s)


def test_budgets(made: GetMade) -> None:
    selection = choose(made("h264_bframes_mp4").path, 10)
    assert len(frame_parts(selection).frames) == 32
    assert len(frame_parts(selection, 5).frames) == 5
    limited = frame_parts(selection, token_budget=1000)
    assert len(limited.frames) == 1000 // (85 + 12)
    assert limited.tokens <= 1000
    assert len(frame_parts(selection, 3, token_budget=1000).frames) == 3
    assert len(frame_parts(selection, token_budget=1000, tokens_per_frame=238).frames) == 4
    with pytest.raises(InputError, match="do not reach"):
        frame_parts(selection, token_budget=50)
    small = frame_parts(selection, 1, shorter_side_px=60).frames[0]
    assert small.rgb.shape == (60, 80, 3)


def test_image_tokens_follow_the_published_rule() -> None:
    assert image_tokens(4096, 8192, "low") == 85
    assert image_tokens(1024, 1024, "high") == 765
    assert image_tokens(4096, 2048, "high") == 1105


def test_jpeg_keeps_colours() -> None:
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (16, 16, 16), (250, 250, 250)):
        flat = np.full((48, 65, 3), colour, np.uint8)
        assert np.abs(decode_jpeg(encode_jpeg(flat)).astype(int) - flat).max() <= 6
