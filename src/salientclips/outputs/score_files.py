"""Score files: the scores of one video as Parquet, JSON or CSV, and back without loss.

A file carries what is needed to trust it later: the video's fingerprint, the sampler, the feature parameters and
the exact clip boundaries (integer ticks of one common time base). :func:`load_scores` refuses a file of another
video or other parameters, and any file that is damaged. Parquet has the header in its schema's metadata, CSV in a
first line that starts with ``#``, JSON in its top-level keys (the same object as ``score --json``, plus ticks).

The scores by stream, where a sampler has several, are further columns ``stream_NAME`` (empty where a clip had
nothing of it); in JSON each clip has them under ``streams``. Files from before there were any, or
before there were budgets (all was ``full`` then), load as before.

The layout is this project's own (docs/json.md).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..compressed.budget import check_budget
from ..destinations import check_place
from ..errors import InputError, SalientClipsError, StoredScoresError
from ..media.fingerprint import fingerprint
from ..ranking import RULES
from ..samplers import Sampler
from ..timeline import MOST_SECONDS, ClipGrid, ClipSpec, exact_seconds
from ..types import Budget, ClipScores, FeatureParameters, Fingerprint
from ..whole_file import whole_file
from .contract import SCHEMA, Json, scores_json
from .ticks import TICKS, common_base, for_parquet

_COLUMNS = ("index", "start_s", "end_s", "score", *TICKS)


def check_writable(path: Path) -> None:
    """Find out before long work whether scores can be written to a place.

    Args:
        path: Where scores are to go.

    Raises:
        InputError: The suffix is unknown, the folder is not there, or it may not be written to.
    """
    _format_of(path)
    check_place(path)


def save_scores(scores: ClipScores, path: str | Path) -> None:
    """Write scores to a file whose suffix says the format.

    The file appears whole or not at all: it is written beside its place and then renamed.

    Args:
        scores: The scores of one video.
        path: Ends in ``.parquet``, ``.json`` or ``.csv``; an existing file is replaced.

    Raises:
        InputError: The suffix is another one, or the file cannot be written.

    Example:
        >>> from salientclips import load_scores, save_scores, score
        >>> scores = score("climb.mp4")
        >>> save_scores(scores, "climb.parquet")
        >>> load_scores("climb.parquet") == scores
        True
    """
    path = Path(path)
    write, _ = _format_of(path)
    header = _header(scores)
    rows = _rows(scores, header["ticks_per_second"])
    with whole_file(path) as beside:
        write(beside, header, rows)


def load_scores(
    path: str | Path,
    video: str | Path | None = None,
    *,
    sampler: Sampler | None = None,
    clip: ClipSpec | None = None,
    budget: Budget | None = None,
) -> ClipScores:
    """Read scores back and check that they are what they are taken for.

    Args:
        path: A file that :func:`save_scores` wrote.
        video: If given, the video that the scores must be of; recognised by content, not by name.
        sampler: If given, the sampler that must have made them, with the same parameters.
        clip: If given, the clip length that they must be for.
        budget: If given, the budget that they must have been made with.

    Returns:
        The scores, bit for bit as saved; ``path`` is ``video`` where that is given.

    Raises:
        StoredScoresError: The file is missing, damaged, of another video or of other parameters.

    Example:
        >>> from salientclips import load_scores, save_scores, score
        >>> save_scores(score("climb.mp4"), "climb.parquet")
        >>> load_scores("climb.parquet", "climb.mp4").select(k=2).k
        2
        >>> from salientclips.errors import StoredScoresError
        >>> try:
        ...     load_scores("climb.parquet", "labels.txt")
        ... except StoredScoresError as error:
        ...     print(error.message)
        'climb.parquet' holds the scores of another file than 'labels.txt'
    """
    path = Path(path)
    try:
        header, rows = _format_of(path)[1](path)
        scores = _build(header, rows)
    except SalientClipsError:
        raise
    except FileNotFoundError as error:
        raise StoredScoresError(f"'{path}' does not exist", "check the path of the score file") from error
    except Exception as error:  # a damaged file can break a parser in any way
        raise StoredScoresError(
            f"'{path}' is not a readable score file ({type(error).__name__})", "score the video again"
        ) from error
    if video is not None:
        scores = _checked_video(scores, path, Path(video))
    _check_parameters(scores, path, sampler, clip, budget)
    return scores


def _checked_video(scores: ClipScores, path: Path, video: Path) -> ClipScores:
    if fingerprint(video) != scores.fingerprint:
        raise StoredScoresError(
            f"'{path}' holds the scores of another file than '{video}'", "score this video again"
        )
    return replace(scores, path=video)


def _check_parameters(
    scores: ClipScores, path: Path, sampler: Sampler | None, clip: ClipSpec | None, budget: Budget | None
) -> None:
    def stored(what: str, have: object, want: object) -> None:
        if have != want:
            raise StoredScoresError(
                f"'{path}' was made with {what} {have}, not {want}",
                "score again, or leave out the options that differ",
            )

    if sampler is not None:
        stored("sampler", scores.sampler, sampler.name)
        stored("sampler parameters", scores.sampler_parameters, sampler.parameters)
        # A sampler says what is read, not how much is decoded for it.
        have = scores.feature_parameters
        stored("feature parameters", have, replace(sampler.feature_parameters, budget=have.budget))
    if clip is not None:
        stored("clips of", scores.clip_spec, clip)
    if budget is not None:
        stored("the budget", scores.feature_parameters.budget, budget)


# --- the header and the rows, common to the three formats ---------------------------------------------------


def _header(scores: ClipScores) -> Json:
    ticks_per_second = common_base((*scores.grid.starts, *scores.grid.ends))
    exact_seconds = scores.clip_spec.seconds
    header = {key: value for key, value in scores_json(scores).items() if key != "clips"}
    header["clip"]["seconds"] = None if exact_seconds is None else str(exact_seconds)
    return {**header, "ticks_per_second": ticks_per_second}


def _rows(scores: ClipScores, per_second: int) -> list[Json]:
    clips = scores_json(scores)["clips"]
    for row, start, end in zip(clips, scores.grid.starts, scores.grid.ends, strict=True):
        row["start_ticks"] = int(start * per_second)
        row["end_ticks"] = int(end * per_second)
    return list(clips)


def _build(header: Json, rows: Sequence[Json]) -> ClipScores:
    if header["schema"] != SCHEMA:
        raise StoredScoresError(
            f"the score file has schema {header['schema']}, this version reads {SCHEMA}", "score again"
        )
    per_second = int(header["ticks_per_second"])
    values = np.array([float(row["score"]) for row in rows], dtype=np.float64)
    if [int(row["index"]) for row in rows] != list(range(len(rows))) or not np.isfinite(values).all():
        raise ValueError("rows are missing, out of order or not finite")
    if not all(isfinite(v) for v in header["seconds"].values()):
        raise ValueError("times are not finite")
    if header["rule"] not in RULES:
        raise ValueError("the rule is unknown")
    if any(abs(int(row[ticks])) > MOST_SECONDS * per_second for row in rows for ticks in TICKS):
        raise ValueError("times are beyond any video")
    clip, features = header["clip"], header["feature_parameters"]
    seconds = clip["seconds"]
    return ClipScores(
        path=Path(header["path"]),
        fingerprint=Fingerprint(
            int(header["fingerprint"]["size_bytes"]), str(header["fingerprint"]["sha256"])
        ),
        sampler=str(header["sampler"]),
        sampler_parameters=dict(header["sampler_parameters"]),
        feature_parameters=FeatureParameters(
            int(features["frames_per_clip"]),
            tuple(features["features"]),
            check_budget(features.get("budget", "full")),
        ),
        clip_spec=ClipSpec(
            clip["frames"], clip["frame_step"], None if seconds is None else exact_seconds(seconds)
        ),
        grid=ClipGrid(
            tuple(Fraction(int(row["start_ticks"]), per_second) for row in rows),
            tuple(Fraction(int(row["end_ticks"]), per_second) for row in rows),
        ),
        scores=values,
        rule=header["rule"],
        features_used=tuple(header["features_used"]),
        warnings=tuple(header["warnings"]),
        seconds=dict(header["seconds"]),
        streams={str(name): _stream(rows, name) for name in header.get("streams", ())},
    )


def _stream(rows: Sequence[Json], name: str) -> npt.NDArray[np.float64]:
    said = [row["streams"][name] for row in rows]
    values = np.array([np.nan if value is None else float(value) for value in said], dtype=np.float64)
    if np.isinf(values).any():
        raise ValueError("a stream is not finite")
    return values


# --- the three formats --------------------------------------------------------------------------------------


def _write_json(path: Path, header: Json, rows: list[Json]) -> None:
    path.write_text(json.dumps({**header, "clips": rows}, indent=1), encoding="utf-8")


def _read_json(path: Path) -> tuple[Json, list[Json]]:
    header: Json = json.loads(path.read_text(encoding="utf-8"))
    return header, header.pop("clips")


def _write_csv(path: Path, header: Json, rows: list[Json]) -> None:
    text = io.StringIO()
    text.write(f"# salientclips {json.dumps(header)}\n")
    table = csv.DictWriter(text, (*_COLUMNS, *_stream_columns(header)), lineterminator="\n")
    table.writeheader()
    # csv writes floats by repr, which comes back bit for bit, and None as an empty cell
    table.writerows(_flat(row) for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _read_csv(path: Path) -> tuple[Json, list[Json]]:
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    if not first.startswith("# salientclips "):
        raise ValueError("the first line is not a salientclips header")
    header: Json = json.loads(first.removeprefix("# salientclips "))
    reader = csv.DictReader(io.StringIO(rest))
    # Every short row would become as long as the heading.
    if tuple(reader.fieldnames or ()) != (*_COLUMNS, *_stream_columns(header)):
        raise ValueError("the columns are others")
    rows = list(reader)
    return header, [_nested({key: value or None for key, value in row.items()}, header) for row in rows]


def _write_parquet(path: Path, header: Json, rows: list[Json]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat, ticks = for_parquet(rows)
    kinds = (pa.int64(), pa.float64(), pa.float64(), pa.float64(), ticks, ticks)
    columns = [
        *zip(_COLUMNS, kinds, strict=True),
        *((name, pa.float64()) for name in _stream_columns(header)),
    ]
    schema = pa.schema(columns, metadata={"salientclips": json.dumps(header)})
    # An open file, for pyarrow refuses names of stray bytes.
    with path.open("wb") as file:
        pq.write_table(pa.Table.from_pylist([_flat(row) for row in flat], schema=schema), file)


def _read_parquet(path: Path) -> tuple[Json, list[Json]]:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        table = pq.read_table(file)
    header: Json = json.loads(table.schema.metadata[b"salientclips"])
    return header, [_nested(row, header) for row in table.to_pylist()]


def _stream_columns(header: Json) -> tuple[str, ...]:
    return tuple(f"stream_{name}" for name in header.get("streams", ()))


def _flat(row: Json) -> Json:
    """A row with one column a stream."""
    streams = {f"stream_{name}": value for name, value in row.get("streams", {}).items()}
    return {**{key: value for key, value in row.items() if key != "streams"}, **streams}


def _nested(row: Json, header: Json) -> Json:
    """The row that :func:`_flat` was given."""
    return {**row, "streams": {name: row[f"stream_{name}"] for name in header.get("streams", ())}}


_Writer = Callable[[Path, Json, list[Json]], None]
_Reader = Callable[[Path], tuple[Json, list[Json]]]
_FORMATS: dict[str, tuple[_Writer, _Reader]] = {
    ".parquet": (_write_parquet, _read_parquet),
    ".json": (_write_json, _read_json),
    ".csv": (_write_csv, _read_csv),
}


def _format_of(path: Path) -> tuple[_Writer, _Reader]:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise InputError(
            f"'{path}' is no score file by its name", "let it end in .parquet, .json or .csv"
        ) from None
