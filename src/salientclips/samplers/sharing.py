"""Saves, loads and shares learned samplers in the conventions of the Hugging Face hub.

A sampler is a folder: ``model.safetensors`` (tensors named ``STREAM.NAME``), ``config.json`` (the card, see
card_file.py) and ``README.md`` (the card for people). Files replace older ones only when they are complete. Loading
believes nothing: the card is checked field by field, the weights tensor by tensor, and no code of the folder is run.
Reading and writing need no torch; which engine computes what was read is decided in :func:`load`.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from ..errors import CardError, InputError, MissingExtraError, WeightsError, first_line
from ..folder_lock import alone_in
from ..networks.extras import pick_device, require
from ..networks.misfits import misfits
from ..whole_file import write_atomically
from .card import SamplerCard, Stream, StreamCard
from .card_file import card_from_json, card_to_json
from .layouts import count_trainable, layout, outputs_of
from .learned import LearnedSampler
from .model_card import model_card
from .networks import Networks, Tensors
from .plain_networks import PlainNetworks

WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "config.json"
README_FILE = "README.md"

_MODE = 0o644

_MOST_CARD_BYTES = 20 << 20
_MOST_NUMBER_BYTES = 8
_MOST_HEADER_BYTES = 4 << 20
_UNUSED = "num_batches_tracked"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def save(sampler: LearnedSampler, folder: Path) -> Path:
    """Write a sampler into a folder.

    Args:
        sampler: The sampler.
        folder: Made where it does not exist; its files of the same names are replaced, all of one sampler also where
            two are saved there at once.

    Returns:
        The folder.

    Raises:
        InputError: It cannot be written to.
        CardError: The card could not be read back.
    """
    config = card_to_json(sampler.card)
    tensors = {
        f"{stream.stream}.{name}": np.ascontiguousarray(tensor)
        for stream in sampler.card.networks
        for name, tensor in sampler.networks.tensors(stream.stream).items()
    }
    # "pt": the names and the layout are torch's.
    content = safetensors.numpy.save(tensors, metadata={"format": "pt"})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder):
            # Samplers are for sharing, so that others may read them.
            write_atomically(folder / WEIGHTS_FILE, content, mode=_MODE)
            write_atomically(folder / README_FILE, model_card(sampler.card).encode(), mode=_MODE)
            # Last: a folder with a card has its weights.
            write_atomically(folder / CARD_FILE, config.encode(), mode=_MODE)
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written ({error})", "give a folder you may write to"
        ) from error
    return folder


def load(
    source: str | Path, *, revision: str | None = None, device: str = "cpu", threads: int | None = None
) -> LearnedSampler:
    """Load a sampler from a folder or from the hub.

    Torch computes it where torch and torchvision load. Where they do not, numpy does, if the device is ``"cpu"`` or
    ``"auto"``; their logits agree to about 1e-5.

    Args:
        source: A folder; where there is none of that name, ``"user/name"`` on the hub.
        revision: Branch, tag or commit on the hub.
        device: ``"cpu"``, ``"auto"`` (CUDA where there is one), or torch's name of a device.
        threads: See :class:`LearnedSampler`.

    Returns:
        The sampler.

    Raises:
        CardError: The card is damaged, contradicts itself, or is of features of another version.
        WeightsError: There is no such sampler, or the weights do not fit the card.
        InputError: The device is not there.
        MissingExtraError: huggingface_hub does not load, or torch, and another device than the CPU is wanted.
    """
    stored = read(_folder(source, revision))
    return LearnedSampler(stored.card, _engine(stored, device), threads)


@dataclass(frozen=True, eq=False)
class Stored:
    """What a folder holds, checked."""

    card: SamplerCard
    weights: dict[Stream, Tensors]
    """All tensors of each network, float32."""


def read(folder: Path) -> Stored:
    """Read and check the card and the weights of a folder.

    Args:
        folder: The folder.

    Returns:
        Both.

    Raises:
        CardError: The card is damaged, contradicts itself, or is of features of another version.
        WeightsError: A file is missing, or the weights do not fit the card.
    """
    card = read_card(folder)
    source = _existing(folder / WEIGHTS_FILE)
    _check_size(card, source)
    try:
        tensors = safetensors.numpy.load_file(source)
    except Exception as error:  # its error type is not part of its interface
        reason = first_line(error)
        raise WeightsError(
            f"'{source}' is no safetensors file ({reason})", "get the sampler again"
        ) from error
    weights = {s.stream: _weights(card, s, tensors, str(source)) for s in card.networks}
    known = tuple(f"{s.stream}." for s in card.networks)
    rest = [name for name in tensors if not name.startswith(known)]
    if rest:
        raise WeightsError(
            f"'{source}' has {len(rest)} tensors of no stream of its card ({rest[0][:60]!r} ...)",
            "get the sampler again",
        )
    return Stored(card, weights)


def _check_size(card: SamplerCard, source: Path) -> None:
    """Refuse a file that holds far more than the networks of its card, before it is read."""
    shapes = [layout(s.stream, s.architecture, outputs_of(card, s)) for s in card.streams]
    numbers = sum(prod(shape) for tensors in shapes for shape in tensors.values())
    if source.stat().st_size > _MOST_NUMBER_BYTES * numbers + _MOST_HEADER_BYTES:
        raise WeightsError(f"'{source}' is longer than the networks of its card", "get the sampler again")


def _engine(stored: Stored, device: str) -> Networks:
    try:
        require("torchvision", "torch")
        where = pick_device(device)
        from .torch_networks import TorchNetworks
    except MissingExtraError:
        if device not in ("cpu", "auto"):
            raise
        return PlainNetworks(stored.card, stored.weights)
    return TorchNetworks.of_tensors(stored.card, stored.weights, where)


def _weights(
    card: SamplerCard, stream: StreamCard, tensors: dict[str, npt.NDArray[Any]], source: str
) -> Tensors:
    """The tensors of one network, all of them or an error."""
    outputs = outputs_of(card, stream)
    wanted = layout(stream.stream, stream.architecture, outputs)
    if count_trainable(wanted) != stream.parameters:
        raise CardError(
            f"the card beside '{source}' gives the {stream.stream} network {stream.parameters} parameters;"
            f" a {stream.architecture} with {outputs} outputs has {count_trainable(wanted)}",
            "get the sampler again",
        )
    prefix = f"{stream.stream}."
    given = {
        name.removeprefix(prefix): array
        for name, array in tensors.items()
        if name.startswith(prefix) and not name.endswith(_UNUSED)
    }
    faults = misfits(
        wanted,
        {name: tuple(array.shape) for name, array in given.items()},
        lambda name: np.issubdtype(given[name].dtype, np.floating) and bool(np.isfinite(given[name]).all()),
    )
    if faults:
        raise WeightsError(
            f"'{source}' does not fit the {stream.stream} {stream.architecture} of '{card.name}' with its"
            f" {len(wanted)} tensors: {faults}",
            "get the sampler again",
        )
    return {name: np.ascontiguousarray(given[name], dtype=np.float32) for name in wanted}


def _folder(source: str | Path, revision: str | None) -> Path:
    path = Path(os.path.expanduser(source))
    if path.is_dir():
        return path
    name = str(source)
    if isinstance(source, Path) or not _REPOSITORY.fullmatch(name):
        raise WeightsError(
            f"there is no sampler '{name}'", "give a sampler's folder, or user/name on the hub"
        )
    hub = require("huggingface_hub", "hf")
    try:
        got = hub.snapshot_download(name, revision=revision, allow_patterns=[CARD_FILE, WEIGHTS_FILE])
    except Exception as error:  # the hub's client raises errors of many kinds, and those of its transport
        reason = first_line(error)[:200]
        raise WeightsError(
            f"'{name}' is no folder, and the hub does not give a sampler of that name ({reason})",
            "check the path or the name, and the network",
        ) from error
    return Path(got)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise WeightsError(f"'{path}' does not exist", "give a folder that save_pretrained wrote")
    return path


def read_card(folder: Path) -> SamplerCard:
    """Read and check the card of a folder, and nothing else.

    Args:
        folder: The folder.

    Returns:
        The card.

    Raises:
        CardError: It is damaged, contradicts itself, or is of features of another version.
        WeightsError: There is none.
    """
    path = folder / CARD_FILE
    if _existing(path).stat().st_size > _MOST_CARD_BYTES:
        raise CardError(f"'{path}' is too long for a card", "get the sampler again")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"'{path}' cannot be read ({error})", "get the sampler again") from error
    return card_from_json(text, str(path))


def push(
    sampler: LearnedSampler, repo_id: str, *, private: bool, commit_message: str, token: str | None
) -> str:
    """Upload a sampler to the hub.

    Args:
        sampler: The sampler.
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
    hub = require("huggingface_hub", "hf")
    with tempfile.TemporaryDirectory(prefix="salientclips-") as folder:
        save(sampler, Path(folder))
        try:
            api = hub.HfApi(token=token)
            api.create_repo(repo_id, private=private, exist_ok=True)
            done = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=commit_message)
        except Exception as error:  # see _folder
            reason = first_line(error)[:200]
            raise InputError(
                f"'{repo_id}' cannot be uploaded ({reason})",
                "log in with `hf auth login`, and check the name",
            ) from error
    return str(done.commit_url)
