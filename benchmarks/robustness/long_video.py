"""A video of twelve hours: memory, time, and whether times are right at the far end of the axis.

    SALIENTCLIPS_DATA=... PYTHONPATH=src:tests python -m benchmarks.robustness.long_video FOLDER [--hours 12]

A real clip of a few seconds is encoded small (160 pixels wide, H.264 with B-frames, 30000/1001 frames a second) and
its packets are copied end to end with their time stamps moved on, into one mp4 of a million packets; kept in FOLDER.
Then ``probe``, ``score`` and ``select``, each in a process of its own whose peak memory the kernel says. Checked:

- the last clip ends when the last frame ends, as an exact fraction, and clips tile the whole axis;
- the clips of the last copy have the scores of the same clips of the first whole copy in their place, bit for bit
  (where copies are a whole number of clips long, as here, but for the two copies that have no neighbour);
- the frame on show at the start of the last clip is, pixel by pixel, that of the single clip.

Writes ``robustness-long_video.csv``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import av
import numpy as np

from salientclips import probe, score
from salientclips.media.decode import FrameReader
from salientclips.media.demux import read_packets

from ..corpus_files import data_dir
from .processes import cpu_s, peak_mib
from .promises import RESULTS, Promises, write_rows

RATE = Fraction(30000, 1001)
CLIPS, CLIP_FRAMES = 10, 32
"""Of one copy; a clip is the default: 16 frames, each second one."""
WIDTH_PX = 160


def build_short(path: Path, source: Path) -> Path:
    """Encode the clip that is repeated: ten clips of 32 frames."""
    if path.exists():
        return path
    part = path.with_name(f"part.{path.name}")
    frames = CLIPS * CLIP_FRAMES
    with av.open(str(part), "w") as write:
        stream = write.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "bf": "2", "g": "64"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, 96, "yuv420p"
        stream.codec_context.thread_count = 1
        number = 0
        while number < frames:  # a source that is too short begins again
            with av.open(str(source)) as read:
                for frame in read.decode(video=0):
                    small = frame.reformat(stream.width, stream.height, "yuv420p")
                    small.pts, small.time_base, small.pict_type = number, 1 / RATE, 0
                    write.mux(stream.encode(small))
                    number += 1
                    if number == frames:
                        break
        write.mux(stream.encode(None))
    return part.rename(path)


def build_long(path: Path, short: Path, copies: int) -> Path:
    """Copy the packets of a short video end to end."""
    if path.exists():
        return path
    part = path.with_name(f"part.{path.name}")
    with av.open(str(short)) as read:
        video = read.streams.video[0]
        packets = [packet for packet in read.demux(video) if packet.size]
        contents = [bytes(packet) for packet in packets]
        assert video.time_base is not None
        length = round(CLIPS * CLIP_FRAMES / RATE / video.time_base)
        with av.open(str(part), "w") as write:
            copy = write.add_stream_from_template(video, opaque=True)
            for number in range(copies):
                for packet, content in zip(packets, contents, strict=True):
                    assert packet.pts is not None
                    assert packet.dts is not None
                    fresh = av.Packet(content)
                    fresh.time_base, fresh.is_keyframe = packet.time_base, packet.is_keyframe
                    fresh.pts, fresh.dts = packet.pts + number * length, packet.dts + number * length
                    fresh.duration, fresh.stream = packet.duration, copy
                    write.mux(fresh)
    return part.rename(path)


def measure(verb: str, path: Path) -> dict[str, object]:
    """Run a verb in this process, which does nothing else."""
    began, cpu_before = perf_counter(), cpu_s()
    clips = None
    if verb == "probe":
        probe(path)
    else:
        scores = score(path, "motion")
        chosen = scores.select(10) if verb == "select" else None
        clips = len(scores if chosen is None else chosen.clips)
        np.save(path.with_suffix(".scores.npy"), scores.scores)
        bounds = scores.grid.starts[-1], scores.grid.ends[-1]
        touch = scores.grid.ends[:-1] == scores.grid.starts[1:]
        path.with_suffix(".grid.json").write_text(json.dumps([len(scores), touch, *map(str, bounds)]))
    return {
        "verb": verb,
        "clips": clips,
        "seconds": f"{perf_counter() - began:.1f}",
        "cpu_seconds": f"{cpu_s() - cpu_before:.1f}",
        "peak_mib": f"{peak_mib():.0f}",
    }


def check_axis(long: Path, short: Path, copies: int, promises: Promises) -> None:
    """See that what was scored last is right at the far end."""
    count, touch, start, end = json.loads(long.with_suffix(".grid.json").read_text())
    promises.hold(count == CLIPS * copies, f"{count} clips, {CLIPS * copies} were expected")
    promises.hold(touch, "clips do not touch one another")
    true_end = copies * CLIPS * CLIP_FRAMES / RATE
    promises.hold(Fraction(end) == true_end, f"the last clip ends at {end}, not at {true_end}")
    true_start = true_end - CLIP_FRAMES / RATE
    promises.hold(Fraction(start) == true_start, f"the last clip starts at {start}, not at {true_start}")
    scores = np.load(long.with_suffix(".scores.npy")).reshape(copies, CLIPS)
    promises.hold(np.array_equal(scores[-2], scores[1]), "the last copies have other scores than the first")
    promises.hold(
        np.array_equal(scores[-1], score(short, "motion").scores), "the last copy has other scores than alone"
    )
    table = read_packets(long)
    with FrameReader(long, table) as far, FrameReader(short) as near:
        (there,) = far.frames_at([Fraction(start)])
        (here,) = near.frames_at([(CLIPS - 1) * CLIP_FRAMES / RATE])
    promises.hold(there.time == Fraction(start), f"the frame of {start} is of {there.time}")
    promises.hold(np.array_equal(there.rgb, here.rgb), "the last clip shows another frame than alone")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hours", type=float, default=12.0)
    parser.add_argument("--source", default="originals/flipping_a_pancake.mkv")
    parser.add_argument("--verb", help="only this one, in this process")
    parser.add_argument("--csv", type=Path, default=RESULTS / "robustness-long_video.csv")
    asked = parser.parse_args()
    copies = max(3, round(asked.hours * 3600 / (CLIPS * CLIP_FRAMES / RATE)))
    short, long = asked.folder / "short.mp4", asked.folder / f"long-{copies}.mp4"
    if asked.verb is not None:
        print(json.dumps(measure(asked.verb, long)))
        return 0
    asked.folder.mkdir(parents=True, exist_ok=True)
    promises, rows = Promises("a long video"), []
    began = perf_counter()
    build_long(long, build_short(short, data_dir() / asked.source), copies)
    print(f"{long.stat().st_size / 1e6:.0f} MB made in {perf_counter() - began:.0f} s", flush=True)
    for verb in ("probe", "score", "select"):
        words = [str(asked.folder), "--hours", str(asked.hours), "--verb", verb]
        command = [sys.executable, "-m", "benchmarks.robustness.long_video", *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        if promises.hold(done.returncode == 0, f"{verb} ended with {done.returncode}"):
            length = {"hours": f"{float(copies * CLIPS * CLIP_FRAMES / RATE / 3600):.2f}"}
            length["packets"] = str(copies * CLIPS * CLIP_FRAMES)
            rows.append({**length, **json.loads(done.stdout.splitlines()[-1])})
            print(rows[-1], flush=True)
    check_axis(long, short, copies, promises)
    write_rows(asked.csv, rows)
    return promises.end(f"{rows[0]['hours']} h, {rows[0]['packets']} packets")


if __name__ == "__main__":
    sys.exit(main())
