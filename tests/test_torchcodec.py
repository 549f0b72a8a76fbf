"""What torchcodec is asked for at time t shows the counter of time t."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chosen import EVERY_TRAP, choose, counter_at, counters, in_clips, torchcodec_decoder
from made_files import MadeFile
from salientclips import Selection, score
from salientclips.errors import InputError, SeekMismatchError
from salientclips.media.demux import read_packets

GetMade = Callable[[str], MadeFile]


@pytest.mark.parametrize("name", [*EVERY_TRAP, "edit_list"])
def test_torchcodec_clips(name: str, made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made(name)
    decoder = torchcodec_decoder(file.path)
    selection = choose(file.path)
    batch = clips_at_salient_timestamps(decoder, scores=selection.scores, num_clips=3, num_frames_per_clip=5)
    assert tuple(batch.data.shape[:3]) == (3, 5, 3)
    assert batch.pts_seconds.shape == batch.duration_seconds.shape == (3, 5)
    zero = float(read_packets(file.path).timeline.zero)
    times = (batch.pts_seconds - zero).flatten().tolist()
    assert counters(batch.data.numpy()) == [counter_at(file, t) for t in times]
    assert all(in_clips(selection, t) for t in times)
    middles = [(c.start_s + c.end_s) / 2 for c in selection.clips]
    assert (batch.pts_seconds.mean(dim=1) - zero).tolist() == pytest.approx(middles, abs=0.06)


def test_torchcodec_batch_is_like_that_of_its_own_samplers(made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("h264_bframes_mp4")
    decoder = torchcodec_decoder(file.path, dimension_order="NHWC")
    from torchcodec.samplers import clips_at_random_timestamps

    wanted = {"num_clips": 2, "num_frames_per_clip": 3, "seconds_between_frames": 0.1}
    theirs = clips_at_random_timestamps(decoder, **wanted)
    ours = clips_at_salient_timestamps(decoder, video=file.path, sampler="packet-cost", **wanted)
    assert type(ours) is type(theirs)
    assert ours.data.shape == theirs.data.shape
    assert ours.data.dtype == theirs.data.dtype
    assert ours.pts_seconds.shape == theirs.pts_seconds.shape
    assert ours.pts_seconds.dtype == theirs.pts_seconds.dtype
    assert np.diff(ours.pts_seconds.numpy(), axis=1) == pytest.approx(0.1, abs=0.035)


def test_torchcodec_policies_at_the_end_of_the_video(made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("h264_mkv")
    decoder = torchcodec_decoder(file.path)
    last = score(file.path, "uniform").select(2).clips[-1:]
    scores = score(file.path, "uniform")
    selection = Selection(scores, 1, tuple(c for c in last))
    wanted = {"num_clips": 1, "num_frames_per_clip": 5, "seconds_between_frames": 0.4}

    def shown(policy: Any) -> list[int]:
        batch = clips_at_salient_timestamps(decoder, scores=selection, policy=policy, **wanted)
        return counters(batch.data.numpy())

    repeated, wrapped = shown("repeat_last"), shown("wrap")
    assert repeated[3:] == [repeated[3]] * 2
    assert wrapped[:4] == repeated[:4]
    assert wrapped[4] == wrapped[0]
    with pytest.raises(InputError, match="beyond the end"):
        shown("error")


def test_torchcodec_wrong_frames_are_an_error(made: GetMade) -> None:
    """After a seek in a transport stream torchcodec returns frames of another time."""
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("ts")
    decoder = torchcodec_decoder(file.path)
    try:
        batch = clips_at_salient_timestamps(
            decoder, scores=choose(file.path), num_clips=3, num_frames_per_clip=3
        )
    except (SeekMismatchError, RuntimeError):
        return
    zero = float(read_packets(file.path).timeline.zero)
    times = (batch.pts_seconds - zero).flatten().tolist()
    assert counters(batch.data.numpy()) == [counter_at(file, t) for t in times]


def test_torchcodec_with_the_libraries_of_pyav(tmp_path: Path) -> None:
    """Where torchcodec finds no FFmpeg, its tests run in a process that is shown PyAV's."""
    decoders = pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    try:
        decoders.VideoDecoder(b"")
    except RuntimeError as error:
        if "libtorchcodec" not in str(error):
            pytest.skip("torchcodec loads here, and its tests ran in this process")
    except ValueError:
        pytest.skip("torchcodec loads here, and its tests ran in this process")
    here = Path(__file__).resolve().parent
    tool = here.parent / "tools" / "ffmpeg_of_pyav.py"
    folder = subprocess.run(
        [sys.executable, tool, tmp_path / "lib"], capture_output=True, text=True, check=True
    )
    environment = {**os.environ, "LD_LIBRARY_PATH": folder.stdout.strip()}
    probe = (
        "from torchcodec.decoders import VideoDecoder\ntry:\n VideoDecoder(b'')\nexcept ValueError:\n pass"
    )
    loads = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, env=environment)
    if "Could not load" in loads.stderr:
        pytest.skip("torchcodec does not support the FFmpeg inside PyAV")
    words = [
        *(str(here / f"test_{name}.py") for name in ("torchcodec", "language_models", "cookbook")),
        "-k",
        "torchcodec or qwen_vl_utils",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words],
        capture_output=True,
        text=True,
        env=environment,
        cwd=here.parent,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout or "....." in done.stdout


def test_torchcodec_takes_scores_or_a_video(made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    pytest.importorskip("torchcodec", exc_type=Exception)
    selection = choose(made("h264_mkv").path)
    for options in ({}, {"scores": selection, "video": "x"}, {"scores": selection, "num_clips": 0}):
        with pytest.raises(InputError):
            clips_at_salient_timestamps(None, **options)  # type: ignore[arg-type]
