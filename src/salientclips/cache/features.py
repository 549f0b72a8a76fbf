"""The features of a video, read once: :func:`load_or_read` is the reader with a memory.

What decides the numbers decides the name of the entry: the file's fingerprint, the parameters, the division into
clips and the version of the definitions. A renamed or moved video is recognised, a changed one is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ..compressed.reader import FeatureReader
from ..media.demux import clip_grid, read_packets
from ..media.fingerprint import fingerprint
from ..samplers.card import FEATURE_VERSION
from ..timeline import ClipGrid, ClipSpec
from ..types import ClipFeatures, FeatureParameters, Fingerprint, PacketTable
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
from .types import VideoFeatures

_ARRAYS = ("md", "md_valid", "rgbr", "energy", "iframes", "mel")
"""The fields of ``ClipFeatures`` that are arrays or None."""


def load_or_read(
    path: Path,
    parameters: FeatureParameters,
    clips: ClipSpec | ClipGrid,
    *,
    folder: Path,
    threads: int = 1,
    table: PacketTable | None = None,
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> VideoFeatures:
    """The features of all clips of a video, from the cache where they are there.

    Args:
        path: A local video file.
        parameters: What to read.
        clips: How the video is divided, or the clips themselves.
        folder: The cache; made where it is missing.
        threads: Decoder threads; the features do not depend on it.
        table: The file's packet table where it was read already.
        progress: Called with the share of clips done, 0 to 1.
        warn: Told of an entry that was damaged and is made again.

    Returns:
        The features; ``seconds`` says what reading took when it was done.

    Raises:
        MediaError: The video cannot be read.
        FeatureUnavailableError: A feature cannot be had from it.
    """
    print_of_file = fingerprint(path)
    entry = _entry(folder, print_of_file, parameters, clips)
    stored = load_or_none(entry, warn)
    if stored is None:
        features = _read(path, print_of_file, parameters, clips, threads, table, progress)
        save(entry, _pack(features))
        return features
    if progress is not None:
        progress(1.0)
    return _unpack(stored)


def entry_path(path: Path, parameters: FeatureParameters, clips: ClipSpec | ClipGrid, folder: Path) -> Path:
    """Where the features of a video are kept, or will be.

    Args:
        path: A local video file.
        parameters: What is read.
        clips: How the video is divided, or the clips themselves.
        folder: The cache.

    Returns:
        The entry's path; its stem tells these features from all others.

    Raises:
        FileMissingError: There is no such video.
    """
    return _entry(folder, fingerprint(path), parameters, clips)


def _entry(folder: Path, of: Fingerprint, parameters: FeatureParameters, clips: ClipSpec | ClipGrid) -> Path:
    key = key_of(
        kind="features",
        version=FEATURE_VERSION,
        fingerprint=asdict(of),
        parameters=parameters.facts(),
        clips=clips_key(clips),
    )
    return folder / "features" / f"{key}.safetensors"


def _read(
    path: Path,
    of: Fingerprint,
    parameters: FeatureParameters,
    clips: ClipSpec | ClipGrid,
    threads: int,
    table: PacketTable | None,
    progress: Progress | None,
) -> VideoFeatures:
    began = perf_counter()
    table = read_packets(path) if table is None else table
    grid = clip_grid(table, clips) if isinstance(clips, ClipSpec) else clips
    demuxed = perf_counter()
    reader = FeatureReader(path, table, grid, threads=threads, progress=progress)
    found = tuple(reader.read(parameters))
    return VideoFeatures(
        fingerprint=of,
        parameters=parameters,
        grid=grid,
        clips=found,
        seconds={"demux": demuxed - began, "features": perf_counter() - demuxed},
        warnings=(*table.warnings, *reader.warnings),
    )


def _pack(features: VideoFeatures) -> Stored:
    clips = features.clips
    arrays: dict[str, Array] = {
        "starts": pack_times(features.grid.starts),
        "ends": pack_times(features.grid.ends),
        "times": pack_times(tuple(time for clip in clips for time in clip.times)),
        "times.count": np.array([len(clip.times) for clip in clips], dtype=np.int32),
        "failures": np.array([clip.failures for clip in clips], dtype=np.int32),
    }
    for name in _ARRAYS:
        arrays.update(_pack_field(name, [getattr(clip, name) for clip in clips]))
    costs = [clip.packet_cost for clip in clips if clip.packet_cost is not None]
    if costs:
        # All clips have one or none has: it is of the whole packet table.
        arrays["packet_cost"] = np.array(costs, dtype=np.float64)
    facts = {
        "fingerprint": asdict(features.fingerprint),
        "parameters": features.parameters.facts(),
        "seconds": features.seconds,
        "warnings": list(features.warnings),
    }
    return Stored(arrays, facts)


def _pack_field(name: str, values: Sequence[Array | None]) -> dict[str, Array]:
    """One field of all clips, end to end, and the shape of each clip's part (a row of -1 where it is None).

    Shapes may differ from clip to clip: the picture size of a video can change.
    """
    present = [value for value in values if value is not None]
    if not present:
        return {}
    absent = (-1,) * present[0].ndim
    shapes = np.array([absent if value is None else value.shape for value in values], dtype=np.int32)
    return {name: np.concatenate([value.ravel() for value in present]), f"{name}.shape": shapes}


def _unpack(stored: Stored) -> VideoFeatures:
    arrays, facts = stored.arrays, stored.facts
    counts = arrays["times.count"]
    times = unpack_times(arrays["times"])
    ends = np.cumsum(counts)
    fields = {name: _unpack_field(name, arrays, len(counts)) for name in _ARRAYS}
    costs = arrays["packet_cost"].tolist() if "packet_cost" in arrays else [None] * len(counts)
    clips = tuple(
        ClipFeatures(
            index=i,
            times=times[end - count : end],
            packet_cost=costs[i],
            failures=int(arrays["failures"][i]),
            **{name: values[i] for name, values in fields.items()},
        )
        for i, (count, end) in enumerate(zip(counts.tolist(), ends.tolist(), strict=True))
    )
    parameters = dict(facts["parameters"])
    return VideoFeatures(
        fingerprint=Fingerprint(**facts["fingerprint"]),
        parameters=replace(FeatureParameters(**parameters), features=tuple(parameters["features"])),
        grid=ClipGrid(unpack_times(arrays["starts"]), unpack_times(arrays["ends"])),
        clips=clips,
        seconds=facts["seconds"],
        warnings=tuple(facts["warnings"]),
    )


def _unpack_field(name: str, arrays: dict[str, Array], count: int) -> list[Any]:
    if name not in arrays:
        return [None] * count
    values: list[Any] = []
    flat, begin = arrays[name], 0
    for shape in arrays[f"{name}.shape"].tolist():
        if shape[0] < 0:
            values.append(None)
            continue
        end = begin + int(np.prod(shape))
        values.append(flat[begin:end].reshape(shape))
        begin = end
    return values
