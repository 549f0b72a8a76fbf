"""Traps of codecs: no vectors, no residuals, depth, chroma, odd sizes, GPUs (traps.md, rows 13, 14, 18, 19)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from chosen import choose
from made_files import MadeFile
from media_files import picture
from salientclips import probe, residuals, score
from salientclips.adapters.chosen import frames_of
from trap_verbs import Command

GetMade = Callable[[str], MadeFile]

# file: codec, who reads its motion, why
CODECS = {
    "h264_mkv": ("h264", "bitstream", "nothing decoded"),
    "mpeg4_avi": ("mpeg4", "bitstream", "nothing decoded"),
    "mpeg2_mpg": ("mpeg2video", "decoded", "FFmpeg exports this codec's motion vectors"),
    "hevc_mp4": ("hevc", "decoded", "exports no motion vectors of hevc"),
    "vp9_webm": ("vp9", "decoded", "exports no motion vectors of vp9"),
    "av1_mkv": ("av1", "decoded", "exports no motion vectors of av1"),
    "mjpeg_avi": ("mjpeg", "decoded", "exports no motion vectors of mjpeg"),
    "interlaced": ("h264", "decoded", "mbaff"),
}


@pytest.mark.parametrize("name", CODECS)
def test_probe_says_who_reads_and_score_records_it(name: str, made: GetMade, command: Command) -> None:
    codec, reader, why = CODECS[name]
    path = made(name).path
    found = command.ok("probe", path)
    assert found["video"]["codec"] == codec
    for feature in ("md", "rgbr"):
        assert found["features"][feature]["backend"] == reader
    assert why in found["features"]["md"]["why"]
    scored = command.ok("score", path, "-s", "motion")
    assert scored["features_used"] == [f"md ({reader})", f"rgbr ({reader})"]
    assert all(clip["score"] > 0 for clip in scored["clips"])


@pytest.mark.parametrize("name", CODECS)
def test_residuals_are_there_whoever_reads(name: str, made: GetMade) -> None:
    """FFmpeg gives none; they are parsed, or the decoded frame less its warped predecessor."""
    path, reader = made(name).path, CODECS[name][1]
    info = probe(path).video
    cells = (-(-info.height_px // 16), -(-info.width_px // 16))
    found = list(residuals(path))
    assert {f.backend for f in found} <= {reader}
    assert {f.rgb.shape for f in found} <= {(3, *cells)}
    # Every frame of MJPEG is a key frame; nothing is predicted, so nothing is left over.
    assert (sum(float(f.energy.sum()) for f in found) > 0) == (name != "mjpeg_avi")


# file: FFmpeg's pixel format, cells of 16 x 16 pixels
PIXELS = {
    "h264_mkv": ("yuv420p", (15, 20)),
    "h264_10bit": ("yuv420p10le", (15, 20)),
    "hevc_10bit_mkv": ("yuv420p10le", (15, 20)),
    "h264_444_odd": ("yuv444p", (16, 21)),
    "prores_mov": ("yuv422p10le", (15, 20)),
    "interlaced": ("yuv420p", (15, 20)),
}


@pytest.mark.parametrize("name", PIXELS)
def test_depth_chroma_and_odd_sizes_keep_shapes_and_colours(name: str, made: GetMade) -> None:
    pixels, cells = PIXELS[name]
    path = made(name).path
    info = probe(path).video
    assert info.pixel_format == pixels
    assert {f.rgb.shape for f in residuals(path)} <= {(3, *cells)}
    assert np.isfinite(score(path, "motion").scores).all()
    for frame in frames_of(choose(path, 2, frames=6), 3):
        drawn = picture(frame.number, (info.width_px, info.height_px)).astype(float)
        assert frame.rgb.shape == drawn.shape
        assert np.abs(frame.rgb - drawn).mean() < 8
        # No cast: swapped or shifted colours would be off by some ten levels on average.
        assert np.abs((frame.rgb - drawn).mean(axis=(0, 1))).max() < 3


def test_scoring_needs_no_torch_and_no_gpu(made: GetMade) -> None:
    """Features come from the CPU alone; so a GPU changes no score."""
    script = (
        "import sys, salientclips\n"
        "scores = salientclips.score(sys.argv[1])\n"
        "assert not {'torch', 'torchvision', 'torchcodec'} & set(sys.modules)\n"
        "print(scores.scores.tolist())"
    )
    path = made("h264_mkv").path
    done = subprocess.run(
        [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(score(path).scores.tolist())


def test_a_gpu_that_is_not_there_is_a_typed_error(made: GetMade, command: Command) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
    words = ("-c", "mc3_18", "--random-weights", "--device", "cuda:7")
    if torch.cuda.device_count() > 7:
        pytest.skip("this machine has eight GPUs")
    assert command.fails("classify", made("h264_mkv").path, *words)["type"] == "InputError"


def test_a_classifier_is_shown_the_same_pictures_on_a_gpu(made: GetMade) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from salientclips import VideoClassifier, load_classifier

    said = []
    for device in ("cpu", "cuda"):
        f = load_classifier("mc3_18", random_weights=True, frames=8, crop_px=64, device=device)
        said.append(VideoClassifier(f, "packet-cost", 2)(made("h264_10bit").path))
    assert [c.index for c in said[0].clips] == [c.index for c in said[1].clips]
    one, other = ([p.probability for p in sorted(v.predictions, key=lambda p: p.label)] for v in said)
    assert one == pytest.approx(other, abs=1e-3)
