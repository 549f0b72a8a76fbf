"""FiftyOne: a folder in the format FiftyOneTemporalDetectionDataset, two JSON files and no copy of the video.

Frames count from 1, both ends included. The score is an attribute and not the detection's confidence, which FiftyOne
takes for a probability.
"""

from __future__ import annotations

import json
from pathlib import Path

from ...destinations import make_folder
from ...errors import InputError
from ...folder_lock import alone_in
from ...whole_file import write_text
from .source import Source


def write(source: Source, path: Path) -> tuple[str, ...]:
    """Write a dataset of one video.

    Args:
        source: The clips and their video.
        path: The folder; made if it is not there.

    Returns:
        How to load it.

    Raises:
        InputError: It cannot be written.
        MediaError: The video cannot be read.
    """
    detections = []
    for clip in source.clips:
        first, stop = source.frames.span(clip)
        attributes = {"saliency": clip.score, "rank": clip.rank}
        detections.append({"label": "salient", "support": [first + 1, stop], "attributes": attributes})
    key = source.selection.scores.fingerprint.sha256[:24]
    make_folder(path)
    labels = {"classes": ["salient"], "labels": {key: detections}}
    try:
        with alone_in(path):
            write_text(path / "labels.json", json.dumps(labels, indent=1, allow_nan=False))
            write_text(path / "data.json", json.dumps({key: str(source.video)}, indent=1))
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be written to ({error.strerror})", "choose another folder"
        ) from error
    # Unless it is told of data.json, FiftyOne looks for the videos in a folder data/ and refuses.
    how = 'from_dir(FOLDER, fo.types.FiftyOneTemporalDetectionDataset, data_path="data.json")'
    return (f"load it with fo.Dataset.{how}",)
