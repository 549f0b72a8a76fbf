"""Every file of the traps through every public verb: the right frames at the right times (traps.md, 3.1 and 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from made_files import MadeFile
from trap_verbs import Command, check_every_verb

GetMade = Callable[[str], MadeFile]

# name: row or file of the traps, whether motion vectors can be had, what probe must warn of
FILES = {
    "vfr": ("1, vfr", True, ""),
    "vfr_swing": ("1", True, ""),
    "ntsc_mkv": ("2", True, ""),
    "h264_bframes_mp4": ("3, h264 bf=3", True, ""),
    "ts": ("4, full.ts", True, ""),
    "short_gop_ts": ("4, ts g=15", True, ""),
    "mpeg2_mpg": ("4, mpeg2 mpg", True, ""),
    "truncated_mkv": ("5, 10", True, ""),
    "truncated_mp4": ("5, 10", True, "the header says 6.0 s"),
    "truncated_ts": ("5, 10", True, ""),
    "edit_list": ("6, editlist", True, ""),
    "late_video": ("6", True, ""),
    "one_gop_of_300": ("7", True, ""),
    "h264_open_gop": ("7", True, ""),
    "h264_open_gop_cut": ("7", True, "before the first key frame"),
    "mid_gop_mkv": ("7", True, "before the first key frame"),
    "mid_gop_ts": ("7, mid-start .ts", True, "before the first key frame"),
    "rotated_90": ("8, rot90", True, ""),
    "rotated_270": ("8", True, ""),
    "late_audio": ("12, late audio", True, ""),
    "hevc_mp4": ("13, hevc", False, ""),
    "vp9_webm": ("13, vp9", False, ""),
    "av1_mkv": ("13, av1", False, ""),
    "mjpeg_avi": ("13, mjpeg", False, ""),
    "mpeg4_avi": ("13, mpeg4 avi", True, ""),
    "hevc_10bit_mkv": ("19, hevc10", False, ""),
    "h264_444_odd": ("19, odd 321x241 yuv444", True, ""),
    "interlaced": ("19", True, ""),
}


@pytest.mark.parametrize("name", FILES)
def test_every_verb_gives_the_right_frames_at_the_right_times(
    name: str, made: GetMade, command: Command, tmp_path: Path
) -> None:
    _, vectors, warning = FILES[name]
    probed = check_every_verb(made(name), command, tmp_path, vectors=vectors)
    assert bool(probed["warnings"]) == bool(warning)
    assert all(warning in line for line in probed["warnings"][:1])
