"""What a clip classifier is to this package: a callable with its input format on its sleeve.

The paper's f maps a clip ``v(i)`` in R^(F x 3 x H x W) to ``[0, 1]^C`` (poster, "The problem"). Any
callable that keeps :class:`ClipClassifier` works; no base class is needed. torch is imported for type
checking only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..timeline import ClipSpec

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ClipInput:
    """What a classifier wants to be fed, and what it costs."""

    frames: int
    """Frames of a clip (T)."""
    frame_step: int
    """Source frames from one frame of the clip to the next."""
    resize_px: tuple[int, int] | int
    """Before the crop: (height, width), or the shorter side with the aspect ratio kept; pixels."""
    crop_px: int
    """Side of the square centre crop, pixels (H = W)."""
    mean: tuple[float, float, float]
    """Subtracted from RGB in [0, 1]."""
    std: tuple[float, float, float]
    """Divides RGB after the mean was subtracted."""
    gflops: float | None
    """Cost of one clip, 10^9 multiply-adds; None where it is not known."""
    antialias: bool = True
    """Whether shrinking averages over the pixels it drops; False as torchvision's published transforms do."""

    @property
    def clip_spec(self) -> ClipSpec:
        """Clips as long as the ones that the classifier was trained on: how a video is divided for it."""
        return ClipSpec(self.frames, self.frame_step)


class ClipClassifier(Protocol):
    """f of the paper: a clip to class probabilities."""

    @property
    def name(self) -> str:
        """The name that users pass, for example ``"r2plus1d_18"``."""

    @property
    def input(self) -> ClipInput:
        """Clip length, frame step, size, normalisation, cost."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names (num_classes,), in order of the output."""

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Class probabilities of a batch of clips.

        Args:
            clips: float32 (B, 3, T, H, W), normalised as ``input`` says.

        Returns:
            float32 (B, num_classes); each row sums to 1.
        """
