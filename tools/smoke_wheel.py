"""Does an installed salientclips read motion without decoding? What every wheel is tried with.

Usage: ``python tools/smoke_wheel.py``, with nothing but the wheel and its dependencies. It encodes two small videos,
H.264 and MPEG-4 part 2, and reads them with the bitstream back end, which has to find in every P-frame what the
decoder exports; and every sampler that came trained with the wheel has to score one. The exit code is 1 where either
fails, or where the extension is not there.
"""

from __future__ import annotations

import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

import salientclips
from salientclips.compressed._native import _core
from salientclips.samplers import RELEASED


def encode(path: Path, codec: str, options: dict[str, str]) -> None:
    """Twenty frames of a drifting texture with a block that moves otherwise."""
    random = np.random.default_rng(1)
    scene = np.kron(random.uniform(40, 210, (30, 40, 3)), np.ones((8, 8, 1)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        stream.codec_context.max_b_frames = 0
        for number in range(20):
            picture = scene[number : number + 128, 2 * number : 2 * number + 160].astype(np.uint8)
            picture[40:72, 5 * number : 5 * number + 32] = 255 - picture[40:72, 5 * number : 5 * number + 32]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> int:
    """Compare the back ends on both codecs."""
    print(
        f"salientclips {salientclips.__version__}, {Path(_core.__file__).name}, Python {sys.version.split()[0]}"
    )
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for codec, options in (
            ("libx264", {"x264-params": "bframes=0:threads=1"}),
            ("mpeg4", {"flags": "+mv4"}),
        ):
            path = Path(folder) / f"{codec}.mp4"
            encode(path, codec, options)
            ours = list(salientclips.motion_vectors(path, backend="bitstream"))
            theirs = list(salientclips.motion_vectors(path, backend="decoded"))
            same = len(ours) == len(theirs) and all(
                a.time_s == b.time_s and np.array_equal(a.vectors, b.vectors)
                for a, b in zip(ours, theirs, strict=True)
            )
            blocks = sum(len(a.vectors) for a in ours)
            enough = len(ours) >= 15 and blocks >= 1000
            print(f"{codec}: {len(ours)} P-frames, {blocks} blocks, {'equal' if same else 'DIFFERENT'}")
            wrong += not (same and enough)
        for name in RELEASED:
            found = salientclips.score(path, name, clip=salientclips.ClipSpec(4, 1)).scores
            print(f"{name}: {len(found)} clips scored")
            wrong += not (len(found) >= 4 and np.isfinite(found).all())
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
