"""What docs/threat_model.md promises of weights and cards: none of their code runs, what they claim is bounded."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from salientclips.errors import CardError, WeightsError
from salientclips.networks.numpy_pickle import read_numpy_pickle

BOMB = "1e999999999"


class Calls:
    """A pickle of this calls a function with arguments, and then sets a state."""

    def __init__(self, function: Any, arguments: tuple[Any, ...], state: Any = None) -> None:
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.reduced


def hostile_pickles() -> dict[str, bytes]:
    void = np.dtype("V8")
    endless: dict[str, Any] = {}
    endless["a"] = endless
    laughs: Any = {}
    for _ in range(60):
        laughs = {"a": laughs, "b": laughs}
    deep: Any = {}
    for _ in range(150):
        deep = {"a": deep}
    return {
        # Pointers of the file's choice, taken for objects.
        "objects over bytes": pickle.dumps({"a": Calls(np.ndarray, ((1,), "O", b"\x00" * 8))}),
        "a type of negative size": pickle.dumps(
            {"a": Calls(np.dtype, ("V8",), (3, "|", None, None, None, -100, 1, 0))}
        ),
        "10^12 numbers": pickle.dumps({"a": Calls(np.ndarray, ((10**12,), "f8"))}),
        "shape and bytes": pickle.dumps(np.zeros(4)).replace(struct.pack("<BB", 0x4B, 4), b"K\x05"),
        "void": pickle.dumps({"a": np.zeros(2, void)}),
        "itself": pickle.dumps(endless),
        "laughs": pickle.dumps(laughs),
        "deep": pickle.dumps(deep),
        "a call": pickle.dumps({"a": Calls(print, ("called",))}),
        "opcodes": b"\x80\x04" + b"(" * 100_000 + b".",
    }


@pytest.mark.parametrize("name", hostile_pickles())
def test_pickles_of_arrays_reach_neither_code_nor_memory(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (path := tmp_path / "w.ckpt").write_bytes(hostile_pickles()[name])
    with pytest.raises(WeightsError):
        read_numpy_pickle(path)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("order", ["<", ">"])
def test_honest_pickles_still_come_back(order: str, tmp_path: Path) -> None:
    values = {
        "a": np.arange(6, dtype=f"{order}f8").reshape(2, 3).T,
        "b": {"c": np.int32([7]), "d": np.zeros((0, 3))},
    }
    (path := tmp_path / "w.ckpt").write_bytes(pickle.dumps(values))
    found = read_numpy_pickle(path)
    assert np.array_equal(found["a"], values["a"])
    assert found["a"].dtype.isnative
    assert found["b/c"].tolist() == [7]
    assert found["b/d"].shape == (0, 3)


def test_a_torch_that_runs_code_in_spite_of_weights_only_reads_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from salientclips.networks.weights import read_tensors

    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    for version in ("2.4.1+cpu", "2.9.1"):
        monkeypatch.setattr(torch, "__version__", version)
        with pytest.raises(WeightsError, match=r"CVE-2025-32434.*2\.10"):
            read_tensors(tmp_path / "w.pth")
    for version in ("2.10.0", "3.0.0a1"):
        monkeypatch.setattr(torch, "__version__", version)
        assert set(read_tensors(tmp_path / "w.pth")) == {"a"}


@pytest.fixture(scope="module")
def sampler_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from learned_samplers import make_card, make_learned

    return make_learned(make_card(("md",))).save_pretrained(tmp_path_factory.mktemp("sampler") / "s")


def test_a_card_or_weights_that_claim_too_much(sampler_folder: Path, tmp_path: Path) -> None:
    from salientclips.samplers.sharing import CARD_FILE, WEIGHTS_FILE, read

    folder = Path(shutil.copytree(sampler_folder, tmp_path / "s"))
    card = json.loads((folder / CARD_FILE).read_text())

    def with_card(**changes: Any) -> None:
        (folder / CARD_FILE).write_text(json.dumps({**card, **changes}))

    stream = card["streams"][0]
    for changes in (
        {"streams": [{**stream, "parameters": 10**12}]},
        {"streams": [{**stream, "mean": [0.0] * 10**6}]},
        {"short_side_cells": 10**12},
        {"neighbours": 10**12},
        {"classes": ["x" * 1_000_000]},
        {"name": "x" * 1_000_000},
        {"name": "\x1b]0;owned\x07"},
        {"clip": {"frames": 16, "frame_step": 2, "seconds": BOMB}},
        {"clip": {"frames": 10**12, "frame_step": 2, "seconds": None}},
        {"validation": {"accuracy": float("inf")}},
    ):
        with_card(**changes)
        with pytest.raises(CardError):
            read(folder)
    (folder / CARD_FILE).write_text("[" * 10_000 + "]" * 10_000)
    with pytest.raises(CardError, match="no JSON"):
        read(folder)
    with_card()
    weights = folder / WEIGHTS_FILE
    good = weights.read_bytes()
    for content in (struct.pack("<Q", 1 << 30) + good[8:], struct.pack("<Q", 2**64 - 1), b"", good[:-1]):
        weights.write_bytes(content)
        with pytest.raises(WeightsError):
            read(folder)
    with weights.open("wb") as file:
        file.truncate(1 << 40)  # a hole: no disk is filled
    with pytest.raises(WeightsError, match="longer than the networks"):
        read(folder)
