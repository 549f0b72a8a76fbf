"""Shots from the packet table: cuts that the encoder saw are found, regular key frames are not taken for cuts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from builders import make_table
from salientclips.media.demux import read_packets
from salientclips.outputs.report.shots import find_shots, key_frame_times

CUTS = (50, 83, 140)


def write_cuts(path: Path, options: dict[str, str]) -> Path:
    """180 frames at 30 frames/s: four noise textures that pan, changed at ``CUTS``."""
    rng = np.random.default_rng(5)
    ground = [rng.integers(0, 256, (160, 400), dtype=np.uint8).repeat(2, 0).repeat(2, 1) for _ in range(4)]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "veryfast", **options})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 30)
        for i in range(180):
            picture = ground[sum(i >= cut for cut in CUTS)][20:140, i : i + 160]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 30)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("options", "by"),
    [
        ({"x264-params": "keyint=60:min-keyint=2:scenecut=40"}, "key frames"),
        ({"x264-params": "keyint=45:min-keyint=45:scenecut=0:bframes=0"}, "packet cost"),
    ],
)
def test_hard_cuts_are_found(options: dict[str, str], by: str, tmp_path: Path) -> None:
    shots = find_shots(read_packets(write_cuts(tmp_path / "cuts.mp4", options)))
    assert shots.by == by
    assert [round(30 * float(t)) for t in shots.starts_s] == list(CUTS)


def test_regular_key_frames_are_no_cuts() -> None:
    table = make_table("IPPPPPPPPP" * 6, ([9000] + [800] * 9) * 6)
    assert len(key_frame_times(table)) == 6
    assert len(find_shots(table).starts_s) == 0


def test_where_all_frames_are_key_frames_nothing_is_known() -> None:
    shots = find_shots(make_table("IIII", [900, 900, 900, 900]))
    assert (shots.by, len(shots.starts_s)) == ("nothing", 0)


def test_short_streams_are_fine() -> None:
    assert len(find_shots(make_table("IP", [900, 100])).starts_s) == 0
    assert len(find_shots(make_table("I", [900])).starts_s) == 0
