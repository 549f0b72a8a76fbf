"""Files opened 300 times by each public verb that opens one: nothing stays open, and memory stays where it is.

    SALIENTCLIPS_DATA=... PYTHONPATH=src:tests python -m benchmarks.robustness.opens FOLDER [--opens 300]

Each verb has a process of its own and takes small files in turn: whole ones of five codecs, damaged ones, an empty
one, a text and one that is missing. What the process holds after the first ``--warm`` calls is compared with what it
holds at the end: descriptors and threads must be the same, and memory may grow by ``ALLOWED_MIB``, less than a
leak of one small picture a call. Writes ``robustness-opens.csv``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from time import perf_counter

from salientclips import export, make_sampler, motion_vectors, probe, residuals, save_scores, score
from salientclips.errors import SalientClipsError
from salientclips.types import Selection

from .mutated import make_job
from .mutations import mutate
from .processes import held
from .promises import RESULTS, Promises, write_rows
from .seeds import SEEDS, build_seeds

ALLOWED_MIB = 6.0
WHOLE = ("h264_two_streams.mp4", "h264_raw_cabac.264", "hevc.mp4", "av1_encoded.mp4", "mpeg2_encoded.mpg")
Verb = Callable[[Path, Path], object]
"""Opens a file; the second argument is a folder to write to."""


def _selection(path: Path) -> Selection:
    return score(path, "motion").select(2)


def _left_half_way(path: Path, scratch: Path) -> object:
    return list(islice(motion_vectors(path), 2))


def _sound(path: Path, scratch: Path) -> object:
    from salientclips.audio.mel import read_mel
    from salientclips.media.demux import clip_grid, read_packets
    from salientclips.timeline import ClipSpec

    return list(read_mel(path, clip_grid(read_packets(path), ClipSpec())))


def _classify(folder: Path) -> Verb:
    from salientclips import VideoClassifier

    looking = make_job("classify", folder).looking
    assert looking is not None
    look = VideoClassifier(looking.load(threads=1), make_sampler("motion"), 2)
    return lambda path, scratch: look(path)


def _cut(path: Path, scratch: Path) -> object:
    from salientclips import cut

    return cut(_selection(path), scratch / "clips")


def _copy(path: Path, scratch: Path) -> object:
    from salientclips import cut

    return cut(_selection(path), scratch / "copies", copy=True)


def _summary(path: Path, scratch: Path) -> object:
    from salientclips import summary

    return summary(_selection(path), scratch / "summary.mp4")


def _report(path: Path, scratch: Path) -> object:
    from salientclips import write_report

    return write_report(_selection(path), scratch / "page.html")


def _frames(path: Path, scratch: Path) -> None:
    from salientclips.adapters.frame_files import write_frames
    from salientclips.adapters.openai import frame_parts

    write_frames(frame_parts(_selection(path), 4, shorter_side_px=64), scratch / "frames.json", path)


def _vectors(path: Path, scratch: Path) -> object:
    from salientclips.verbs.vectors import write_vectors

    return write_vectors(path, scratch / "vectors.parquet")


VERBS: dict[str, Callable[[Path], Verb]] = {
    "probe": lambda folder: lambda path, scratch: probe(path),
    "score": lambda folder: (
        lambda path, scratch: save_scores(score(path, "motion"), scratch / "scores.parquet")
    ),
    "score decoded": lambda folder: lambda path, scratch: score(path, "motion", backend="decoded"),
    "classify": _classify,
    "motion_vectors": lambda folder: lambda path, scratch: list(motion_vectors(path)),
    "motion_vectors left half way": lambda folder: _left_half_way,
    "residuals": lambda folder: lambda path, scratch: list(residuals(path)),
    "vectors": lambda folder: _vectors,
    "sound": lambda folder: _sound,
    "cut": lambda folder: _cut,
    "cut --copy": lambda folder: _copy,
    "summary": lambda folder: _summary,
    "export": lambda folder: lambda path, scratch: export(_selection(path), scratch / "clips.edl"),
    "report": lambda folder: _report,
    "frames": lambda folder: _frames,
}
"""Verbs by name; each is made in the process that uses it."""


def build_files(folder: Path) -> list[Path]:
    """Whole and broken files, in turn."""
    seeds = [seed for seed in SEEDS if seed.name in WHOLE]
    whole = build_seeds(folder / "seeds", seeds=tuple(seeds))
    broken = []
    for number, (way, seed) in enumerate(zip(("flip", "cut", "splice", "extradata"), whole, strict=False)):
        broken.append(folder / f"opens-{way}-{seed.name}")
        mutate(way, seed, whole[:1], broken[-1], number)
    empty, text = folder / "opens-empty.mp4", folder / "opens-text.mp4"
    empty.write_bytes(b"")
    text.write_text("no video\n")
    return [*whole, *broken, empty, text, folder / "opens-missing.mp4"]


def open_often(name: str, files: list[Path], folder: Path, opens: int, warm: int) -> dict[str, object]:
    """Call a verb many times in this process.

    Args:
        name: A key of ``VERBS``.
        files: Taken in turn.
        folder: For what is made.
        opens: Calls after the warm-up.
        warm: Calls before.

    Returns:
        What was held after the warm-up and at the end.
    """
    scratch = folder / "scratch" / name.replace(" ", "_")
    scratch.mkdir(parents=True, exist_ok=True)
    verb, refused = VERBS[name](folder), 0
    began = at_first = None
    for number in range(warm + opens):
        if number == warm:
            began, at_first, refused = perf_counter(), held(), 0
        try:
            verb(files[number % len(files)], scratch)
        except SalientClipsError:
            refused += 1
    at_last = held()
    shutil.rmtree(scratch, ignore_errors=True)
    assert began is not None
    assert at_first is not None
    return {
        "verb": name,
        "opens": opens,
        "of_them_refused": refused,
        "descriptors": at_first.descriptors,
        "descriptors_at_end": at_last.descriptors,
        "threads": at_first.threads,
        "threads_at_end": at_last.threads,
        "rss_mib": f"{at_first.rss_mib:.1f}",
        "grown_mib": f"{at_last.rss_mib - at_first.rss_mib:+.1f}",
        "seconds": f"{perf_counter() - began:.1f}",
    }


def check(row: dict[str, object], promises: Promises) -> None:
    """See that nothing stayed."""
    name = row["verb"]
    for kind in ("descriptors", "threads"):
        grew = row[kind] == row[f"{kind}_at_end"]
        promises.hold(grew, f"{name}: {row[kind]} {kind} became {row[f'{kind}_at_end']}")
    promises.hold(float(str(row["grown_mib"])) <= ALLOWED_MIB, f"{name}: {row['grown_mib']} MiB stayed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--opens", type=int, default=300)
    parser.add_argument("--warm", type=int, default=120)
    parser.add_argument("--verb", help="only this one, in this process")
    parser.add_argument("--csv", type=Path, default=RESULTS / "robustness-opens.csv")
    asked = parser.parse_args()
    if asked.verb is not None:
        print(
            json.dumps(
                open_often(asked.verb, build_files(asked.folder), asked.folder, asked.opens, asked.warm)
            )
        )
        return 0
    promises, rows = Promises("opening files"), []
    build_files(asked.folder)
    words = [asked.folder, "--opens", asked.opens, "--warm", asked.warm, "--verb"]
    for name in VERBS:
        command = [sys.executable, "-m", "benchmarks.robustness.opens", *map(str, words), name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "SVT_LOG": "1"})
        if promises.hold(done.returncode == 0, f"{name}: ended with {done.returncode}"):
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(rows[-1], flush=True)
            check(rows[-1], promises)
    write_rows(asked.csv, rows)
    return promises.end(f"{len(VERBS)} verbs, {asked.opens} opens each after {asked.warm} to warm up")


if __name__ == "__main__":
    sys.exit(main())
