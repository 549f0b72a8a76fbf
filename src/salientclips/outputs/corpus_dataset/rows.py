"""From what came of videos to columns. Gathered as plain arrays: 110 bytes a clip, however few clips a video has."""

from __future__ import annotations

from array import array
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from ...corpus.rows import STREAMS, ClipRows, Outcome, VideoRow
from ...errors import InputError
from ..ticks import common_base
from .names import to_text
from .schema import CLIPS, VIDEOS

_MOST = 2**63 - 1
_COLUMNS = [field.name for field in fields(VideoRow)]


class Gathered:
    """Rows of videos that are to be one part."""

    def __init__(self) -> None:
        self._videos: list[dict[str, Any]] = []
        self._ints = {name: array("i") for name in ("index", "rank")}
        self._ticks = {name: array("q") for name in ("start_ticks", "end_ticks", "ticks_per_second")}
        self._floats = {name: array("d") for name in ("start_s", "end_s", "score", *STREAMS)}

    @property
    def num_videos(self) -> int:
        """Videos gathered."""
        return len(self._videos)

    @property
    def num_clips(self) -> int:
        """Clips gathered."""
        return len(self._ints["index"])

    def add(self, outcome: Outcome) -> None:
        """Take the rows of one video.

        Args:
            outcome: What came of it.

        Raises:
            InputError: It contradicts itself: another number of clips than its row says, clips of a failed video,
                or a stream that has no column.
        """
        _check(outcome)
        before = self.num_clips
        try:
            self._take(outcome)
        except BaseException:
            # An interrupt may come between two columns: a video is taken whole or not at all.
            columns: list[array[Any]] = [*self._ints.values(), *self._ticks.values(), *self._floats.values()]
            for column in columns:
                del column[before:]
            raise

    def _take(self, outcome: Outcome) -> None:
        clips = outcome.clips
        starts, ends, per_second = _ticks(clips)
        self._ints["index"].extend(clips.index.tolist())
        self._ints["rank"].extend(clips.rank.tolist())
        self._ticks["start_ticks"].extend(starts)
        self._ticks["end_ticks"].extend(ends)
        self._ticks["ticks_per_second"].extend([per_second] * len(clips))
        self._floats["start_s"].extend(map(float, clips.starts))
        self._floats["end_s"].extend(map(float, clips.ends))
        self._floats["score"].extend(clips.score.tolist())
        nothing = [np.nan] * len(clips)
        for name in STREAMS:
            values = clips.streams.get(name)
            self._floats[name].extend(nothing if values is None else values.tolist())
        self._videos.append({name: _storable(getattr(outcome.row, name)) for name in _COLUMNS})

    def videos(self) -> pa.Table:
        """The rows of the videos, in the order of :meth:`add`."""
        return pa.Table.from_pylist(self._videos, schema=VIDEOS)

    def clips(self) -> pa.Table:
        """The rows of their clips, in the same order."""
        names = pa.array([row["video"] for row in self._videos], pa.string())
        which = np.repeat(np.arange(len(names)), [row["clip_rows"] for row in self._videos])
        rank = np.array(self._ints["rank"], np.int32)
        ticks = {name: np.array(values, np.int64) for name, values in self._ticks.items()}
        lost = ticks["ticks_per_second"] == 0
        floats = {name: np.array(values, np.float64) for name, values in self._floats.items()}
        columns = {
            "video": names.take(pa.array(which)),
            "index": pa.array(np.array(self._ints["index"], np.int32)),
            "rank": pa.array(rank, mask=rank == 0),
            **{name: pa.array(values, mask=lost) for name, values in ticks.items()},
            **{name: pa.array(floats[name]) for name in ("start_s", "end_s", "score")},
            # from_pandas makes NaN null.
            **{f"stream_{name}": pa.array(floats[name], from_pandas=True) for name in STREAMS},
        }
        return pa.Table.from_arrays([columns[name] for name in CLIPS.names], schema=CLIPS)


def _check(outcome: Outcome) -> None:
    row, clips = outcome.row, outcome.clips
    lengths = {len(clips), len(clips.starts), len(clips.ends), len(clips.score), len(clips.rank)}
    lengths |= {len(values) for values in clips.streams.values()}
    unknown = [name for name in clips.streams if name not in STREAMS]
    if lengths != {row.clip_rows} or (outcome.failed and len(clips)) or unknown:
        raise InputError(
            f"the outcome of '{row.video}' contradicts itself: status {row.status}, clip_rows {row.clip_rows}, "
            f"columns of {sorted(lengths)} clips, streams {sorted(clips.streams)}",
            f"give a clip of each row, none for a failed video, and streams of {', '.join(STREAMS)}",
        )


def _ticks(clips: ClipRows) -> tuple[list[int], list[int], int]:
    """Starts, ends and ticks a second; zeros where 64 bits do not hold them all."""
    times = (*clips.starts, *clips.ends)
    per_second = common_base(times)
    # The base is a multiple of every denominator, and whole numbers are quicker than fractions.
    ticks = [time.numerator * (per_second // time.denominator) for time in times]
    if max(map(abs, ticks), default=0) > _MOST or per_second > _MOST:
        ticks, per_second = [0] * len(times), 0
    return ticks[: len(clips)], ticks[len(clips) :], per_second


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return to_text(value)
    if not isinstance(value, tuple):
        return value
    pairs = [one for one in value if isinstance(one, tuple)]
    if pairs:
        return [{"label": to_text(label), "probability": probability} for label, probability in pairs]
    return [to_text(one) for one in value]
