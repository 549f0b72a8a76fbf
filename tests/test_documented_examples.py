"""Every example in README, CONTRIBUTING and docs is run, page by page, top to bottom, in a folder of made-up files.

A page's ``python`` blocks share their names; of a ``console`` block every line ``$ salientclips ...`` is run, in this
process, and must end with exit code 0. Above a block that cannot be run stands ``<!-- not run: reason -->``, with a
reason of ``NOT_RUN``; its commands must be understood all the same. Output that is shown is an example (the files are
other ones), unless ``<!-- compared -->`` stands above a block of it. The pages of the cookbook, which need other
libraries, have their own test (test_cookbook.py).

Options that are named in prose must exist.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

pytest.importorskip("torch", reason="the classifiers of the examples need torch")
pytest.importorskip("jinja2", reason="the pages of the examples need Jinja2")
pytest.importorskip("matplotlib", reason="the figures of the examples need matplotlib")

import matplotlib
import torch

import test_cookbook
from documentation import (
    PAGES,
    ROOT,
    Block,
    blocks_of,
    code_in_prose,
    is_ours,
    name_of,
    needs_shell,
    prose_of,
    words_of,
)
from example_files import WEIGHTS, make_classifiers_small, make_source, make_weights, put_files
from salientclips.cli.app import app
from salientclips.cli.run import run

NOT_RUN = {
    "needs the published videos": "Sports-1M, Kinetics and ActivityNet are not ours to hand out",
    "weights of others": "ImageNet's, which a package of somebody else's holds",
    "weights from the network": "loaded in worker processes, where the test has no hand in what is loaded",
    "needs a store": "an object store or a web server",
    "needs a cluster": "Ray on several machines",
    "waits for an assistant": "speaks over standard input and output until that ends",
}
FAR = re.compile(r"\b(s3|gs|https?)://")
"""A command with such a source is not run, whether a comment says so or not."""
FOREIGN = {"pip", "torchrun", "git", "python", "cmake", "mkdocs"}
"""Programs whose lines in a console are not run."""
FOREIGN_OPTIONS = {
    "--all": "scripts/check",
    "--audit": "scripts/check",
    "--build": "cmake",
    "--no-binary": "pip",
    "--no-deps": "pip",
    "--nproc-per-node": "torchrun",
    "--print-build-identifiers": "cibuildwheel",
    "--strict": "mkdocs",
    "--tasks": "lmms_eval",
}
"""Options in prose that are not declared in Python here."""
BY_OTHERS = {p for p in PAGES if p in test_cookbook.PAGES}
RUN = [p for p in PAGES if p not in BY_OTHERS and {"python", "console"} & {b.language for b in blocks_of(p)}]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_source(tmp_path_factory.mktemp("documented"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_weights(tmp_path_factory.mktemp("weights") / WEIGHTS)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a page runs in."""
    place, tools = tmp_path / "place", tmp_path / "tools"
    place.mkdir()
    tools.mkdir()
    package = str(ROOT / "src")
    test_cookbook.put_script(
        tools / "salientclips", f"env PYTHONPATH='{package}' '{sys.executable}' -m salientclips"
    )
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(place)
    monkeypatch.setattr("salientclips.cli.show.wait_for_ctrl_c", lambda: None)
    monkeypatch.setattr("webbrowser.open", lambda *_: True)
    make_classifiers_small(monkeypatch)
    # Small convolutions on a busy machine: threads would wait for one another.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    matplotlib.use("agg")
    yield place
    torch.set_num_threads(before)


def run_line(line: str) -> None:
    """One command of a console."""
    words = words_of(line)
    if not is_ours(line):
        assert words[0] in FOREIGN, f"'{line}' is no command of salientclips, and none of {FOREIGN}"
    elif FAR.search(line):
        assert_understood(line)
    elif needs_shell(line):
        done = subprocess.run(["sh", "-e", "-c", line], capture_output=True, text=True)
        print(done.stdout)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), f"{line}\n{done.stderr[-3000:]}"
    else:
        code = run(words[1:])
        assert code == 0, f"'{line}' ends with exit code {code}"


def run_block(block: Block, page: Path, names: dict[str, Any]) -> None:
    if block.not_run:
        assert block.not_run in NOT_RUN, f"'{block.not_run}' is none of {sorted(NOT_RUN)}"
    if block.language == "console":
        for line in block.lines():
            if not block.not_run:
                run_line(line)
            elif is_ours(line):
                assert_understood(line)
    elif block.language == "python":
        # Lines of a traceback are those of the page.
        code = compile("\n" * block.line + block.text, str(page), "exec")
        if not block.not_run:
            exec(code, names)


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_page(
    page: Path,
    place: Path,
    source: Path,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # A tutorial begins with nothing, and says how its files are made.
    if "tutorial" not in page.parts:
        put_files(place, source)
    if WEIGHTS in page.read_text(encoding="utf-8"):
        (place / WEIGHTS).symlink_to(request.getfixturevalue("weights"))
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for block in blocks_of(page):
        where = f"{name_of(page)}:{block.line}"
        if block.is_compared:
            assert printed.split() == block.text.split(), where
        try:
            run_block(block, page, names)
        except Exception as error:
            told = capfd.readouterr()
            raise AssertionError(f"{where}\n{told.out[-2000:]}{told.err[-2000:]}") from error
        if block.language in ("python", "console"):
            told = capfd.readouterr()
            assert "Traceback" not in told.out + told.err, where
            printed = told.out


def test_every_page_with_examples_is_run() -> None:
    assert {ROOT / "README.md", ROOT / "docs" / "fit.md", ROOT / "docs" / "report.md"} <= set(RUN)
    assert len(BY_OTHERS) >= 18
    # What test_cookbook.py does not run must not stand in its pages.
    assert [name_of(p) for p in BY_OTHERS for b in blocks_of(p) if b.language == "console" or b.not_run] == []


def test_what_is_not_run_is_little(record_property: Any) -> None:
    found = [f"{name_of(p)}:{b.line}: {b.not_run}" for p in PAGES for b in blocks_of(p) if b.not_run]
    far = [line for p in RUN for b in blocks_of(p) for line in b.lines() if FAR.search(line)]
    for line in (*found, *far):
        print(line)
    record_property("not run", len(found) + len(far))
    assert len(found) <= 6, found
    assert len(far) <= 4, far


def test_commands_stand_in_consoles() -> None:
    """An indented command, or one in a block without a language, would not be run; a synopsis may stand there."""
    loose = [
        f"{name_of(page)}: {line.strip()}"
        for page in PAGES
        if page not in BY_OTHERS
        for text in (prose_of(page), *(b.text for b in blocks_of(page) if b.language in ("", "text", "bash")))
        for line in text.splitlines()
        if re.match(r"(    |)(\$ )?salientclips [a-z]", line) and "[OPTIONS]" not in line
    ]
    assert loose == []


# Options: those of the commands, and of the scripts in this repository.
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = {
    name: {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h", "--version"}
    for name, command in COMMANDS.items()
}
SCRIPTS = "\n".join(
    p.read_text(encoding="utf-8") for folder in ("benchmarks", "tools") for p in (ROOT / folder).rglob("*.py")
)


def assert_understood(line: str) -> None:
    """Whether the command line takes a command, without doing what it says."""
    _, name, *words = words_of(line)
    try:
        COMMANDS[name].make_context(name, words)
    except Exception as error:
        raise AssertionError(f"'{line}' is not understood: {error}") from error


def unknown_options(code: str) -> list[str]:
    """Options that the command named in a piece of code does not have; of no command, that nothing has."""
    named = re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", code)
    command = re.match(r"\$? ?salientclips ([a-z]+)\b", code)
    if command and command[1] in OPTIONS:
        return [o for o in named if o not in OPTIONS[command[1]]]
    anywhere = set().union(*OPTIONS.values()) | set(FOREIGN_OPTIONS)
    return [o for o in named if o not in anywhere and f'"{o}"' not in SCRIPTS]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_in_prose_exist(page: Path) -> None:
    code = [*code_in_prose(page), *(line for b in blocks_of(page) for line in b.lines() if is_ours(line))]
    assert [f"{option} in {piece}" for piece in code for option in unknown_options(piece)] == []


def test_what_is_wrong_is_found(place: Path, source: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put_files(place, source)
    with pytest.raises(AssertionError, match="exit code 1"):
        run_line("salientclips probe nothing.mp4")
    with pytest.raises(AssertionError, match="exit code 2"):
        run_line("salientclips probe climb.mp4 --nonsense  # a comment")
    with pytest.raises(AssertionError, match="is not understood"):
        run_line("salientclips score s3://bucket/ --nonsense")
    with pytest.raises(AssertionError, match="no command of salientclips"):
        run_line("rm -rf place")
    with pytest.raises(AssertionError, match="is none of"):
        run_block(Block("python", "", 1, "too lazy"), ROOT / "README.md", {})
    run_line("salientclips probe climb.mp4 | grep h264")
    assert "h264" in capfd.readouterr().out
    assert unknown_options("salientclips probe V --k 3") == ["--k"]
    assert unknown_options("`--k`") == []
    assert unknown_options("--nonsense") == ["--nonsense"]
    line = Block("console", "$ salientclips cut a.mp4 \\\n    -o 'b c'\noutput\n", 1).lines()[0]
    assert words_of(line) == ["salientclips", "cut", "a.mp4", "-o", "b c"]
    assert shlex.join(words_of(line)) == line
