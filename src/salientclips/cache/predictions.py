"""What f says of every clip of a video, asked once: :func:`load_or_look` is dense evaluation with a memory.

Looking at every clip is by far the dearest step of training and of the poster's tables, so it is done in parts: after
each part what is known is kept, and a run that was killed goes on from there with the same result.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import numpy as np

from ..classifiers import ClipClassifier
from ..classifiers.look import ClipLooker, Probabilities
from ..media.demux import clip_grid, read_packets
from ..media.fingerprint import fingerprint
from ..timeline import ClipGrid, ClipSpec
from ..types import Fingerprint, PacketTable, SelectedClip
from .store import (
    Array,
    Progress,
    Stored,
    Warn,
    clips_key,
    key_of,
    load_or_none,
    pack_times,
    save,
    unpack_times,
)
from .types import DensePredictions

CLIPS_A_PART = 32
"""Clips looked at between two saves."""


def identity(classifier: ClipClassifier) -> str:
    """A name that tells a classifier from every other, its weights and its input included.

    Args:
        classifier: f.

    Returns:
        Its name and a hash of its input format, its labels and, where it has a torch network as ``network``, of
        every weight. A callable of your own without one is told apart by ``name`` alone: change the name when you
        change what it says.
    """
    digest = hashlib.sha256(repr((classifier.input, classifier.labels)).encode())
    network = getattr(classifier, "network", None)
    if network is not None:
        for name, tensor in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return f"{classifier.name}@{digest.hexdigest()[:16]}"


def load_or_look(
    path: Path,
    classifier: ClipClassifier,
    clips: ClipSpec | ClipGrid | None = None,
    *,
    folder: Path,
    name: str | None = None,
    threads: int = 1,
    batch_clips: int = 4,
    table: PacketTable | None = None,
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> DensePredictions:
    """The class probabilities of all clips of a video, from the cache where they are there.

    Args:
        path: A local video file.
        classifier: f.
        clips: How the video is divided, or the clips themselves; None for clips as long as the classifier's.
        folder: The cache; made where it is missing.
        name: :func:`identity` of the classifier where it is known already; hashing weights takes a moment.
        threads: Decoder threads; the result does not depend on it.
        batch_clips: Clips given to f at once; bounds the memory.
        table: The file's packet table where it was read already.
        progress: Called with the share of clips done, 0 to 1.
        warn: Told of an entry that was damaged and is made again.

    Returns:
        The predictions; ``seconds`` says what looking took when it was done, all sessions together.

    Raises:
        MediaError: The video cannot be read.
    """
    name = identity(classifier) if name is None else name
    clips = classifier.input.clip_spec if clips is None else clips
    print_of_file = fingerprint(path)
    entry = _entry(folder, print_of_file, name, clips)
    stored = load_or_none(entry, warn)
    known = None if stored is None else _unpack(stored)
    if known is None or len(known.probabilities) < len(known.grid):
        began = perf_counter()
        table = read_packets(path) if table is None else table
        demux_s = perf_counter() - began
        if known is None:
            known = _nothing_yet(table, print_of_file, name, classifier, clips, demux_s)
        looker = ClipLooker(path, classifier, table, threads, batch_clips)
        while len(known.probabilities) < len(known.grid):
            known = _look_further(known, looker, progress)
            save(entry, _pack(known))
    if progress is not None:
        progress(1.0)
    return known


def keep(predictions: DensePredictions, clips: ClipSpec | ClipGrid | None = None, *, folder: Path) -> None:
    """Put predictions that were made elsewhere where :func:`load_or_look` finds them.

    Args:
        predictions: What f says of every clip of a video; ``classifier`` is its :func:`identity`, ``fingerprint``
            that of the file as it is here.
        clips: How :func:`load_or_look` will be told to divide the video; None for the grid itself.
        folder: The cache; made where it is missing.
    """
    asked = predictions.grid if clips is None else clips
    save(_entry(folder, predictions.fingerprint, predictions.classifier, asked), _pack(predictions))


def _entry(folder: Path, of: Fingerprint, name: str, clips: ClipSpec | ClipGrid) -> Path:
    key = key_of(kind="predictions", fingerprint=asdict(of), classifier=name, clips=clips_key(clips))
    return folder / "predictions" / f"{key}.safetensors"


def _nothing_yet(
    table: PacketTable,
    of: Fingerprint,
    name: str,
    classifier: ClipClassifier,
    clips: ClipSpec | ClipGrid,
    demux_s: float,
) -> DensePredictions:
    return DensePredictions(
        fingerprint=of,
        classifier=name,
        labels=classifier.labels,
        grid=clip_grid(table, clips) if isinstance(clips, ClipSpec) else clips,
        probabilities=np.zeros((0, len(classifier.labels)), dtype=np.float32),
        seconds={"demux": demux_s, "decode": 0.0, "prepare": 0.0, "classifier": 0.0},
        gflops_per_clip=classifier.input.gflops,
        warnings=table.warnings,
    )


def _look_further(known: DensePredictions, looker: ClipLooker, progress: Progress | None) -> DensePredictions:
    """Look at the next clips."""
    grid, first = known.grid, len(known.probabilities)
    stop = min(first + CLIPS_A_PART, len(grid))
    wanted = [SelectedClip(i + 1, i, grid.starts[i], grid.ends[i], 0.0) for i in range(first, stop)]

    def report(share: float) -> None:
        if progress is not None:
            progress((first + share * (stop - first)) / len(grid))

    before = dict(looker.seconds)
    found: Probabilities = looker.look(wanted, report)
    spent = {part: looker.seconds[part] - before[part] for part in before}
    return DensePredictions(
        fingerprint=known.fingerprint,
        classifier=known.classifier,
        labels=known.labels,
        grid=grid,
        probabilities=np.concatenate([known.probabilities, found.astype(np.float32, copy=False)]),
        seconds={part: value + spent.get(part, 0.0) for part, value in known.seconds.items()},
        gflops_per_clip=known.gflops_per_clip,
        warnings=tuple(dict.fromkeys((*known.warnings, *looker.warnings))),
    )


def _pack(predictions: DensePredictions) -> Stored:
    arrays: dict[str, Array] = {
        "starts": pack_times(predictions.grid.starts),
        "ends": pack_times(predictions.grid.ends),
        "probabilities": predictions.probabilities,
    }
    facts = {
        "fingerprint": asdict(predictions.fingerprint),
        "classifier": predictions.classifier,
        "labels": list(predictions.labels),
        "seconds": predictions.seconds,
        "gflops_per_clip": predictions.gflops_per_clip,
        "warnings": list(predictions.warnings),
    }
    return Stored(arrays, facts)


def _unpack(stored: Stored) -> DensePredictions:
    arrays, facts = stored.arrays, stored.facts
    return DensePredictions(
        fingerprint=Fingerprint(**facts["fingerprint"]),
        classifier=facts["classifier"],
        labels=tuple(facts["labels"]),
        grid=ClipGrid(unpack_times(arrays["starts"]), unpack_times(arrays["ends"])),
        probabilities=arrays["probabilities"],
        seconds=facts["seconds"],
        gflops_per_clip=facts["gflops_per_clip"],
        warnings=tuple(facts["warnings"]),
    )
