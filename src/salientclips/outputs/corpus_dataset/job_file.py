"""``job.json``: what a data set is of, so that another job is refused instead of mixed in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import InputError, StoredScoresError
from ...whole_file import durable_file
from .lock import LOCK_NAME
from .schema import SCHEMA

JOB_NAME = "job.json"
_NOTHING = object()


def read_job(folder: str | Path) -> dict[str, Any]:
    """What a data set is of.

    Args:
        folder: A data set.

    Returns:
        ``schema`` (its version), ``salientclips`` (the version that began it) and ``job``
        (:meth:`salientclips.corpus.job.Job.facts`).

    Raises:
        StoredScoresError: There is no data set, it is damaged, or of another schema.
    """
    path = Path(folder) / JOB_NAME
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        schema, _ = stored["schema"], stored["job"].items()
    except FileNotFoundError as error:
        raise StoredScoresError(
            f"'{folder}' is no corpus data set: it has no {JOB_NAME}", "check the path"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoredScoresError(
            f"'{path}' is damaged ({type(error).__name__})", "choose another folder, or delete this one"
        ) from error
    if schema != SCHEMA:
        raise StoredScoresError(
            f"'{folder}' has schema {schema}, this version reads {SCHEMA}",
            "use the version of salientclips that wrote it, or another folder",
        )
    return dict(stored)


def check_free(folder: Path) -> None:
    """See that a folder is a data set or can become one.

    Args:
        folder: Where a data set is to be; it need not exist.

    Raises:
        InputError: It is a file, or holds other things.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is not a folder", "choose another place")
    if not folder.is_dir() or (folder / JOB_NAME).exists():
        return
    ours = {LOCK_NAME, f".{JOB_NAME}.partial"}  # all that a run killed in its first moments leaves
    if other := sorted(path.name for path in folder.iterdir() if path.name not in ours):
        raise InputError(
            f"'{folder}' holds other things ({', '.join(map(repr, other[:3]))}) and no {JOB_NAME}",
            "choose a new or an empty folder",
        )


def settle_job(folder: Path, facts: Mapping[str, Any], *, is_bound: bool) -> None:
    """Write down what a new data set is of, or see that an existing one is of the same.

    Args:
        folder: The folder, locked.
        facts: What decides the rows.
        is_bound: Whether there are rows; without any, another job may take the folder.

    Raises:
        InputError: The data set is of another job; the message says which options differ. Or it cannot be written.
        StoredScoresError: ``job.json`` is damaged or of another schema.
    """
    asked = json.loads(json.dumps(dict(facts)))  # as it comes back: lists for tuples
    if (folder / JOB_NAME).exists():
        stored = read_job(folder)["job"]
        differences = list(_differences(stored, asked))
        if differences and is_bound:
            raise InputError(
                f"'{folder}' is of another job: {'; '.join(differences)}",
                "choose another folder, or delete this one",
            )
        if not differences:
            return
    content = {"schema": SCHEMA, "salientclips": __version__, "job": asked}
    with durable_file(folder / JOB_NAME) as file:
        file.write(json.dumps(content, indent=1).encode())


def _differences(stored: Any, asked: Any, name: str = "") -> Iterator[str]:
    """One line for each option that differs."""
    if isinstance(stored, dict) and isinstance(asked, dict):
        for key in dict.fromkeys((*stored, *asked)):
            inner = f"{name}.{key}" if name else key
            yield from _differences(stored.get(key, _NOTHING), asked.get(key, _NOTHING), inner)
    elif stored != asked or type(stored) is not type(asked):
        yield f"{name} is {_said(stored)} there, and {_said(asked)} was asked for"


def _said(value: Any) -> str:
    return "nothing" if value is _NOTHING else json.dumps(value)
