"""A disk that fills up while a media file is written: one OSError, and not a word from the libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="the system limits no file")

SCRIPT = """
import resource, sys
from pathlib import Path
import av, numpy as np
from salientclips.media.output import output_container

def write(path, most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    draw = np.random.default_rng(0)
    try:
        with output_container(path) as output:
            stream = output.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            for _ in range(12):
                picture = draw.integers(0, 255, (96, 128, 3), dtype=np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            output.mux(stream.encode(None))
    except OSError as error:
        return error.strerror
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return str(path.stat().st_size)

print(*(write(Path(sys.argv[1]) / f"{most}{suffix}", int(most)) for most in sys.argv[3:]
        for suffix in sys.argv[2].split(",")), sep="|")
"""


def told(folder: Path, suffixes: str, *most: int) -> tuple[list[str], str]:
    """What writing ends with where a file may have so many bytes, and what else is said."""
    words = [sys.executable, "-c", SCRIPT, str(folder), suffixes, *map(str, most)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.strip().split("|"), done.stderr


def test_wherever_the_disk_is_full_it_is_one_error(tmp_path: Path) -> None:
    whole, _ = told(tmp_path, ".mp4", 10**7)
    size = int(whole[0])
    places = [0, 10, 1000, size // 3, size // 2, size - 2000, size - 500, size - 1]
    said, noise = told(tmp_path, ".mp4,.mkv,.avi", *places)
    # Matroska's files are smaller and may be whole where the last bytes of others are refused.
    assert {one for one in said if not one.isdigit()} == {"File too large"}
    assert sum(one.isdigit() for one in said) <= 4
    assert noise == ""
