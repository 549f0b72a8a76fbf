"""Scenes come in as PySceneDetect writes them, and go out and come back the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from chosen import EVERY_TRAP, choose
from made_files import MadeFile
from salientclips import load_scenes, score
from salientclips.cli.run import run
from salientclips.errors import InputError
from salientclips.media.demux import read_packets
from salientclips.media.frame_numbers import number_frames
from salientclips.outputs.exports import export

GetMade = Callable[[str], MadeFile]
HEADER = (
    "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds)"
)


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_an_exported_scene_list_comes_back_exactly(name: str, made: GetMade, tmp_path: Path) -> None:
    selection = choose(made(name).path)
    grid = load_scenes(export(selection, tmp_path / "x.csv").path, selection.scores.path)
    wanted = sorted((c.start, c.end) for c in selection.clips)
    assert list(zip(grid.starts, grid.ends, strict=True)) == wanted
    again = score(selection.scores.path, "packet-cost", grid=grid)
    assert len(again) == len(selection.clips)


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "vfr", "late_video", "ntsc_mkv"])
def test_what_pyscenedetect_finds_lies_on_its_frames(name: str, made: GetMade, tmp_path: Path) -> None:
    scenedetect = pytest.importorskip("scenedetect")
    from scenedetect.output import write_scene_list

    path = made(name).path
    video = scenedetect.open_video(str(path), backend="pyav")
    frames = number_frames(read_packets(path))
    cuts = (0, 17, 40, len(frames))
    timecodes = []
    for _ in range(len(frames)):
        video.read()
        timecodes.append(video.position)
    ends = [*(timecodes[i] for i in cuts[:-1]), timecodes[-1] + (timecodes[-1] - timecodes[-2])]
    with (tmp_path / "x.csv").open("w") as file:
        write_scene_list(file, list(pairwise(ends)))
    grid = load_scenes(tmp_path / "x.csv", path)
    assert list(grid.starts) == [frames.times[i] for i in cuts[:-1]]
    assert grid.ends[-1] == frames.end


def test_frame_numbers_serve_where_there_are_no_seconds(made: GetMade, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Timecode List:,00:00:00.500\nStart Frame,End Frame\n1,15\n16,60\n")
    grid = load_scenes(tmp_path / "x.csv", made("h264_mkv").path)
    assert [float(t) for t in (*grid.starts, *grid.ends)] == pytest.approx([0, 0.5, 0.5, 2], abs=0.001)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no columns"),
        ("a,b\n1,2\n", "no columns"),
        (HEADER + "\n", "no scenes"),
        (HEADER + "\n1,1,x,zero,30,x,1.0\n", "scene 1"),
        (HEADER + "\n1,1,x,1/0,30,x,1.0\n", "scene 1"),
        (HEADER + "\n1,1,x,0,30,x,9.0\n", "behind the end"),
        (HEADER + "\n1,1,x,1.0,30,x,1.0\n", "no frames"),
        (HEADER + "\n1,1,x,0,30,x,1.0\n2,1,x,0.5,40,x,1.5\n", "overlap"),
        ("Start Frame,End Frame\n50,61\n", "not in the video"),
    ],
)
def test_a_bad_scene_list_is_one_error(text: str, message: str, made: GetMade, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        load_scenes(tmp_path / "x.csv", made("h264_mkv").path)


def test_scenes_on_the_command_line(
    made: GetMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, scenes = made("h264_bframes_mp4").path, tmp_path / "scenes.csv"
    scenes.write_text(HEADER + "\n1,1,x,0.000,60,x,2.000\n2,61,x,2.000,150,x,5.000\n3,151,x,5.0,180,x,6.0\n")
    for words in (["score"], ["select", "-k", "9"]):
        assert run([*words, str(path), "--scenes", str(scenes), "-s", "packet-cost", "--json"]) == 0
        clips = sorted(json.loads(capsys.readouterr().out)["clips"], key=lambda c: c["start_s"])
        assert [(c["start_s"], c["end_s"]) for c in clips] == [(0, 2), (2, 5), (5, 6)]
    assert run(["select", str(path), "--scenes", str(scenes), "--clip-seconds", "2", "--json"]) == 1
    assert "--scenes" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_the_rate_is_the_one_the_stream_was_made_at(made: GetMade) -> None:
    def rate(name: str) -> Fraction:
        return number_frames(read_packets(made(name).path)).rate

    assert rate("ntsc_mkv") == rate("ntsc_mp4") == Fraction(30000, 1001)
    assert rate("late_video") == rate("h264_avi") == rate("ts") == 30
