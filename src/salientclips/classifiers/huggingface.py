"""Any video classifier of Hugging Face transformers (``hf:NAME``): VideoMAE, TimeSformer, V-JEPA 2 ...

Not in the paper, which is older than transformers for video; a clip classifier is a clip classifier. The
model's own files say how it is fed: ``config.json`` (frames, classes) and the processor's JSON (size, crop,
statistics). A folder is read offline; the network is asked only for a hub name. What the files do not say
is the step between frames: 4 unless the caller gives ``frame_step`` (VideoMAE on Kinetics). Resizing is
bilinear even where a processor says bicubic.
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError, WeightsError
from ..networks.cost import count_gflops
from ..networks.extras import require
from .protocol import ClipInput

_DEFAULT_STEP = 4


class _Logits(nn.Module):
    """Our axis order and plain logits around a transformers model."""

    def __init__(self, model: nn.Module, input_name: str) -> None:
        super().__init__()
        self.model, self.input_name = model, input_name

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        # They want time before channels: (B, T, 3, H, W).
        output = self.model(**{self.input_name: clips.transpose(1, 2).contiguous()})
        logits: torch.Tensor = output.logits
        return logits


@dataclass(frozen=True)
class HuggingFaceModel:
    """A transformers model, ready to run."""

    network: nn.Module
    """(B, 3, T, H, W) to logits."""
    input: ClipInput
    """How it is fed."""
    labels: tuple[str, ...]
    """From its configuration."""
    weights: str
    """Where its numbers come from."""


def load(name_or_folder: str, *, random_seed: int | None = None) -> HuggingFaceModel:
    """Load a video classifier of transformers.

    Args:
        name_or_folder: A folder that ``save_pretrained`` wrote (read offline), else a name on the hub.
        random_seed: If given, only the configuration is read and the weights are drawn from this seed.

    Returns:
        The model.

    Raises:
        InputError: It is no video classifier, or its processor cannot be expressed as resize, square crop and
            normalisation.
        WeightsError: Files are missing, the hub cannot be reached, or the weights do not fill the model.
        MissingExtraError: transformers is absent or does not load.
    """
    transformers = require("transformers", "hf")
    folder = Path(os.path.expanduser(name_or_folder))
    source = str(folder) if folder.is_dir() else name_or_folder
    # Else transformers would ask at the terminal whether to run code of a repository.
    options = {"local_files_only": folder.is_dir(), "trust_remote_code": False}
    with _quiet(transformers):
        try:
            config = transformers.AutoConfig.from_pretrained(source, **options)
            processor = _processor(transformers, source, options)
            model = _model(transformers, source, config, options, random_seed)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(
                f"'{name_or_folder}' cannot be loaded as a Hugging Face video classifier ({reason})",
                "give a folder written by save_pretrained with its processor, or a hub name and a network",
            ) from error
    network = _Logits(model, str(model.main_input_name))
    frames = int(getattr(config, "num_frames", None) or getattr(config, "frames_per_clip", None) or 16)
    side, resize = _sizes(processor, source)
    mean, std = _statistics(processor)
    spec = ClipInput(
        frames=frames,
        frame_step=_DEFAULT_STEP,
        resize_px=resize,
        crop_px=side,
        mean=mean,
        std=std,
        gflops=_gflops(network, frames, side),
    )
    labels = tuple(str(config.id2label[i]) for i in range(config.num_labels))
    weights = source if random_seed is None else f"random (seed {random_seed})"
    return HuggingFaceModel(network, spec, labels, weights)


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No progress bars and no warnings of what becomes an error here anyway."""
    log = transformers.logging
    verbosity, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity(logging.ERROR)
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(verbosity)
        if bars:
            log.enable_progress_bar()


def _processor(transformers: Any, source: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The processor's JSON: an image processor's (VideoMAE), else a video processor's (V-JEPA 2)."""
    try:
        found = transformers.AutoImageProcessor.from_pretrained(source, use_fast=False, **options)
    except (OSError, ValueError):
        found = transformers.AutoVideoProcessor.from_pretrained(source, **options)
    content: Mapping[str, Any] = found.to_dict()
    return content


def _model(
    transformers: Any, source: str, config: Any, options: Mapping[str, Any], random_seed: int | None
) -> Any:
    auto = transformers.AutoModelForVideoClassification
    if random_seed is not None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random_seed)
            return auto.from_config(config)
    model, info = auto.from_pretrained(
        source,
        config=config,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        dtype=torch.float32,
        **options,
    )
    # transformers would fill these at random and warn; here that is an error.
    lacking = sorted({*info["missing_keys"], *(str(m[0]) for m in info["mismatched_keys"])})
    if lacking:
        listed = ", ".join(lacking[:3])
        raise WeightsError(
            f"the weights of '{source}' lack {len(lacking)} tensors of its network ({listed})",
            "give a model that was trained for video classification",
        )
    return model


def _sizes(processor: Mapping[str, Any], source: str) -> tuple[int, tuple[int, int] | int]:
    """Crop side, and what to resize to before it, pixels."""
    size, crop = dict(processor.get("size") or {}), dict(processor.get("crop_size") or {})
    resize: tuple[int, int] | int
    if "shortest_edge" in size:
        resize = int(size["shortest_edge"])
    elif "height" in size:
        resize = (int(size["height"]), int(size["width"]))
    else:
        raise InputError(f"the processor of '{source}' names no size", "give a model with a plain image size")
    if processor.get("do_center_crop") and crop:
        height, width = int(crop["height"]), int(crop["width"])
    else:
        height, width = resize if isinstance(resize, tuple) else (resize, resize)
    if height != width:
        raise InputError(f"'{source}' wants {width}x{height} pixels", "only square crops are supported")
    return height, resize


def _statistics(
    processor: Mapping[str, Any],
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The processor's affine map as (x - mean) / std of RGB in [0, 1], whatever its own scaling."""
    scale = 255 * float(processor["rescale_factor"]) if processor.get("do_rescale", True) else 255.0
    # ViViT's subtracts one after scaling bytes to [0, 2].
    offset = 1.0 if processor.get("offset") and processor.get("do_rescale", True) else 0.0
    normalise = bool(processor.get("do_normalize", True))
    means = processor["image_mean"] if normalise else (0.0, 0.0, 0.0)
    stds = processor["image_std"] if normalise else (1.0, 1.0, 1.0)
    a, b, c = ((offset + float(m)) / scale for m in means)
    d, e, f = (float(s) / scale for s in stds)
    return (a, b, c), (d, e, f)


def _gflops(network: nn.Module, frames: int, side: int) -> float | None:
    try:
        return count_gflops(copy.deepcopy(network).to("meta"), frames, side)
    except (RuntimeError, NotImplementedError):  # a model that looks at its numbers cannot run without any
        return None
