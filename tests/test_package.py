"""One version in one place, every dependency's licence in the docs, and archives that hold what they should.

tools/check_package.py looks at the real archives, in the gate; here at made-up ones.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import salientclips

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tool(name: str) -> ModuleType:
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


check_package = tool("check_package")


# --- one version ----------------------------------------------------------------------------------------------


def test_the_version_is_written_once() -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    source = PROJECT["tool"]["scikit-build"]["metadata"]["version"]
    assert source["input"] == "src/salientclips/__init__.py"
    text = (ROOT / source["input"]).read_text(encoding="utf-8")
    assert re.findall(r'^__version__ = "(.*)"$', text, re.MULTILINE) == [salientclips.__version__]
    assert check_package.version() == salientclips.__version__


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(salientclips.__version__)} \(20\d\d-\d\d-\d\d\)", headings[0])


def test_what_is_versioned_apart_is_in_the_docs_as_in_the_code() -> None:
    from salientclips.outputs.contract import SCHEMA
    from salientclips.outputs.corpus_dataset.schema import SCHEMA as CORPUS_SCHEMA
    from salientclips.samplers.card import FEATURE_VERSION
    from salientclips.samplers.card_file import SCHEMA as CARD_SCHEMA

    page = (ROOT / "docs" / "versioning.md").read_text(encoding="utf-8")
    for what, number in (
        ("JSON", SCHEMA),
        ("score files", SCHEMA),
        ("cards", CARD_SCHEMA),
        ("features", FEATURE_VERSION),
        ("corpus data sets", CORPUS_SCHEMA),
    ):
        assert re.search(rf"^\| {what} \| [^|]+ \| {number} \|", page, re.MULTILINE), (what, number)


def test_nothing_is_deprecated_without_a_word_in_the_docs() -> None:
    page = (ROOT / "docs" / "versioning.md").read_text(encoding="utf-8")
    used = [p for p in (ROOT / "src").rglob("*.py") if "DeprecationWarning" in p.read_text(encoding="utf-8")]
    assert ("Nothing is deprecated today." in page) == (used == [])


# --- licences -------------------------------------------------------------------------------------------------


def test_every_dependency_is_on_the_page_of_licences() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE))
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    wanted += [text for extra in project["optional-dependencies"].values() for text in extra]
    names = {re.split(r"[\[<>=!~; ]", text)[0].lower().replace("_", "-") for text in wanted}
    assert names - {"salientclips"} <= rows
    for word in ("libx264", "libx265", "GPL"):
        assert word in page


def test_what_is_compiled_in_travels_with_its_notice() -> None:
    assert PROJECT["project"]["license-files"] == ["LICENSE", "licences/*.txt"]
    for name in check_package.LICENCES:
        assert len((ROOT / name).read_text(encoding="utf-8")) > 500


def test_torch_is_new_enough_to_hold_weights_only() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    for name in ("torch", "hf", "torchcodec"):
        assert "torch>=2.10" in extras[name]


# --- archives -------------------------------------------------------------------------------------------------


def good_wheel() -> dict[str, bytes]:
    version = salientclips.__version__
    info = f"salientclips-{version}.dist-info"
    package = check_package.PACKAGE
    files = {
        f"salientclips/{p.relative_to(package).as_posix()}": b""
        for p in package.rglob("*")
        if check_package.belongs(p)
    }
    files["salientclips/compressed/_native/_core.abi3.so"] = b""
    files[f"{info}/METADATA"] = f"Name: salientclips\nVersion: {version}\n\n".encode()
    return files | {f"{info}/licenses/{name}": b"" for name in check_package.LICENCES}


def faults_of(files: dict[str, bytes], folder: Path) -> list[str]:
    path = folder / "x.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return list(check_package.wheel_faults(path))


def test_a_good_wheel_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(good_wheel(), tmp_path) == []
    released = {
        f"{check_package.RELEASED}default/{name}": b"" for name in ("model.safetensors", "config.json")
    }
    assert faults_of(good_wheel() | released, tmp_path) == []


@pytest.mark.parametrize(
    ("junk", "lost"),
    [
        ("tests/test_x.py", None),
        ("salientclips/compressed/_native/h264.cpp", None),
        ("salientclips/demo.mp4", None),
        ("salientclips/samplers/released/default/optimiser.pt", None),
        (None, "salientclips/py.typed"),
        (None, "salientclips/outputs/report/page.js"),
        (None, "salientclips/compressed/_native/_core.abi3.so"),
        (None, f"salientclips-{salientclips.__version__}.dist-info/licenses/LICENSE"),
        (None, f"salientclips-{salientclips.__version__}.dist-info/METADATA"),
    ],
)
def test_junk_and_gaps_of_a_wheel_are_found(junk: str | None, lost: str | None, tmp_path: Path) -> None:
    files: dict[str, Any] = good_wheel()
    if junk:
        files[junk] = b""
    if lost:
        del files[lost]
    assert len(faults_of(files, tmp_path)) == 1


def test_junk_and_gaps_of_a_source_archive_are_found(tmp_path: Path) -> None:
    (video := tmp_path / "v.mp4").touch()
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(video, "salientclips-0/tests/v.mp4")
    faults = list(check_package.sdist_faults(tmp_path / "x.tar.gz"))
    assert "tests/v.mp4 does not belong into a source archive" in faults
    assert "LICENSE is missing" in faults
    assert any(fault.endswith(".cpp is missing") for fault in faults)
