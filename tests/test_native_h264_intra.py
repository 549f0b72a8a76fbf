"""The native reader's residuals of intra macroblocks against decoded frames, sample for sample.

See ``h264_intra.py``: the prediction that was used, and with it the residual, is found from the decoded picture
alone. Means and energies must be those of that residual, without a tolerance for rounding.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("salientclips.compressed._native._core", reason="the native extension is not built")

from salientclips.compressed._native._core import H264Reader

sys.path.insert(0, str(Path(__file__).parent))
from h264_intra import (
    CHROMA_QP,
    EIGHT,
    FOUR,
    ORDER_4,
    Array,
    chroma_8,
    directional,
    explain_4,
    explain_8,
    explain_16,
    explain_chroma,
    plane_16,
    smoothed,
)
from h264_media import HEIGHT, WIDTH, encode, moving_picture, read_stream

ROWS, COLUMNS = HEIGHT // 16, WIDTH // 16
Found = list[tuple[str, float, float]]
"""Form, mean and mean square of each residual that explains a block."""


def edges(plane: Array, y: int, x: int, size: int, has_right: bool) -> tuple[Array, Array, int]:
    """Samples above and above right (2 * size), to the left, and in the corner."""
    top = plane[y - 1, x : x + size]
    right = plane[y - 1, x + size : x + 2 * size] if has_right else np.repeat(top[-1], size)
    return np.concatenate([top, right]), plane[y : y + size, x - 1], int(plane[y - 1, x - 1])


def small_blocks(luma: Array, row: int, column: int, size: int, qp: int) -> Found:
    """How the blocks of a macroblock explain themselves as Intra 4x4 or 8x8; empty where one of them cannot."""
    explain, transform, count = (explain_4, FOUR, 4) if size == 4 else (explain_8, EIGHT, 2)
    order = [p for p in ORDER_4 if max(p) < count]
    sums: set[tuple[float, float]] = {(0.0, 0.0)}
    for index, (r, c) in enumerate(order):
        y, x = 16 * row + size * r, 16 * column + size * c
        inside = c + 1 < count and (r == 0 or order.index((r - 1, c + 1)) < index)
        has_right = inside or (r == 0 and c + 1 == count and column + 1 < COLUMNS)
        edge = edges(luma, y, x, size, has_right)
        predicted = directional(*(smoothed(*edge) if size == 8 else edge))
        here = luma[y : y + size, x : x + size]
        coefficients, made = explain(here - predicted, qp)
        fits = (predicted + made == here).all((1, 2))
        real = transform.real(coefficients[fits])
        options = {(round(v.sum(), 6), round((v**2).sum(), 6)) for v in real}
        sums = {(m + a, e + b) for m, e in sums for a, b in options}
        if not sums:
            return []
    return [(f"{size}x{size}", m / 256, e / 256) for m, e in sums]


def whole_block(plane: Array, row: int, column: int, qp: int, size: int) -> Found:
    """The same as Intra 16x16, or of a chroma block."""
    y, x = size * row, size * column
    here = plane[y : y + size, x : x + size]
    above, left = plane[y - 1, x - 1 : x + size], plane[y - 1 : y + size, x - 1]
    found = []
    for predicted in (plane_16 if size == 16 else chroma_8)(above, left):
        coefficients, made = (explain_16 if size == 16 else explain_chroma)(here - predicted, qp)
        if (predicted + made == here).all():
            real = FOUR.real(coefficients)
            found.append(("16x16" if size == 16 else "chroma", real.mean(), (real**2).mean()))
    return found


def rough_picture(seed: int) -> npt.NDArray[np.uint8]:
    """A soft scene under noise, far from black and white: rough enough that few predictions explain a block."""
    noise = np.random.default_rng(seed).normal(0, 9, (HEIGHT, WIDTH, 1))
    return np.clip(moving_picture(1, seed)[0] * 0.6 + 50 + noise, 30, 225).astype(np.uint8)


def distinct(found: Found) -> Found:
    """One of those that have the same mean and mean square."""
    return [
        f for i, f in enumerate(found) if not any(np.allclose(f[1:], g[1:], atol=1e-4) for g in found[:i])
    ]


ENCODES = {
    "4x4, cavlc": ("cabac=0:8x8dct=0:analyse=i4x4", 28, "4x4"),
    "4x4, cabac": ("cabac=1:8x8dct=0:analyse=i4x4", 25, "4x4"),
    "8x8, cavlc": ("cabac=0:8x8dct=1:analyse=i8x8", 28, "8x8"),
    "8x8, cabac": ("cabac=1:8x8dct=1:analyse=i8x8", 34, "8x8"),
    "8x8, coarse": ("cabac=1:8x8dct=1:analyse=i8x8", 37, "8x8"),
    "16x16": ("cabac=1:8x8dct=0:analyse=none", 31, "16x16"),
}


@pytest.mark.parametrize("name", ENCODES)
def test_residual_of_intra_macroblocks(name: str) -> None:
    """An I picture, and a P picture of another scene, most of whose macroblocks are intra."""
    parameters, qp, form = ENCODES[name]
    constant = (
        f":qp={qp}:ipratio=1:scenecut=0:no-deblock=1:bframes=0:weightp=0:ref=1:chroma-qp-offset=0:psy=0"
    )
    pictures = [rough_picture(seed) for seed in (1, 2)]
    stream = read_stream(encode(pictures, "yuv420p", parameters + constant, crf=None))
    reader = H264Reader(stream.extradata)
    seen: dict[str, int] = dict.fromkeys(("4x4", "8x8", "16x16", "chroma", "ambiguous", "most", "strong"), 0)
    for number, packet in enumerate(stream.packets):
        result = reader.feed(packet, True)
        assert (result.status, result.type) == ("ok", "IP"[number])
        planes = [p.astype(np.int64) for p in stream.frames[number].planes]
        for row, column in itertools.product(range(1, ROWS), range(1, COLUMNS)):
            if not result.intra[row, column]:
                continue
            sizes = (4,) if "8x8dct=0" in parameters else (4, 8)
            luma = whole_block(planes[0], row, column, qp, 16)
            luma += [f for size in sizes for f in small_blocks(planes[0], row, column, size, qp)]
            check(distinct(luma), result.means[0, row, column], result.energy[row, column], seen)
            for c in (1, 2):
                chroma = whole_block(planes[c], row, column, CHROMA_QP[qp], 8)
                check(distinct(chroma), result.means[c, row, column], None, seen)
    assert seen[form] >= 30
    assert seen["chroma"] > 200
    assert seen["strong"] > 50
    assert seen["ambiguous"] < 60
    assert seen["most"] <= 16


def check(found: Found, mean: float, energy: float | None, seen: dict[str, int]) -> None:
    """The reader's numbers are those of the residual; where two residuals explain the samples, of one of them."""
    assert found, "no prediction explains the decoded samples"
    fitting = [
        f
        for f in found
        if abs(f[1] - mean) <= 1e-3 and (energy is None or abs(f[2] - energy) <= 1e-4 * f[2] + 1e-3)
    ]
    assert fitting, (found, mean, energy)
    if len(found) > 1:
        seen["ambiguous"] += 1
        seen["most"] = max(seen["most"], len(found))
        return
    seen[found[0][0]] += 1
    seen["strong"] += energy is not None and energy > 20


def unit(header: int, bits: str) -> bytes:
    """A NAL unit with its start code; the bits get their stop bit and emulation prevention."""
    bits += "1"
    bits += "0" * (-len(bits) % 8)
    out, zeros = bytearray([0, 0, 0, 1, header]), 0
    for k in range(0, len(bits), 8):
        byte = int(bits[k : k + 8], 2)
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def ue(value: int) -> str:
    code = format(value + 1, "b")
    return "0" * (len(code) - 1) + code


def test_pcm_in_a_cavlc_slice(tmp_path: Path) -> None:
    """PCM, Intra 16x16 by DC without a level, PCM, Intra 16x16: samples are libavcodec's, residuals are none.

    After PCM a block counts as having 16 levels (clause 9.2.1), so the tokens that follow are of fixed length.
    """
    sps = (
        "01000010" + "0" * 8 + "00001010" + ue(0) + ue(0) + ue(2) + ue(1) + "0" + ue(1) + ue(1) + "11" + "00"
    )
    pps = ue(0) + ue(0) + "00" + ue(0) + ue(0) + ue(0) + "000" + ue(0) + ue(0) + ue(0) + "100"
    samples = np.random.default_rng(3).integers(1, 255, (2, 384))
    bits = ue(0) + ue(7) + ue(0) + "0000" + ue(0) + "00" + ue(0) + ue(1)  # I, IDR, filter off
    for pcm in samples:
        bits += ue(25)
        bits += "0" * (-len(bits) % 8) + "".join(format(v, "08b") for v in pcm)
        # mb_type 3: DC, nothing coded; chroma DC; mb_qp_delta 0; coeff_token 0000 11 of nC >= 8.
        bits += ue(3) + ue(0) + ue(0) + "000011"
    stream = unit(0x67, sps) + unit(0x68, pps) + unit(0x65, bits)
    path = tmp_path / "pcm.h264"
    path.write_bytes(stream)
    decoded = read_stream(path).frames[0]
    assert not decoded.corrupt
    for k, pcm in enumerate(samples):
        luma = decoded.planes[0][16 * k : 16 * k + 16]
        assert np.array_equal(luma[:, :16].ravel(), pcm[:256])
        beside = predicted_dc(decoded.planes[0].astype(np.int64), k)
        assert (luma[:, 16:] == beside).all()
    result = H264Reader(b"").feed(stream, True)
    assert result.status == "ok"
    assert result.intra.shape == (2, 2)
    assert result.intra.all()
    assert not result.energy.any()
    assert not result.means.any()


def predicted_dc(luma: npt.NDArray[np.int64], row: int) -> int:
    """DC of the right macroblock of a row: from the left in the first, from both edges in the second."""
    left = luma[16 * row : 16 * row + 16, 15].sum()
    if row == 0:
        return int(left + 8) >> 4
    return int(left + luma[15, 16:32].sum() + 16) >> 5
