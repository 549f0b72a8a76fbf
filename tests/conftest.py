"""Fixtures that every test may use: made-up media files and the folder of real ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from hypothesis import settings

from made_files import MAKERS, MadeFile, encoder_of

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
            kept[name] = MAKERS[name](tmp_path_factory.mktemp(name))
        return kept[name]

    return get


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real videos; tests that need it are skipped without it."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("SALIENTCLIPS_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real videos at {folder}; set SALIENTCLIPS_DATA")
    return folder
