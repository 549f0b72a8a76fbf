"""The JSON of ``fit --json``: the sampler's card and an account of the work; part of the contract of docs/json.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ..samplers.card import SamplerCard
from .contract import SCHEMA, Json


def fit_json(
    card: SamplerCard,
    *,
    folder: Path | None,
    videos: Mapping[str, int],
    left_out: Iterable[tuple[Path, str]],
    history: Mapping[str, Sequence[Mapping[str, float]]],
    seconds: Mapping[str, float],
    warnings: Sequence[str],
) -> Json:
    """What ``fit --json`` prints.

    Args:
        card: The sampler's card.
        folder: Where the sampler was written; None where it was not.
        videos: Videos used by split.
        left_out: Videos that could not be used, and why.
        history: Of each network, what each epoch gave.
        seconds: What it took by part.
        warnings: One line each.

    Returns:
        A JSON-able object; shares from 0 to 1, times in seconds.
    """
    described = asdict(card)
    seconds_a_clip = card.clip.seconds
    described["clip"]["seconds"] = None if seconds_a_clip is None else float(seconds_a_clip)
    return {
        "schema": SCHEMA,
        "output": None if folder is None else str(folder),
        "card": described,
        "videos": dict(videos),
        "left_out": [{"path": str(path), "reason": reason} for path, reason in left_out],
        "history": {name: [dict(epoch) for epoch in epochs] for name, epochs in history.items()},
        "seconds": dict(seconds),
        "warnings": list(warnings),
    }
