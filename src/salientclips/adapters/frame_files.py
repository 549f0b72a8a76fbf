"""Frames for a chat model as files: the content parts as JSON, or one JPEG a frame, named by its time and clip."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from ..destinations import keep_off, make_folder
from ..whole_file import whole_file, write_text
from .openai import FrameParts


def write_frames(made: FrameParts, output: Path, video: Path) -> None:
    """Write frames.

    Args:
        made: The frames.
        output: Ends in ``.json`` for a list of content parts (text and image in turn); else a folder for JPEG files,
            made if it is not there.
        video: The video, which is never overwritten.

    Raises:
        InputError: The place cannot be written to, or is the video itself.
    """
    keep_off(video, output)
    if output.suffix.lower() == ".json":
        write_text(output, json.dumps(made.parts))
        return
    make_folder(output)
    for frame, part in zip(made.frames, made.parts[1::2], strict=True):
        _, data = part["image_url"]["url"].split(",", 1)
        name = f"{frame.number:07}_{frame.time_s:.3f}s_clip{frame.clip.rank:03}.jpg"
        with whole_file(output / name) as beside:
            beside.write_bytes(base64.b64decode(data))
