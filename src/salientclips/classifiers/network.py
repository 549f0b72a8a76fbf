"""Runs a network as a clip classifier: clips in, probabilities out, the same bits every time.

On the CPU torch's convolutions add up in another order when the number of threads or the size of the batch
changes, and probabilities move in the seventh digit (measured with r3d_18 and r2plus1d_18). So every clip
is computed alone by exactly one thread, and several clips run side by side: the result does not depend on
the number of cores nor on the company of a clip, and for the K clips of a video it is as fast as threads
inside a clip. The price: a single clip uses a single core. On a GPU clips go in batches and the promise is
closeness, not bits.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from torch import nn

from ..errors import InputError
from .protocol import ClipInput


@dataclass(frozen=True)
class NetworkClassifier:
    """A network that keeps :class:`~salientclips.classifiers.protocol.ClipClassifier`."""

    name: str
    """The name that users pass."""
    input: ClipInput
    """Clip length, frame step, size, normalisation, cost."""
    labels: tuple[str, ...]
    """Class names (num_classes,)."""
    network: nn.Module = field(repr=False)
    """(B, 3, T, H, W) to logits (B, num_classes); in eval mode, on ``device``."""
    device: torch.device
    """Where the network runs."""
    weights: str
    """Where its numbers come from, for reports: a path, a URL, ``"random (seed 0)"`` ..."""
    batch_size: int = 8
    """Clips at a time on a GPU."""
    threads: int | None = None
    """Clips side by side on the CPU; None for torch's number of threads. No bit of the result changes."""

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Class probabilities of a batch of clips.

        Args:
            clips: float32 (B, 3, T, H, W) as :func:`~salientclips.classifiers.prepare_clip` makes them.

        Returns:
            float32 (B, num_classes) on the CPU; each row sums to 1.

        Raises:
            InputError: The clips have another shape or dtype than ``input`` says.
        """
        side = self.input.crop_px
        wanted = (3, self.input.frames, side, side)
        if clips.ndim != 5 or tuple(clips.shape[1:]) != wanted or clips.dtype != torch.float32:
            raise InputError(
                f"{self.name} cannot take {clips.dtype} {tuple(clips.shape)}",
                f"give float32 (B, {', '.join(map(str, wanted))})",
            )
        if len(clips) == 0:
            return torch.empty(0, len(self.labels))
        if self.device.type == "cpu":
            return self._side_by_side(clips)
        return torch.cat([self._probabilities(part).cpu() for part in torch.split(clips, self.batch_size)])

    def _side_by_side(self, clips: torch.Tensor) -> torch.Tensor:
        before = torch.get_num_threads()
        workers = min(self.threads or before, len(clips))
        try:
            # set_num_threads(1) binds the pool's own threads; the caller's setting is put back below,
            # because new threads would inherit the last one set.
            with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                return torch.cat(list(pool.map(self._probabilities, torch.split(clips, 1))))
        finally:
            torch.set_num_threads(before)

    def _probabilities(self, clips: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            logits = self.network(clips.to(self.device))
            return torch.softmax(logits.float(), dim=1)
