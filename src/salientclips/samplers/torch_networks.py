"""The samplers' networks on torch: on any of its devices, the same bits every time on the CPU.

This is the engine of training and of GPUs; plain_networks.py is the one that needs nothing. Convolutions of torch add
up in another order when the number of threads changes, so each batch is computed by exactly one thread, side by side
with others. On a GPU the promise is closeness, not bits.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from .card import SamplerCard, Stream
from .inputs import Inputs
from .layouts import outputs_of
from .nets import network_for
from .networks import Pool, Scores, Tensors
from .one_blas_thread import one_blas_thread

_UNUSED = "num_batches_tracked"


@dataclass(frozen=True, eq=False)
class TorchNetworks:
    """The networks of a sampler on torch; keeps :class:`salientclips.samplers.networks.Networks`.

    The modules are copied, set to eval mode and never changed afterwards: training may go on with its own.
    """

    modules: Mapping[Stream, nn.Module]
    """One a stream: float32 (B, C, h, w) to logits (B, outputs)."""
    device: torch.device | str = "cpu"
    """Where they run."""

    def __post_init__(self) -> None:
        device = torch.device(self.device)
        object.__setattr__(self, "modules", {s: _frozen(m, device) for s, m in self.modules.items()})
        object.__setattr__(self, "device", device)

    @classmethod
    def of_tensors(
        cls, card: SamplerCard, weights: Mapping[Stream, Tensors], device: torch.device | str = "cpu"
    ) -> TorchNetworks:
        """Build the networks of a card.

        Args:
            card: What they are.
            weights: All tensors of each (layouts.py).
            device: Where they shall run.

        Returns:
            The networks.

        Raises:
            MissingExtraError: torchvision is absent or does not load.
        """
        modules: dict[Stream, nn.Module] = {}
        for stream in card.networks:
            with torch.device("meta"):
                module = network_for(stream.stream, stream.architecture, outputs_of(card, stream))
            module.to_empty(device="cpu")
            for name, buffer in module.named_buffers():
                if name.endswith(_UNUSED):
                    buffer.zero_()
            tensors = {name: torch.tensor(array) for name, array in weights[stream.stream].items()}
            module.load_state_dict(tensors, strict=False)
            modules[stream.stream] = module
        return cls(modules, device)

    def tensors(self, stream: Stream) -> Tensors:
        """As :meth:`salientclips.samplers.networks.Networks.tensors`, copied from the device."""
        state = self.modules[stream].state_dict()
        return {n: t.cpu().contiguous().numpy() for n, t in state.items() if not n.endswith(_UNUSED)}

    def logits(self, stream: Stream, frames: Inputs) -> Scores:
        """Run one network over a batch.

        Args:
            stream: Which.
            frames: Normalised, float32 (B, C, h, w).

        Returns:
            float64 (B, outputs).
        """
        with torch.inference_mode():
            shown = torch.from_numpy(frames).to(self.device).contiguous(memory_format=torch.channels_last)
            said: Scores = self.modules[stream](shown).double().cpu().numpy()
        return said

    @contextmanager
    def pool(self, threads: int | None) -> Iterator[Pool]:
        """Workers that compute one batch each; None for as many as torch has threads, on a GPU one."""
        assert isinstance(self.device, torch.device)
        if self.device.type != "cpu":
            with ThreadPoolExecutor(1) as executor:
                yield Pool(executor, 1)
            return
        before = torch.get_num_threads()
        workers = threads or before
        try:
            # set_num_threads(1) binds the pool's own threads; the caller's setting is put back below,
            # because new threads would inherit the last one set.
            pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
            with one_blas_thread(), pool as executor:
                yield Pool(executor, workers)
        finally:
            torch.set_num_threads(before)


def _frozen(module: nn.Module, device: torch.device) -> nn.Module:
    kept = copy.deepcopy(module).eval().requires_grad_(False)
    # Convolutions of small grids are faster by a third with the channels innermost.
    return kept.to(device=device, dtype=torch.float32).to(memory_format=torch.channels_last)
