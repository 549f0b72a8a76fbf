"""The JSON that ``--json`` prints: a contract with machines, versioned as ``"schema": 1``.

``docs/json.md`` describes every key; ``tests/test_contract.py`` holds this file to it. A key may be added within a
schema; removing one or changing its meaning makes schema 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SalientClipsError
from ..probed import Probe
from ..types import ClipScores, SelectedClip, Selection, VideoPrediction

SCHEMA = 1

Json = dict[str, Any]


def probe_json(probe: Probe) -> Json:
    """What ``probe --json`` prints.

    Args:
        probe: What was found in the file.

    Returns:
        A JSON-able object; times in seconds, sizes in bytes and pixels.
    """
    return {
        "schema": SCHEMA,
        "path": str(probe.path),
        "container": probe.container,
        "size_bytes": probe.size_bytes,
        "video": asdict(probe.video),
        "audio": [asdict(track) for track in probe.audio],
        "features": {name: asdict(support) for name, support in probe.features.items()},
        "warnings": list(probe.warnings),
    }


def scores_json(scores: ClipScores) -> Json:
    """What ``score --json`` prints.

    Args:
        scores: The scores of a video.

    Returns:
        A JSON-able object; ``clips`` in order of time.
    """
    grid = scores.grid
    clips: list[Json] = [
        {"index": i, "start_s": float(start), "end_s": float(end), "score": float(value)}
        for i, (start, end, value) in enumerate(zip(grid.starts, grid.ends, scores.scores, strict=True))
    ]
    for name, values in scores.streams.items():
        for clip, value in zip(clips, values, strict=True):
            # JSON knows no NaN: a clip that had nothing of a stream says null.
            clip.setdefault("streams", {})[name] = None if np.isnan(value) else float(value)
    return {**_provenance(scores), "clips": clips}


def selection_json(selection: Selection) -> Json:
    """What ``select --json`` prints.

    Args:
        selection: The clips chosen.

    Returns:
        A JSON-able object; ``clips`` in rank order.
    """
    return {
        **_provenance(selection.scores),
        "k": selection.k,
        "note": selection.note,
        "clips": [_selected_json(clip) for clip in selection.clips],
    }


def prediction_json(prediction: VideoPrediction, top: int | None = None) -> Json:
    """What ``classify --json`` prints.

    Args:
        prediction: The label of a video.
        top: How many classes to print, most probable first; None for all.

    Returns:
        A JSON-able object.
    """
    return {
        "schema": SCHEMA,
        "path": str(prediction.path),
        "strategy": prediction.strategy,
        "k": prediction.k,
        "classifier": prediction.classifier,
        "predictions": [asdict(p) for p in prediction.predictions[:top]],
        "clips": [_selected_json(clip) for clip in prediction.clips],
        "seconds": prediction.seconds,
        "gflops": prediction.gflops,
        "note": prediction.note,
        "warnings": list(prediction.warnings),
    }


def vectors_json(
    path: Path, backend: str, frames: int, vectors: int, output: Path, warnings: tuple[str, ...]
) -> Json:
    """What ``vectors --json`` prints.

    Args:
        path: The video.
        backend: Who read it.
        frames: Frames that were read.
        vectors: Rows written.
        output: The file.
        warnings: What went wrong without stopping the work.

    Returns:
        A JSON-able object.
    """
    return {
        "schema": SCHEMA,
        "path": str(path),
        "backend": backend,
        "frames": frames,
        "vectors": vectors,
        "output": str(output),
        "warnings": list(warnings),
    }


def report_json(path: Path, output: Path, size_bytes: int, clips: int, warnings: tuple[str, ...]) -> Json:
    """What ``report --json`` prints.

    Args:
        path: The video.
        output: The page.
        size_bytes: Length of the page.
        clips: How many clips it marks as selected.
        warnings: What went wrong without stopping the work.

    Returns:
        A JSON-able object.
    """
    return {
        "schema": SCHEMA,
        "path": str(path),
        "output": str(output),
        "size_bytes": size_bytes,
        "clips": clips,
        "warnings": list(warnings),
    }


def comparison_json(
    path: Path,
    output: Path | None,
    strategies: Sequence[str],
    selections: Sequence[Selection],
    shared: Sequence[Sequence[int]],
) -> Json:
    """What ``compare --json`` prints.

    Args:
        path: The video.
        output: The page; None where none was written.
        strategies: Their names.
        selections: What each chose.
        shared: Clips that each has in common with each.

    Returns:
        A JSON-able object; ``selections`` are as ``select --json`` prints them, in the order of ``strategies``.
    """
    return {
        "schema": SCHEMA,
        "path": str(path),
        "output": None if output is None else str(output),
        "strategies": list(strategies),
        "selections": [selection_json(selection) for selection in selections],
        "shared": [list(row) for row in shared],
    }


def error_json(error: SalientClipsError) -> Json:
    """What any verb prints under ``--json`` when it fails.

    Args:
        error: What was raised.

    Returns:
        ``{"error": {"type", "message", "remedy"}}`` with the schema.
    """
    return {
        "schema": SCHEMA,
        "error": {"type": type(error).__name__, "message": error.message, "remedy": error.remedy},
    }


def _provenance(scores: ClipScores) -> Json:
    return {
        "schema": SCHEMA,
        "path": str(scores.path),
        "fingerprint": asdict(scores.fingerprint),
        "sampler": scores.sampler,
        "sampler_parameters": scores.sampler_parameters,
        "feature_parameters": {
            "frames_per_clip": scores.feature_parameters.frames_per_clip,
            "features": list(scores.feature_parameters.features),
            "budget": scores.feature_parameters.budget,
        },
        "clip": {
            "frames": scores.clip_spec.frames,
            "frame_step": scores.clip_spec.frame_step,
            "seconds": None if scores.clip_spec.seconds is None else float(scores.clip_spec.seconds),
        },
        "rule": scores.rule,
        "streams": list(scores.streams),
        "features_used": list(scores.features_used),
        "warnings": list(scores.warnings),
        "seconds": scores.seconds,
    }


def _selected_json(clip: SelectedClip) -> Json:
    return {
        "rank": clip.rank,
        "index": clip.index,
        "start_s": clip.start_s,
        "end_s": clip.end_s,
        "score": clip.score,
    }
