"""The house: imports run one way, only `media` touches av, and what is light stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import salientclips

ROOT = Path(salientclips.__file__).parent
FLOORS = (
    "errors",
    "whole_file",
    "destinations",
    "folder_lock",
    "timeline",
    "ranking",
    "types",
    "probed",
    "media",
    "audio",
    "compressed",
    "networks",
    "samplers",
    "classifiers",
    "datasets",
    "corpus",
    "cache",
    "training",
    "evaluation",
    "outputs",
    "verbs",
    "engines",
    "adapters",
    "cli",
    "__main__",
)
MODULES = sorted(ROOT.rglob("*.py"))


def floor_of(name: str) -> int:
    return FLOORS.index(name)


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """(absolute module name, whether it is one of ours) of every import, those inside functions too."""
    package = ["salientclips", *file.relative_to(ROOT).with_suffix("").parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, alias.name.startswith("salientclips")
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                yield str(node.module), str(node.module).startswith("salientclips")
                continue
            base = package[: len(package) - node.level + 1]
            if node.module:
                yield ".".join([*base, node.module]), True
            else:
                for alias in node.names:
                    yield ".".join([*base, alias.name]), True


@pytest.mark.parametrize("file", MODULES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_run_downwards(file: Path) -> None:
    own = file.relative_to(ROOT).with_suffix("").parts[0]
    if own == "__init__":
        return
    for module, ours in imports(file):
        # the package itself offers __version__ and nothing else to its rooms
        if not ours or module in ("salientclips", "salientclips.__version__"):
            continue
        target = module.split(".")[1]
        assert floor_of(target) <= floor_of(own), f"{own} imports {target}, which lies above it"


@pytest.mark.parametrize("file", MODULES, ids=lambda f: str(f.relative_to(ROOT)))
def test_only_media_imports_av(file: Path) -> None:
    if file.relative_to(ROOT).parts[0] == "media":
        return
    assert not [m for m, _ in imports(file) if m.split(".")[0] == "av"]


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import salientclips") & {"av", "numpy", "torch", "pyarrow", "typer", "rich"}


def test_help_loads_nothing_heavy() -> None:
    code = "from salientclips.cli.run import run; run(['score', '--help'])"
    assert not loaded_by(code) & {"av", "numpy", "torch", "torchvision", "pyarrow"}


def test_scoring_loads_no_torch() -> None:
    assert not loaded_by("from salientclips import probe, score, save_scores") & {"torch", "torchvision"}


def test_every_module_says_what_it_is() -> None:
    silent = [f for f in MODULES if not ast.get_docstring(ast.parse(f.read_text(encoding="utf-8")))]
    assert silent == []


def test_no_module_is_a_novel() -> None:
    long = {f.name: n for f in MODULES if (n := len(f.read_text(encoding="utf-8").splitlines())) > 450}
    assert long == {}
