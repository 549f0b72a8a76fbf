"""The paper map points at files and tests that exist: a map that is wrong is worse than none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("paper_map.md", "reproduce.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|md|csv))", text))
    places = (ROOT, ROOT / "src" / "salientclips", ROOT / "tests", ROOT / "docs")
    code = sorted(name for name in named if name.endswith(".py") or name.startswith("benchmarks/"))
    assert len(code) > 0
    lost = [name for name in code if "/" in name and not any((place / name).exists() for place in places)]
    alone = [name for name in code if "/" not in name and not list((ROOT / "src").rglob(name))]
    lost += [name for name in alone if not (ROOT / "tests" / name).exists()]
    assert lost == []
