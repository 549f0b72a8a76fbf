"""Is in the archives what belongs there, and nothing else? Prints their sizes; the exit code is 1 where not.

Usage: ``python tools/check_package.py dist/*.tar.gz dist/*.whl``. A wheel holds the modules, the compiled extension,
the files of the pages, released samplers and the licences: no sources of the extension, no tests, no data. The source
archive holds the repository as it is committed: nothing compiled, no videos, no weights but the released ones.
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "salientclips"
RELEASED = "salientclips/samplers/released/"
LICENCES = ("LICENSE", "licences/nanobind.txt", "licences/robin_map.txt")
WHEEL_SUFFIXES = {".py", ".pyi", ".typed", ".txt", ".j2", ".js", ".css", ".so", ".pyd"}
RELEASED_FILES = {"model.safetensors", "config.json", "README.md", "__init__.py"}
SOURCES = {".cpp", ".hpp"}
FOREIGN_SUFFIXES = {
    *(".so", ".pyd", ".pyc", ".o", ".whl", ".zip", ".gz"),
    *(".mp4", ".mkv", ".avi", ".mov", ".webm", ".ts", ".wav", ".ogg", ".npy", ".npz"),
    *(".pt", ".pth", ".ckpt", ".onnx", ".safetensors", ".log"),
}
MOST_WHEEL_BYTES = 60 << 20
MOST_SDIST_BYTES = 60 << 20


def version() -> str:
    """The version that the code says."""
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)[0]


def belongs(path: Path) -> bool:
    """Whether a file below the package's folder is to be in the wheel."""
    is_built = path.suffix in {".so", ".pyd", ".pyc"}
    return path.is_file() and not is_built and path.suffix not in SOURCES and path.name != "CMakeLists.txt"


def wheel_faults(path: Path) -> Iterator[str]:
    """What is wrong with a wheel, one line each."""
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        metadata = [archive.read(n).decode() for n in names if n.endswith(".dist-info/METADATA")]
    info = f"salientclips-{version()}.dist-info/"
    for name in sorted(names):
        if name.startswith(RELEASED):
            if PurePosixPath(name).name not in RELEASED_FILES:
                yield f"{name} is no part of a released sampler"
        elif name.startswith("salientclips/"):
            if PurePosixPath(name).suffix not in WHEEL_SUFFIXES:
                yield f"{name} does not belong into a wheel"
        elif not name.startswith(info):
            yield f"{name} lies outside the package"
    wanted = {f"salientclips/{p.relative_to(PACKAGE).as_posix()}" for p in PACKAGE.rglob("*") if belongs(p)}
    wanted |= {f"{info}licenses/{name}" for name in LICENCES}
    yield from (f"{name} is missing" for name in sorted(wanted - names))
    if not any(re.fullmatch(r"salientclips/compressed/_native/_core\..*(so|pyd)", name) for name in names):
        yield "the compiled extension is missing"
    if not any(f"\nVersion: {version()}\n" in text for text in metadata):
        yield f"its metadata does not say version {version()}"
    if path.stat().st_size > MOST_WHEEL_BYTES:
        yield f"it is larger than {MOST_WHEEL_BYTES:,} bytes"


def sdist_faults(path: Path) -> Iterator[str]:
    """What is wrong with a source archive, one line each."""
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    for name in sorted(names):
        released = name.startswith(f"src/{RELEASED}") and PurePosixPath(name).name in RELEASED_FILES
        if PurePosixPath(name).suffix in FOREIGN_SUFFIXES and not released:
            yield f"{name} does not belong into a source archive"
    wanted = {*LICENCES, "pyproject.toml", "CMakeLists.txt", "README.md", "CHANGELOG.md"}
    wanted |= {
        p.relative_to(ROOT).as_posix() for p in PACKAGE.rglob("*") if p.suffix in SOURCES or belongs(p)
    }
    yield from (f"{name} is missing" for name in sorted(wanted - names))
    if path.stat().st_size > MOST_SDIST_BYTES:
        yield f"it is larger than {MOST_SDIST_BYTES:,} bytes"


def main() -> int:
    """Check every archive that is named."""
    wrong = 0
    for path in map(Path, sys.argv[1:]):
        faults = list(wheel_faults(path) if path.suffix == ".whl" else sdist_faults(path))
        print(
            f"{path.name}: {path.stat().st_size / 1e6:.2f} MB", *(f"  {fault}" for fault in faults), sep="\n"
        )
        wrong += len(faults)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
