"""The networks: their sizes are known numbers, they take what they say, and the layers are those of their names."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet18

from salientclips.errors import InputError, UnknownNameError
from salientclips.networks.cost import count_parameters
from salientclips.samplers.card import CHANNELS, Architecture, Stream
from salientclips.samplers.nets import build_network, network_for, stream_cost

# Parameters and 10^6 multiply-adds with one output. The ResNet-18 on I-frames is torchvision's own: 11,689,512 with
# 1000 outputs (1000 * 513 of them in the last layer), and 1814 at 224 pixels as in every table.
COSTS: tuple[tuple[Stream, Architecture, int, float], ...] = (
    ("md", "resnet18", 11_168_769, 121.93),
    ("rgbr", "resnet18", 11_169_345, 122.04),
    ("if", "resnet18", 11_689_512 - 999 * 513, 1813.56),
    ("md", "shufflenet26", 424_609, 5.20),
    ("rgbr", "shufflenet26", 424_825, 5.24),
    ("if", "shufflenet26", 424_825, 76.56),
    ("audio", "vgg18", 1_287_249, 199.29),
    ("if", "mobilenetv2", 1_337_953, 256.42),
    ("audio", "bands", 121, 0.0),
)


@pytest.mark.parametrize(("stream", "architecture", "parameters", "mmacs"), COSTS)
def test_costs(stream: Stream, architecture: Architecture, parameters: int, mmacs: float) -> None:
    found = stream_cost(stream, architecture, 1)
    assert found == (parameters, pytest.approx(mmacs, abs=0.005))
    # the classifier of 400 classes costs its weights, and nothing else changes
    more, more_mmacs = stream_cost(stream, architecture, 400)
    features = {"resnet18": 512, "shufflenet26": 464, "vgg18": 256, "mobilenetv2": 160, "bands": 120}[
        architecture
    ]
    assert more - parameters == 399 * (features + 1)
    assert more_mmacs - mmacs == pytest.approx(399 * features / 1e6, abs=0.006)


def test_the_i_frame_network_is_torchvisions() -> None:
    assert network_for("if", "resnet18", 1000).state_dict().keys() == resnet18().state_dict().keys()
    assert count_parameters(network_for("if", "resnet18", 1000)) == count_parameters(resnet18())


@pytest.mark.parametrize(
    ("architecture", "stream", "layers"),
    [("shufflenet26", "md", 26), ("vgg18", "audio", 18), ("resnet18", "md", 18)],
)
def test_layers_are_as_many_as_the_name_says(architecture: Architecture, stream: Stream, layers: int) -> None:
    network = network_for(stream, architecture, 1)
    weighted = [n for n, m in network.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    # side branches (a ResNet's projections, the first halves of ShuffleNet's stages) are not counted
    main = [n for n in weighted if "downsample" not in n and "branch1" not in n]
    assert len(main) == layers


@pytest.mark.parametrize(("stream", "architecture"), [(s, a) for s, a, _, _ in COSTS if a != "bands"])
@pytest.mark.parametrize("size", [(7, 7), (14, 25), (40, 200), (9, 31)])
def test_any_size_from_7_up(stream: Stream, architecture: Architecture, size: tuple[int, int]) -> None:
    # Of some weights and some small pictures nothing is left behind the ReLUs of one place.
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(3)
        network = network_for(stream, architecture, 5).eval()
        logits = network(torch.randn(2, CHANNELS[stream], *size))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()
    assert not torch.equal(logits[0], logits[1])


def test_cells_are_not_thrown_away() -> None:
    # With torchvision's stem a 14 x 14 grid has 1 x 1 places before the third stage.
    seen = {}
    network = network_for("md", "resnet18", 1).eval()
    for name in ("layer1", "layer2", "layer3", "layer4"):
        getattr(network, name).register_forward_hook(
            lambda _m, _i, out, name=name: seen.update({name: tuple(out.shape[2:])})
        )
    network(torch.zeros(1, 2, 14, 14))
    assert seen == {"layer1": (14, 14), "layer2": (7, 7), "layer3": (4, 4), "layer4": (2, 2)}


def test_mobilenet_is_torchvisions_cut_off() -> None:
    whole = mobilenet_v2().features
    ours = network_for("if", "mobilenetv2", 1)
    kept = {name: tensor for name, tensor in whole.state_dict().items() if int(name.split(".")[0]) < 17}
    assert {f"features.{name}" for name in kept} == ours.state_dict().keys() - {"fc.weight", "fc.bias"}
    ours.load_state_dict({f"features.{name}": tensor for name, tensor in kept.items()}, strict=False)
    shown = torch.randn(2, 3, 64, 85)
    with torch.inference_mode():
        seen = whole.eval()[:17](shown).mean((2, 3))
        assert torch.equal(ours.eval()(shown), ours.fc(seen))


def test_mobilenets_front_never_learns() -> None:
    network = network_for("if", "mobilenetv2", 1).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.randn(4, 3, 64, 64)).sum().backward()
    optimiser.step()
    changed = {n for n, tensor in network.state_dict().items() if not torch.equal(tensor, before[n])}
    assert changed == {"fc.weight", "fc.bias"}


def test_weights_follow_the_seed() -> None:
    def first(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return next(build_network("shufflenet26", 4, 1).parameters())

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))
    assert first(1).shape[1] == 4


def test_impossible_networks() -> None:
    with pytest.raises(UnknownNameError, match="vgg19"):
        build_network("vgg19", 3, 1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 channels"):
        build_network("resnet18", 0, 1)
    with pytest.raises(InputError, match="0 outputs"):
        build_network("resnet18", 3, 0)
