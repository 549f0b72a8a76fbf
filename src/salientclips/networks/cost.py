"""What a network costs: parameters and multiply-adds, counted, not copied from papers.

The paper's tables set accuracy against run time; evaluation reports the multiply-adds that a selection
saves. Counting runs the network on torch's ``meta`` device: shapes only, no numbers, well under a second.
"""

from __future__ import annotations

import torch
from torch import nn


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers in a network (batch-norm statistics are not among them).

    Args:
        network: On any device.

    Returns:
        How many there are.
    """
    return sum(p.numel() for p in network.parameters())


def count_macs(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Cost of one pass.

    Args:
        network: On the ``meta`` device.
        input_shape: Of the input, batch first.

    Returns:
        Multiply-adds in convolutions and matrix products, the unit of the papers (torch's counter counts a
        multiplication and an addition as two).
    """
    # Here and not above: it loads a good part of torch's compiler, and loading a sampler needs none of it.
    from torch.utils.flop_counter import FlopCounterMode

    example = torch.empty(input_shape, device="meta")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.eval()(example)
    return int(counter.get_total_flops()) // 2


def count_gflops(network: nn.Module, frames: int, side_px: int) -> float:
    """Cost of one clip.

    Args:
        network: On the ``meta`` device; takes (B, 3, T, H, W).
        frames: T.
        side_px: H = W, pixels.

    Returns:
        10^9 multiply-adds, as :func:`count_macs` counts them.
    """
    return count_macs(network, (1, 3, frames, side_px, side_px)) / 1e9
