"""The native MPEG-4 part 2 reader against libavcodec and against decoded pixels."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.video.frame import VideoFrame

from mpeg4_prediction import block_vectors, cell_means, predict, predict_quarter
from mpeg4_streams import (
    Stream,
    as_frame,
    compare,
    decode,
    drawn_footage,
    encode,
    is_overwritten,
    packets_of,
    reader_module,
)

WIDTH, HEIGHT = 176, 144
DATA = Path(os.environ.get("SALIENTCLIPS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

M: Any = reader_module()
pytestmark = pytest.mark.skipif(M is None, reason="the native extension is not built")

MATRIX = [
    pytest.param(options, quantiser, gop, b_frames, id=f"{options}-q{quantiser}-gop{gop}-b{b_frames}")
    for options, quantiser, gop, b_frames in (
        ({}, 2, 12, 0),
        ({}, 31, 250, 2),
        ({"flags": "+mv4"}, 2, 250, 0),
        ({"flags": "+mv4"}, 8, 12, 2),
        ({"flags": "+mv4"}, 31, 12, 0),
        ({"flags": "+qpel"}, 8, 12, 0),
        ({"flags": "+mv4+qpel"}, 2, 12, 2),
        ({"flags": "+mv4+qpel"}, 31, 250, 0),
        ({"flags": "+mv4", "mpeg_quant": "1"}, 2, 12, 0),
        ({"flags": "+mv4", "mpeg_quant": "1"}, 8, 12, 2),
        ({"flags": "+mv4", "trellis": "1", "mbd": "rd"}, 8, 12, 0),
        ({"flags": "+mv4", "ps": "200"}, 2, 12, 0),
        ({"flags": "+mv4+qpel", "ps": "80"}, 8, 250, 2),
        ({"flags": "+mv4", "lumi_mask": "0.5", "b": "300k"}, None, 250, 0),
    )
]


@pytest.fixture(scope="session")
def footage() -> list[VideoFrame]:
    return [as_frame(p) for p in drawn_footage(26, WIDTH, HEIGHT)]


@pytest.fixture(scope="session")
def plain(footage: list[VideoFrame], tmp_path_factory: pytest.TempPathFactory) -> Stream:
    path = tmp_path_factory.mktemp("mpeg4") / "plain.mp4"
    return packets_of(encode(path, footage, {"flags": "+mv4", "ps": "200"}, quantiser=4))


@pytest.mark.parametrize(("options", "quantiser", "gop", "b_frames"), MATRIX)
def test_vectors_equal_libavcodecs(
    footage: list[VideoFrame],
    tmp_path: Path,
    options: dict[str, str],
    quantiser: int | None,
    gop: int,
    b_frames: int,
) -> None:
    path = encode(tmp_path / "x.mp4", footage, options, quantiser=quantiser, gop=gop, b_frames=b_frames)
    result = compare(M, packets_of(path))
    assert result.differing == 0
    assert result.not_read == 0
    assert result.not_exported <= 1
    assert result.frames >= 6
    assert result.blocks >= result.frames * 60
    if "+mv4" in options.get("flags", ""):
        assert result.eight > 100
    if "ps" not in options:
        assert result.overwritten == 0


@pytest.mark.parametrize(("width", "height"), [(32, 16), (40, 200), (350, 50)])
def test_vectors_at_the_borders_of_odd_sizes(tmp_path: Path, width: int, height: int) -> None:
    frames = [as_frame(p[:height, :width]) for p in drawn_footage(14, 352, 224, seed=3)]
    result = compare(M, packets_of(encode(tmp_path / "x.mp4", frames, {"flags": "+mv4"}, quantiser=4)))
    assert (result.differing, result.not_read, result.frames) == (0, 0, 12)


@pytest.mark.parametrize(
    "name",
    [
        "street_mpeg4_part2.mp4",
        "bryanyzhu__v_Basketball_g01_c01.avi",
        "PaddlePaddle__paddle_example.avi",
        "QwenLM__qwen-vl-finetune_demo_videos_v_rBMQFpHspmo.mp4",
    ],
)
def test_vectors_of_real_files_equal_libavcodecs(name: str) -> None:
    path = DATA / "originals" / name
    if not path.is_file():
        pytest.skip(f"no research data: {path}")
    stream = packets_of(path)
    stream = Stream(stream.extradata, stream.packets[:60])
    result = compare(M, stream)
    assert (result.differing, result.overwritten, result.not_read) == (0, 0, 0)
    assert result.frames >= 50


@pytest.mark.parametrize(
    ("options", "quantiser"),
    [
        ({"flags": "+mv4"}, 3),
        ({"flags": "+mv4"}, 12),
        ({"flags": "+mv4", "mpeg_quant": "1"}, 4),
        ({"flags": "+mv4", "mpeg_quant": "1"}, 17),
        ({"flags": "+mv4", "ps": "120"}, 4),
        ({"flags": "+mv4", "lumi_mask": "0.5", "b": "300k"}, None),  # the quantiser changes within a frame
        ({"flags": "+qpel"}, 4),
        ({"flags": "+mv4+qpel"}, 3),
        ({"flags": "+mv4+qpel"}, 14),
        ({"flags": "+mv4+qpel", "mpeg_quant": "1"}, 6),
    ],
)
def test_residual_means_and_energy_are_the_decoders(
    footage: list[VideoFrame], tmp_path: Path, options: dict[str, str], quantiser: int | None
) -> None:
    stream = packets_of(encode(tmp_path / "x.mp4", footage[:14], options, quantiser=quantiser))
    reader = M.Mpeg4Reader(stream.extradata)
    native = [f for p in stream.packets for f in reader.feed(p)]
    decoded = decode(stream, planes=True)
    assert [f.type for f in native] == [d.type for d in decoded]
    quarter = "qpel" in options["flags"]
    coded = skipped = 0
    sizes: set[int] = set()
    odd = 0
    for before, now, frame in zip(decoded, decoded[1:], native[1:], strict=False):
        if frame.type != "P":
            continue
        inter = ~frame.intra
        field = block_vectors(frame.vectors, *inter.shape)
        sizes |= set(frame.vectors["w"].tolist())
        odd += int((frame.vectors["motion_x"] % 2 | frame.vectors["motion_y"] % 2).sum())
        if quarter:
            predicted = predict_quarter(before.planes, frame.vectors, field, frame.vop.rounding)
        else:
            predicted = predict(before.planes, field, frame.vop.rounding)
        for plane, cell in ((0, 16), (1, 8), (2, 8)):
            residual = now.planes[plane].astype(np.int64) - predicted[plane]
            # Where the decoder cut a sample to 0 or 255, the picture does not show the whole residual.
            cut = np.isin(now.planes[plane], (0, 255)).astype(np.int64)
            use = inter & (cell_means(cut, cell) == 0)
            ours = frame.residual_means[plane].astype(np.float64)
            # Each sample of the decoder's is rounded to a level, all of a flat block in the same direction.
            assert np.abs(ours - cell_means(residual, cell))[use].max() <= 0.55
            assert np.abs(ours - cell_means(residual, cell))[use].mean() <= 0.12
            if plane == 0:
                mean_square = cell_means(residual * residual, cell)
                assert np.abs(np.sqrt(frame.energy) - np.sqrt(mean_square))[use].max() <= 0.55
                still = use & (frame.energy == 0)
                assert mean_square[still].max(initial=0) == 0
                coded += int((use & (mean_square > 4)).sum())
                skipped += int(still.sum())
    assert coded > 150
    assert skipped > 50
    assert odd > 20
    assert sizes == ({8, 16} if "+mv4" in options["flags"] else {16})


def test_what_libavcodec_overwrites_it_had_used_before(plain: Stream) -> None:
    # See mpeg4_streams.is_overwritten: the pictures show which of the two vectors is the true one.
    reader = M.Mpeg4Reader(plain.extradata)
    native = [f for p in plain.packets for f in reader.feed(p)]
    decoded = decode(plain, planes=True)
    found = told_apart = 0
    for before, now, frame in zip(decoded, decoded[1:], native[1:], strict=False):
        if frame.type != "P" or now.vectors is None:
            continue
        ours, theirs = frame.vectors, now.vectors
        spoiled = [i for i in np.flatnonzero(ours != theirs) if is_overwritten(ours, theirs, int(i))]
        if not spoiled:
            continue
        shape = frame.intra.shape
        true, zeroed = (
            now.planes[0] - predict(before.planes, block_vectors(v, *shape), frame.vop.rounding)[0]
            for v in (ours, theirs)
        )
        for i in spoiled:
            y, x = int(ours[i]["dst_y"]) // 16, int(ours[i]["dst_x"]) // 16
            cell = slice(16 * y, 16 * y + 16), slice(16 * x, 16 * x + 16)
            rms = np.sqrt(frame.energy[y, x])
            found += 1
            assert abs(np.sqrt((true[cell] ** 2).mean()) - rms) <= 0.55
            told_apart += abs(np.sqrt((zeroed[cell] ** 2).mean()) - rms) > 1
    assert found >= 1
    assert told_apart >= 1


def test_displacements_are_the_mean_vectors_in_pixels(plain: Stream) -> None:
    reader = M.Mpeg4Reader(plain.extradata)
    frames = [f for p in plain.packets for f in reader.feed(p) if f.type == "P"]
    for frame in frames:
        rows, columns = frame.intra.shape
        field = block_vectors(frame.vectors, rows, columns).astype(np.float64)
        means = field.reshape(rows, 2, columns, 2, 2).mean(axis=(1, 3)) / 2
        assert np.array_equal(frame.displacements, means.transpose(2, 0, 1).astype(np.float32))
        assert not frame.displacements[:, frame.intra].any()


def test_arrays_outlive_their_frame_and_reader(plain: Stream) -> None:
    frame = M.Mpeg4Reader(plain.extradata).feed(plain.packets[0])
    reader = M.Mpeg4Reader(plain.extradata)
    reader.feed(plain.packets[0])
    frame = reader.feed(plain.packets[1])[0]
    kept = frame.residual_means, frame.energy, frame.vectors, frame.intra
    copies = [k.copy() for k in kept]
    del frame, reader
    for k, c in zip(kept, copies, strict=True):
        assert np.array_equal(k, c)


def test_frames_of_any_packet_can_be_read_alone(plain: Stream) -> None:
    whole = M.Mpeg4Reader(plain.extradata)
    frames = [f for p in plain.packets for f in whole.feed(p)]
    chosen = M.Mpeg4Reader(plain.extradata)
    for i, packet in enumerate(plain.packets):
        if i % 5 != 3:
            infos = chosen.look(packet)
            assert [(v.type, v.time_ticks) for v in infos] == [(frames[i].type, frames[i].vop.time_ticks)]
            continue
        (frame,) = chosen.feed(packet)
        assert frame.vop.reference_ticks == frames[i].vop.reference_ticks
        assert np.array_equal(frame.vectors, frames[i].vectors)
        assert np.array_equal(frame.energy, frames[i].energy)


def test_many_threads_read_what_one_reads(plain: Stream) -> None:
    def read(_: int) -> list[bytes]:
        reader = M.Mpeg4Reader(plain.extradata)
        frames = [f for p in plain.packets for f in reader.feed(p) if f.type == "P"]
        return [f.vectors.tobytes() + f.energy.tobytes() for f in frames]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(read, range(8)))
    assert all(r == results[0] for r in results)
    assert len(results[0]) > 10
