"""Ctrl-C in a run over many videos: what is done is kept, nobody is left at work, and the next run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from media_files import make_video
from salientclips import read_videos

VIDEOS = 400
"""More than a pipe holds events of: a run whose events nobody reads cannot be over before it is interrupted."""


@pytest.mark.skipif(os.name != "posix", reason="an interrupt is sent as a signal")
def test_what_is_done_is_kept(tmp_path: Path) -> None:
    folder, out = tmp_path / "videos", tmp_path / "out"
    folder.mkdir()
    video = make_video(tmp_path / "v.mp4", frames=64, size=(64, 48))
    for number in range(VIDEOS):
        shutil.copy(video, folder / f"{number:03}.mp4")
    command = [sys.executable, "-m", "salientclips", "score", str(folder), "-o", str(out), "--json"]
    command += ["--workers", "2", "--sampler", "packet-cost"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None
    while json.loads(run.stdout.readline())["event"] != "video":
        pass
    workers = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130
    assert told.startswith("error: interrupted; ")
    assert told.count("\n") == 1
    assert psutil.wait_procs(workers, timeout=5)[1] == []
    kept = len(read_videos(out))
    assert 1 <= kept < VIDEOS
    again = subprocess.run(command, capture_output=True, text=True)
    start = json.loads(again.stdout.splitlines()[0])
    assert (again.returncode, start["videos"], start["done_before"]) == (0, VIDEOS, kept)
    assert sorted(read_videos(out)["video"].to_pylist()) == sorted(map(str, folder.iterdir()))
