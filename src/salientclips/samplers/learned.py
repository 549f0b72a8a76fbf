"""The learned sampler: SCSampler itself (paper, section 3), with its card, loaded, shared and used like any other.

Its networks look at MD, RGB-R, I-frames and sound, and rules may stand beside them; saliency.py runs them on whatever
engine it is given, combine.py puts sound and picture together, sharing.py saves and loads. No torch is needed here.
What keeps it honest: weights that do not fit the card, and features that are not those it was trained on, are
refused; a stream that a video does not have is left out, and a warning says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np

from ..errors import CardError
from ..media.demux import clip_grid
from ..ranking import Rule
from ..timeline import ClipGrid, ClipSpec
from ..types import ClipFeatures, FeatureParameters
from .card import SamplerCard, features_of
from .card_file import check_card
from .combine import put_together, rule_of
from .evidence import Judged, VideoEvidence
from .networks import Networks, Scores, check_networks
from .saliency import Runner

_MOST_LONGER = 1.1
"""Clips that are longer or shorter than those of training by more than this factor are worth a warning."""
_MOST_LONGER_OF_ANY = 5.0
"""The same for a sampler that is meant for clips of any usual length."""


class KeptFeatures(Protocol):
    """The features of a whole video, kept: :class:`salientclips.cache.types.VideoFeatures` or the like."""

    @property
    def parameters(self) -> FeatureParameters:
        """What was read."""

    @property
    def clips(self) -> Iterable[ClipFeatures]:
        """One item a clip, in order."""


@dataclass(frozen=True, eq=False)
class LearnedSampler:
    """A sampler with networks; keeps :class:`salientclips.samplers.Sampler`.

    Raises:
        CardError: The card contradicts itself.
        WeightsError: A network is missing, or is not what the card says.
    """

    card: SamplerCard
    """What it is."""
    networks: Networks
    """Its networks, and who computes them: ``TorchNetworks`` or ``PlainNetworks``."""
    threads: int | None = None
    """Groups of clips judged side by side on the CPU; None for what suits the engine. No bit changes."""
    any_length: bool = False
    """Whether it is meant for clips of any usual length, as the released samplers are. It then asks for none, and
    clips five times as long or short as those of its training are warned of, not one and a tenth."""

    def __post_init__(self) -> None:
        check_card(self.card)
        check_networks(self.card, self.networks)

    @property
    def name(self) -> str:
        """The card's name; what a score file says made its scores."""
        return self.card.name

    @property
    def rule(self) -> Rule:
        """``"av-union-list"`` for that combination, else ``"top"``."""
        return rule_of(self.card.combination)

    @property
    def clip_spec(self) -> ClipSpec | None:
        """The clips that ``score`` makes where nothing else is said: those of the training, None for the usual."""
        return None if self.any_length else self.card.clip

    @property
    def feature_parameters(self) -> FeatureParameters:
        """What the streams of the card are made of, and as many frames a clip."""
        return FeatureParameters(self.card.frames_per_clip, features_of(s.stream for s in self.card.streams))

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """A hash of the weights, and what is combined how: two that agree here give the same numbers."""
        found: dict[str, float | int | str] = {
            "weights": self.weights_hash,
            "short_side_cells": self.card.short_side_cells,
            "feature_version": self.card.feature_version,
            "objectives": " ".join(f"{s.stream}:{s.objective}" for s in self.card.streams),
        }
        if self.card.neighbours:
            found["neighbours"] = self.card.neighbours
        if any(s.weight != 1.0 for s in self.card.streams):
            found["stream_weights"] = " ".join(f"{s.stream}:{s.weight:g}" for s in self.card.streams)
        if self.card.combination is not None:
            found["combination"] = self.card.combination
            found["visual_share"] = self.card.visual_share
            found["visual_weight"] = self.card.visual_weight
            found["score_scale"] = self.card.score_scale
        return found

    @cached_property
    def weights_hash(self) -> str:
        """SHA-256 over every tensor and normalisation that decides a number, hexadecimal, the first 16 digits."""
        digest = hashlib.sha256()
        for stream in self.card.networks:
            digest.update(repr((stream.stream, stream.architecture, stream.mean, stream.std)).encode())
            for name, tensor in sorted(self.networks.tensors(stream.stream).items()):
                digest.update(repr((name, tuple(tensor.shape))).encode())
                digest.update(tensor.tobytes())
        return digest.hexdigest()[:16]

    def __call__(self, evidence: VideoEvidence) -> Judged:
        """Score every clip of a video.

        Args:
            evidence: The video; the features of the card's streams are read, once.

        Returns:
            Scores and streams, float64 (num_clips,) each; see :meth:`judge_features`. A warning says so where the
            clips are not as long as those of the training.

        Raises:
            WeightsError: A network gives something that is not a finite number.
            MediaError: The features cannot be read.
        """
        judged = self._judge(evidence.features(self.feature_parameters))
        most = _MOST_LONGER_OF_ANY if self.any_length else _MOST_LONGER
        warning = _other_length(evidence.grid, clip_grid(evidence.table, self.card.clip), most)
        return Judged(judged.scores, judged.streams, (*warning, *judged.warnings))

    def judge_features(self, video: KeptFeatures) -> Judged:
        """Score every clip from features that were read before: evaluation and validation touch no file.

        Args:
            video: Its features. Further ones than the sampler's do no harm. Clip lengths are not compared here.

        Returns:
            ``scores`` float64 (num_clips,), NaN where nothing could be read, and in ``streams`` what each stream
            says, ``visual`` all visual ones together. The bits are those that :meth:`__call__` gives.

        Raises:
            CardError: They are not the features that the sampler was trained on.
            WeightsError: A network gives something that is not a finite number.
        """
        have, want = video.parameters, self.feature_parameters
        missing = [name for name in want.features if name not in have.features]
        if missing:
            raise CardError(
                f"the features lack {', '.join(missing)}, which '{self.name}' looks at",
                f"read {', '.join(want.features)}",
            )
        of_frames = set(want.features) - {"audio", "packets"}
        if of_frames and have.frames_per_clip != want.frames_per_clip:
            raise CardError(
                f"the features are of {have.frames_per_clip} frames a clip, '{self.name}' looks at"
                f" {want.frames_per_clip}",
                f"read {want.frames_per_clip} frames a clip (0 is all)",
            )
        return self._judge(video.clips)

    def _judge(self, clips: Iterable[ClipFeatures]) -> Judged:
        streams = Runner(self.card, self.networks, self.threads).run(clips)
        # Where one stream is all, such clips have no score, which whoever asked for scores says.
        others = self.card.streams if len(self.card.streams) > 1 else ()
        warnings = [w for s in others if (w := _absence(s.stream, streams[s.stream]))]
        scores, streams = put_together(self.card, streams)
        return Judged(scores, streams, tuple(warnings))

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write the sampler; see :func:`salientclips.samplers.sharing.save`.

        Args:
            folder: Made where it does not exist; its files of the same names are replaced.

        Returns:
            The folder.

        Raises:
            InputError: It cannot be written to.
            CardError: The card could not be read back.
        """
        from .sharing import save

        return save(self, Path(folder))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        device: str = "cpu",
        threads: int | None = None,
    ) -> LearnedSampler:
        """Load a sampler; see :func:`salientclips.samplers.sharing.load`.

        Torch computes it. Where torch or torchvision does not load and the device is the CPU, numpy does; the two
        agree to about 1e-5.

        Args:
            source: A folder, or the name of a repository on the Hugging Face hub.
            revision: Branch, tag or commit there.
            device: ``"cpu"``, ``"auto"`` (CUDA where there is one), or torch's name of a device.
            threads: As the field.

        Returns:
            The sampler.

        Raises:
            CardError: The card is damaged, or of features of another version.
            WeightsError: There is no such sampler, or the weights do not fit the card.
            InputError: The device is not there.
            MissingExtraError: huggingface_hub does not load, or torch, and another device than the CPU is wanted.
        """
        from .sharing import load

        return load(source, revision=revision, device=device, threads=threads)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        commit_message: str = "Add a sampler",
        token: str | None = None,
    ) -> str:
        """Upload the sampler to the Hugging Face hub; see :func:`salientclips.samplers.sharing.push`.

        Args:
            repo_id: ``"user/name"``; made where it does not exist.
            private: Whether a new repository is private.
            commit_message: First line of the commit.
            token: As for huggingface_hub; None for the one that its login stored.

        Returns:
            The URL of the commit.

        Raises:
            InputError: The hub refused.
            MissingExtraError: huggingface_hub does not load.
        """
        from .sharing import push

        return push(self, repo_id, private=private, commit_message=commit_message, token=token)


def _absence(stream: str, scores: Scores) -> str:
    lost, count = int(np.isnan(scores).sum()), len(scores)
    if lost == 0:
        return ""
    if lost == count:
        return f"the video gives nothing of {stream}: the sampler judged without it"
    return f"{lost} of {count} clips give nothing of {stream} and were judged without it"


def _other_length(grid: ClipGrid, trained: ClipGrid, most: float) -> tuple[str, ...]:
    if len(grid) == 0 or len(trained) == 0:
        return ()
    here_s = median((grid.end_s - grid.start_s).tolist())
    there_s = median((trained.end_s - trained.start_s).tolist())
    if max(here_s, there_s) <= most * min(here_s, there_s):
        return ()
    return (f"the clips are {here_s:.2f} s long, those that the sampler was trained on {there_s:.2f} s",)
