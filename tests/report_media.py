"""Videos for the tests of the page; helper of the tests, not a test."""

from __future__ import annotations

from pathlib import Path

import av

from media_files import make_video

HOSTILE = "<script>window.hacked=1<script> & \"double\" 'single' {{ 7*7 }} <b onload=x> é日本.mp4"
HOSTILE_TITLE = (
    "</title></script><script>window.hacked=2</script><img src=x onerror=window.hacked=3>\u2028{{ 7*7 }}"
)


def hostile_video(folder: Path) -> Path:
    """A video whose name and title tag try to break out of the page."""
    plain = make_video(folder / "plain.mp4", frames=40, bframes=2, gop=20)
    path = folder / HOSTILE
    with av.open(str(plain)) as read, av.open(str(path), "w", format="mp4") as write:
        write.metadata["title"] = HOSTILE_TITLE
        copy = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(read.streams.video[0]):
            if packet.size:
                packet.stream = copy
                write.mux(packet)
    return path
