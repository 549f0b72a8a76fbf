"""Errors name the file and the remedy, and survive the way home from a worker process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from salientclips import errors

EXAMPLES: list[errors.SalientClipsError] = [
    errors.InputError("k = 0", "give more"),
    errors.UnknownNameError("sampler", "x", ("a", "b")),
    errors.FileMissingError(Path("gone.mp4")),
    errors.NotAVideoError(Path("text.mp4"), "Invalid data"),
    errors.NoVideoStreamError(Path("song.mp3")),
    errors.NoAudioTrackError(Path("mute.mp4")),
    errors.NoFramesError(Path("hollow.mp4")),
    errors.SeekMismatchError(Path("odd.ts"), 3.0),
    errors.FetchError("https://a.org/a.mp4", "HTTP 403", "check your rights"),
    errors.StoredScoresError("other file", "score again"),
    errors.WeightsError("no weights", "give some"),
    errors.MissingExtraError("torch", "torch", "not installed"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_errors_are_one_line_with_a_remedy_and_can_be_pickled(error: errors.SalientClipsError) -> None:
    assert "\n" not in str(error)
    assert error.message
    assert error.remedy
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.message, again.remedy, str(again)) == (error.message, error.remedy, str(error))


def test_a_directory_is_called_one(tmp_path: Path) -> None:
    assert "is a directory" in str(errors.FileMissingError(tmp_path))


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    text = errors.__doc__ or ""
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)]
    assert [c.__name__ for c in classes if c.__name__ not in text] == []
