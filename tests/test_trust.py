"""What docs/threat_model.md promises of the code itself: it does not run what a file says; and the page's own table.

What it promises of weights and cards, of lists, media, names and the network is in a file each, test_trust_*.py.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import salientclips

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


def test_python_is_new_enough_to_bound_whole_numbers() -> None:
    # json.loads and int() refuse numbers of more digits than this.
    assert 0 < sys.get_int_max_str_digits() <= 10_000


# --- the page itself ------------------------------------------------------------------------------------------


def test_the_threat_model_names_tests_that_are_there() -> None:
    tests = Path(__file__).parent
    page = (tests.parent / "docs" / "threat_model.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| ") and line.count("|") == 5
    ]
    promises = [row for row in rows if row[2].strip() and row[3].strip() != "held by"]
    assert len(promises) > 10
    for *_, cannot, held in promises:
        modules = [tests / f"{name}.py" for name in re.findall(r"\btest_\w+", held)]
        assert modules, cannot
        text = "".join(module.read_text(encoding="utf-8") for module in modules)
        names = re.findall(r"def test_(\w+)", text)
        for told in re.findall(r"`(\w+?)(?:\.\.\.)?`", held):
            assert any(told in name for name in names), f"there is no test {told}"
