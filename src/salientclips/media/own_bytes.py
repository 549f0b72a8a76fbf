"""Holds FFmpeg to the bytes of the one file that it was given.

FFmpeg takes its argument for an address: a file whose name is ``tcp:10.0.0.1:80`` or ``concat:a|b`` would be a
network connection or other files. And some formats are no containers but lists of addresses (HLS, DASH, ffconcat,
SDP), which it knows by content, whatever the file is called. So whoever writes a video could have read what its
reader may read. Here a name is always a path, no protocol but ``file`` is spoken, and formats that open something
else are not known.

In mp4 and mov, tracks that lie in other files (``dref``) are off by FFmpeg's own default. What this cannot do: a
fault in a native decoder is FFmpeg's; docs/threat_model.md says how to be safe from one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av

REFUSED = frozenset(
    (
        *("concat", "dash", "dvdvideo", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"),
        # Scripts, and filters by description.
        *("avisynth", "lavfi", "vapoursynth"),
        # They read the files beside them: NAME.sub, NAME.M00.
        *("mlv", "vobsub"),
    )
)
"""FFmpeg's names of the formats that open more than their own file (read through for FFmpeg 8.1)."""


def address(path: Path) -> str:
    """What FFmpeg is to be told so that it takes a path for a path.

    Args:
        path: A local file.

    Returns:
        The path behind ``file:``, which is its name and never a protocol.
    """
    return f"file:{path}"


def own_bytes_only() -> dict[str, str]:
    """Options for opening a file, so that nothing else is opened on its account.

    Returns:
        For ``av.open(..., options=...)``.
    """
    return {
        "protocol_whitelist": "file",
        "format_whitelist": _known_formats(),
        # A picture called a%d.png is one picture and no series.
        "pattern_type": "none",
    }


@cache
def _known_formats() -> str:
    """All formats that this FFmpeg reads from a file, but for those refused."""
    names = []
    for name in sorted(av.formats_available):
        form = av.ContainerFormat(name)
        # Without a file: cameras, screens, sound cards. Pictures open their file themselves.
        if form.is_input and (not form.no_file or name == "image2"):
            names += [part for part in name.split(",") if part not in REFUSED]
    return ",".join(names)
