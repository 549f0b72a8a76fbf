"""Every error that salientclips raises on purpose, each with its remedy.

The tree (catch the branch you care about)::

    SalientClipsError
    ├── InputError                  the caller's arguments cannot be honoured
    │   └── UnknownNameError        a sampler, strategy, classifier ... that does not exist
    ├── MediaError                  something is wrong with a media file
    │   ├── FileMissingError        nothing there, or a directory
    │   ├── NotAVideoError          FFmpeg finds no container in it (empty, text, truncated mp4)
    │   ├── NoVideoStreamError      a container without moving pictures
    │   ├── NoAudioTrackError       sound was asked for and there is none
    │   ├── NoFramesError           a video stream from which no frame can be had
    │   ├── SeekMismatchError       the decoder never delivered the frame of the asked time
    │   ├── TimeLimitError          a file of a corpus took longer than a file may
    │   ├── MemoryLimitError        a file of a corpus took more memory than a file may
    │   ├── WorkerDiedError         the process that read a file of a corpus died of it
    │   └── FetchError              a URL or a shard does not give what it should
    ├── FeatureUnavailableError     this file cannot give the feature that was asked for
    ├── StoredScoresError           a score file is damaged, or is of another file or other parameters
    ├── WeightsError                weights are missing, damaged, or of another network
    ├── CardError                   a learned sampler's card is damaged, contradicts itself, or does not fit
    └── MissingExtraError           an optional package is absent or fails to load

The message says what happened and names the file; ``remedy`` says what to do about it. The command
line prints both on one line, and ``--json`` prints them as an object (see ``docs/json.md``).
"""

from __future__ import annotations

import os
from pathlib import Path


class SalientClipsError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: What happened, in one line.
        remedy: What the user can do about it, in one line; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        """What happened, in one line."""
        self.remedy = remedy
        """What to do about it, in one line; empty where nothing can be done."""

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes send errors home by pickle; rebuild them without calling subclass
        # constructors, whose arguments differ.
        return _rebuild, (type(self), self.message, self.remedy)

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


def _rebuild(kind: type[SalientClipsError], message: str, remedy: str) -> SalientClipsError:
    error = kind.__new__(kind)
    SalientClipsError.__init__(error, message, remedy)
    return error


def unforeseen(error: BaseException, remedy: str = "try the file alone, and report it") -> SalientClipsError:
    """Any error as one that can be shown to a user, and sent home from another process.

    Args:
        error: Whatever was raised.
        remedy: What to do about one that is not ours.

    Returns:
        The error itself where it is one of ours; else one that names its type and text.
    """
    if isinstance(error, SalientClipsError):
        return error
    text = " ".join(str(error).split()) or "no message"
    return SalientClipsError(f"unforeseen {type(error).__name__}: {text}", remedy)


class InputError(SalientClipsError):
    """The caller's arguments cannot be honoured."""


class UnknownNameError(InputError):
    """A name that the user passed is not one that exists."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there is no {kind} {name!r}", f"choose one of: {', '.join(known)}")


class MediaError(SalientClipsError):
    """Something is wrong with a media file; the message names it."""


class FileMissingError(MediaError):
    """There is no regular file at the path."""

    def __init__(self, path: Path) -> None:
        if os.path.isdir(path):  # unlike pathlib's, it raises nothing where a name is too long
            super().__init__(f"'{path}' is a directory", "give the path of one video file")
        else:
            super().__init__(f"'{path}' does not exist", "check the path")


class NotAVideoError(MediaError):
    """FFmpeg cannot open the file as a media container."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"'{path}' cannot be opened as a video ({reason})",
            "check that the file is complete: a truncated mp4 has lost its index",
        )


class NoVideoStreamError(MediaError):
    """The container holds no moving pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"'{path}' has no video stream", "give a file that holds video")


class NoAudioTrackError(MediaError):
    """Sound was asked for and the file has none."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"'{path}' has no audio track", "use a visual sampler, or leave the sound out")


class NoFramesError(MediaError):
    """There is a video stream, but no frame can be had from it."""

    def __init__(self, path: Path, reason: str = "it holds no packets that can be shown") -> None:
        super().__init__(
            f"no video frame can be read from '{path}' ({reason})",
            "check that the file plays; re-encode it if it does",
        )


class SeekMismatchError(MediaError):
    """No decoded frame covers the time that was asked for."""

    def __init__(self, path: Path, asked_s: float) -> None:
        super().__init__(
            f"'{path}' gives no frame for {asked_s:.3f} s",
            "remux the file (ffmpeg -i IN -c copy OUT.mkv) and try again",
        )


class TimeLimitError(MediaError):
    """A file of a corpus took longer than a file may; its worker was stopped."""

    def __init__(self, video: str, limit_s: float) -> None:
        super().__init__(
            f"'{video}' was given up after {limit_s:g} s",
            "try it alone; give a longer --time-limit if it is only long",
        )


class MemoryLimitError(MediaError):
    """A file of a corpus took more memory than a file may; its worker was stopped."""

    def __init__(self, video: str, limit_bytes: int | None) -> None:
        # A share of the machine is another number on another machine, and rows hold no such thing.
        limit = "its share" if limit_bytes is None else f"{limit_bytes / 2**20:.0f} MiB"
        super().__init__(
            f"'{video}' was given up when it took more than {limit} of memory",
            "try it alone; give fewer --workers or a higher --memory-limit if it is only large",
        )


class WorkerDiedError(MediaError):
    """The process that read a file of a corpus died of it."""

    def __init__(self, video: str, how: str) -> None:
        super().__init__(
            f"the process that read '{video}' died ({how})",
            "try it alone; if that fails too, re-encode it and report it",
        )


class FetchError(MediaError):
    """A video, or the list or shard that names it, cannot be had from where it lies.

    Args:
        place: The URL or the path, as it may be shown: without passwords and signatures.
        reason: Why, in one line.
        remedy: What to do about it, in one line.
    """

    def __init__(self, place: str, reason: str, remedy: str) -> None:
        super().__init__(f"'{place}' cannot be fetched ({reason})", remedy)


class FeatureUnavailableError(SalientClipsError):
    """The file cannot give a feature that was asked for."""


class StoredScoresError(SalientClipsError):
    """A score file is damaged, or belongs to another video or to other parameters."""


class WeightsError(SalientClipsError):
    """Weights are missing, damaged, or do not fit the network tensor by tensor."""


class CardError(SalientClipsError):
    """A learned sampler's card is damaged, contradicts itself, or does not fit the features it is shown."""


class MissingExtraError(SalientClipsError):
    """An optional package is absent, or is there and fails to load.

    Args:
        package: Import name of the package, for example ``"torchvision"``.
        extra: The extra of salientclips that brings it, for example ``"torch"``.
        reason: Why it could not be loaded, in one line.
    """

    def __init__(self, package: str, extra: str, reason: str) -> None:
        super().__init__(f"{package} could not be loaded ({reason})", f"pip install 'salientclips[{extra}]'")
