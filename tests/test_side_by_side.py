"""Work in several processes: all is done, and one that fails does not go unseen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.side_by_side import side_by_side


def write(asked: argparse.Namespace, place: int) -> None:
    """Every so-manieth number, a file each; number 3 cannot be written."""
    for number in range(place, 6, asked.workers):
        if number == asked.fails:
            raise OSError(f"number {number}")
        (asked.out / str(number)).touch()


def test_all_is_done(tmp_path: Path) -> None:
    side_by_side(write, argparse.Namespace(workers=2, out=tmp_path, fails=None))
    assert {file.name for file in tmp_path.iterdir()} == set("012345")


def test_a_process_that_fails_is_told_and_the_others_finish(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1 of 2 processes failed"):
        side_by_side(write, argparse.Namespace(workers=2, out=tmp_path, fails=3))
    assert {file.name for file in tmp_path.iterdir()} == set("0124")
    assert "OSError: number 3" in capfd.readouterr().err
