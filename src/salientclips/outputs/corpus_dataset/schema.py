"""The columns of a corpus data set: one Arrow schema for every job, every part and every video.

Rows of one video are contiguous, and in the order of its :class:`~salientclips.corpus.rows.ClipRows`. Text that is no
Unicode is stored as :mod:`.names` says.
"""

from __future__ import annotations

import pyarrow as pa

from ...corpus.rows import STREAMS

SCHEMA = 3
"""Version of the folder and of these columns, as ``job.json`` has it. Since 2 there is ``stream_motion``, since 3
``stream_packets`` and ``stream_stats``."""


def _must(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _texts() -> pa.DataType:
    return pa.list_(_must("element", pa.string()))


def _predictions() -> pa.DataType:
    return pa.list_(
        _must("element", pa.struct([_must("label", pa.string()), _must("probability", pa.float64())]))
    )


VIDEOS = pa.schema(
    [
        _must("video", pa.string()),  # path, URL or tar://MEMBER::SHARD; once in the data set
        _must("status", pa.string()),  # ok or failed
        pa.field("error_type", pa.string()),  # null where all went well, as the next two
        pa.field("message", pa.string()),
        pa.field("remedy", pa.string()),
        _must("true_labels", _texts()),  # what the manifest said, as the next two
        _must("group", pa.string()),
        pa.field("split", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("sha256", pa.string()),  # of the first and the last MiB, hexadecimal
        pa.field("duration_s", pa.float64()),
        _must("num_clips", pa.int64()),  # clips that the video was divided into
        _must("clip_rows", pa.int64()),  # its rows in the table of clips
        pa.field("sampler", pa.string()),
        _must("features_used", _texts()),
        pa.field("label", pa.string()),  # null where no classifier looked, as the next one
        pa.field("probability", pa.float64()),
        _must("predictions", _predictions()),  # most probable first
        pa.field("gflops", pa.float64()),
        _must("note", pa.string()),
        _must("warnings", _texts()),
    ]
)
"""A row a video: the fields of :class:`~salientclips.corpus.rows.VideoRow`, in order."""

CLIPS = pa.schema(
    [
        _must("video", pa.string()),
        _must("index", pa.int32()),  # which clip of the video, from 0
        _must("start_s", pa.float64()),  # the float64 nearest to the exact start, seconds on the timeline
        _must("end_s", pa.float64()),  # not included
        _must("score", pa.float64()),  # higher is more salient
        pa.field("rank", pa.int32()),  # 1 is the most salient; null where nothing was selected
        pa.field("start_ticks", pa.int64()),  # exact: start_ticks / ticks_per_second seconds
        pa.field("end_ticks", pa.int64()),
        pa.field("ticks_per_second", pa.int64()),  # one number a video; null, all three, beyond 64 bits
        *(
            pa.field(f"stream_{name}", pa.float64()) for name in STREAMS
        ),  # null where a clip has nothing of it
    ]
)
"""A row a clip."""

DICTIONARIES = {
    "videos": [
        *(
            "status",
            "error_type",
            "message",
            "remedy",
            "true_labels.list.element",
            "group",
            "split",
            "sampler",
        ),
        *(
            "features_used.list.element",
            "label",
            "predictions.list.element.label",
            "note",
            "warnings.list.element",
        ),
    ],
    "clips": ["video", "ticks_per_second"],
}
"""Columns whose values repeat."""
