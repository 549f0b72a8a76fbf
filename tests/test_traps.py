"""The index of the traps: docs/reliability.md names a test for each, every named test exists, and none is left out.

The tests themselves are in ``test_traps_*.py``, by kind of trap; their files are made in ``trap_files.py`` and
``made_files.py``, with a burnt-in counter.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

from made_files import MAKERS
from test_traps_files import FILES
from trap_files import TRAPS

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "reliability.md"
ROWS = tuple(str(number) for number in range(1, 26))
# Section 3.2: what goes through every verb (test_traps_files.py), and what is no whole video.
FILES_OF_3_2 = {
    "h264 bf=3", "hevc", "hevc10", "vp9", "av1", "mjpeg", "mpeg4 avi", "mpeg2 mpg", "full.ts", "mid-start .ts",
    "ts g=15", "editlist", "vfr", "rot90", "late audio", "odd 321x241 yuv444",
}  # fmt: skip
OTHERS_OF_3_2 = {
    "corrupt": "test_flipped_bytes_are_counted_and_cost_what_they_hit",
    "truncated mp4 / zero bytes": "test_what_is_no_video_is_one_typed_error",
    "no audio": "test_no_audio_track_is_neutral_and_said",
    "6 s AAC": "test_sound_that_is_longer_makes_no_clips",
}


@lru_cache
def names_in(file: str) -> frozenset[str]:
    """Names of the test functions of a file; fails where there is no such file."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(
        n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")
    )


def table() -> dict[str, list[tuple[str, str]]]:
    """For each row of the section "Traps" its tests as (file, name); the name is empty where a file is meant."""
    section = PAGE.read_text(encoding="utf-8").split("\n## Traps\n")[1].split("\n### ")[0].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0][:1].isdigit():
            number, situation, promise, held_by = cells
            assert situation
            assert promise
            assert number not in found
            found[number] = re.findall(r"(test_\w+\.py)(?:::(test_\w+))?", held_by)
    return found


@pytest.mark.parametrize("number", ROWS)
def test_a_row_names_tests_that_exist(number: str) -> None:
    named = table()[number]
    assert any(file.startswith("test_traps_") and name for file, name in named)
    for file, name in named:
        assert not name or name in names_in(file), f"{file} has no {name}"


def test_no_test_of_a_trap_is_left_out() -> None:
    named = {pair for row in table().values() for pair in row}
    mine = {(path.name, name) for path in TESTS.glob("test_traps_*.py") for name in names_in(path.name)}
    assert mine - named == set()


def test_every_file_of_section_3_2_is_made() -> None:
    notes = {note for text, *_ in FILES.values() for note in text.split(", ")}
    assert FILES_OF_3_2 - notes == set()
    everywhere = {name for path in TESTS.glob("test_traps_*.py") for name in names_in(path.name)}
    assert set(OTHERS_OF_3_2.values()) <= everywhere


def test_no_file_is_made_twice_under_one_name() -> None:
    assert set(TRAPS) & set(MAKERS) == set()
