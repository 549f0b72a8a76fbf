"""Clips of a corpus data set for PyTorch: the right ones, the right frames, each once over all workers."""

from __future__ import annotations

import pickle
import tarfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch.utils.data import DataLoader

from chosen import EVERY_TRAP, choose, counter_at
from corpus_rows import FACTS, make_failure, make_outcome, make_selection
from made_files import MadeFile
from media_files import make_video, read_counter
from salientclips.adapters.corpus_clips import CorpusClips
from salientclips.adapters.dataset import SalientClips
from salientclips.corpus.rows import Outcome
from salientclips.errors import FileMissingError, InputError, StoredScoresError
from salientclips.media.decode import FrameReader
from salientclips.outputs.corpus_dataset import DatasetWriter
from salientclips.types import ClipScores, Selection

GetMade = Callable[[str], MadeFile]
SMALL: dict[str, Any] = {"num_frames": 3, "frame_step": 2, "size": (48, 64)}


def outcome_of(found: Selection | ClipScores, video: str = "", **changes: Any) -> Outcome:
    """What a corpus run says of a video that was scored, or of which clips were selected."""
    scores = found.scores if isinstance(found, Selection) else found
    which = [c.index for c in found.clips] if isinstance(found, Selection) else range(len(scores))
    changes = {
        "starts": tuple(scores.grid.starts[i] for i in which),
        "ends": tuple(scores.grid.ends[i] for i in which),
        **changes,
    }
    return make_outcome(
        video or str(scores.path),
        [float(scores.scores[i]) for i in which],
        index=np.array(which, np.int32),
        rank=np.arange(1, len(which) + 1, dtype=np.int32) * isinstance(found, Selection),
        size_bytes=scores.fingerprint.size_bytes,
        sha256=scores.fingerprint.sha256,
        **changes,
    )


def write(folder: Path, *outcomes: Outcome, part_clips: int = 1000) -> Path:
    with DatasetWriter(folder, FACTS, part_clips=part_clips) as writer:
        for outcome in outcomes:
            writer.add(outcome)
    return folder


def chosen(dataset: CorpusClips) -> list[tuple[int, int, int]]:
    """(video, index, rank) of all clips of a dataset, without decoding."""
    ends = dataset._ends
    clips = dataset._clips
    return [
        (video, int(clips["index"][i]), int(clips["rank"][i]))
        for video in range(dataset.num_videos)
        for i in range(ends[video], ends[video + 1])
    ]


# --- which clips ------------------------------------------------------------------------------------------------


def test_without_ranks_the_highest_scores_are_taken(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        make_outcome("/v/a.mp4", [1.0, 3.0, 3.0, 2.0, 3.0]),
        make_failure("/v/b.mp4"),
        make_outcome("/v/c.mp4", [-1.0]),
        part_clips=5,
    )
    assert chosen(CorpusClips(folder, k=2)) == [(0, 1, 1), (0, 2, 2), (1, 0, 1)]
    assert chosen(CorpusClips(folder, k=4)) == [(0, 1, 1), (0, 2, 2), (0, 3, 4), (0, 4, 3), (1, 0, 1)]
    everything = CorpusClips(folder)
    assert [index for _, index, _ in chosen(everything)] == [0, 1, 2, 3, 4, 0]
    assert (everything.num_videos, everything.num_clips) == (2, 6)


def test_ranks_are_followed_where_there_are_some(tmp_path: Path) -> None:
    # Under a union of lists the first ranks need not have the highest scores.
    union = make_selection("/v/a.mp4", (4, 0, 2))
    union.clips.score[:] = (1.0, 5.0, 3.0)
    folder = write(tmp_path, union, make_selection("/v/b.mp4", ()), make_selection("/v/c.mp4", (1,)))
    assert chosen(CorpusClips(folder, k=2)) == [(0, 0, 2), (0, 4, 1), (1, 1, 1)]
    assert chosen(CorpusClips(folder)) == [(0, 0, 2), (0, 2, 3), (0, 4, 1), (1, 1, 1)]


def test_arguments_and_folders_that_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="k = 0"):
        CorpusClips(write(tmp_path / "out"), k=0)
    with pytest.raises(StoredScoresError, match="no corpus data set"):
        CorpusClips(tmp_path)


@pytest.mark.parametrize("outcomes", [[], [make_failure("/v/a.mp4")]], ids=["empty", "failed"])
def test_a_data_set_without_clips_gives_none(tmp_path: Path, outcomes: list[Outcome]) -> None:
    dataset = CorpusClips(write(tmp_path, *outcomes), k=3)
    assert (dataset.num_videos, dataset.num_clips) == (0, 0)
    assert list(DataLoader(dataset)) == []


# --- their frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_frames_show_the_counter_of_their_time(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    dataset = CorpusClips(
        write(tmp_path, outcome_of(choose(file.path, 3))), num_frames=5, frame_step=2, size=(96, 128)
    )
    (batch,) = DataLoader(dataset, batch_size=3)
    assert tuple(batch["clip"].shape) == (3, 5, 3, 96, 128)
    shown = [read_counter(picture.transpose(1, 2, 0)) for clip in batch["clip"].numpy() for picture in clip]
    assert shown == [counter_at(file, t) for t in batch["times_s"].flatten().tolist()]
    assert (batch["times_s"][:, 0] >= batch["start_s"] - 1e-9).all()
    assert (batch["times_s"][:, -1] < batch["end_s"]).all()


def test_items_are_those_of_salient_clips(made: GetMade, tmp_path: Path) -> None:
    selection = choose(made("vfr").path, 3)
    folder = write(tmp_path, outcome_of(selection, true_labels=("dive", "jump")))
    theirs = {item["rank"]: item for item in SalientClips([(selection, "dive|jump")], **SMALL)}  # type: ignore[attr-defined]
    ours = list(CorpusClips(folder, k=3, **SMALL))
    assert [item["start_s"] for item in ours] == sorted(clip.start_s for clip in selection.clips)
    for item in ours:
        other = theirs.pop(item["rank"])
        assert {*item} == {*other, "start_s", "end_s"}
        assert torch.equal(item["clip"], other["clip"])
        assert torch.equal(item["times_s"], other["times_s"])
        assert all(item[key] == other[key] for key in ("label", "video", "score"))
    assert theirs == {}


def test_times_beyond_64_bits_mean_the_same_frames(made: GetMade, tmp_path: Path) -> None:
    selection = choose(made("ntsc_mkv").path, 3)
    plain = outcome_of(selection)
    # An end between two frames that needs a base of its own takes the exact ticks from all times of the video.
    ends = (plain.clips.ends[0] - Fraction(1, 2**61 - 1), *plain.clips.ends[1:])
    odd = outcome_of(selection, ends=ends)
    both = [CorpusClips(write(tmp_path / name, one), **SMALL) for name, one in (("a", plain), ("b", odd))]
    assert both[0]._clips["ticks_per_second"].all()
    assert not both[1]._clips["ticks_per_second"].any()
    for exact, nearest in zip(*both, strict=True):
        assert torch.equal(exact["times_s"], nearest["times_s"])


def test_a_video_is_opened_once_and_read_forwards(
    made: GetMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, outcome_of(choose(made("h264_bframes_mp4").path, 4)))
    readers: list[FrameReader] = []
    times: list[Fraction] = []

    class Watched(FrameReader):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            readers.append(self)

        def frames_at(self, wanted: Any) -> Any:
            times.extend(wanted)
            return super().frames_at(wanted)

    monkeypatch.setattr("salientclips.adapters.clip_items.FrameReader", Watched)
    assert len(list(CorpusClips(folder, **SMALL))) == 4
    assert len(readers) == 1
    assert times == sorted(times)


def test_a_video_that_changed_or_is_gone_is_told(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", frames=30, size=(64, 48))
    folder = write(tmp_path / "out", outcome_of(choose(video, 1)))
    dataset = CorpusClips(folder, **SMALL)
    assert len(list(dataset)) == 1
    make_video(video, frames=40, size=(64, 48))
    with pytest.raises(StoredScoresError, match=r"v\.mp4' is not the video that was scored"):
        list(dataset)
    video.unlink()
    with pytest.raises(FileMissingError, match=r"v\.mp4"):
        list(dataset)


def test_a_file_name_of_stray_bytes(tmp_path: Path) -> None:
    try:
        video = make_video(tmp_path / "v.mp4", frames=30, size=(64, 48)).rename(tmp_path / "caf\udce9.mp4")
    except (OSError, UnicodeError):
        pytest.skip("this file system has none")
    (item,) = CorpusClips(write(tmp_path / "out", outcome_of(choose(video, 1))), **SMALL)
    assert item["video"] == str(video)


def test_names_that_are_no_path_are_fetched(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", frames=30, size=(64, 48))
    with tarfile.open(tmp_path / "s.tar", "w") as shard:
        shard.add(video, "v.mp4")
    name = f"tar://v.mp4::file://{tmp_path}/s.tar"
    folder = write(tmp_path / "out", outcome_of(choose(video, 1), name))
    video.unlink()
    (item,) = CorpusClips(folder, **SMALL)
    assert item["video"] == name
    assert item["clip"].shape[0] == len(item["times_s"])


# --- who gets which ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven tiny videos with two clips each."""
    folder = tmp_path_factory.mktemp("seven")
    videos = [make_video(folder / f"{i}.mp4", frames=30 + i, size=(64, 48)) for i in range(7)]
    return write(folder / "out", *(outcome_of(choose(video, 2)) for video in videos), part_clips=5)


def seen(items: Any) -> list[tuple[str, int]]:
    return [(Path(item["video"]).stem, item["rank"]) for item in items]


ALL = sorted((str(i), rank) for i in range(7) for rank in (1, 2))


def as_process(monkeypatch: pytest.MonkeyPatch, rank: int, world: int) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: world)


def test_workers_share_the_videos(seven: Path) -> None:
    loader = DataLoader(CorpusClips(seven, **SMALL), batch_size=None, num_workers=2)
    assert sorted(seen(loader)) == ALL


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("workers", [1, 3])
def test_processes_and_their_workers_share_the_videos(
    seven: Path, monkeypatch: pytest.MonkeyPatch, workers: int, seed: int | None
) -> None:
    shares = []
    for rank in range(2):
        as_process(monkeypatch, rank, 2)
        dataset = CorpusClips(seven, shuffle_seed=seed, **SMALL)
        for number in range(workers):

            class Worker:
                id, num_workers = number, workers

            monkeypatch.setattr("salientclips.adapters.corpus_clips.get_worker_info", Worker)
            shares.append(seen(dataset))
    assert sorted(clip for share in shares for clip in share) == ALL
    assert max(map(len, shares)) - min(map(len, shares)) <= 2  # one video more, at most


def test_a_spawned_worker_knows_its_process(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_process(monkeypatch, 1, 2)
    sent = pickle.dumps(CorpusClips(seven, **SMALL))
    monkeypatch.undo()
    assert seen(pickle.loads(sent)) == [(str(i), rank) for i, rank in seen_in_order(seven) if int(i) % 2 == 1]


def seen_in_order(folder: Path) -> list[tuple[str, int]]:
    return seen(CorpusClips(folder, **SMALL))


def test_the_order_follows_seed_and_epoch(seven: Path) -> None:
    def order(seed: int | None, epoch: int = 0) -> list[tuple[str, int]]:
        dataset = CorpusClips(seven, shuffle_seed=seed, **SMALL)
        dataset.set_epoch(epoch)
        return seen(dataset)

    assert [video for video, _ in order(None)][::2] == [str(i) for i in range(7)]
    assert order(1) == order(1)
    assert len({tuple(o) for o in (order(None), order(1), order(1, 1), order(2))}) == 4
    assert sorted(order(1, 1)) == ALL
