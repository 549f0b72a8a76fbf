"""Loading weights: every tensor checked, no code run, no half download kept."""

import contextlib
import hashlib
import http.server
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from salientclips.errors import WeightsError
from salientclips.networks.numpy_pickle import read_numpy_pickle
from salientclips.networks.weights import load_tensors, local_file, read_tensors


def small_net() -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(3, 4, 1, bias=False), nn.BatchNorm3d(4), nn.Flatten(), nn.Linear(4, 2))


def small_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return dict(small_net().state_dict())


def fill(tensors: dict[str, torch.Tensor]) -> nn.Module:
    with torch.device("meta"):
        net = small_net()
    return load_tensors(net, tensors, of="small", source="x.pth")


def test_every_tensor_arrives() -> None:
    state = small_state()
    net = fill(state)
    assert all(torch.equal(t, state[n]) for n, t in net.state_dict().items())


def test_a_half_precision_checkpoint_without_counters_loads_as_float32() -> None:
    halves = {n: t.half() for n, t in small_state().items() if "num_batches" not in n}
    net = fill(halves)
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert torch.equal(net.state_dict()["1.num_batches_tracked"], torch.tensor(0))


def test_missing_unexpected_and_misshapen_tensors_are_listed_and_counted() -> None:
    state = small_state()
    del state["3.bias"], state["1.weight"]
    state["head.weight"] = torch.zeros(1)
    state["0.weight"] = torch.zeros(5, 3, 1, 1, 1)
    with pytest.raises(WeightsError) as caught:
        fill(state)
    message = str(caught.value)
    assert "2 missing (1.weight, 3.bias)" in message
    assert "1 unexpected (head.weight)" in message
    assert "1 of another shape (0.weight (5, 3, 1, 1, 1) for (4, 3, 1, 1, 1))" in message
    assert "x.pth" in message
    assert "\n" not in message


def test_long_lists_are_cut() -> None:
    with pytest.raises(WeightsError, match=r"7 missing \(0\.weight, 1\.weight, 1\.bias \.\.\.\)"):
        fill({})


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    state = small_state()
    state["3.bias"] = torch.tensor([0.0, bad])
    with pytest.raises(WeightsError, match=r"1 not finite numbers \(3\.bias\)"):
        fill(state)


@pytest.mark.parametrize("wrapper", ["plain", "state_dict", "model", "module."])
@pytest.mark.parametrize("legacy", [False, True])
def test_what_torch_saves_is_read(tmp_path: Path, wrapper: str, legacy: bool) -> None:
    state = small_state()
    content: object = state
    if wrapper == "module.":
        content = {f"module.{n}": t for n, t in state.items()}
    elif wrapper != "plain":
        content = {wrapper: state, "epoch": 3}
    path = tmp_path / "w.pt"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    read = read_tensors(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[n], state[n]) for n in state)


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    state = small_state()
    save_file(state, tmp_path / "w.safetensors")
    read = read_tensors(tmp_path / "w.safetensors")
    assert all(torch.equal(read[n], state[n]) for n in state)


class Bomb:
    """Pickles as a call that would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, writer: str) -> None:
    path, trace = tmp_path / "w.pth", tmp_path / "trace"
    if writer == "torch":
        torch.save({"a": Bomb(trace)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": Bomb(trace)}))
    with pytest.raises(WeightsError, match=r"w\.pth"):
        read_tensors(path)
    assert not trace.exists()
    with path.open("rb") as file:
        head = file.read(2)
    if head[:1] == b"\x80":  # the bomb is live: plain pickle sets it off
        pickle.loads(path.read_bytes())
        assert trace.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04 no archive", pickle.dumps([1, 2]), pickle.dumps({"a": "text"})],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_files_are_one_typed_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        read_tensors(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save(small_state(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(WeightsError):
        read_tensors(path)


def test_numpy_pickles_become_paths(tmp_path: Path) -> None:
    path = tmp_path / "w.ckpt"
    array = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    path.write_bytes(pickle.dumps({"params": {"a/b": {"kernel": array}}, "stats": {"n": np.ones(2)}}))
    read = read_numpy_pickle(path)
    assert list(read) == ["params/a/b/kernel", "stats/n"]
    assert np.array_equal(read["params/a/b/kernel"], array)


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.ckpt"
    path.write_bytes(pickle.dumps({"a": np.array([{}], dtype=object)}))
    with pytest.raises(WeightsError, match="type 'O8'"):
        read_numpy_pickle(path)


@pytest.mark.parametrize(("name", "what"), [("absent.pth", "does not exist"), (".", "is a directory")])
def test_a_path_that_is_no_file(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(WeightsError, match=what):
        local_file(tmp_path / name)


def test_a_hash_is_checked_for_local_files_too(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"weights")
    good = hashlib.sha256(b"weights").hexdigest()
    assert local_file(path, sha256=good.upper()) == path
    with pytest.raises(WeightsError, match="SHA-256"):
        local_file(path, sha256="0" * 64)


class Handler(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012  (the server makes its own instances)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/missing.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "100" if self.path == "/short.pth" else "7")
        self.end_headers()
        self.wfile.write(b"weights")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Handler.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def test_a_url_is_downloaded_once_and_whole(tmp_path: Path, server: str) -> None:
    url, good = f"{server}/w.pth?v=1", hashlib.sha256(b"weights").hexdigest()
    first = local_file(url, sha256=good, cache=tmp_path)
    again = local_file(url, sha256=good, cache=tmp_path)
    assert first == again
    assert first.name.endswith("-w.pth")
    assert first.read_bytes() == b"weights"
    assert Handler.asked == ["/w.pth?v=1"]
    assert list(tmp_path.iterdir()) == [first]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("missing.pth", "404"), ("short.pth", "ended after 7 of 100 bytes"), ("w.pth", "SHA-256")],
)
def test_a_failed_download_leaves_nothing(tmp_path: Path, server: str, name: str, hint: str) -> None:
    with pytest.raises(WeightsError, match=hint):
        local_file(f"{server}/{name}", sha256="0" * 64, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_file_urls_work_and_other_schemes_do_not(tmp_path: Path) -> None:
    source = tmp_path / "w ä.pth"
    source.write_bytes(b"weights")
    got = local_file(source.as_uri(), cache=tmp_path / "cache")
    assert got.read_bytes() == b"weights"
    assert got.name.endswith("-w ä.pth")
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        local_file("ftp://example.org/w.pth", cache=tmp_path)


def test_a_cache_that_cannot_be_written_is_a_typed_error(tmp_path: Path, server: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsError, match="could not be downloaded"):
        local_file(f"{server}/w.pth", cache=tmp_path / "file")
    with contextlib.suppress(FileNotFoundError):
        assert (tmp_path / "file").read_bytes() == b""
