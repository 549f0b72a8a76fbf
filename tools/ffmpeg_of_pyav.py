"""Lets torchcodec find FFmpeg where the system has none: PyAV's libraries under their usual names.

    export LD_LIBRARY_PATH=$(python tools/ffmpeg_of_pyav.py FOLDER)

makes a folder of links and prints its name; run the tests after it, and those of torchcodec are no longer skipped. It
works where the torchcodec that is installed supports the FFmpeg version inside PyAV. For tests; users install FFmpeg.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import av


def main() -> None:
    """Make the links."""
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    libraries = Path(av.__file__).parent.with_name("av.libs")
    for library in libraries.glob("*.so.*"):
        # libavcodec-5e6b81c2.so.62.28.102 is loaded as libavcodec.so.62.
        usual = re.sub(r"-[0-9a-f]{8}(\.so\.\d+).*", r"\1", library.name)
        # They look for one another beside themselves, under the names that the wheel gave them.
        for name in {usual, library.name}:
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(library)
    print(folder)


main()
