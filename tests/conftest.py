"""Fixtures that every test may use: made-up media files and the folder of real ones."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from hypothesis import settings

from far_places import Server, web_server
from made_files import MAKERS, MadeFile, encoder_of
from salientclips.cli.run import run
from trap_files import TRAPS
from trap_verbs import Command

# A busy machine is no failure: examples are bounded in number, not in time.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder else writes a banner to stderr

GetMade = Callable[[str], MadeFile]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> GetMade:
    """``made("vfr")`` is the made-up file of that name, with its truth; made once a session."""
    kept: dict[str, MadeFile] = {}

    def get(name: str) -> MadeFile:
        encoder = encoder_of(name)
        if encoder is not None and encoder not in av.codecs_available:
            pytest.skip(f"this PyAV has no encoder {encoder}")
        if name not in kept:
            kept[name] = {**MAKERS, **TRAPS}[name](tmp_path_factory.mktemp(name))
        return kept[name]

    return get


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder in fsspec's memory, gone afterwards."""
    fsspec = pytest.importorskip(
        "fsspec", reason="fsspec is not installed: pip install 'salientclips[remote]'"
    )
    url = f"memory://{uuid4().hex}"
    yield url
    files = fsspec.filesystem("memory")
    if files.exists(url):
        files.rm(url, recursive=True)


@pytest.fixture
def web() -> Iterator[Server]:
    """A web server that holds nothing yet."""
    with web_server() as server:
        yield server


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried at once."""
    from salientclips.corpus import remote

    monkeypatch.setattr(remote, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line with ``--json``, in this process."""
    return Command(capsys)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """Run a command with --json in this process: (exit code, what it printed, stderr)."""

    def inner(*words: str | Path) -> tuple[int, Any, str]:
        code = run([*map(str, words), "--json"])
        printed = capsys.readouterr()
        return code, json.loads(printed.out), printed.err

    return inner


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real videos; tests that need it are skipped without it."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("SALIENTCLIPS_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real videos at {folder}; set SALIENTCLIPS_DATA")
    return folder


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """A Ray cluster of this machine with two cores and one GPU that it only believes in; gives its address.

    One for all tests: starting it takes from five to thirty seconds.
    """
    with warnings.catch_warnings():
        # Its own, on import, and about sockets and files that it leaves to the garbage collector.
        warnings.simplefilter("ignore")
        ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'salientclips[ray]'")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Its workers have to find the helpers of the tests, too; they inherit this.
        path = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        ray.init(
            num_cpus=2,
            num_gpus=1,
            include_dashboard=False,
            object_store_memory=200 << 20,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        if path is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = path
    yield ray.get_runtime_context().gcs_address
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.shutdown()
        gc.collect()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch on one thread: small convolutions on a busy machine, and threads would wait for one another."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def fair_share() -> Iterator[None]:
    """SVT-AV1, run by root, puts the process before all others; three threads that share a lock then starve."""
    yield
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
