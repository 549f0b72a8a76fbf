"""What docs/threat_model.md promises of files that are loaded: none of their code runs, what they claim is bounded.

What FFmpeg may reach, the network and strange names are in test_trust_media.py.
"""

from __future__ import annotations

import ast
import json
import pickle
import shutil
import struct
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import salientclips
from builders import make_scores
from salientclips.corpus.braces import expand_braces
from salientclips.corpus.sources import list_items
from salientclips.datasets.activitynet import read_activitynet
from salientclips.datasets.kinetics import read_kinetics
from salientclips.datasets.manifest import read_manifest
from salientclips.errors import (
    CardError,
    FileMissingError,
    InputError,
    SalientClipsError,
    StoredScoresError,
    WeightsError,
)
from salientclips.networks.numpy_pickle import read_numpy_pickle
from salientclips.outputs.corpus_dataset.job_file import read_job
from salientclips.outputs.score_files import load_scores, save_scores
from salientclips.timeline import ClipGrid, ClipSpec, exact_seconds

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path
    for path in (
        *Path(salientclips.__file__).parent.rglob("*.py"),
        *ROOT.glob("benchmarks/**/*.py"),
        *ROOT.glob("tools/*.py"),
    )
)
# Messages between a parent and its own children, over pipes or through Ray; see docs/threat_model.md.
OWN_PICKLES = {"engines/process.py", "engines/child.py", "engines/ray.py"}
BOMB = "1e999999999"


# --- the code itself ------------------------------------------------------------------------------------------


def calls(tree: ast.AST) -> list[tuple[str, dict[str, ast.expr]]]:
    """Dotted name and keywords of every call."""
    return [
        (ast.unparse(node.func), {word.arg: word.value for word in node.keywords if word.arg})
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


def is_constant(value: ast.expr | None, wanted: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is wanted


def dangers(tree: ast.AST) -> list[str]:
    """Calls that would run what a file or a text says."""
    found = []
    for name, words in calls(tree):
        last = name.rpartition(".")[2]
        if name in (
            "eval",
            "exec",
            "os.system",
            "os.popen",
            "yaml.load",
            "marshal.loads",
            "marshal.load",
            "shelve.open",
        ):
            found.append(name)
        if last in ("load", "loads", "Unpickler") and name.split(".")[0] in (
            "pickle",
            "cPickle",
            "dill",
            "joblib",
            "cloudpickle",
        ):
            found.append(name)
        if name.endswith("torch.load") and not is_constant(words.get("weights_only"), True):
            found.append(name)
        if last == "load" and "allow_pickle" in words and not is_constant(words["allow_pickle"], False):
            found.append(name)
        if "shell" in words and not is_constant(words["shell"], False):
            found.append(name)
        if "trust_remote_code" in words and not is_constant(words["trust_remote_code"], False):
            found.append(name)
        if last in ("mktemp", "extractall", "extract") or name.startswith(
            ("xml.", "ElementTree", "tempfile.mktemp")
        ):
            found.append(name)
        if last == "Environment" and not is_constant(words.get("autoescape"), True):
            found.append(name)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(path.parents[2])))
def test_no_module_runs_what_a_file_says(module: Path) -> None:
    found = dangers(ast.parse(module.read_text(encoding="utf-8")))
    if any(module.as_posix().endswith(f"salientclips/{own}") for own in OWN_PICKLES):
        found = [name for name in found if name != "pickle.loads"]
    assert found == []


def test_that_check_can_fail() -> None:
    for text in (
        "pickle.loads(x)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f, allow_pickle=True)",
        "subprocess.run(c, shell=True)",
        "eval(x)",
        "archive.extractall(p)",
        "jinja2.Environment()",
        "A.from_pretrained(x, trust_remote_code=True)",
    ):
        assert dangers(ast.parse(text)), text


def test_nobody_writes_unescaped_into_a_page() -> None:
    for path in (ROOT / "src/salientclips/outputs/report").iterdir():
        if path.suffix in (".js", ".j2"):
            text = path.read_text(encoding="utf-8")
            for word in (
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "| safe",
                "|safe",
            ):
                assert word not in text, f"{path.name}: {word}"


# --- weights and cards ----------------------------------------------------------------------------------------


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


# --- times, lists, manifests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [BOMB, f"-{BOMB}", "1e-999999999", "nan", "inf", "1e10", "1/0", "", "9" * 2000]
)
def test_a_time_is_bounded(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises((ValueError, ZeroDivisionError)):
        exact_seconds(text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["3.5", "1e-3", "1001/30000", " 7 ", "-0.25", "1E2"])
def test_an_honest_time_is_exact(text: str) -> None:
    assert exact_seconds(text) == Fraction(text)


MANIFESTS = {
    "a NUL": b"path\na\0b.mp4\n",
    "a NUL and ..": b"path\nx/../a\0b.mp4\n",
    "a label of a megabyte": b"path,label\na.mp4," + b"x" * 1_000_000 + b"\n",
    "a million columns": b"path" + b",c" * 1_000_000 + b"\na.mp4\n" * 100,
    "an endless span": f"path,spans\na.mp4,0-{BOMB}\n".encode(),
    "a span of NaN": b"path,spans\na.mp4,nan-nan\n",
    "a span to infinity": b"path,spans\na.mp4,0-inf\n",
    "no UTF-8": b"path\n\xff\xfe.mp4\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("read", [read_manifest, lambda path: list_items([path])], ids=["manifest", "corpus"])
def test_a_hostile_manifest_is_one_typed_error(
    name: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    (path := tmp_path / "m.csv").write_bytes(MANIFESTS[name])
    with pytest.raises(InputError) as caught:
        read(path)
    assert len(str(caught.value)) < 500


def test_a_home_that_nobody_has_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path\n~nosuchuser/a.mp4\n")
    (tmp_path / "l.txt").write_text("~nosuchuser/a.mp4\n")
    assert not read_manifest(tmp_path / "m.csv")[0].path.exists()
    for name in ("m.csv", "l.txt"):
        assert list_items([tmp_path / name])[0].video.endswith("~nosuchuser/a.mp4")


LINES = {
    "NUL": "a\0b.mp4",
    "NUL and ..": "x/../a\0b.mp4",
    "range": "s-{0..999999999999}.tar",
    "nested": "{" * 5000 + "a,b" + "}" * 5000 + ".tar",
    "product": "{a,b}" * 40 + ".tar",
    "no range": "s-{x}.tar",
    "a long name": "x" * 5000 + ".tar",
    "digits": "s-{" + "9" * 5000 + ".." + "9" * 5001 + "}.tar",
}


@pytest.mark.parametrize("name", LINES)
def test_a_hostile_list_is_one_typed_error(name: str, tmp_path: Path) -> None:
    (path := tmp_path / "l.txt").write_text(LINES[name] + "\n")
    started = time.perf_counter()
    with pytest.raises(SalientClipsError):
        list_items([path])
    assert time.perf_counter() - started < 10


def test_a_long_name_is_a_missing_file(tmp_path: Path) -> None:
    from salientclips import probe

    with pytest.raises(FileMissingError):
        probe(tmp_path / ("x" * 5000 + ".mp4"))


def test_many_shards_are_still_expanded() -> None:
    assert len(list(expand_braces("s-{000000..099999}.tar"))) == 100_000


@pytest.mark.parametrize(
    "url", ["reference://x.mp4::file:///tmp/refs.json", "zip://a.mp4::https://example.invalid/z.zip"]
)
def test_chains_of_file_systems_are_refused(url: str, tmp_path: Path) -> None:
    # One of them fills in templates; where fsspec was old, those were code.
    (path := tmp_path / "m.csv").write_text(f"path\n{url}\n")
    with pytest.raises(InputError, match="several places"):
        list_items([path])


def test_parquet_spans_are_bounded(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    for end in (float("nan"), float("inf"), 1e300):
        table = pa.table({"path": ["a.mp4"], "spans": [[{"start_s": 0.0, "end_s": end}]]})
        parquet.write_table(table, tmp_path / "m.parquet")
        with pytest.raises(InputError):
            list_items([tmp_path / "m.parquet"])


def test_json_nested_without_end_is_one_typed_error(tmp_path: Path) -> None:
    deep = "[" * 10_000 + "]" * 10_000
    (tmp_path / "job.json").write_text(deep)
    (tmp_path / "s.json").write_text(deep)
    for read, error in (
        (lambda: read_activitynet(tmp_path / "s.json", tmp_path), InputError),
        (lambda: load_scores(tmp_path / "s.json"), StoredScoresError),
        (lambda: read_job(tmp_path), SalientClipsError),
    ):
        with pytest.raises(error):
            read()


def test_published_lists_are_bounded(tmp_path: Path) -> None:
    segment = {
        "database": {"v": {"subset": "training", "annotations": [{"label": "x", "segment": ["0", BOMB]}]}}
    }
    (tmp_path / "a.json").write_text(json.dumps(segment))
    (tmp_path / "b.json").write_text('{"database": {"v": 1e999999999}}')
    for name in "ab":
        with pytest.raises(InputError):
            read_activitynet(tmp_path / f"{name}.json", tmp_path)
    for content in (MANIFESTS["a million columns"], b"youtube_id,time_start,time_end,split\n\xff"):
        (tmp_path / "k.csv").write_bytes(content)
        with pytest.raises(InputError):
            read_kinetics(tmp_path / "k.csv", tmp_path)


# --- score files and clips ------------------------------------------------------------------------------------


def test_a_hostile_score_file_is_one_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    save_scores(make_scores([1.0, 2.0]), path)
    good = json.loads(path.read_text())
    load_scores(path)

    def row(**changes: Any) -> dict[str, Any]:
        return {**good, "clips": [{**good["clips"][0], **changes}, good["clips"][1]]}

    for hostile in (
        {**good, "clip": {**good["clip"], "seconds": BOMB}},
        row(start_ticks=-(10**400)),
        row(score=float("nan")),
        {**good, "ticks_per_second": 0},
        {**good, "ticks_per_second": -1},
    ):
        path.write_text(json.dumps(hostile))
        with pytest.raises(StoredScoresError):
            load_scores(path)


def test_a_score_csv_of_a_million_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    save_scores(make_scores([1.0, 2.0]), path)
    first, heading, rest = path.read_text().split("\n", 2)
    path.write_text("\n".join((first, heading + ",c" * 1_000_000, rest)))
    with pytest.raises(StoredScoresError):
        load_scores(path)


def test_a_damaged_time_stamp_makes_no_clips_without_end() -> None:
    times = [Fraction(0), Fraction(2**62)]
    with pytest.raises(InputError, match="time stamp"):
        ClipGrid.from_frame_times(times, times[-1] + 1, ClipSpec(seconds=Fraction(1)))


def test_what_others_wrote_cannot_move_a_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from salientclips.cli.run import run

    assert run(["probe", str(tmp_path / "\x1b]0;owned\x07\x9b2J.mp4")]) == 1
    printed = capfd.readouterr().err
    assert "owned" in printed
    assert not set(printed) & set("\x1b\x07\x9b")
    from salientclips.cli.show import show_selection

    scores = make_scores([1.0, 2.0], sampler="[red]\x1b[2J", warnings=("\x1b[2Jgone",))
    show_selection(scores.select(1))
    said = capfd.readouterr()
    assert "[red]" in said.out
    assert "gone" in said.err
    assert "\x1b[2J" not in said.out + said.err


def test_python_is_new_enough_to_bound_whole_numbers() -> None:
    # json.loads and int() refuse numbers of more digits than this.
    assert 0 < sys.get_int_max_str_digits() <= 10_000
