"""PyTorch, PyTorchVideo and mmaction2 train on the frames of the clips."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from chosen import EVERY_TRAP, choose, counter_at, counters, every_trap
from made_files import MadeFile
from media_files import read_counter
from salientclips.errors import InputError
from salientclips.media.demux import read_packets
from salientclips.media.frame_numbers import number_frames
from salientclips.media.orientation import turn

GetMade = Callable[[str], MadeFile]


@every_trap
def test_dataset_items(name: str, made: GetMade) -> None:
    pytest.importorskip("torch")
    from torch.utils.data import DataLoader

    from salientclips.adapters.dataset import SalientClips

    file = made(name)
    dataset = SalientClips([(choose(file.path), 7)], num_frames=5, frame_step=2, size=(96, 128))
    (batch,) = DataLoader(pickle.loads(pickle.dumps(dataset)), batch_size=3)
    assert tuple(batch["clip"].shape) == (3, 5, 3, 96, 128)
    assert batch["label"].tolist() == [7, 7, 7]
    assert batch["rank"].tolist() == [1, 2, 3]
    shown = counters(batch["clip"].numpy())
    assert shown == [counter_at(file, t) for t in batch["times_s"].flatten().tolist()]


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_pytorchvideo_clips(name: str, made: GetMade) -> None:
    pytest.importorskip("pytorchvideo.data.clip_sampling", exc_type=Exception)
    from pytorchvideo.data.encoded_video_pyav import EncodedVideoPyAV

    from salientclips.adapters.pytorchvideo import SalientClipSampler

    file = made(name)
    selection = choose(file.path)
    with file.path.open("rb") as opened:
        video = EncodedVideoPyAV(io.BytesIO(opened.read()), decode_audio=False)
    sampler = SalientClipSampler()
    frames = number_frames(read_packets(file.path))
    for clip in selection.clips:
        info = sampler(None, video.duration, {"selection": selection})
        assert (info.clip_index, info.is_last_clip) == (clip.rank - 1, clip.rank == 3)
        pictures = video.get_clip(info.clip_start_sec, info.clip_end_sec)["video"].permute(1, 2, 3, 0)
        shown = [read_counter(turn(p.byte().numpy(), file.rotation_deg)) for p in pictures]
        first, stop = frames.span(clip)
        assert shown == list(file.counters[first:stop])
    assert sampler(None, video.duration, {"selection": selection}).clip_index == 0
    half = SalientClipSampler(0.5)(None, video.duration, {"selection": selection})
    assert half.clip_end_sec - half.clip_start_sec == 0.5
    with pytest.raises(InputError, match="no selected clips"):
        SalientClipSampler()(None, 1, {})


def test_pytorchvideo_dataset_and_loader(made: GetMade) -> None:
    pytest.importorskip("pytorchvideo.data.labeled_video_dataset", exc_type=Exception)
    from pytorchvideo.data.labeled_video_dataset import LabeledVideoDataset
    from torch.utils.data import DataLoader, SequentialSampler

    from salientclips.adapters.pytorchvideo import SalientClipSampler

    file = made("h264_bframes_mp4")
    selection = choose(file.path)
    dataset = LabeledVideoDataset(
        [(str(file.path), {"label": 3, "selection": "one"})],
        clip_sampler=SalientClipSampler(None, {"one": selection}),
        video_sampler=SequentialSampler,
        decode_audio=False,
    )
    batches = list(DataLoader(dataset, batch_size=1))
    assert [int(b["clip_index"]) for b in batches] == [0, 1, 2]
    for batch, clip in zip(batches, selection.clips, strict=True):
        first, _ = number_frames(read_packets(file.path)).span(clip)
        assert read_counter(batch["video"][0, :, 0].permute(1, 2, 0).byte().numpy()) == first


@every_trap
def test_mmaction_keys_name_frames_of_the_clips(name: str, made: GetMade) -> None:
    from salientclips.adapters.mmaction import SalientSampleFrames

    file = made(name)
    selection = choose(file.path, 2)
    transform = SalientSampleFrames(4, frame_interval=2, num_clips=3)
    found = transform({"filename": str(file.path), "selection": selection, "start_index": 0})
    assert found["frame_inds"].dtype == np.int32
    assert found["frame_inds"].shape == (12,)
    assert (found["clip_len"], found["frame_interval"], found["num_clips"]) == (4, 2, 3)
    for row, clip in zip(
        found["frame_inds"].reshape(3, 4), [*selection.clips, selection.clips[0]], strict=True
    ):
        times = [float(file.times[i]) + file.start_s for i in row]
        assert all(clip.start_s - 0.002 <= t < clip.end_s for t in times)
        assert np.diff(row).tolist() == [2, 2, 2]
    alone = SalientSampleFrames(4, sampler="packet-cost")({"filename": str(file.path)})
    assert alone["total_frames"] == len(file.counters)


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_mmaction_decodes_the_frames(name: str, made: GetMade) -> None:
    loading = pytest.importorskip("mmaction.datasets.transforms.loading", exc_type=Exception)
    from salientclips.adapters.mmaction import SalientSampleFrames

    file = made(name)
    results = SalientSampleFrames(4, 2, 2)(loading.PyAVInit()({"filename": str(file.path)}))
    shown = [read_counter(turn(p, file.rotation_deg)) for p in loading.PyAVDecode()(results)["imgs"]]
    assert shown == [file.counters[i] for i in results["frame_inds"]]


def test_mmaction_configurations_know_the_transform() -> None:
    registry = pytest.importorskip("mmaction.registry", exc_type=Exception)
    from salientclips.adapters.mmaction import register

    register()
    built = registry.TRANSFORMS.build({"type": "SalientSampleFrames", "clip_len": 4})
    assert built.clip_len == 4
