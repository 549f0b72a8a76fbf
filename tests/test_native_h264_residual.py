"""The native reader's residual means and energies against decoded frames.

With loop filtering off, a decoded frame is prediction plus residual. The prediction is made here, by motion
compensation written for the test (``h264_prediction.py``), from libavcodec's decoded references and the
reader's vectors; what is left must have the mean and the energy that the reader took from the coefficients.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("salientclips.compressed._native._core", reason="the native extension is not built")

from salientclips.compressed._native._core import FrameResult, H264Reader

sys.path.insert(0, str(Path(__file__).parent))
from h264_media import HEIGHT, WIDTH, Stream, encode, moving_picture, read_stream
from h264_prediction import luma_planes, predict_chroma, predict_luma

DATA = Path(os.environ.get("SALIENTCLIPS_DATA", Path(__file__).parents[2] / "shared" / "data"))

COMMON = ":no-deblock=1:weightp=0:bframes=0"

# Name: pixel format, x264 parameters, crf.
ENCODES = {
    "cavlc 4x4": ("yuv420p", "cabac=0:8x8dct=0:ref=1:partitions=all", 24),
    "cavlc 8x8": ("yuv420p", "cabac=0:8x8dct=1:ref=2:partitions=all", 20),
    "cabac 8x8": ("yuv420p", "cabac=1:8x8dct=1:ref=3", 20),
    "coarse": ("yuv420p", "cabac=1:8x8dct=1:ref=1", 38),
    "scaling lists": ("yuv420p", "cabac=1:8x8dct=1:ref=1:cqm=jvt", 20),
    "chroma offset": ("yuv420p", "cabac=1:8x8dct=1:ref=1:chroma-qp-offset=6", 14),
    "10 bit": ("yuv420p10le", "cabac=1:8x8dct=1:ref=1", 20),
    "4:2:2": ("yuv422p", "cabac=1:8x8dct=1:ref=1", 20),
    "4:2:2 cavlc": ("yuv422p", "cabac=0:8x8dct=0:ref=1", 22),
    "grey": ("gray", "cabac=0:8x8dct=1:ref=1", 20),
}


def prediction(result: FrameResult, stream: Stream, number: int, top: int) -> list[npt.NDArray[np.int64]]:
    """What motion compensation gives for the inter blocks of a frame, plane by plane."""
    planes = [np.zeros(p.shape, np.int64) for p in stream.frames[number].planes]
    sources = {
        k: luma_planes(stream.frames[k].planes[0], top) for k in set(result.references["packet"].tolist())
    }
    chroma_rows = len(planes) > 1 and planes[1].shape[0] / planes[0].shape[0]
    for v, reference in zip(result.vectors, result.references, strict=True):
        k = int(reference["packet"])
        w, h = int(v["w"]), int(v["h"])
        x, y = int(v["dst_x"]) - w // 2, int(v["dst_y"]) - h // 2
        mv = (int(v["motion_x"]), int(v["motion_y"]))
        planes[0][y : y + h, x : x + w] = predict_luma(sources[k], x, y, w, h, mv)
        for c in range(1, len(planes)):
            cx, cy, cw, ch = x // 2, int(y * chroma_rows), w // 2, int(h * chroma_rows)
            block = predict_chroma(stream.frames[k].planes[c], cx, cy, cw, ch, mv, chroma_rows)
            planes[c][cy : cy + ch, cx : cx + cw] = block
    return planes


def blocks(
    plane: npt.NDArray[np.int64], rows: int = HEIGHT // 16, columns: int = WIDTH // 16
) -> npt.NDArray[np.float64]:
    """A plane cut into one block per macroblock (h, w, n)."""
    high, wide = plane.shape[0] // rows, plane.shape[1] // columns
    cut = plane.reshape(rows, high, columns, wide).transpose(0, 2, 1, 3)
    return cut.reshape(rows, columns, high * wide).astype(np.float64)


@pytest.mark.parametrize("name", ENCODES)
def test_residuals_are_the_decoders(name: str) -> None:
    pixel_format, parameters, crf = ENCODES[name]
    stream = read_stream(encode(moving_picture(6), pixel_format, parameters + COMMON, crf=crf))
    step = 4.0 if "10" in pixel_format else 1.0  # levels of the stream in one 8-bit level
    top = int(256 * step) - 1
    reader = H264Reader(stream.extradata)
    pairs: dict[str, list[npt.NDArray[np.float64]]] = {"mean": [], "energy": []}
    for number, packet in enumerate(stream.packets):
        result = reader.feed(packet, True, sub_8x8=True)
        assert result.status == "ok"
        if result.type != "P":
            continue
        decoded = stream.frames[number].planes
        for c, predicted in enumerate(prediction(result, stream, number, top)):
            samples = blocks(decoded[c].astype(np.int64))
            # Where the decoder clipped, prediction plus residual is not what it shows.
            usable = ~result.intra & (samples.min(-1) > 0) & (samples.max(-1) < top)
            difference = (samples - blocks(predicted)) / step
            pairs["mean"].append(np.stack([difference.mean(-1)[usable], result.means[c][usable]]))
            if c == 0:
                energy = (difference**2).mean(-1)
                pairs["energy"].append(np.stack([energy[usable], result.energy[usable]]))
    theirs, ours = np.concatenate(pairs["mean"], axis=1)
    # A block that is nothing but its mean is rounded as a whole: half a level of the stream.
    assert np.abs(ours - theirs).max() <= 0.501 / step
    assert abs((ours - theirs).mean()) < 0.1 / step
    assert slope(theirs, ours) == pytest.approx(1, abs=0.03)
    theirs, ours = np.concatenate(pairs["energy"], axis=1)
    # Rounding each sample adds at most about 1/12 and its product with the residual.
    assert (np.abs(ours - theirs) <= (0.25 + 0.6 * np.sqrt(theirs)) / step).all()
    assert slope(theirs, ours) == pytest.approx(1, abs=0.005)
    assert len(theirs) > 100
    assert theirs.max() > 5


@pytest.mark.skipif(not DATA.is_dir(), reason="the real videos of SALIENTCLIPS_DATA are not here")
@pytest.mark.parametrize("name", ["MR1_BT_A.h264", "NRF_MW_E.264", "MIDR_MW_D.264"])
def test_references_predict_the_picture(name: str) -> None:
    """Reordered lists, long-term pictures, marking by hand, frame numbers that wrap: a wrong reference shows.

    These streams filter their edges, so means agree only closely; a wrong reference is off by tens.
    """
    stream = read_stream(DATA / "conformance" / name)
    reader = H264Reader(stream.extradata)
    errors, others = [], 0
    for number, packet in enumerate(stream.packets[:42]):
        result = reader.feed(packet, True, sub_8x8=True)
        if result.type != "P":
            continue
        assert (result.references["packet"] >= 0).all()
        others += int((result.references["packet"] != number - 1).sum())
        predicted = prediction(result, stream, number, 255)[0]
        shape = result.energy.shape
        decoded = blocks(stream.frames[number].planes[0].astype(np.int64), *shape)
        mean = (decoded - blocks(predicted, *shape)).mean(-1)
        errors.append((mean - result.means[0])[~result.intra])
    assert np.abs(np.concatenate(errors)).max() < 1
    assert others > 800


def slope(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Least-squares factor from x to y."""
    return float((x * y).sum() / (x * x).sum())


@pytest.mark.parametrize(("pixel_format", "crf"), [("yuv420p", 22), ("yuv420p", 34), ("yuv422p", 24)])
def test_residual_of_intra_16x16(pixel_format: str, crf: int) -> None:
    """One of the four predictions of clause 8.3.3 must leave the reader's residual.

    Without partitions x264 gives the intra macroblocks of a P picture no other form; another scene makes
    them many.
    """
    parameters = "partitions=none:8x8dct=0:scenecut=0:no-deblock=1:aq-mode=0:bframes=0:weightp=0"
    pictures = [moving_picture(1, seed)[0] for seed in (1, 2)]
    stream = read_stream(encode(pictures, pixel_format, parameters, crf=crf))
    reader = H264Reader(stream.extradata)
    result = [reader.feed(packet, True) for packet in stream.packets][1]
    assert result.type == "P"
    luma = stream.frames[1].planes[0].astype(np.int64)
    strong = 0
    for row in range(1, HEIGHT // 16):
        for column in range(1, WIDTH // 16):
            if not result.intra[row, column]:
                continue
            y, x = row * 16, column * 16
            here = luma[y : y + 16, x : x + 16]
            above, left = luma[y - 1, x - 1 : x + 16], luma[y - 1 : y + 16, x - 1]
            misfits = []
            for predicted in intra_16x16(above, left):
                difference = here - predicted
                energy = (difference**2).mean()
                misfits.append(
                    max(
                        abs(difference.mean() - result.means[0, row, column]) / 0.51,
                        abs(energy - result.energy[row, column]) / (0.25 + np.sqrt(energy)),
                    )
                )
            # Rounding by half a level shifts the mean by that, and the energy by no more than 1/4 + its root.
            assert min(misfits) <= 1
            strong += result.energy[row, column] > 20
    assert strong > 10


def intra_16x16(above: npt.NDArray[np.int64], left: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Vertical, horizontal, DC and plane prediction; both edges begin with the corner sample."""
    k = np.arange(1, 9)
    a, b = (5 * int((k * (edge[8 + k] - edge[8 - k])).sum()) + 32 >> 6 for edge in (above, left))
    centre = 16 * (above[16] + left[16])
    column, row = np.meshgrid(np.arange(16), np.arange(16))
    plane = np.clip((centre + a * (column - 7) + b * (row - 7) + 16) >> 5, 0, 255)
    dc = (above[1:].sum() + left[1:].sum() + 16) >> 5
    flat = np.full((16, 16), dc)
    return [np.tile(above[1:], (16, 1)), np.tile(left[1:, None], (1, 16)), flat, plane]
