"""What of the training can be otherwise, with defaults that were chosen on validation data (docs/decisions.md).

The paper names the objectives; margin, pairs, ties, optimiser, rate and epochs stand nowhere that we could read.
Imports no torch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from ..errors import InputError, UnknownNameError

PairWeight = Literal["equal", "gap"]
PAIR_WEIGHTS: tuple[PairWeight, ...] = ("equal", "gap")
SalClTarget = Literal["right", "surety"]
SAL_CL_TARGETS: tuple[SalClTarget, ...] = ("right", "surety")


@dataclass(frozen=True)
class TrainingOptions:
    """How networks are trained; every one of them goes into the sampler's card.

    Raises:
        InputError: A number is out of range.
        UnknownNameError: There is no such ``pair_weight`` or ``sal_cl_target``.
    """

    margin: float = 1.0
    """SAL-RANK: by how much the better clip's score must exceed the other's (eta)."""
    pairs_per_video: int = 0
    """SAL-RANK: pairs drawn of the clips of a visit; 0 for all of them."""
    tie_gap: float = 0.05
    """SAL-RANK: two clips whose probabilities of the true class differ by no more than this are no pair."""
    pair_weight: PairWeight = "equal"
    """SAL-RANK: whether all pairs count the same, or by how far f's probabilities differ."""
    sal_cl_target: SalClTarget = "right"
    """SAL-CL: what is learned of a clip: whether f is right (the poster), or f's probability of the true class, which
    distils more of what f says."""
    epochs: int = 20
    """Most often that each video is visited."""
    patience: int = 6
    """Training ends when this many epochs brought nothing better on the validation videos; 0 for never."""
    videos_per_batch: int = 8
    """Videos of one step."""
    clips_per_video: int = 8
    """Clips drawn of a video at a visit."""
    frames_per_visit: int = 1
    """Frames drawn of a clip at a visit; a clip's score is the mean over them."""
    learning_rate: float = 3e-3
    """Of AdamW, at its height; it rises over the first tenth of the steps and falls along a cosine."""
    weight_decay: float = 0.01
    """Of AdamW, no unit."""
    flip: bool = True
    """Whether half of the clips are mirrored, horizontal displacements with them."""
    zoom: float = 1.25
    """Clips are enlarged by up to this factor and cut at a place drawn by lot; 1 for never."""
    speed: float = 1.0
    """Displacements are multiplied or divided by up to this, as if the frame rate were another; 1 for never."""
    seed: int = 0
    """Seed of everything that is drawn by lot."""

    def __post_init__(self) -> None:
        at_least = {
            "margin": 0.0,
            "pairs_per_video": 0,
            "tie_gap": 0.0,
            "epochs": 1,
            "patience": 0,
            "videos_per_batch": 1,
            "clips_per_video": 2,
            "frames_per_visit": 1,
            "learning_rate": 0.0,
            "weight_decay": 0.0,
            "zoom": 1.0,
            "speed": 1.0,
            "seed": 0,
        }
        for name, least in at_least.items():
            value = getattr(self, name)
            if not least <= value < float("inf"):
                raise InputError(f"{name} = {value} is impossible", f"give at least {least:g}")
        if self.learning_rate == 0:
            raise InputError("a learning rate of 0 teaches nothing", "give more than 0")
        if self.pair_weight not in PAIR_WEIGHTS:
            raise UnknownNameError("pair weight", self.pair_weight, PAIR_WEIGHTS)
        if self.sal_cl_target not in SAL_CL_TARGETS:
            raise UnknownNameError("target of sal-cl", self.sal_cl_target, SAL_CL_TARGETS)

    def as_card(self) -> dict[str, float | int | str]:
        """All of it, as a sampler's card keeps it.

        Returns:
            Every field by its name; truth values as 0 and 1.
        """
        return {name: int(v) if isinstance(v, bool) else v for name, v in asdict(self).items()}
