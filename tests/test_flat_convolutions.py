"""R(2+1)D's convolutions in two dimensions: the same answers, the same gradients, the same weights."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.flat_convolutions import _OverSpace, _OverTime, flattened  # noqa: E402
from torchvision.models.video import mc3_18, r2plus1d_18, r3d_18  # noqa: E402


@pytest.mark.parametrize("channels_last", [False, True], ids=["contiguous", "channels-last"])
@pytest.mark.parametrize(("build", "flat"), [(r2plus1d_18, 34), (mc3_18, 12), (r3d_18, 0)])
def test_a_flattened_network_says_and_learns_the_same(build: object, flat: int, channels_last: bool) -> None:
    torch.manual_seed(3)
    network = build(num_classes=4).train().double()  # type: ignore[operator]
    clips = torch.rand(2, 3, 4, 24, 24, dtype=torch.float64)
    if channels_last:
        network, clips = (one.to(memory_format=torch.channels_last_3d) for one in (network, clips))
    weights = dict(network.named_parameters())

    def answer_and_gradients() -> tuple[torch.Tensor, list[torch.Tensor]]:
        network.zero_grad()
        said = network(clips)
        (said**2).sum().backward()
        return said.detach(), [one.grad.clone() for one in network.parameters()]

    said, gradients = answer_and_gradients()
    assert flattened(network) is network
    said_flat, gradients_flat = answer_and_gradients()
    assert sum(isinstance(one, (_OverSpace, _OverTime)) for one in network.modules()) == flat
    assert {name: id(one) for name, one in network.named_parameters()} == {
        name: id(one) for name, one in weights.items()
    }
    assert torch.allclose(said, said_flat, rtol=1e-9, atol=1e-12)
    for one, other in zip(gradients, gradients_flat, strict=True):
        assert torch.allclose(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("layer", "is_flat"),
    [
        (torch.nn.Conv3d(4, 6, (1, 3, 3), (1, 2, 2), (0, 1, 1)), True),
        (torch.nn.Conv3d(4, 6, (3, 1, 1), (2, 1, 1), (1, 0, 0), bias=False), True),
        (torch.nn.Conv3d(4, 6, (1, 3, 3), (2, 2, 2), (0, 1, 1)), False),
        (torch.nn.Conv3d(4, 6, (3, 1, 1), (2, 2, 2), (1, 0, 0)), False),
        (torch.nn.Conv3d(4, 6, (3, 1, 1), padding=(1, 0, 0), dilation=(2, 1, 1)), False),
        (torch.nn.Conv3d(4, 6, (1, 3, 3), padding=(0, 1, 1), groups=2), False),
        (torch.nn.Conv3d(4, 6, (1, 3, 3), padding=(0, 1, 1), padding_mode="replicate"), False),
        (torch.nn.Conv3d(4, 6, 1), False),
        (torch.nn.Conv3d(4, 6, 3, padding=1), False),
    ],
)
def test_only_what_is_of_two_dimensions_is_flattened(layer: torch.nn.Conv3d, is_flat: bool) -> None:
    clips = torch.rand(2, 4, 6, 8, 8)
    network = torch.nn.Sequential(layer)
    with torch.inference_mode():
        wanted = network(clips)
        assert torch.allclose(flattened(network)(clips), wanted, atol=1e-6)
    assert isinstance(network[0], (_OverSpace, _OverTime)) == is_flat
