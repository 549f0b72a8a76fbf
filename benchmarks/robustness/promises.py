"""How every run ends: a line that says what was seen, each promise that did not hold, a table, an exit code."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results"


@dataclass
class Promises:
    """What a run was to show."""

    run: str
    broken: list[str] = field(default_factory=list)
    """One line for each that did not hold."""
    checked: int = 0

    def hold(self, is_kept: bool, otherwise: str) -> bool:
        """Check one.

        Args:
            is_kept: Whether it held.
            otherwise: What to say if not.

        Returns:
            ``is_kept``.
        """
        self.checked += 1
        if not is_kept:
            self.broken.append(otherwise)
            print(f"  broken: {otherwise}", flush=True)
        return is_kept

    def end(self, said: str) -> int:
        """Print the summary line.

        Args:
            said: What was seen.

        Returns:
            The exit code.
        """
        how = f"BROKEN, {len(self.broken)} of" if self.broken else "OK,"
        print(f"{how} {self.checked} checks of {self.run}: {said}", flush=True)
        return 1 if self.broken else 0


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table whose columns are the keys of its rows.

    Args:
        path: A CSV file.
        rows: Those of something that did not work lack some.
    """
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
