"""A PyTorch dataset of the selected clips of a corpus data set, each video decoded in one pass forwards.

An iterable one: random access would open a video for each of its clips. It holds names, times and no open file, so it
goes to the workers of a ``DataLoader`` by pickle: 60 bytes a clip, and the names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..corpus.fetch import local_copy
from ..errors import InputError, StoredScoresError
from ..media.demux import lazy_times, read_packets
from ..media.fingerprint import fingerprint
from ..networks.extras import require
from ..outputs.corpus_dataset import CorpusPart, from_text, iter_corpus
from ..types import Fingerprint, SelectedClip
from .clip_items import ClipMaker

require("torch", "torch")
import torch  # noqa: E402
from torch.utils.data import IterableDataset, get_worker_info  # noqa: E402

if TYPE_CHECKING:
    Items = IterableDataset[dict[str, Any]]
else:
    Items = IterableDataset

_VIDEOS = ("video", "clip_rows", "true_labels", "size_bytes", "sha256")
_CLIPS = {
    "index": np.int32,
    "rank": np.int32,
    "score": np.float64,
    "start_s": np.float64,
    "end_s": np.float64,
    "start_ticks": np.int64,
    "end_ticks": np.int64,
    "ticks_per_second": np.int64,
}
"""Columns kept of the chosen clips; 0 for null."""

Columns = dict[str, npt.NDArray[Any]]


class CorpusClips(Items):
    """The selected clips of a corpus data set; those of one video follow each other in order of time.

    Videos are dealt to the workers of a ``DataLoader`` and to the processes of ``torch.distributed``, whole and each
    to one of them. Processes may therefore get different numbers of clips: give DistributedDataParallel a
    ``join()``, or bound the steps of an epoch.

    Args:
        folder: What ``salientclips score``, ``select`` or ``classify`` wrote of a corpus.
        k: Clips of a video: those of rank 1 to k, or of a data set without ranks the k highest scores, equal ones by
            time. None for all that there are.
        num_frames: Frames of a clip.
        frame_step: Source frames from one frame to the next; a clip that is too short repeats frames.
        size: (height, width) of the pictures, in display orientation, so that clips of different videos can be
            stacked; None keeps the size. Pixels.
        transform: Called with the clip, uint8 (T, 3, H, W); what it returns is in the item.
        shuffle_seed: If given, videos come in an order drawn from it and from :meth:`set_epoch`; else as stored.

    Raises:
        InputError: ``k`` is less than 1.
        StoredScoresError: There is no data set, or it is damaged.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        k: int | None = None,
        num_frames: int = 16,
        frame_step: int = 2,
        size: tuple[int, int] | None = None,
        transform: Callable[[torch.Tensor], Any] | None = None,
        shuffle_seed: int | None = None,
    ) -> None:
        if k is not None and k < 1:
            raise InputError(f"k = {k} clips cannot be selected", "give k of at least 1")
        parts = [_chosen(part, k) for part in iter_corpus(folder, videos=_VIDEOS, clips=tuple(_CLIPS))]
        self._videos = pa.concat_tables([videos for videos, _, _ in parts]) if parts else None
        self._ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *(counts for _, counts, _ in parts)]))
        self._clips: Columns = {
            name: np.concatenate([np.zeros(0, kind), *(clips[name] for _, _, clips in parts)])
            for name, kind in _CLIPS.items()
        }
        self._maker = ClipMaker(num_frames, frame_step, size, transform)
        self._seed, self._epoch = shuffle_seed, 0
        self._process = (0, 1)

    @property
    def num_videos(self) -> int:
        """Videos that have a chosen clip, over all processes and workers."""
        return len(self._ends) - 1

    @property
    def num_clips(self) -> int:
        """Clips chosen, over all processes and workers."""
        return int(self._ends[-1])

    def set_epoch(self, epoch: int) -> None:
        """Draw another order; call it in every process, before the ``DataLoader`` is iterated.

        Args:
            epoch: Which; workers that persist over epochs keep the order that they began with.
        """
        self._epoch = epoch

    def __getstate__(self) -> dict[str, Any]:
        # A worker that is spawned, not forked, does not know torch.distributed: it is told on its way.
        return {**self.__dict__, "_process": self._which_process()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The clips of this process and this worker.

        Yields:
            ``clip`` (uint8 (T, 3, H, W), RGB, upright, or what the transform made of it), ``times_s`` (float64 (T,),
            seconds on the timeline), ``label`` (the video's true classes, joined by ``|``), ``video`` (its name),
            ``rank``, ``score``, ``start_s`` and ``end_s`` (of the clip, seconds on the timeline).

        Raises:
            StoredScoresError: A video has changed since it was scored.
            FileMissingError: It is gone.
            MediaError: It cannot be read.
        """
        order = np.arange(self.num_videos)
        if self._seed is not None:
            order = np.random.default_rng([self._seed, self._epoch]).permutation(order)
        (rank, world), worker = self._which_process(), get_worker_info()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for which in order[rank * workers + number :: world * workers]:
            yield from self._clips_of(int(which))

    def _which_process(self) -> tuple[int, int]:
        """This process's rank and how many there are."""
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return self._process

    def _clips_of(self, which: int) -> Iterator[dict[str, Any]]:
        assert self._videos is not None
        (row,) = self._videos.slice(which, 1).to_pylist()
        video, label = from_text(row["video"]), "|".join(map(from_text, row["true_labels"]))
        with local_copy(video) as path:
            if fingerprint(path) != Fingerprint(row["size_bytes"], row["sha256"]):
                raise StoredScoresError(f"'{video}' is not the video that was scored", "score it again")
            table = read_packets(path)
            shown = lazy_times(table)
            with self._maker.reader(path, table) as reader:
                for number in range(self._ends[which], self._ends[which + 1]):
                    clip = self._clip(number, shown)
                    item = self._maker.item(reader, shown, clip, video, label)
                    yield {**item, "start_s": clip.start_s, "end_s": clip.end_s}

    def _clip(self, number: int, shown: Sequence[Fraction]) -> SelectedClip:
        row = {name: values[number].item() for name, values in self._clips.items()}
        if per_second := row["ticks_per_second"]:
            start, end = (Fraction(row[f"{side}_ticks"], per_second) for side in ("start", "end"))
        else:
            start, end = (_on_a_frame(row[f"{side}_s"], shown) for side in ("start", "end"))
        return SelectedClip(row["rank"], row["index"], start, end, row["score"])


def _chosen(part: CorpusPart, k: int | None) -> tuple[pa.Table, npt.NDArray[np.int64], Columns]:
    """Videos of a part that have a chosen clip, how many each, and these clips, by video and time."""
    rows = part.videos["clip_rows"].to_numpy()
    clips = {name: part.clips[name].fill_null(0).to_numpy().astype(kind) for name, kind in _CLIPS.items()}
    video = np.repeat(np.arange(len(rows)), rows)
    best_first = np.lexsort((clips["index"], -clips["score"], video))
    place = np.empty(len(video), np.int32)
    place[best_first] = np.arange(len(video)) - np.repeat(np.cumsum(rows) - rows, rows) + 1
    clips["rank"] = np.where(clips["rank"] == 0, place, clips["rank"])
    order = np.lexsort((clips["index"], video))
    order = order if k is None else order[clips["rank"][order] <= k]
    counts = np.bincount(video[order], minlength=len(rows))
    videos = part.videos.filter(pa.array(counts > 0))
    return videos, counts[counts > 0], {name: values[order] for name, values in clips.items()}


def _on_a_frame(time_s: float, shown: Sequence[Fraction]) -> Fraction:
    """A time of which only the nearest float64 is stored: exact where a frame begins then."""
    at = bisect_left(shown, Fraction(time_s))
    near = (shown[i] for i in range(max(0, at - 1), min(len(shown), at + 1)))
    return next((time for time in near if float(time) == time_s), Fraction(time_s))
