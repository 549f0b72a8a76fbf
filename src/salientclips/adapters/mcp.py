"""An MCP server, so that an assistant can watch a long video cheaply: what is in it, which clips matter.

Three tools on the official SDK: ``probe``, ``select`` and ``frames``. Files are reached only within the folders that
were named at start, by real paths: a path with ``..``, or through a symbolic link, is refused. Samplers are those
that came with the package. Nothing is written, and no network is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError, SalientClipsError, UnknownNameError
from ..media.jpeg import encode_jpeg
from ..networks.extras import require
from ..outputs.contract import probe_json, selection_json
from ..samplers import DEFAULT_SAMPLER, SAMPLERS
from ..timeline import ClipSpec
from ..types import ClipScores
from ..verbs.probe import probe
from ..verbs.score import score
from .chosen import frames_of
from .openai import label

_MOST_FRAMES = 64
_MOST_CLIPS = 1000
_INSTRUCTIONS = (
    "Watch long videos cheaply. Ask probe what is in a file, select which clips are worth looking at, frames for "
    "pictures of those clips with their times. Times are seconds from the start of the file."
)


class Folders:
    """The folders whose files may be read.

    Args:
        folders: At least one existing folder.

    Raises:
        InputError: There is none, or one is not there.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        if not folders:
            raise InputError("no folder is named", "name the folders whose videos may be read")
        absent = next((f for f in folders if not f.is_dir()), None)
        if absent is not None:
            raise InputError(f"'{absent}' is no folder", "name folders that exist")
        self._roots = [folder.resolve() for folder in folders]

    def file(self, name: str) -> Path:
        """The file that a client means.

        Args:
            name: An absolute path, or one relative to any of the folders.

        Returns:
            Its real path.

        Raises:
            InputError: It lies outside the folders, is reached by ``..`` or a symbolic link, or is no file.
        """
        # One message for all, so that nobody learns from it what lies outside.
        refusal = InputError(f"'{name}' is no file in the folders of this server", "give a path within them")
        if "\0" in name or ".." in Path(name).parts:
            raise refusal
        for root in self._roots:
            path = root / name  # an absolute name replaces the root
            try:
                if path.is_relative_to(root) and path.resolve(strict=True) == path and path.is_file():
                    return path
            except (OSError, RuntimeError, ValueError):
                continue
        raise refusal


def make_server(folders: Sequence[Path], *, threads: int = 1) -> Any:
    """Make the server.

    Args:
        folders: The folders whose videos may be read.
        threads: Decoder threads.

    Returns:
        The SDK's ``MCPServer``; ``run("stdio")`` serves.

    Raises:
        InputError: No folder is named, or one is not there.
        MissingExtraError: The SDK does not load.
    """
    allowed = Folders([Path(folder) for folder in folders])
    server = require("mcp.server", "mcp").MCPServer(
        "salientclips", version=__version__, instructions=_INSTRUCTIONS
    )
    content = require("mcp.types", "mcp")
    image = require("mcp.server.mcpserver", "mcp").Image

    @server.tool(name="probe")  # type: ignore[untyped-decorator]
    def probe_tool(path: str) -> dict[str, Any]:
        """Say what is in a video file: container, codec, duration, size, frame rate, frame types, sound."""
        found: dict[str, Any] = _answer(lambda: probe_json(probe(allowed.file(path))))
        return found

    @server.tool(name="select")  # type: ignore[untyped-decorator]
    def select_tool(
        path: str,
        k: int = 10,
        sampler: str = DEFAULT_SAMPLER,
        min_gap_s: float = 0.0,
        coverage: float = 0.0,
        clip_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Name the k clips of a video most worth looking at, best first, with start and end in seconds.

        min_gap_s keeps clips apart; coverage (0 to 1) is the share of clips that is spread evenly; clip_seconds
        makes clips that long instead of about one second.
        """

        def work() -> dict[str, Any]:
            ranked = _scores(allowed.file(path), sampler, clip_seconds, threads)
            return selection_json(
                ranked.select(_at_most(k, _MOST_CLIPS), min_gap_s=min_gap_s, coverage=coverage)
            )

        found: dict[str, Any] = _answer(work)
        return found

    @server.tool(name="frames", structured_output=False)  # type: ignore[untyped-decorator]
    def frames_tool(
        path: str,
        num_frames: int = 8,
        k: int = 4,
        sampler: str = DEFAULT_SAMPLER,
        min_gap_s: float = 0.0,
        coverage: float = 0.0,
        clip_seconds: float | None = None,
        shorter_side_px: int = 360,
    ) -> list[Any]:
        """Show pictures from the k best clips of a video, in order of time, each behind a line with its time."""

        def work() -> list[Any]:
            ranked = _scores(allowed.file(path), sampler, clip_seconds, threads)
            chosen = ranked.select(_at_most(k, _MOST_CLIPS), min_gap_s=min_gap_s, coverage=coverage)
            count = _at_most(num_frames, _MOST_FRAMES)
            found = frames_of(chosen, count, size=_at_most(shorter_side_px, 2160), threads=threads)
            parts: list[Any] = []
            for frame in found:
                parts.append(content.TextContent(type="text", text=label(frame)))
                parts.append(image(data=encode_jpeg(frame.rgb), format="jpeg").to_image_content())
            return parts

        shown: list[Any] = _answer(work)
        return shown

    return server


def _answer(work: Any) -> Any:
    """Our errors in the SDK's own form, with the remedy; any other stays unforeseen."""
    try:
        return work()
    except SalientClipsError as error:
        raise require("mcp.server.mcpserver.exceptions", "mcp").ToolError(str(error)) from error


def _at_most(number: int, limit: int) -> int:
    if number > limit:
        raise InputError(f"{number} is too many", f"ask for at most {limit}")
    return number


def _scores(path: Path, sampler: str, clip_seconds: float | None, threads: int) -> ClipScores:
    if sampler not in SAMPLERS:
        # Any other name would be a folder outside, or be asked for on the hub.
        raise UnknownNameError("sampler", sampler, SAMPLERS)
    stat = path.stat()
    return _scored(path, stat.st_mtime_ns, stat.st_size, sampler, clip_seconds, threads)


@lru_cache(maxsize=32)
def _scored(
    path: Path, modified_ns: int, size_bytes: int, sampler: str, clip_seconds: float | None, threads: int
) -> ClipScores:
    """Scores of videos asked for lately; a file that has changed since is scored again."""
    if clip_seconds is None:
        return score(path, sampler, threads=threads)
    if not 0 < clip_seconds < float("inf"):
        raise InputError(f"clip_seconds {clip_seconds} is not a length", "give more than 0 seconds")
    return score(path, sampler, clip=ClipSpec(seconds=Fraction(str(clip_seconds))), threads=threads)
