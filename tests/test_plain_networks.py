"""The networks without torch: the numbers of torch, the same bits every time, and no torch anywhere near."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController, threadpool_limits
from torch import nn

from learned_samplers import Kept, make_card, make_learned, random_clips
from salientclips.errors import MissingExtraError, UnknownNameError, WeightsError
from salientclips.samplers.card import CHANNELS, Architecture, Stream
from salientclips.samplers.layouts import count_trainable, layout, stem_of
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.nets import network_for
from salientclips.samplers.one_blas_thread import _controller as looked_for
from salientclips.samplers.one_blas_thread import one_blas_thread
from salientclips.samplers.plain_layers import Floats, pool_threes, pool_twos
from salientclips.samplers.plain_networks import PlainNetworks, build_plain
from salientclips.samplers.sharing import load, read
from salientclips.samplers.torch_networks import TorchNetworks

KINDS: tuple[tuple[Stream, Architecture], ...] = (
    ("md", "shufflenet26"),
    ("rgbr", "shufflenet26"),
    ("if", "shufflenet26"),
    ("md", "resnet18"),
    ("if", "resnet18"),
    ("audio", "vgg18"),
    ("if", "mobilenetv2"),
    ("audio", "bands"),
)


def lively(stream: Stream, architecture: Architecture, outputs: int = 3) -> nn.Module:
    """A network whose every tensor is random, with logits of about 1 and more."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = network_for(stream, architecture, outputs).eval().requires_grad_(False)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)  # type: ignore[union-attr]
                module.running_var.uniform_(0.1, 1)  # type: ignore[union-attr]
                module.weight.uniform_(0.7, 1.7)
                module.bias.normal_(0, 0.3)
            elif isinstance(module, nn.Linear):
                module.weight.normal_(0, 0.2)
                module.bias.normal_(0, 1)
    return network


def tensors_of(network: nn.Module) -> dict[str, Floats]:
    return {n: t.numpy() for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")}


def plain(sampler: LearnedSampler, threads: int | None = None) -> LearnedSampler:
    """The same sampler, computed by numpy."""
    weights = {s.stream: sampler.networks.tensors(s.stream) for s in sampler.card.streams}
    return LearnedSampler(sampler.card, PlainNetworks(sampler.card, weights), threads)


# --- the numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stream", "architecture"), KINDS)
def test_layouts_are_torchs(stream: Stream, architecture: Architecture) -> None:
    network = network_for(stream, architecture, 5)
    found = layout(stream, architecture, 5)
    assert found == {n: a.shape for n, a in tensors_of(network).items()}
    assert count_trainable(found) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("stream", "architecture", "size", "frames"),
    [
        *(
            (stream, "shufflenet26", size, frames)
            for stream in ("md", "rgbr")
            for size, frames in (((14, 14), 32), ((14, 19), 5), ((14, 25), 7), ((7, 7), 1), ((9, 31), 2))
        ),
        ("if", "shufflenet26", (224, 256), 2),
        ("if", "shufflenet26", (39, 45), 2),
        *(("md", "resnet18", size, 3) for size in ((14, 14), (14, 25), (7, 7), (15, 8))),
        ("if", "resnet18", (64, 83), 2),
        *(("if", "mobilenetv2", size, 2) for size in ((112, 149), (39, 45), (33, 70))),
        ("audio", "vgg18", (40, 200), 3),
        ("audio", "vgg18", (7, 9), 1),
        ("audio", "vgg18", (17, 33), 2),
        ("audio", "bands", (40, 200), 3),
        ("audio", "bands", (40, 1), 1),
    ],
)
def test_numpy_agrees_with_torch(
    stream: Stream, architecture: Architecture, size: tuple[int, int], frames: int
) -> None:
    network = lively(stream, architecture)
    shown = np.random.default_rng(2).normal(0, 2, (frames, CHANNELS[stream], *size)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(shown)).numpy()
    planes = np.ascontiguousarray(shown.transpose(1, 2, 3, 0))
    found = build_plain(architecture, tensors_of(network), stem=stem_of(stream))(planes).T
    scale = float(np.abs(expected).max())
    assert scale > 0.5
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 2e-5 * max(scale, 1)
    if frames > 1:
        assert np.abs(expected[0] - expected[1]).max() > 1e-3 * scale


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (6, 7)])
def test_pooling_is_torchs(size: tuple[int, int]) -> None:
    planes = np.random.default_rng(0).random((3, *size, 2)).astype(np.float32)
    frames = torch.from_numpy(np.ascontiguousarray(planes.transpose(3, 0, 1, 2)))
    twos = nn.functional.max_pool2d(frames, 2, ceil_mode=True).permute(1, 2, 3, 0).numpy()
    threes = nn.functional.max_pool2d(frames, 3, 2, 1).permute(1, 2, 3, 0).numpy()
    assert np.array_equal(pool_twos(planes, border=0), twos)
    assert np.array_equal(pool_threes(np.pad(planes, ((0, 0), (1, 1), (0, 0), (0, 0)))), threes)


def test_a_sampler_says_the_same_on_both_engines() -> None:
    torchs = make_learned(make_card(("md", "rgbr", "if", "audio"), visual="ac", audio="sal-cl"))
    ours = plain(torchs)
    clips = Kept(random_clips(7))
    one, two = torchs.judge_features(clips), ours.judge_features(clips)
    assert one.scores == pytest.approx(two.scores, abs=1e-5)
    for stream, said in one.streams.items():
        assert said == pytest.approx(two.streams[stream], abs=1e-5)
        assert len({float(s) for s in said}) == 7
    assert ours.weights_hash == torchs.weights_hash
    assert ours.parameters == torchs.parameters


def test_numbers_that_are_none_are_an_error() -> None:
    sampler = make_learned(make_card(("md",)))
    weights = {
        n: np.full_like(a, 3e38) if n == "fc.weight" else a for n, a in sampler.networks.tensors("md").items()
    }
    spoilt = LearnedSampler(sampler.card, PlainNetworks(sampler.card, {"md": weights}))
    with pytest.raises(WeightsError, match="md network of 'tiny'"):
        spoilt.judge_features(Kept(random_clips(2)))


def test_networks_that_do_not_match_the_card_are_refused() -> None:
    sampler = make_learned(make_card(("md",)))
    ours = PlainNetworks(sampler.card, {"md": sampler.networks.tensors("md")})
    with pytest.raises(WeightsError, match="no network for rgbr"):
        LearnedSampler(make_card(("md", "rgbr")), ours)
    with pytest.raises(WeightsError, match=r"fc\.bias, fc\.weight differ"):
        LearnedSampler(make_card(("md",), visual="ac"), ours)
    with pytest.raises(UnknownNameError, match="vgg19"):
        build_plain("vgg19", {})  # type: ignore[arg-type]


# --- the same bits ------------------------------------------------------------------------------------------


def test_threads_and_repetition_change_no_bit() -> None:
    sampler = make_learned(make_card(("md", "rgbr", "audio"), visual="ac"))
    clips = Kept(random_clips(19))
    found = [plain(sampler, threads).judge_features(clips) for threads in (None, None, 2, 5)]
    assert len({f.scores.tobytes() for f in found}) == 1
    assert len({tuple(v.tobytes() for v in f.streams.values()) for f in found}) == 1


def test_blas_with_other_threads_gives_the_same_bits(tmp_path: Path) -> None:
    folder = make_learned(make_card(("md", "audio"), visual="ac")).save_pretrained(tmp_path / "mine")
    script = (
        "import sys; from pathlib import Path; from learned_samplers import *;"
        "from salientclips.samplers.plain_networks import PlainNetworks;"
        "from salientclips.samplers.sharing import read;"
        f"stored = read(Path({str(folder)!r})); networks = PlainNetworks(stored.card, stored.weights);"
        "sampler = LearnedSampler(stored.card, networks, threads=int(sys.argv[1]));"
        "j = sampler.judge_features(Kept(random_clips(19, rows=135, columns=240)));"
        "sys.stdout.write(j.streams['md'].tobytes().hex() + j.streams['audio'].tobytes().hex())"
    )
    said = set()
    for threads, workers in (("1", "1"), ("3", "1"), ("2", "2")):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", script, workers],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **dict.fromkeys(names, threads), "PYTHONPATH": paths},
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert len(said.pop()) == 2 * 2 * 19 * 8


def blas_threads() -> list[int]:
    return [part["num_threads"] for part in ThreadpoolController().select(user_api="blas").info()]


def test_the_callers_blas_threads_are_put_back_by_the_last_to_leave() -> None:
    # Other tests may have loaded more libraries since the first score looked for them.
    looked_for.cache_clear()
    with threadpool_limits(3, user_api="blas"):
        before = blas_threads()
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        assert set(blas_threads()) == {1}
        first.__exit__(None, None, None)
        assert set(blas_threads()) == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == before == [3] * len(before)


# --- without torch ------------------------------------------------------------------------------------------

WITHOUT_TORCH = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"no {name}", name=name)
sys.meta_path.insert(0, Without())
"""


def test_a_learned_folder_works_without_torch(tmp_path: Path) -> None:
    sampler = make_learned(make_card(("md", "audio")))
    folder = sampler.save_pretrained(tmp_path / "mine")
    code = f"""{WITHOUT_TORCH}
import salientclips
from salientclips.errors import MissingExtraError
made = salientclips.make_sampler({str(folder)!r})
print(type(made.networks).__name__, made.weights_hash)
made.save_pretrained({str(tmp_path / "again")!r})
try:
    salientclips.LearnedSampler.from_pretrained({str(folder)!r}, device="cuda")
except MissingExtraError as error:
    print(error)
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    engine, refusal = done.stdout.splitlines()[0], done.stdout.splitlines()[1]
    assert engine == f"PlainNetworks {sampler.weights_hash}"
    assert "pip install 'salientclips[torch]'" in refusal
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_torch_computes_where_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = make_learned(make_card(("md",)))
    folder = sampler.save_pretrained(tmp_path / "mine")
    loaded = load(folder)
    assert isinstance(loaded.networks, TorchNetworks)
    clips = Kept(random_clips(3))
    ours = LearnedSampler(sampler.card, PlainNetworks(sampler.card, read(folder).weights))
    assert loaded.judge_features(clips).scores == pytest.approx(ours.judge_features(clips).scores, abs=1e-5)

    def broken(package: str, extra: str) -> object:
        raise MissingExtraError(package, extra, "operator torchvision::nms does not exist")

    monkeypatch.setattr("salientclips.samplers.sharing.require", broken)
    assert isinstance(load(folder, device="auto").networks, PlainNetworks)
    with pytest.raises(MissingExtraError):
        load(folder, device="cuda")


def test_cards_with_other_shapes_of_clips_are_judged_alike() -> None:
    """``any_length`` changes what is asked and warned of, and no score."""
    sampler = plain(make_learned(make_card(("md",))))
    free = replace(sampler, any_length=True)
    assert sampler.clip_spec == sampler.card.clip
    assert free.clip_spec is None
    clips = Kept(random_clips(3))
    assert np.array_equal(sampler.judge_features(clips).scores, free.judge_features(clips).scores)
