"""What each budget costs and how well its scores find true spans, for codecs that must be decoded.

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=src python -m benchmarks.budget COMPOSED/manifest.csv \
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

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from benchmarks.span_auc import auc

from salientclips import score
from salientclips.compressed.budget import motion_to_read, thrift_of
from salientclips.media.demux import clip_grid, read_packets
from salientclips.media.references import find_references, rows_from_keys, rows_to_feed
from salientclips.samplers.baselines import Motion
from salientclips.timeline import ClipSpec
from salientclips.types import BUDGETS, Budget, ClipScores, FeatureParameters

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
        assert isinstance(stream, av.video.stream.VideoStream)
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


# --- what is measured ---------------------------------------------------------------------------------------


@dataclass
class Row:
    """One way to score the videos of one codec, or to go through them."""

    seconds: list[float] = field(default_factory=list)
    """Of each video, the best run."""
    share: list[float] = field(default_factory=list)
    spearman: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    auc: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)


def timed(work: Callable[[], object]) -> float:
    """Processor seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def demultiplex(path: Path) -> None:
    """PyAV's bare packet loop."""
    with av.open(str(path)) as container:
        for _ in container.demux(container.streams.video[0]):
            pass


def decode(path: Path) -> None:
    """FFmpeg's plain decode of every frame, on one thread."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for _ in container.decode(stream):
            pass


def packets_decoded(path: Path, budget: Budget) -> float:
    """Share of the packets that a budget gives to the decoder, for ``motion``."""
    table = read_packets(path)
    parameters = FeatureParameters(Motion().frames_per_clip, ("md", "rgbr"), budget)
    chosen = motion_to_read(table, clip_grid(table, CLIP), parameters)
    rows = {int(row) for some in chosen for row in some}
    before = find_references(table).before
    needed = frozenset(rows | {int(before[row]) for row in rows})
    feed = (rows_from_keys if thrift_of(budget).from_keys else rows_to_feed)(table, needed)
    return float(feed.mean())


def ranks(values: Scores) -> Scores:
    """Places in order, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean: Scores = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return mean


def spearman(one: Scores, other: Scores) -> float:
    """Correlation of ranks; 0 where one of them is constant."""
    a, b = ranks(one), ranks(other)
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def best_ten(scores: ClipScores) -> set[int]:
    """Clips that ``select`` takes."""
    return {clip.index for clip in scores.select(10).clips}


def salient(scores: ClipScores, spans: str) -> npt.NDArray[np.bool_]:
    """Clips of which at least half lies in a span."""
    starts, ends = scores.grid.start_s, scores.grid.end_s
    inside = np.zeros(len(starts))
    for span in spans.split(";"):
        first, last = (float(part) for part in span.split("-"))
        inside += np.clip(np.minimum(ends, last) - np.maximum(starts, first), 0, None)
    true: npt.NDArray[np.bool_] = inside / (ends - starts) >= 0.5
    return true


def judge(row: Row, scores: ClipScores, full: ClipScores, spans: str) -> None:
    """Note how well scores agree with those of the full budget, and with the spans."""
    row.spearman.append(spearman(scores.scores, full.scores))
    row.kept.append(len(best_ten(scores) & best_ten(full)) / min(10, len(full)))
    if spans:
        true = salient(scores, spans)
        row.auc.append(auc(scores.scores[true], scores.scores[~true]))
        row.found.append(float(np.isin(np.flatnonzero(true), list(best_ten(scores))).mean()))


def measure(videos: list[Video], repeat: int, *, is_parsed: bool = False) -> dict[str, Row]:
    """All rows of one codec."""
    names: tuple[str, ...] = (
        "demux",
        "decode",
        "packet-cost",
        *(("parsed",) if is_parsed else BUDGETS[::-1]),
    )
    rows = {name: Row() for name in names}
    for video in videos:
        path, said = video.path, dict[str, ClipScores]()

        def scored(name: str, path: Path = path, said: dict[str, ClipScores] = said) -> None:
            if name == "packet-cost":
                said[name] = score(path, name, clip=CLIP)
            elif name == "parsed":
                said[name] = score(path, "motion", clip=CLIP)
            else:
                budget = next(one for one in BUDGETS if one == name)
                said[name] = score(path, "motion", clip=CLIP, backend="decoded", budget=budget)

        def run(name: str, path: Path = path) -> float:
            plain = {"demux": demultiplex, "decode": decode}.get(name)
            return timed((lambda: scored(name)) if plain is None else (lambda: plain(path)))

        runs = [{name: run(name) for name in names} for _ in range(repeat)]
        for name, row in rows.items():
            row.seconds.append(min(times[name] for times in runs))
            if name in said:
                judge(row, said[name], said["parsed" if is_parsed else "full"], video.spans)
        for budget in BUDGETS if not is_parsed else ():
            rows[budget].share.append(packets_decoded(path, budget))
    return rows


COLUMNS = (
    *("videos", "codec", "what", "cpu_s", "to_full", "to_decode", "to_demux", "packets_decoded"),
    *("spearman", "top10_kept", "auc", "auc_least", "auc_greatest", "found"),
)


def lines_of(kind: str, codec: str, rows: dict[str, Row]) -> list[list[str]]:
    """The table of one codec."""
    total = {name: sum(row.seconds) for name, row in rows.items()}
    lines = []
    for name, row in rows.items():
        by = (total.get(of, np.nan) for of in ("full", "decode", "demux"))
        cost = [total[name], *(total[name] / one for one in by)]
        told = [row.share, row.spearman, row.kept, row.auc]
        means = [np.mean(one) if one else np.nan for one in told]
        ends = [min(row.auc, default=np.nan), max(row.auc, default=np.nan)]
        found = np.mean(row.found) if row.found else np.nan
        numbers = [*cost, *means, *ends, found]
        lines.append([kind, codec, name, *("" if np.isnan(x) else f"{x:.3f}" for x in numbers)])
    return lines


def main() -> None:
    """Encode, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--large", type=Path)
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("budget_videos"))
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    sources = videos_of(asked.manifest, asked.videos)
    sets = [("composed", sources)]
    if asked.large:
        sets.append((asked.large.stem, [Video(asked.large, "")]))
    lines = [list(COLUMNS)]
    for kind, files in sets:
        for codec in ENCODERS:
            files_there = [encoded(video, codec, asked.work) for video in files]
            lines += show(lines_of(kind, codec, measure(files_there, asked.repeat)))
        if kind == "composed":
            lines += show(lines_of(kind, "h264", measure(files, asked.repeat)))
            parsed = measure(files, asked.repeat, is_parsed=True)
            lines += show(lines_of(kind, "h264 (parsed)", parsed))
    if asked.csv:
        with asked.csv.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)


def show(lines: list[list[str]]) -> list[list[str]]:
    """Print lines as they come."""
    for line in lines:
        print(*line, sep=",", flush=True)
    return lines


if __name__ == "__main__":
    main()
