"""What each budget costs and how well its scores find true spans, for codecs that must be decoded.

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=src python benchmarks/budget.py COMPOSED/manifest.csv \
        [--large FILE] [--videos 8] [--work FOLDER] [--csv benchmarks/results/budget.csv]

Videos of ``composed`` (real clips with true spans, 336x256, 12.5 frames/s), every fifth of the manifest, are
encoded again at their size by PyAV's encoders with their usual distance of key frames; ``--large`` is one more file,
for the cost alone. ``h264`` is the file as it is, read by the decoded back end as if it could not be parsed;
``h264 (parsed)`` as it is read otherwise. ``--work`` keeps the encoded files for the next run.

Cost is processor time, user and system, on one thread, summed over the videos; each the best of ``--repeat``
interleaved runs, because other work on the machine only ever slows a run down. Rows: ``demux`` is PyAV's bare packet
loop, ``decode`` FFmpeg's plain decode of every frame, ``packet-cost`` and the budgets of ``motion`` the whole verb
``score``. ``to_full``, ``to_decode`` and ``to_demux`` are ratios of the sums in the same run; ``packets_decoded`` is
the share of the packets that the budget gives to the decoder.

Agreement with ``full`` of the same file: ``spearman`` (of the clips' scores, mean over videos) and ``top10_kept``
(share of the ten highest that are the same). By the true spans: ``auc`` within a video, its least and greatest, and
``found`` (share of the salient clips among the ten highest), means over videos. A clip of 16 frames is salient where
half of it is.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from salientclips.timeline import ClipSpec

Scores = npt.NDArray[np.float64]
CLIP = ClipSpec(frames=16, frame_step=1)

ENCODERS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "hevc": ("libx265", "mp4", "yuv420p", {"preset": "fast", "crf": "28", "x265-params": "log-level=none"}),
    "vp9": ("libvpx-vp9", "webm", "yuv420p", {"deadline": "good", "cpu-used": "5", "crf": "33", "b": "0"}),
    "av1": ("libsvtav1", "mp4", "yuv420p", {"preset": "10", "crf": "35"}),
    "mjpeg": ("mjpeg", "avi", "yuvj420p", {"qmin": "3", "qmax": "3"}),
    "prores": ("prores_ks", "mov", "yuv422p10le", {"profile": "standard"}),
}


def encode(source: Path, target: Path, codec: str) -> None:
    """Encode a file again; whole or not at all."""
    encoder, _, pixel_format, options = ENCODERS[codec]
    beside = target.with_stem(target.stem + ".part")
    with av.open(str(source)) as read, av.open(str(beside), "w") as write:
        pictures = read.streams.video[0]
        rate = Fraction(pictures.average_rate or 25)
        stream = write.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, pixel_format
        stream.codec_context.time_base = 1 / rate
        for number, frame in enumerate(read.decode(pictures)):
            plain = frame.reformat(format=pixel_format)
            plain.pts, plain.time_base, plain.pict_type = number, 1 / rate, 0
            write.mux(stream.encode(plain))
        write.mux(stream.encode(None))
    beside.rename(target)


@dataclass(frozen=True)
class Video:
    """One file of the set."""

    path: Path
    spans: str
    """True salient spans; empty where none are known."""


def videos_of(manifest: Path, count: int) -> list[Video]:
    """Every fifth video, so that they are of many sources."""
    with manifest.open() as file:
        rows = [row for row in csv.DictReader(file) if row["spans"]][::5]
    return [Video(manifest.parent / row["path"], row["spans"]) for row in rows[:count]]


def encoded(video: Video, codec: str, work: Path) -> Video:
    """The same video in another codec."""
    target = work / f"{video.path.stem}.{codec}.{ENCODERS[codec][1]}"
    if not target.is_file():
        encode(video.path, target, codec)
    return Video(target, video.spans)
