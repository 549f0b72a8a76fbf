"""The learned sampler: SCSampler itself (paper, section 3), with its card, loaded, shared and used like any other.

Its networks look at MD, RGB-R, I-frames and sound; saliency.py runs them, combine.py puts sound and picture together,
sharing.py saves and loads. Here is what keeps it honest: weights that do not fit the card, and features that are not
those it was trained on, are refused; a stream that a video does not have is left out, and a warning says so.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np
import torch
from torch import nn

from ..errors import CardError, WeightsError
from ..media.demux import clip_grid
from ..ranking import Rule
from ..timeline import ClipGrid, ClipSpec
from ..types import ClipFeatures, FeatureParameters
from .card import SamplerCard, Stream
from .card_file import check_card
from .combine import combine, rule_of
from .evidence import Judged, VideoEvidence
from .nets import network_for
from .saliency import Runner, Scores

_UNUSED = "num_batches_tracked"
_MOST_LONGER = 1.1
"""Clips that are longer or shorter than those of training by more than this factor are worth a warning."""


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

    The networks are copied, set to eval mode and never changed afterwards: training may go on with its own.
    """

    card: SamplerCard
    """What it is."""
    networks: Mapping[Stream, nn.Module]
    """One network a stream of the card: float32 (B, C, h, w) to logits (B, outputs)."""
    device: torch.device | str = "cpu"
    """Where they run. On the CPU the scores are the same bits every time."""
    threads: int | None = None
    """Groups of clips judged side by side on the CPU; None for torch's number of threads. No bit changes."""

    def __post_init__(self) -> None:
        check_card(self.card)
        _check_networks(self.card, self.networks)
        device = torch.device(self.device)
        kept = {s.stream: _frozen(self.networks[s.stream], device) for s in self.card.streams}
        object.__setattr__(self, "networks", kept)
        object.__setattr__(self, "device", device)

    @property
    def name(self) -> str:
        """The card's name; what a score file says made its scores."""
        return self.card.name

    @property
    def rule(self) -> Rule:
        """``"av-union-list"`` for that combination, else ``"top"``."""
        return rule_of(self.card.combination)

    @property
    def clip_spec(self) -> ClipSpec:
        """The clips that it was trained on; those that ``score`` makes where nothing else is said."""
        return self.card.clip

    @property
    def feature_parameters(self) -> FeatureParameters:
        """The streams of the card, and as many frames a clip."""
        return FeatureParameters(self.card.frames_per_clip, tuple(s.stream for s in self.card.streams))

    @property
    def parameters(self) -> dict[str, float | int | str]:
        """A hash of the weights, and what is combined how: two that agree here give the same numbers."""
        found: dict[str, float | int | str] = {
            "weights": self.weights_hash,
            "short_side_cells": self.card.short_side_cells,
            "feature_version": self.card.feature_version,
            "objectives": " ".join(f"{s.stream}:{s.objective}" for s in self.card.streams),
        }
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
        for stream in self.card.streams:
            digest.update(repr((stream.stream, stream.architecture, stream.mean, stream.std)).encode())
            for name, tensor in sorted(self.networks[stream.stream].state_dict().items()):
                if not name.endswith(_UNUSED):
                    digest.update(repr((name, tuple(tensor.shape))).encode())
                    digest.update(tensor.cpu().contiguous().numpy().tobytes())
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
        warning = _other_length(evidence.grid, clip_grid(evidence.table, self.card.clip))
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
        is_visual = want.features != ("audio",)
        if is_visual and have.frames_per_clip != want.frames_per_clip:
            raise CardError(
                f"the features are of {have.frames_per_clip} frames a clip, '{self.name}' looks at"
                f" {want.frames_per_clip}",
                f"read {want.frames_per_clip} frames a clip (0 is all)",
            )
        return self._judge(video.clips)

    def _judge(self, clips: Iterable[ClipFeatures]) -> Judged:
        assert isinstance(self.device, torch.device)
        streams = Runner(self.card, self.networks, self.device, self.threads).run(clips)
        warnings = [w for s in self.card.streams if (w := _absence(s.stream, streams[s.stream]))]
        if self.card.combination is None:
            scores = streams.get("visual", streams.get("audio"))
            assert scores is not None
        else:
            scores = combine(
                self.card.combination,
                streams["visual"],
                streams["audio"],
                visual_weight=self.card.visual_weight,
                scale=self.card.score_scale,
            )
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
            MissingExtraError: torch, torchvision, safetensors or huggingface_hub does not load.
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


def _frozen(network: nn.Module, device: torch.device) -> nn.Module:
    kept = copy.deepcopy(network).eval().requires_grad_(False)
    # Convolutions of small grids are faster by a third with the channels innermost.
    return kept.to(device=device, dtype=torch.float32).to(memory_format=torch.channels_last)


def _check_networks(card: SamplerCard, networks: Mapping[Stream, nn.Module]) -> None:
    """Whether each network is what the card says, tensor by tensor."""
    for stream in card.streams:
        if stream.stream not in networks:
            raise WeightsError(f"'{card.name}' has no network for {stream.stream}", "give one a stream")
        with torch.device("meta"):
            meant = network_for(stream.stream, stream.architecture, _outputs(card, stream.objective))
        wanted = {name: tuple(t.shape) for name, t in meant.state_dict().items()}
        given = {name: tuple(t.shape) for name, t in networks[stream.stream].state_dict().items()}
        if wanted != given:
            differ = sorted(n for n in {*wanted, *given} if wanted.get(n) != given.get(n))
            raise WeightsError(
                f"the {stream.stream} network of '{card.name}' is not the {stream.architecture} of its card:"
                f" {', '.join(differ[:3])} differ",
                "build it with network_for",
            )


def _outputs(card: SamplerCard, objective: str) -> int:
    return len(card.classes) if objective == "ac" else 1


def _absence(stream: str, scores: Scores) -> str:
    lost, count = int(np.isnan(scores).sum()), len(scores)
    if lost == 0:
        return ""
    if lost == count:
        return f"the video gives nothing of {stream}: the sampler judged without it"
    return f"{lost} of {count} clips give nothing of {stream} and were judged without it"


def _other_length(grid: ClipGrid, trained: ClipGrid) -> tuple[str, ...]:
    if len(grid) == 0 or len(trained) == 0:
        return ()
    here_s = median((grid.end_s - grid.start_s).tolist())
    there_s = median((trained.end_s - trained.start_s).tolist())
    if max(here_s, there_s) <= _MOST_LONGER * min(here_s, there_s):
        return ()
    return (f"the clips are {here_s:.2f} s long, those that the sampler was trained on {there_s:.2f} s",)
