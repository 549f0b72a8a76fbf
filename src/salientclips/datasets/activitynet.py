"""ActivityNet from its JSON (Caba Heilbron et al., CVPR 2015): several labels a video, and where each happens.

The ``database`` maps YouTube's identifier to a ``subset`` and ``annotations``, each with a ``label`` and a
``segment`` of two times in seconds. Files are called ``v_ID.mp4`` by the official downloader, or by the
identifier alone. The segments become the spans against which saliency is measured. Nothing is downloaded here.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import FileMissingError, InputError
from ..timeline import exact_seconds
from .manifest import Entry, Split
from .stored_videos import StoredVideos

_SPLITS: dict[str, Split] = {"training": "train", "validation": "validation", "testing": "test"}


def read_activitynet(json_file: str | Path, videos: str | Path) -> tuple[Entry, ...]:
    """List the videos of ActivityNet.

    Args:
        json_file: ``activity_net.v1-3.min.json`` or an older one.
        videos: The folder below which the files are.

    Returns:
        One entry a video, in order of the file; labels once each, in order of their first segment; spans exact as
        written, an empty or reversed segment left out. Unlabelled in the test subset. Files that are not there have
        the path at which they were expected.

    Raises:
        FileMissingError: The JSON or the folder is not there.
        InputError: It is no ActivityNet JSON; the message names the video.
    """
    path, stored = Path(json_file), StoredVideos(Path(videos))
    if not path.is_file():
        raise FileMissingError(path)
    try:
        # Exact as written, for the timeline counts in fractions.
        database = json.loads(path.read_text(encoding="utf-8"), parse_float=exact_seconds)["database"].items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"'{path}' is no ActivityNet JSON", "give activity_net.v1-3.min.json") from error
    return tuple(_entry(name, facts, stored, path) for name, facts in database)


def _entry(name: str, facts: Any, stored: StoredVideos, source: Path) -> Entry:
    try:
        split = _SPLITS[facts["subset"]]
        marks = [(str(mark["label"]), *_segment(mark["segment"])) for mark in facts["annotations"]]
        spans = sorted({(start, end) for _, start, end in marks if end > start})
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"'{source}': the video {name!r} is damaged", "download the file again") from error
    labels = tuple(dict.fromkeys(label for label, *_ in marks))
    return Entry(stored.path([f"v_{name}", name]), labels, name, split, tuple(spans))


def _segment(times: Any) -> tuple[Fraction, Fraction]:
    start, end = (time if isinstance(time, Fraction) else exact_seconds(str(time)) for time in times)
    return start, end
