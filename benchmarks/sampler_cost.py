"""What a learned sampler's networks cost on one CPU thread: milliseconds a frame and a clip, by stream and engine.

    PYTHONPATH=src:tests python benchmarks/sampler_cost.py benchmarks/results/sampler_cost.csv

Weights and features are random (1920 x 1080, so 14 x 25 cells after resizing, which is in the time), four frames a
clip, one I-frame, one window of sound. Times are CPU time of the process, the best of five: other programs disturb
them less than wall time. The last rows are what batches save: the bare network over one frame, and over 32, of
14 x 14 and 14 x 25 cells. ``torch`` is the engine of training, ``numpy`` that of the released samplers.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import numpy.typing as npt
import torch

from learned_samplers import Kept, make_card, make_learned, random_clips
from salientclips.audio.mel import mel_of_clips
from salientclips.media.audio import AudioBlock
from salientclips.samplers.card import Architecture, Stream
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.plain_networks import PlainNetworks
from salientclips.timeline import ClipGrid

NETWORKS: tuple[tuple[Stream, Architecture, int, int], ...] = (
    ("md", "shufflenet26", 4, 32),
    ("rgbr", "shufflenet26", 4, 32),
    ("if", "shufflenet26", 1, 16),
    ("md", "resnet18", 4, 16),
    ("rgbr", "resnet18", 4, 16),
    ("if", "resnet18", 1, 8),
    ("audio", "vgg18", 1, 32),
)


def best_s(work: Callable[[], object]) -> float:
    times = []
    work()
    for _ in range(5):
        began = process_time()
        work()
        times.append(process_time() - began)
    return min(times)


def on_numpy(sampler: LearnedSampler) -> LearnedSampler:
    weights = {s.stream: sampler.networks.tensors(s.stream) for s in sampler.card.streams}
    return replace(sampler, networks=PlainNetworks(sampler.card, weights))


def networks() -> Iterator[tuple[str, str, str, float, float]]:
    for stream, architecture, frames, clips in NETWORKS:
        visual: Architecture = "shufflenet26" if stream == "audio" else architecture
        sampler = make_learned(make_card((stream,), architecture=visual, frames_per_clip=frames), threads=1)
        kept = Kept(random_clips(clips, frames=frames, rows=68, columns=120), sampler.feature_parameters)
        for engine, judge in (("torch", sampler), ("numpy", on_numpy(sampler))):
            spent_ms = best_s(partial(judge.judge_features, kept)) * 1e3
            yield stream, architecture, engine, spent_ms / clips / frames, spent_ms / clips


def five_times(judge: LearnedSampler, shown: npt.NDArray[np.float32]) -> None:
    for _ in range(5):
        judge.networks.logits("md", shown)


def bare_ms(frames: int, across: int) -> Iterator[tuple[str, float]]:
    """ShuffleNet-26 over MD in one batch, milliseconds a frame by engine."""
    sampler = make_learned(make_card(("md",)))
    shown = np.random.default_rng(0).normal(0, 1, (frames, 2, 14, across)).astype(np.float32)
    for engine, judge in (("torch", sampler), ("numpy", on_numpy(sampler))):
        with judge.networks.pool(1) as pool:
            work = pool.executor.submit(best_s, partial(five_times, judge, shown))
            yield engine, work.result() * 1e3 / 5 / frames


def mel_ms() -> float:
    sound = np.random.default_rng(0).normal(0, 0.1, 16000 * 30).astype(np.float32)
    blocks = [AudioBlock(i, sound[i : i + 1024]) for i in range(0, len(sound), 1024)]
    length = Fraction(32 * 1001, 30000)
    grid = ClipGrid(tuple(i * length for i in range(28)), tuple((i + 1) * length for i in range(28)))
    return best_s(lambda: list(mel_of_clips(blocks, grid))) * 1e3 / 28


def main(target: Path) -> None:
    torch.set_num_threads(1)
    with target.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("stream", "network", "engine", "ms_per_frame", "ms_per_clip"))
        for stream, network, engine, frame_ms, clip_ms in networks():
            table.writerow((stream, network, engine, f"{frame_ms:.2f}", f"{clip_ms:.2f}"))
        clip_ms = mel_ms()
        table.writerow(("audio", "none: the MEL spectrogram", "numpy", f"{clip_ms:.2f}", f"{clip_ms:.2f}"))
        for frames, across in ((1, 14), (32, 14), (32, 25)):
            for engine, frame_ms in bare_ms(frames, across):
                what = f"shufflenet26 in batches of {frames} of 14 x {across}"
                table.writerow(("md", what, engine, f"{frame_ms:.2f}", f"{4 * frame_ms:.2f}"))
    print(target.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
