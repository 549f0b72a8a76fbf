"""Two runs that write to the same place at once: refused, or both right; never mixed.

    PYTHONPATH=src:tests python -m benchmarks.robustness.two_writers FOLDER [--rounds 10] [--light]

Two processes, each with a video of its own and the same name, begin at a barrier and run the same command again and
again (``writers.py``; ``--rounds`` times), with the same output. A third looks on.

- A file is at every moment the whole output of one of the two (numbers in text aside, for times taken are in some;
  of a Parquet file its table, of a video the counters burnt into its pictures, because x264 does not always decide
  alike, and how many packets of sound it has).
- Each file of a folder is at the end that of one of the two; where files belong together (FiftyOne), all of one.
- Of two runs into one corpus data set, one is refused or finds everything done; rows are those of a run alone. Of
  two different jobs exactly one gets it.
- Two ``fit`` with one empty cache make, each in its own folder, the sampler that one alone makes, bit for bit.

Nothing is left beside. Writes ``robustness-two_writers.csv``.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq

from media_files import read_counter
from salientclips import load_scores
from salientclips.errors import StoredScoresError
from salientclips.outputs.corpus_dataset import canonical

from .promises import RESULTS, Promises, write_rows
from .writers import WRITERS, Footage, Said, Writer, build_footage, call

TOGETHER = "export, fiftyone"
_CORPUS = ("score, corpus", "select, corpus")
_NUMBERS = re.compile(rb"[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")
_PATIENCE_S = 600.0


@dataclass(frozen=True)
class Order:
    """What one side is to do."""

    writer: Writer
    footage: Footage
    out: Path
    rounds: int = 1


class Pair:
    """Two processes that do things at once; a context manager."""

    def __enter__(self) -> Pair:
        spawn = multiprocessing.get_context("spawn")
        barrier = self._barrier = spawn.Barrier(2)  # lives as long as this does
        self._ends, self._processes = [], []
        for _ in range(2):
            here, there = spawn.Pipe()
            self._processes.append(spawn.Process(target=_side, args=(there, barrier), daemon=True))
            self._processes[-1].start()
            self._ends.append(here)
        return self

    def __exit__(self, *_: object) -> None:
        for end, process in zip(self._ends, self._processes, strict=True):
            end.send(None)
            process.join(10)
            process.kill()

    def begin(self, one: Order, other: Order) -> None:
        """Have both begin at the same moment."""
        for end, order in zip(self._ends, (one, other), strict=True):
            end.send(order)

    @property
    def is_at_work(self) -> bool:
        """Whether one has not answered yet."""
        return not all(end.poll() for end in self._ends)

    def said(self) -> list[list[Said]]:
        """How the rounds of each ended."""
        for end in self._ends:
            if not end.poll(_PATIENCE_S):
                raise TimeoutError("a side hangs")
        return [end.recv() for end in self._ends]


def _side(orders: Connection[Any, Any], barrier: Barrier) -> None:
    os.environ["COLUMNS"] = "200"
    while (order := orders.recv()) is not None:
        barrier.wait(_PATIENCE_S)
        said = [call(order.writer, order.footage, order.out) for _ in range(order.rounds)]
        orders.send(said)


def contents(place: Path) -> dict[str, bytes]:
    """Files of an output, by their path below it; ``.`` where it is a file."""
    try:
        if place.is_dir():
            files = sorted(path for path in place.rglob("*") if path.is_file())
            return {str(path.relative_to(place)): path.read_bytes() for path in files}
        return {".": place.read_bytes()}
    except FileNotFoundError:
        return {}


def owner(
    writer: Writer, name: str, content: bytes, truths: list[dict[str, bytes]], scratch: Path
) -> set[int]:
    """Which of the two sides a file may be of."""
    if writer.name.startswith("score, "):
        return _owner_of_scores(writer, content, scratch)
    essence = _ESSENCES.get(Path(writer.output if name == "." else name).suffix, _text)
    try:
        same = essence(content)
    except (OSError, ValueError):  # neither reader knows what it is
        return set()
    return {side for side, truth in enumerate(truths) if name in truth and essence(truth[name]) == same}


def _text(content: bytes) -> object:
    return _NUMBERS.sub(b"#", content)


def _table(content: bytes) -> object:
    return pq.read_table(io.BytesIO(content)).to_pydict()


def _pictures(content: bytes) -> object:
    counters, sound = [], 0
    with av.open(io.BytesIO(content), "r") as read:
        for packet in read.demux():
            sound += packet.stream.type == "audio"
            if packet.stream.type == "video":
                pictures = [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
                counters += [
                    read_counter(np.asarray(picture.to_ndarray(format="rgb24"), np.uint8))
                    for picture in pictures
                ]
    return counters, sound


_ESSENCES = {".parquet": _table, ".mp4": _pictures}
"""What two writings of the same have in common, by suffix."""


def _owner_of_scores(writer: Writer, content: bytes, scratch: Path) -> set[int]:
    copy = scratch / writer.output
    copy.write_bytes(content)
    found = set()
    for side in range(2):
        try:
            load_scores(copy, scratch / str(side) / "video.mp4")
        except StoredScoresError:
            continue
        found.add(side)
    return found


def try_writer(
    writer: Writer, footage: list[Footage], pair: Pair, folder: Path, rounds: int, promises: Promises
) -> dict[str, object]:
    """Have both sides write to one place."""
    truths, scratch = [], folder / "scratch"
    for side in range(2):
        alone = _fresh(folder / f"alone-{side}") / writer.output
        promises.hold(call(writer, footage[side], alone).code == 0, f"{writer.name}: does not work alone")
        truths.append(contents(alone))
    out = _fresh(folder / "together") / writer.output
    pair.begin(Order(writer, footage[0], out, rounds), Order(writer, footage[1], out, rounds))
    seen, of_neither = 0, list[bytes]()
    while pair.is_at_work:
        for name, content in contents(out).items() if not writer.is_folder else ():
            seen += 1
            if not owner(writer, name, content, truths, scratch):
                of_neither.append(content)
        time.sleep(0.02)
    for side, said in enumerate(pair.said()):
        failed = [one.err.strip() for one in said if one.code != 0]
        promises.hold(not failed, f"{writer.name}: side {side} failed: {failed[:1]}")
    promises.hold(
        not of_neither, f"{writer.name}: {len(of_neither)} times of neither, first {of_neither[:1]!r:.200}"
    )
    last = {name: owner(writer, name, content, truths, scratch) for name, content in contents(out).items()}
    promises.hold(bool(last) and all(last.values()), f"{writer.name}: at the end {last}")
    if writer.name == TOGETHER:
        of_one = set.intersection(*last.values())
        promises.hold(bool(of_one), f"{writer.name}: files of both are mixed: {last}")
    beside = [path.name for path in out.parent.iterdir() if path != out]
    promises.hold(not beside, f"{writer.name}: left {beside}")
    return {"what": writer.name, "rounds": 2 * rounds, "looks": seen, "refused": 0}


def try_corpus(
    one: Writer, other: Writer, footage: Footage, pair: Pair, folder: Path, promises: Promises
) -> dict[str, object]:
    """Have two corpus runs write to one data set."""
    name = f"{one.name} and {other.name}"
    truths = []
    for writer in (one, other):
        alone = _fresh(folder / "alone") / "set"
        promises.hold(call(writer, footage, alone).code == 0, f"{name}: does not work alone")
        truths.append(canonical(alone))
    out = _fresh(folder / "together") / "set"
    pair.begin(Order(one, footage, out), Order(other, footage, out))
    said = [rounds[0] for rounds in pair.said()]
    refused = [one for one in said if one.code == 1]
    for one_said in refused:
        is_typed = "another process is writing" in one_said.err or "of another job" in one_said.err
        promises.hold(is_typed, f"{name}: {one_said.err.strip()}")
    promises.hold(all(one.code in (0, 1) for one in said) and len(refused) < 2, f"{name}: {said}")
    promises.hold(one == other or len(refused) == 1, f"{name}: two jobs got one data set")
    found = canonical(out)
    is_true = any(
        found.job == truth.job and found.videos.equals(truth.videos) and found.clips.equals(truth.clips)
        for truth in truths
    )
    promises.hold(is_true, f"{name}: other rows than alone")
    return {"what": name, "rounds": 2, "looks": 0, "refused": len(refused)}


def try_cache(
    writer: Writer, footage: Footage, pair: Pair, folder: Path, promises: Promises
) -> dict[str, object]:
    """Have two ``fit`` fill one cache."""
    alone = _fresh(folder / "alone") / "sampler"
    mine = replace(footage, cache=_fresh(folder / "cache-alone"))
    promises.hold(call(writer, mine, alone).code == 0, "fit: does not work alone")
    truth, shared = contents(alone), replace(footage, cache=_fresh(folder / "cache"))
    outs = [_fresh(folder / f"fit-{side}") / "sampler" for side in range(2)]
    pair.begin(Order(writer, shared, outs[0]), Order(writer, shared, outs[1]))
    for side, said in enumerate(pair.said()):
        promises.hold(said[0].code == 0, f"fit: side {side}: {said[0].err.strip()}")
        made = contents(outs[side])
        promises.hold(made == truth, f"fit: side {side} made another sampler: {_differing(made, truth)}")
    left = [path.name for path in shared.cache.rglob(".part*")]
    promises.hold(not left, f"fit: the cache has {left}")
    names = {path.name for path in mine.cache.rglob("*") if path.is_file()}
    entries = {path.name for path in shared.cache.rglob("*") if path.is_file()}
    promises.hold(entries == names, "fit: the cache has other entries than alone")
    return {"what": "fit, one cache", "rounds": 2, "looks": 0, "refused": 0}


def _differing(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def build_sides(folder: Path, *, heavy: bool) -> list[Footage]:
    """Footage for both sides: videos of the same name with other pictures."""
    scratch, sides = folder / "scratch", []
    for side in range(2):
        (scratch / str(side)).mkdir(parents=True, exist_ok=True)
        sides.append(build_footage(scratch / str(side), heavy=heavy and side == 0, frames=120 + 30 * side))
    return sides


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--light", action="store_true", help="without fit, which needs torch")
    parser.add_argument("--writers", help="names, separated by semicolons")
    parser.add_argument("--csv", type=Path, default=RESULTS / "robustness-two_writers.csv")
    asked = parser.parse_args()
    wanted = None if asked.writers is None else asked.writers.split(";")
    by_name = {one.name: one for one in WRITERS if wanted is None or one.name in wanted}
    os.environ["COLUMNS"] = "200"
    folder, promises, rows = asked.folder.resolve(), Promises("two writers"), []
    sides = build_sides(folder, heavy=not asked.light)
    with Pair() as pair:
        for writer in by_name.values():
            if not writer.is_heavy and writer.name not in _CORPUS:
                rows.append(try_writer(writer, sides, pair, folder, asked.rounds, promises))
                print(rows[-1], flush=True)
        corpora = [by_name[name] for name in _CORPUS if name in by_name]
        for one, other in [(corpora[0], corpora[0]), (corpora[0], corpora[-1])] if corpora else []:
            rows.append(try_corpus(one, other, sides[0], pair, folder, promises))
            print(rows[-1], flush=True)
        if not asked.light and "fit" in by_name:
            rows.append(try_cache(by_name["fit"], sides[0], pair, folder, promises))
            print(rows[-1], flush=True)
    write_rows(asked.csv, rows)
    refused = sum(int(str(row["refused"])) for row in rows)
    return promises.end(f"{len(rows)} kinds of output, {refused} runs refused")


if __name__ == "__main__":
    sys.exit(main())
