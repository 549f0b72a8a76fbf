"""Frames to tensors: parity with torchvision's published transform, and the exact no-op."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from salientclips.classifiers import ClipInput, prepare_clip
from salientclips.classifiers.preprocess import resized_shape
from salientclips.errors import InputError

MEAN, STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
SPEC = ClipInput(4, 1, (128, 171), 112, MEAN, STD, None, antialias=False)


def noise(frames: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(240, 320), (321, 241), (100, 150), (128, 171)])
def test_equals_torchvisions_published_transform_to_the_bit(height: int, width: int) -> None:
    video = pytest.importorskip("torchvision.models.video")
    frames = noise(4, height, width)
    transform = video.R3D_18_Weights.DEFAULT.transforms()
    theirs = transform(torch.from_numpy(frames).permute(0, 3, 1, 2))
    assert torch.equal(prepare_clip(frames, SPEC), theirs)


@pytest.mark.parametrize(("height", "width"), [(256, 456), (452, 256), (256, 256)])
@pytest.mark.parametrize("antialias", [True, False])
def test_frames_of_the_right_size_are_cropped_and_scaled_and_nothing_else(
    height: int, width: int, antialias: bool
) -> None:
    spec = ClipInput(2, 1, 256, 224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), None, antialias)
    frames = noise(2, height, width)
    top, left = (height - 224) // 2, (width - 224) // 2
    cut = frames[:, top : top + 224, left : left + 224]
    back = (prepare_clip(frames, spec) * 0.5 + 0.5).mul(255).round().to(torch.uint8)
    assert np.array_equal(back.permute(1, 2, 3, 0).numpy(), cut)


def test_resizing_first_in_bytes_changes_nothing() -> None:
    # What a decoder that resizes hands over must give the very same tensor.
    spec = replace(SPEC, resize_px=64, crop_px=56, antialias=True)
    frames = noise(4, 96, 200)
    wide = torch.nn.functional.interpolate(
        torch.from_numpy(frames).permute(0, 3, 1, 2).float(), size=(64, 133), mode="bilinear", antialias=True
    )
    small = wide.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert torch.equal(prepare_clip(frames, spec), prepare_clip(small, spec))


def test_antialiasing_averages_what_it_drops() -> None:
    stripes = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    stripes[:, :, ::4] = 255  # one column of four: the mean is a quarter
    spec = ClipInput(1, 1, 16, 16, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), None)
    smooth, harsh = prepare_clip(stripes, spec), prepare_clip(stripes, replace(spec, antialias=False))
    assert smooth[:, :, :, 2:-2].std() < 0.01
    assert smooth.mean().item() == pytest.approx(0.25, abs=0.02)
    assert harsh.mean().item() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("height", "width", "resize", "wanted"),
    [
        (240, 320, 128, (128, 170)),
        (320, 240, 128, (170, 128)),
        (128, 999, 128, (128, 999)),
        (300, 300, 256, (256, 256)),
        (10, 20, (128, 171), (128, 171)),
    ],
)
def test_resized_shape(
    height: int, width: int, resize: int | tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert resized_shape(height, width, resize) == wanted


def test_arrays_tensors_and_read_only_views_give_the_same_and_stay_unchanged() -> None:
    frames = noise(4, 140, 180)
    before = frames.copy()
    locked = frames.copy()
    locked.flags.writeable = False
    tensor = prepare_clip(frames, SPEC)
    assert torch.equal(tensor, prepare_clip(locked, SPEC))
    assert torch.equal(tensor, prepare_clip(torch.from_numpy(frames), SPEC))
    assert np.array_equal(frames, before)
    assert tensor.shape == (3, 4, 112, 112)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()


@pytest.mark.parametrize(
    ("frames", "hint"),
    [
        (np.zeros((4, 128, 171, 3), np.float32), "uint8"),
        (np.zeros((4, 3, 128, 171), np.uint8), "no RGB clip"),
        (np.zeros((3, 128, 171, 3), np.uint8), "has 3 frames"),
    ],
)
def test_wrong_clips_are_refused(frames: np.ndarray, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        prepare_clip(frames, SPEC)


def test_a_crop_larger_than_the_frame_is_refused() -> None:
    with pytest.raises(InputError, match="smaller than the crop"):
        prepare_clip(noise(4, 64, 64), replace(SPEC, resize_px=64))
