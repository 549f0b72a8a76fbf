"""Frames for a chat model as files: the content parts as JSON, or one JPEG a frame, named by its time and clip."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from ..errors import InputError
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
    if os.path.exists(output) and output.samefile(video):
        raise InputError(f"'{output}' is the video itself", "choose another place")
    if output.suffix.lower() == ".json":
        write_text(output, json.dumps(made.parts))
        return
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"'{output}' cannot be made ({error.strerror})", "choose another folder") from error
    for frame, part in zip(made.frames, made.parts[1::2], strict=True):
        _, data = part["image_url"]["url"].split(",", 1)
        name = f"{frame.number:07}_{frame.time_s:.3f}s_clip{frame.clip.rank:03}.jpg"
        with whole_file(output / name) as beside:
            beside.write_bytes(base64.b64decode(data))
