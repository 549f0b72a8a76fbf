"""Every fuzz target, built by the compiler at hand under AddressSanitizer and UBSan, replays its corpus.

The targets hold more than "does not crash": they compare the bit readers, the removal of emulation prevention and
the cutting into NAL units with plain renderings of the same rules, and read back headers that they wrote. The build
takes a minute; it is kept under ``build/`` and made again when a source changes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUZZ, NATIVE = ROOT / "fuzz", ROOT / "src" / "salientclips" / "compressed" / "_native"
TARGETS = sorted(p.stem for p in FUZZ.glob("*.cpp") if p.stem not in ("standalone", "cut_seeds"))
FLAGS = ["-std=c++20", "-O0", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-pthread"]


def build(compiler: str, into: Path) -> None:
    """One program for each target."""
    # All but what makes a Python module of them.
    library = [p for p in sorted(NATIVE.rglob("*.cpp")) if not p.name.startswith(("bind", "module"))]
    sources = [*library, *(FUZZ / f"{t}.cpp" for t in TARGETS), FUZZ / "standalone.cpp"]

    def object_of(source: Path) -> Path:
        return into / f"{source.parent.name}_{source.stem}.o"

    def run(*arguments: str | Path) -> None:
        done = subprocess.run([compiler, *FLAGS, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda s: run("-c", s, "-o", object_of(s)), sources))
        shared = [object_of(s) for s in [*library, FUZZ / "standalone.cpp"]]
        list(pool.map(lambda t: run(into / f"fuzz_{t}.o", *shared, "-o", into / t), TARGETS))


@pytest.fixture(scope="session")
def programs() -> Path:
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    sources = [p for d in (FUZZ, NATIVE) for p in sorted(d.rglob("*.[ch]pp"))]
    key = hashlib.sha256(b"".join(p.read_bytes() for p in sources) + repr(FLAGS).encode()).hexdigest()[:16]
    kept = ROOT / "build" / "fuzz_replay"
    if not (kept / key).is_dir():
        shutil.rmtree(kept, ignore_errors=True)
        unfinished = kept / "unfinished"
        unfinished.mkdir(parents=True)
        build(compiler, unfinished)
        unfinished.rename(kept / key)
    return kept / key


def replay(program: Path, rounds: int, *inputs: Path) -> subprocess.CompletedProcess[str]:
    arguments = [str(program), "1", str(rounds), *map(str, inputs)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("target", TARGETS)
def test_corpus_and_mutations_of_it(target: str, programs: Path) -> None:
    inputs = sorted((FUZZ / "corpus" / target).iterdir())
    assert inputs
    done = replay(programs / target, 200, *inputs)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(inputs) + 200} executions\n"


def test_a_target_that_finds_a_wrong_answer_says_so(programs: Path, tmp_path: Path) -> None:
    """A corpus of NAL units, given to a program that has the rule wrong, must not pass."""
    broken = tmp_path / "broken.cpp"
    text = (FUZZ / "h264_nal.cpp").read_text().replace("zeros >= 2 && b == 3", "zeros >= 1 && b == 3")
    broken.write_text(
        text.replace('"../src', f'"{ROOT}/src').replace('"support.hpp"', f'"{FUZZ}/support.hpp"')
    )
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    program = tmp_path / "broken"
    subprocess.run([str(compiler), *FLAGS, broken, FUZZ / "standalone.cpp", "-o", program], check=True)
    unit = tmp_path / "unit"
    unit.write_bytes(bytes([0, 0, 0, 1, 0x65, 5, 0, 3, 9]))
    assert replay(programs / "h264_nal", 0, unit).returncode == 0
    done = replay(program, 0, unit)
    assert done.returncode != 0
    assert "wrong answer: unescape()" in done.stderr
