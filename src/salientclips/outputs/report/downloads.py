"""A selection as a file to download: every format of :mod:`salientclips.outputs.exports`, made in memory.

An export writes to a path, so it writes into a folder that is thrown away; one that makes a folder comes as a zip.
"""

from __future__ import annotations

import io
import mimetypes
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ...types import Selection
from ..exports import FORMATS, export

DOWNLOADS: tuple[str, ...] = tuple(FORMATS)
"""All formats, by the name that the page shows."""


@dataclass(frozen=True)
class Download:
    """One file, ready to be sent."""

    name: str
    """What the browser shall call it."""
    mime: str
    """Its media type."""
    content: bytes
    """The bytes of the file."""


def download(selection: Selection, format: str) -> Download:
    """Make a file of a selection.

    Args:
        selection: The clips chosen.
        format: One of ``DOWNLOADS``.

    Returns:
        The file.

    Raises:
        UnknownNameError: There is no such format.
        SalientClipsError: The export cannot be made, see :func:`salientclips.outputs.exports.export`.
    """
    # Label Studio and FiftyOne are asked for by name; what they hold is JSON.
    suffixes = FORMATS[format].suffixes if format in FORMATS else ()
    name = f"{selection.scores.path.stem}.{format}{suffixes[0] if suffixes else '.json'}"
    with TemporaryDirectory(prefix="salientclips-") as folder:
        path = export(selection, Path(folder) / f"clips{Path(name).suffix}", format).path
        if path.is_dir():
            return Download(f"{Path(name).stem}.zip", "application/zip", _zip(path))
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Download(name, mime, path.read_bytes())


def _zip(folder: Path) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return sink.getvalue()
