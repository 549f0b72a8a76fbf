"""Disks that are full, nearly full or read-only, and places that are taken: every command that writes says so.

    PYTHONPATH=src:tests python -m benchmarks.robustness.disk_faults FOLDER [--writers NAME,...]

Each command (``writers.py``) runs once on a disk with room; what it wrote is the truth. Then on a disk

``full``        without a byte left;
``half``        with room for half of what it writes;
``read-only``   that may not be read only, but not written to;
``old, full``   full, with the output of an earlier run in its place;
``taken``       with a folder where its file should be, or a file where its folder should be;

and in each case: exit code 1, one line on standard error that is no unforeseen error, nothing beside the output, no
file under its name that is not one of the whole ones of the truth, the old output as it was. Then there is room
again, and the same command gives the truth. Standard error is read from the descriptor, so lines of libraries count.
A corpus data set that is complete has nothing to write, and then a full disk is no error.

Disks are mounted in a namespace of this program's own (``unshare``), for which nobody need be root. Writes
``robustness-disk_faults.csv``: one row a command, with what it said of each.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from .disks import Disk, begin_again_with_own_mounts, mounted
from .promises import RESULTS, Promises, write_rows
from .writers import WRITERS, Footage, Said, Writer, build_footage, call

_SIZE_MIB = 16
_NUMBERS = re.compile(rb"[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")
_OURS = (".salientclips.lock", "job.json")
"""Of a corpus data set that holds nothing yet."""


def try_writer(writer: Writer, footage: Footage, disk: Disk, promises: Promises) -> dict[str, object]:
    """Try one command with every fault.

    Args:
        writer: Which.
        footage: What it reads.
        disk: Where it writes; empty.
        promises: Told of everything that is checked.

    Returns:
        Its row of the table.
    """
    out = disk.place / writer.output
    first = call(writer, footage, out)
    truth = disk.content()
    row: dict[str, object] = {"command": writer.name, "bytes": sum(map(len, truth.values()))}
    if not promises.hold(
        first.code in (0, 130) and bool(truth), f"{writer.name}: does not work: {first.err}"
    ):
        return row
    again = call(writer, footage, out)
    promises.hold(again.code == 0, f"{writer.name}: does not replace what it wrote: {again.err}")
    for fault, prepare in FAULTS.items():
        _clear(disk)
        prepare(writer, disk, truth)
        before = disk.content()
        said = call(writer, footage, out)
        name = f"{writer.name}, {fault}"
        if fault == "old, full" and writer.goes_on:
            row[fault] = "nothing to write"
            promises.hold(said.code == 0, f"{name}: {said.err.strip()}")
        else:
            row[fault] = _judged(name, said, promises).replace(f"{disk.place}/", "")
        _check_left(name, before, truth, disk.content(), promises)
        disk.free()
        if fault == "taken":
            continue
        repeated = call(writer, footage, out)
        promises.hold(repeated.code == 0, f"{name}: with room again: {repeated.err.strip()}")
        promises.hold(set(disk.content()) == set(truth), f"{name}: with room again it wrote something else")
    _clear(disk)
    return row


def _half(writer: Writer, disk: Disk, truth: dict[str, bytes]) -> None:
    disk.leave(sum(map(len, truth.values())) // 2)


def _old_full(writer: Writer, disk: Disk, truth: dict[str, bytes]) -> None:
    for name, content in truth.items():
        (disk.place / name).parent.mkdir(parents=True, exist_ok=True)
        (disk.place / name).write_bytes(content)
    disk.leave(0)


def _taken(writer: Writer, disk: Disk, truth: dict[str, bytes]) -> None:
    out = disk.place / writer.output
    if writer.is_folder:
        out.write_text("something else\n")
    else:
        out.mkdir()
        (out / "something.txt").write_text("something else\n")


FAULTS: dict[str, Callable[[Writer, Disk, dict[str, bytes]], None]] = {
    "full": lambda writer, disk, truth: disk.leave(0),
    "half": _half,
    "read-only": lambda writer, disk, truth: disk.forbid(),
    "old, full": _old_full,
    "taken": _taken,
}
"""Each makes the disk, which is empty, what its name says."""


def _judged(name: str, said: Said, promises: Promises) -> str:
    lines = said.err.strip().splitlines()
    promises.hold(said.code == 1, f"{name}: exit code {said.code}")
    is_one = len(lines) == 1 and lines[0].startswith("error: ")
    promises.hold(is_one, f"{name}: standard error has {len(lines)} lines: {lines[:3]}")
    promises.hold(not any("unforeseen" in line for line in lines), f"{name}: {lines[-1:]}")
    return lines[-1].removeprefix("error: ") if lines else ""


def _check_left(
    name: str, before: dict[str, bytes], truth: dict[str, bytes], after: dict[str, bytes], promises: Promises
) -> None:
    """Nothing was harmed, and nothing is there that is not whole."""
    for path, content in before.items():
        promises.hold(after.get(path) == content, f"{name}: '{path}', which was there, has changed")
    for path in set(after) - set(before):
        is_whole = Path(path).name in _OURS or (path in truth and _is_whole(path, after[path], truth[path]))
        promises.hold(is_whole, f"{name}: left '{path}' of {len(after[path])} bytes")


def _is_whole(path: str, content: bytes, truth: bytes) -> bool:
    """Whether it is what a run alone writes, but for the times taken, which move the marks of a figure as well."""
    if path.endswith(".svg"):
        return content.endswith(b"</svg>\n")
    return content == truth or _NUMBERS.sub(b"#", content) == _NUMBERS.sub(b"#", truth)


def _clear(disk: Disk) -> None:
    disk.free()
    for path in disk.place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--writers", help="names, separated by semicolons")
    parser.add_argument("--light", action="store_true", help="only commands that need no torch")
    parser.add_argument("--csv", type=Path, default=RESULTS / "robustness-disk_faults.csv")
    asked = parser.parse_args()
    begin_again_with_own_mounts()
    os.environ["COLUMNS"] = "200"
    wanted = None if asked.writers is None else asked.writers.split(";")
    chosen = [one for one in WRITERS if wanted is None or one.name in wanted]
    chosen = [one for one in chosen if not (asked.light and one.is_heavy)]
    promises = Promises("disks at fault")
    footage = build_footage(asked.folder / "footage", heavy=any(one.is_heavy for one in chosen))
    rows = []
    for writer in chosen:
        with mounted(asked.folder / "disk", _SIZE_MIB) as disk:
            rows.append(try_writer(writer, footage, disk, promises))
        print(rows[-1], flush=True)
    write_rows(asked.csv, rows)
    return promises.end(f"{len(chosen)} commands, {len(FAULTS)} faults each")


if __name__ == "__main__":
    sys.exit(main())
