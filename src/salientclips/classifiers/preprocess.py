"""Decoded frames to what a network is fed: resize, centre crop, normalise.

The frames are bytes again after the resize, as in the pipelines that the published networks were trained
and measured with; so frames that the decoder already delivered at the wanted size give the very same
tensor. It is torchvision's ``VideoClassification`` transform to the bit where ``antialias`` is False (tests
hold it to that), without torchvision. Time is not sampled here: the caller decodes the T frames that it
wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..networks.extras import require
from .protocol import ClipInput

if TYPE_CHECKING:
    import torch


def prepare_clip(frames: npt.NDArray[np.uint8] | torch.Tensor, spec: ClipInput) -> torch.Tensor:
    """Turn the frames of one clip into network input.

    Args:
        frames: uint8 (T, H, W, 3) RGB in display orientation, T = ``spec.frames``. Left unchanged.
        spec: What the network wants. With ``resize_px`` an int, frames whose shorter side has that length
            already are not resized, whatever their longer side.

    Returns:
        float32 (3, T, crop, crop): ``(RGB / 255 - mean) / std``.

    Raises:
        InputError: Wrong shape, dtype or number of frames, or a resized frame is smaller than the crop.
        MissingExtraError: torch does not load.
    """
    require("torch", "torch")
    import torch

    shape, kind = tuple(frames.shape), str(frames.dtype).removeprefix("torch.")
    if kind != "uint8" or len(shape) != 4 or shape[3] != 3:
        raise InputError(f"a clip of {kind} {shape} is no RGB clip", "give uint8 frames (T, H, W, 3)")
    if shape[0] != spec.frames:
        raise InputError(f"a clip has {shape[0]} frames", f"the classifier wants {spec.frames}")
    # A decoder may hand over a read-only view, of which torch would warn; it is only read here.
    source = torch.from_numpy(_writable(frames)) if isinstance(frames, np.ndarray) else frames
    pixels = source.permute(0, 3, 1, 2)
    size = resized_shape(int(shape[1]), int(shape[2]), spec.resize_px)
    if size != (shape[1], shape[2]):
        pixels = _resize(pixels, size, spec.antialias)
    pixels = _centre_crop(pixels, spec.crop_px).float().div_(255)
    mean, std = (torch.tensor(v, dtype=torch.float32).view(1, 3, 1, 1) for v in (spec.mean, spec.std))
    return pixels.sub_(mean).div_(std).permute(1, 0, 2, 3).contiguous()


def shrink_frames(frames: npt.NDArray[np.uint8], spec: ClipInput) -> npt.NDArray[np.uint8]:
    """Do the first step of :func:`prepare_clip`, the resize, on some frames of a clip.

    A clip of large frames can so be made small as it is decoded; the whole clip then passes through
    :func:`prepare_clip` unchanged in size, to the same tensor.

    Args:
        frames: uint8 (n, H, W, 3) RGB in display orientation, any n.
        spec: What the network wants.

    Returns:
        uint8 (n, h, w, 3), ``h`` and ``w`` as :func:`resized_shape` says.

    Raises:
        MissingExtraError: torch does not load.
    """
    size = resized_shape(frames.shape[1], frames.shape[2], spec.resize_px)
    if size == frames.shape[1:3]:
        return frames
    require("torch", "torch")
    import torch

    pixels = torch.from_numpy(_writable(frames)).permute(0, 3, 1, 2)
    resized: npt.NDArray[np.uint8] = _resize(pixels, size, spec.antialias).permute(0, 2, 3, 1).numpy()
    return resized


def resized_shape(height_px: int, width_px: int, resize_px: tuple[int, int] | int) -> tuple[int, int]:
    """The size of a frame after the resize.

    Args:
        height_px: Height before, pixels.
        width_px: Width before, pixels.
        resize_px: As :attr:`ClipInput.resize_px`.

    Returns:
        (height, width) in pixels; with the shorter side given, the longer one is rounded down as
        torchvision does.
    """
    if isinstance(resize_px, tuple):
        return resize_px
    shorter, longer = sorted((height_px, width_px))
    if shorter == resize_px:
        return height_px, width_px
    other = resize_px * longer // shorter
    return (resize_px, other) if height_px <= width_px else (other, resize_px)


def _writable(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return frames if frames.flags.writeable else frames.copy()


def _resize(pixels: torch.Tensor, size: tuple[int, int], antialias: bool) -> torch.Tensor:
    """Bilinear; bytes (T, 3, H, W) in, bytes out."""
    from torch.nn.functional import interpolate

    resized = interpolate(
        pixels.float(), size=size, mode="bilinear", align_corners=False, antialias=antialias
    )
    return resized.round_().clamp_(0, 255).to(pixels.dtype)


def _centre_crop(pixels: torch.Tensor, side: int) -> torch.Tensor:
    height, width = pixels.shape[2:]
    if height < side or width < side:
        raise InputError(
            f"frames of {width}x{height} pixels are smaller than the crop of {side}",
            "let the decoder or resize_px make them larger",
        )
    # Python rounds halves to even; torchvision's center_crop does the same, and a pixel matters for parity.
    top, left = round((height - side) / 2), round((width - side) / 2)
    return pixels[:, :, top : top + side, left : left + side]
