"""Saves, loads and shares learned samplers in the conventions of the Hugging Face hub.

A sampler is a folder: ``model.safetensors`` (tensors named ``STREAM.NAME``), ``config.json`` (the card, see
card_file.py) and ``README.md`` (the card for people). Files replace older ones only when they are complete. Loading
believes nothing: the card is checked field by field, the weights tensor by tensor, and no code of the folder is run.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import CardError, InputError, WeightsError
from ..networks.cost import count_parameters
from ..networks.extras import pick_device, require
from ..networks.weights import load_tensors, read_tensors
from ..whole_file import write_atomically
from .card import SamplerCard, StreamCard
from .card_file import card_from_json, card_to_json
from .learned import LearnedSampler
from .model_card import model_card
from .nets import network_for

WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "config.json"
README_FILE = "README.md"

_MODE = 0o644

_MOST_CARD_BYTES = 20 << 20
_UNUSED = "num_batches_tracked"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def save(sampler: LearnedSampler, folder: Path) -> Path:
    """Write a sampler into a folder.

    Args:
        sampler: The sampler.
        folder: Made where it does not exist; its files of the same names are replaced.

    Returns:
        The folder.

    Raises:
        InputError: It cannot be written to.
        CardError: The card could not be read back.
        MissingExtraError: safetensors does not load.
    """
    config = card_to_json(sampler.card)
    serialise = require("safetensors.torch", "torch").save
    tensors = {
        f"{stream}.{name}": tensor.cpu().contiguous()
        for stream, network in sampler.networks.items()
        for name, tensor in network.state_dict().items()
        if not name.endswith(_UNUSED)
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Samplers are for sharing, so that others may read them.
        write_atomically(folder / WEIGHTS_FILE, serialise(tensors, metadata={"format": "pt"}), mode=_MODE)
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
        MissingExtraError: torch, torchvision, safetensors or huggingface_hub does not load.
    """
    where = pick_device(device)
    folder = _folder(source, revision)
    card = _read_card(folder / CARD_FILE)
    tensors = read_tensors(_existing(folder / WEIGHTS_FILE))
    loader = _Loader(card, tensors, str(folder / WEIGHTS_FILE))
    networks = {s.stream: loader.network(s) for s in card.streams}
    loader.check_rest()
    return LearnedSampler(card, networks, where, threads)


@dataclass(frozen=True)
class _Loader:
    """Fills the networks of a card from one file."""

    card: SamplerCard
    tensors: dict[str, torch.Tensor]
    source: str

    def network(self, stream: StreamCard) -> torch.nn.Module:
        outputs = len(self.card.classes) if stream.objective == "ac" else 1
        with torch.device("meta"):
            network = network_for(stream.stream, stream.architecture, outputs)
        if count_parameters(network) != stream.parameters:
            raise CardError(
                f"the card beside '{self.source}' gives the {stream.stream} network {stream.parameters} parameters;"
                f" a {stream.architecture} with {outputs} outputs has {count_parameters(network)}",
                "get the sampler again",
            )
        prefix = f"{stream.stream}."
        own = {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}
        of = f"the {stream.stream} {stream.architecture} of '{self.card.name}'"
        return load_tensors(network, own, of=of, source=self.source)

    def check_rest(self) -> None:
        known = tuple(f"{s.stream}." for s in self.card.streams)
        rest = [name for name in self.tensors if not name.startswith(known)]
        if rest:
            raise WeightsError(
                f"'{self.source}' has {len(rest)} tensors of no stream of its card ({rest[0][:60]!r} ...)",
                "get the sampler again",
            )


def _folder(source: str | Path, revision: str | None) -> Path:
    path = Path(source).expanduser()
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
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise WeightsError(
            f"'{name}' is no folder, and the hub does not give a sampler of that name ({reason})",
            "check the path or the name, and the network",
        ) from error
    return Path(got)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise WeightsError(f"'{path}' does not exist", "give a folder that save_pretrained wrote")
    return path


def _read_card(path: Path) -> SamplerCard:
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
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise InputError(
                f"'{repo_id}' cannot be uploaded ({reason})",
                "log in with `hf auth login`, and check the name",
            ) from error
    return str(done.commit_url)
